package outbox_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/cloudapitest"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/outbox"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

func TestAnEntryIsSentAndFiled(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, e engine) {
		p := newPlatform(t, 1000)
		h := start(t, e, p, outbox.Config{})
		entry := p.text("answer-1", 1)
		require.Equal(t, 1, h.put(entry))
		got := h.becomes("answer-1", outbox.StateSent)
		require.Len(t, p.Sent(), 1)
		m := p.Sent()[0]
		require.Equal(t, m.ID, got.MessageID)
		require.Equal(t, "answer-1", m.CallbackData)
		require.False(t, got.SentAt.IsZero())
		require.Equal(t, 1, got.Attempts)

		filed, err := h.db.Store().Message(t.Context(), p.phone.ID, m.ID)
		require.NoError(t, err)
		require.Equal(t, coexistence.OriginAPI, filed.Origin)
		require.Equal(t, "About answer-1", filed.Text)

		require.NoError(t, h.deliver(t.Context(), m, webhook.StatusDelivered))
		require.NoError(t, h.deliver(t.Context(), m, webhook.StatusRead))
		onAnotherDevice := webhook.Error{Code: 131026}
		require.NoError(t, h.deliver(t.Context(), m, webhook.StatusFailed, onAnotherDevice))
		got, err = h.Get(t.Context(), "answer-1")
		require.NoError(t, err)
		require.Equal(t, outbox.StateSent, got.State)
		require.False(t, got.DeliveredAt.IsZero())
		require.False(t, got.ReadAt.IsZero())

		require.Zero(t, h.put(entry), "the same name again")
		_, err = h.Get(t.Context(), "answer-2")
		require.ErrorIs(t, err, outbox.ErrNotFound)
	})
}

func TestAnEntryIsPartOfTheHostsTransaction(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, e engine) {
		p := newPlatform(t, 1000)
		h := start(t, e, p, outbox.Config{})
		for _, id := range []string{"kept", "dropped"} {
			tx, err := h.db.SQL().BeginTx(t.Context(), nil)
			require.NoError(t, err)
			n, err := h.EnqueueTx(t.Context(), tx, p.text(id, 1))
			require.NoError(t, err)
			require.Equal(t, 1, n)
			if id == "kept" {
				require.NoError(t, tx.Commit())
				h.Notify()
			} else {
				require.NoError(t, tx.Rollback())
			}
		}
		h.becomes("kept", outbox.StateSent)
		_, err := h.Get(t.Context(), "dropped")
		require.ErrorIs(t, err, outbox.ErrNotFound)
	})
}

func TestWhatMetaWouldRefuseIsNotTaken(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, e engine) {
		p := newPlatform(t, 1000)
		h := open(t, e, p, outbox.Config{})
		bad := p.text("bad", 1)
		bad.Payload.Content = &cloudapi.Text{}
		_, err := h.Enqueue(t.Context(), p.text("good", 1), bad)
		require.ErrorIs(t, err, cloudapi.ErrValidation)
		_, err = h.Get(t.Context(), "good")
		require.ErrorIs(t, err, outbox.ErrNotFound, "all or none")
		_, err = h.Enqueue(t.Context(), outbox.Message{Payload: bad.Payload})
		require.ErrorContains(t, err, "Message.ID is empty")
		require.ErrorContains(t, err, "Message.PhoneNumberID is empty")
	})
}

func TestAnswersGoFirstAndAPersonsMessagesInOrder(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, e engine) {
		p := newPlatform(t, 1000)
		h := open(t, e, p, outbox.Config{MaxConcurrentSends: 4})
		var want []string
		for i := range 20 {
			c := p.text(fmt.Sprintf("campaign-%02d", i), 5000+i)
			c.Campaign = "winter"
			h.put(c)
		}
		for i := range 12 {
			id := fmt.Sprintf("answer-%02d", i)
			h.put(p.text(id, 7))
			want = append(want, id)
		}
		h.run()
		h.becomes("answer-11", outbox.StateSent)
		first := h.becomes("answer-00", outbox.StateSent).AttemptedAt
		for i := range 20 {
			at := h.becomes(fmt.Sprintf("campaign-%02d", i), outbox.StateSent).AttemptedAt
			require.False(t, at.Before(first), "a campaign went before an answer")
		}
		var got []string
		for _, m := range p.Sent() {
			if m.To.WAID == "15550100007" {
				got = append(got, m.CallbackData)
			}
		}
		require.Equal(t, want, got)
	})
}

