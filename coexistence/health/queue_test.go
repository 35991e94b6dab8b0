package health_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/health"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/inbox"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/webhooktest"
)

// receive takes one text for the number in, through an inbox with a handler.
func receive(t *testing.T, h webhook.HandlerFunc) *inbox.Inbox {
	t.Helper()
	in, err := inbox.New(new(inbox.MemStore), h, inbox.Config{Backoff: func(int) time.Duration { return time.Hour }})
	require.NoError(t, err)
	require.NoError(t, in.Start(t.Context()))
	t.Cleanup(func() { _ = in.Shutdown(context.WithoutCancel(t.Context())) })
	require.NoError(t, in.Receive(t.Context(), webhook.Delivery{
		Body: webhooktest.Sample("messages", "text"), ReceivedAt: time.Now(),
	}))
	return in
}

func TestDeadLettersAreCountedForTheirNumber(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		in := receive(t, func(context.Context, webhook.Event) error {
			return webhook.Permanent(errors.New("no table"))
		})
		require.NoError(t, in.WaitIdle(t.Context()))
		b := newBench(t, health.Config{Inbox: in})
		h := b.health(t)
		wants(t, h, health.PartDeadLetters, health.StatusWarning, health.CodeDeadLetters)
		require.Equal(t, 1, h.DeadLetters.Count)
		require.False(t, h.DeadLetters.LastAt.IsZero())
		require.Equal(t, health.StatusOK, h.Backlog.Status)

		b.onboard(t, "100000000000002")
		other, err := b.monitor.Health(t.Context(), "100000000000002")
		require.NoError(t, err)
		require.Equal(t, health.StatusOK, other.DeadLetters.Status, "numbers are strangers to each other")
		require.NoError(t, in.Shutdown(t.Context()))
	})
}

func TestABacklogGrowsOld(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		in := receive(t, func(context.Context, webhook.Event) error { return errors.New("busy") })
		b := newBench(t, health.Config{Inbox: in})
		synctest.Wait()
		require.Equal(t, health.StatusOK, b.health(t).Backlog.Status)
		time.Sleep(2 * time.Minute)
		wants(t, b.health(t), health.PartBacklog, health.StatusWarning, health.CodeBacklog)
		require.Equal(t, 1, b.health(t).Backlog.Live)
		time.Sleep(9 * time.Minute)
		wants(t, b.health(t), health.PartBacklog, health.StatusBroken, health.CodeBacklog)
		require.NoError(t, in.Shutdown(t.Context()))
	})
}

func TestAHandlerThatHangsIsAWarning(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		in, err := inbox.New(new(inbox.MemStore), webhook.HandlerFunc(func(context.Context, webhook.Event) error {
			<-release
			return nil
		}), inbox.Config{HandlerTimeout: 10 * time.Second})
		require.NoError(t, err)
		require.NoError(t, in.Start(t.Context()))
		require.NoError(t, in.Receive(t.Context(), webhook.Delivery{
			Body: webhooktest.Sample("messages", "text"), ReceivedAt: time.Now(),
		}))
		b := newBench(t, health.Config{Inbox: in})
		time.Sleep(30 * time.Second)
		wants(t, b.health(t), health.PartBacklog, health.StatusWarning, health.CodeHandlersHang)
		close(release)
		require.NoError(t, in.Shutdown(t.Context()))
	})
}

// A number for which nothing arrives is a warning, and what the store tells counts: after a restart
// the process itself remembers nothing.
func TestSilenceIsAWarning(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, health.Config{})
		const limit = 3 * day
		time.Sleep(limit - time.Hour)
		wants(t, b.health(t), health.PartDelivery, health.StatusOK, "")
		time.Sleep(2 * time.Hour)
		wants(t, b.health(t), health.PartDelivery, health.StatusWarning, health.CodeSilent)

		text := &webhook.IncomingMessage{
			EventInfo: webhook.EventInfo{PhoneNumberID: phone, WABAID: waba, At: time.Now(), ReceivedAt: time.Now()},
			ID:        "wamid.1", From: graph.Identity{WAID: "15550100101"}, Type: "text",
			Content: &webhook.Text{Body: "Hello"},
		}
		require.NoError(t, webhook.MultiHandler(b.tracker, b.arrivals).Handle(t.Context(), text))
		h := b.health(t)
		wants(t, h, health.PartDelivery, health.StatusOK, "")
		require.WithinDuration(t, time.Now(), h.Delivery.LastAt, time.Second)

		// It is handled again, which proves nothing.
		time.Sleep(limit + time.Hour)
		require.NoError(t, b.arrivals.Handle(t.Context(), text))
		wants(t, b.health(t), health.PartDelivery, health.StatusWarning, health.CodeSilent)

		b.arrivals = new(health.Arrivals)
		b.watch(t, health.Config{MaxSilence: 5 * day})
		h = b.health(t)
		wants(t, h, health.PartDelivery, health.StatusOK, "")
		require.WithinDuration(t, time.Now().Add(-limit-time.Hour), h.Delivery.LastAt, time.Second, "from the store")
	})
}