func TestACampaignIsPausedCountedAndDrawn(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, e engine) {
		p := newPlatform(t, 1000)
		h := start(t, e, p, outbox.Config{})
		require.NoError(t, h.PauseCampaign(t.Context(), "winter"))
		for i := range 9 {
			c := p.text(fmt.Sprintf("winter-%d", i), i)
			c.Campaign = "winter"
			h.put(c)
		}
		h.put(p.text("answer", 50))
		h.becomes("answer", outbox.StateSent)
		counts, err := h.CampaignCounts(t.Context(), "winter")
		require.NoError(t, err)
		require.Equal(t, outbox.Counts{Paused: true, Total: 9, Queued: 9}, counts)

		canceled, err := h.Cancel(t.Context(), "winter-8")
		require.NoError(t, err)
		require.True(t, canceled)
		require.NoError(t, h.ResumeCampaign(t.Context(), "winter"))
		for i := range 8 {
			h.becomes(fmt.Sprintf("winter-%d", i), outbox.StateSent)
		}
		sent := p.Sent()[1:]
		require.NoError(t, h.deliver(t.Context(), sent[0], webhook.StatusDelivered))
		require.NoError(t, h.deliver(t.Context(), sent[1], webhook.StatusRead))
		undeliverable := webhook.Error{Code: 131026, Title: "Message undeliverable"}
		require.NoError(t, h.deliver(t.Context(), sent[2], webhook.StatusFailed, undeliverable))
		counts, err = h.CampaignCounts(t.Context(), "winter")
		require.NoError(t, err)
		require.Equal(t, outbox.Counts{Total: 9, Sent: 7, Failed: 2, Delivered: 2, Read: 1}, counts)
		require.True(t, counts.Done())
		canceled, err = h.Cancel(t.Context(), "winter-0")
		require.NoError(t, err)
		require.False(t, canceled, "it is with Meta")

		s, err := h.CampaignSeries(t.Context(), "winter", 30)
		require.NoError(t, err)
		require.Len(t, s.Sent, 30)
		require.Equal(t, 8, s.Sent[29], "the one that failed later was sent, too")
		require.Equal(t, 1, s.Delivered[29])
		require.Equal(t, 1, s.Read[29])
		require.Equal(t, 2, s.Failed[29])
		require.Positive(t, s.Step)

		failed := 0
		filter := outbox.Filter{Campaign: "winter", States: []outbox.State{outbox.StateFailed}, Newest: true}
		for entry, err := range h.List(t.Context(), filter) {
			require.NoError(t, err)
			require.Contains(t, []string{"canceled", "Message undeliverable"}, entry.Reason)
			failed++
		}
		require.Equal(t, 2, failed)
		again, err := h.Requeue(t.Context(), "winter-8")
		require.NoError(t, err)
		require.True(t, again)
		h.becomes("winter-8", outbox.StateSent)
	})
}

func TestEntriesAreWalkedInPages(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, e engine) {
		p := newPlatform(t, 1000)
		h := open(t, e, p, outbox.Config{})
		all := make([]outbox.Message, 2500)
		for i := range all {
			all[i] = p.text(fmt.Sprintf("e-%04d", i), i%10)
			all[i].ConversationID = fmt.Sprint("person ", i%10)
		}
		require.Equal(t, 2500, h.put(all...))
		walk := func(f outbox.Filter) (ids []string) {
			for entry, err := range h.List(t.Context(), f) {
				require.NoError(t, err)
				ids = append(ids, entry.ID)
			}
			return ids
		}
		ids := walk(outbox.Filter{PhoneNumberID: p.phone.ID})
		require.Len(t, ids, 2500)
		require.Equal(t, "e-0000", ids[0])
		require.Equal(t, "e-2499", ids[2499])
		require.Len(t, walk(outbox.Filter{ConversationID: "person 3"}), 250)
		require.Equal(t, []string{"e-2499", "e-2498"}, walk(outbox.Filter{Newest: true, Limit: 2}))
		require.Len(t, walk(outbox.Filter{Newest: true, Limit: 1500}), 1500)
	})
}