func TestAStatusIsAnArrivalToo(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, health.Config{})
		time.Sleep(2 * day)
		at := time.Now()
		require.NoError(t, b.arrivals.Handle(t.Context(), &webhook.MessageStatus{
			EventInfo: webhook.EventInfo{PhoneNumberID: phone, WABAID: waba, At: at}, ID: "wamid.2",
			Status: webhook.StatusDelivered, Recipient: graph.Identity{WAID: "15550100101"},
		}))
		require.NoError(t, b.store.UpdateMessages(t.Context(), phone, []graph.MessageID{"wamid.2"},
			func(m *coexistence.Message) {
				m.Person, m.Outbound, m.At, m.Type = "15550100101", true, at.Add(-day), "text"
				m.Receipts = []coexistence.Receipt{{Status: webhook.StatusDelivered, At: at}}
			}))
		time.Sleep(2 * day)
		for range 2 { // as this process knows, and as another one sees in the store
			h := b.health(t)
			wants(t, h, health.PartDelivery, health.StatusOK, "")
			require.WithinDuration(t, at, h.Delivery.LastAt, time.Second)
			b.arrivals = new(health.Arrivals)
			b.watch(t, health.Config{})
		}
	})
}

func TestDriftIsKeptByNumberAndAccount(t *testing.T) {
	t.Parallel()
	b := newBench(t, health.Config{})
	b.onboard(t, "100000000000002")
	wants(t, b.health(t), health.PartDrift, health.StatusOK, "")
	tell := func(info webhook.EventInfo) {
		info.Raw = []byte(`{}`)
		require.NoError(t, b.arrivals.Handle(t.Context(), &webhook.UnknownEvent{EventInfo: info}))
	}
	tell(webhook.EventInfo{PhoneNumberID: phone, WABAID: waba, Field: "brand_new"})
	h := b.health(t)
	wants(t, h, health.PartDrift, health.StatusWarning, health.CodeDrift)
	require.Equal(t, webhook.Field("brand_new"), h.Drift.Counts[0].Field)
	other, err := b.monitor.Health(t.Context(), "100000000000002")
	require.NoError(t, err)
	require.Empty(t, other.Drift.Counts)

	tell(webhook.EventInfo{WABAID: waba, Field: "newer"})
	other, err = b.monitor.Health(t.Context(), "100000000000002")
	require.NoError(t, err)
	require.Len(t, other.Drift.Counts, 1, "its account holds both numbers")

	require.NoError(t, b.arrivals.Handle(t.Context(), &webhook.UndecodableEvent{
		EventInfo: webhook.EventInfo{PhoneNumberID: phone, Field: webhook.FieldMessages, Raw: []byte(`{}`)},
	}))
	wants(t, b.health(t), health.PartDrift, health.StatusWarning, health.CodeUndecodable)
}

func TestWithoutArrivalsTheStoreTells(t *testing.T) {
	t.Parallel()
	b := newBench(t, health.Config{})
	m, err := health.New(health.Config{Tracker: b.tracker, ReadInterval: time.Hour})
	require.NoError(t, err)
	require.NoError(t, m.CheckAll(t.Context()))
	h, err := m.Health(t.Context(), phone)
	require.NoError(t, err)
	require.Equal(t, health.CodeNotConfigured, h.Drift.Code)
	require.Equal(t, health.StatusOK, h.Delivery.Status)
	require.False(t, h.Delivery.LastAt.IsZero(), "the phone was seen")
	require.Equal(t, coexistence.StageActive, h.Connection.Stage)
}