func TestWhatIsTooLateIsNotSent(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, e engine) {
		p := newPlatform(t, 1000)
		h := start(t, e, p, outbox.Config{})
		late := p.text("late", 1)
		late.ExpiresAt = time.Now().Add(-time.Minute)
		early := p.text("early", 2)
		early.ExpiresAt = time.Now().Add(time.Hour)
		h.put(late, early)
		require.Contains(t, h.becomes("late", outbox.StateFailed).Reason, "too late")
		h.becomes("early", outbox.StateSent)
		require.Len(t, p.Sent(), 1)
	})
}

func TestASuspendedNumberKeepsItsEntries(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, e engine) {
		p := newPlatform(t, 1000)
		h := open(t, e, p, outbox.Config{})
		stage := func(s coexistence.Stage) {
			set := func(n coexistence.Number) (coexistence.Number, error) {
				n.Stage = s
				return n, nil
			}
			_, err := h.db.Store().UpdateNumber(t.Context(), p.phone.ID, set)
			require.NoError(t, err)
		}
		stage(coexistence.StageOffboarded)
		h.run()
		h.put(p.text("waits", 1))
		other := p.AddPhone(cloudapitest.Phone{WABAs: p.phone.WABAs})
		goes := p.text("goes", 2)
		goes.PhoneNumberID = other.ID
		h.put(goes)
		h.becomes("goes", outbox.StateSent)
		got, err := h.Get(t.Context(), "waits")
		require.NoError(t, err)
		require.Equal(t, outbox.StateQueued, got.State)
		require.Zero(t, got.Attempts)
		stage(coexistence.StageActive)
		h.becomes("waits", outbox.StateSent)
	})
}

func TestATokenThatDoesNotWorkFailsNoEntry(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, e engine) {
		p := newPlatform(t, 1000)
		p.client = p.client.WithToken("EAA-revoked-canary")
		h := start(t, e, p, outbox.Config{})
		h.put(p.text("kept", 1))
		var got outbox.Entry
		require.Eventually(t, func() bool {
			var err error
			got, err = h.Get(t.Context(), "kept")
			return err == nil && got.Code == 190 && got.State == outbox.StateQueued
		}, 10*time.Second, 10*time.Millisecond)
		require.NotContains(t, got.Reason, "canary")
		require.Empty(t, p.Sent())
	})
}

func TestAClosedWindowFailsTheEntry(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, e engine) {
		p := newPlatform(t, 1000)
		p.Inject(cloudapitest.Fault{On: "POST /{phone-number-id}/messages", Code: graph.CodeReengagementMessage})
		h := start(t, e, p, outbox.Config{})
		h.put(p.text("closed", 1))
		require.Equal(t, graph.CodeReengagementMessage, h.becomes("closed", outbox.StateFailed).Code)
	})
}

func TestWhatIsOldIsPurged(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, e engine) {
		p := newPlatform(t, 1000)
		h := open(t, e, p, outbox.Config{Retention: time.Millisecond})
		h.put(p.text("old", 1))
		_, err := h.Cancel(t.Context(), "old")
		require.NoError(t, err)
		old, err := h.Get(t.Context(), "old")
		require.NoError(t, err)
		require.Eventually(t, func() bool {
			return time.Since(old.EnqueuedAt) > 10*time.Millisecond
		}, 10*time.Second, time.Millisecond)
		h.run() // which purges when it begins, and then once an hour
		require.Eventually(t, func() bool {
			_, err := h.Get(t.Context(), "old")
			return errors.Is(err, outbox.ErrNotFound)
		}, 10*time.Second, 10*time.Millisecond)
	})
}
