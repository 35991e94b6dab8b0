package outbox_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/cloudapitest"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/outbox"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

func seed(t *testing.T) uint64 {
	t.Helper()
	n := rand.Uint64()
	if s := os.Getenv("COEXISTENCE_SEED"); s != "" {
		var err error
		n, err = strconv.ParseUint(s, 10, 64)
		require.NoError(t, err)
	}
	t.Logf("COEXISTENCE_SEED=%d", n)
	return n
}

const messagesCall = "POST /{phone-number-id}/messages"

// webhooks brings statuses to whichever process lives: late, the later the worse, and again until
// one acknowledges them, as Meta does.
type webhooks struct {
	t       *testing.T
	pending sync.WaitGroup

	mu     sync.Mutex
	living *process
	random *rand.Rand
	late   map[string]bool // entries whose status came long after UnknownTimeout
}

func newWebhooks(t *testing.T, seed uint64) *webhooks {
	w := &webhooks{t: t, random: rand.New(rand.NewPCG(seed, 1)), late: map[string]bool{}}
	t.Cleanup(w.pending.Wait)
	return w
}

// switchTo lets another process get the statuses, and returns the one before.
func (w *webhooks) switchTo(h *process) *process {
	w.mu.Lock()
	defer w.mu.Unlock()
	before := w.living
	w.living = h
	return before
}

func (w *webhooks) process() *process {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.living
}

func (w *webhooks) onMessage(m cloudapitest.SentMessage) {
	w.mu.Lock()
	defer w.mu.Unlock()
	after := time.Duration(w.random.IntN(400)) * time.Millisecond
	if w.random.IntN(4) == 0 {
		after = time.Duration(2+w.random.IntN(2)) * time.Second // Meta's history has to tell
		w.late[m.CallbackData] = true
	}
	w.pending.Go(func() {
		for pause := after; ; pause = 50 * time.Millisecond {
			<-time.After(pause)
			if w.process().deliver(w.t.Context(), m, webhook.StatusSent) == nil || w.t.Context().Err() != nil {
				return
			}
		}
	})
}

// die ends the living process in the middle of everything and starts another one. Where processes
// can share the database, the new one is there before the old one dies.
func (w *webhooks) die(e engine, p *platform, cfg outbox.Config) {
	if e.shared {
		w.switchTo(start(w.t, e, p, cfg)).die()
		return
	}
	w.process().die()
	w.switchTo(start(w.t, e, p, cfg))
}

// harmlessFaults are the kinds of chaos that neither fail a message nor stop a number for long.
func harmlessFaults() []string {
	return slices.DeleteFunc(cloudapitest.ChaosKinds(), func(kind string) bool {
		return kind == "refused" || strings.HasPrefix(kind, "throttled")
	})
}

// The promise of the package: through every fault that is known, with late statuses and processes
// that die, every message is sent once.
func TestEveryEntryIsSentOnceThroughFaultsAndDeaths(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, e engine) {
		const messages, people, deaths = 300, 60, 6
		n := seed(t)
		p := newPlatform(t, 1000)
		p.Chaos(cloudapitest.Chaos{Rate: 0.4, Seed: n, Late: 900 * time.Millisecond, Kinds: harmlessFaults()})
		statuses := newWebhooks(t, n)
		p.OnMessage(statuses.onMessage)

		cfg := outbox.Config{LeaseDuration: time.Second, UnknownTimeout: 1200 * time.Millisecond}
		statuses.switchTo(start(t, e, p, cfg))
		all := make([]outbox.Message, messages)
		for i := range all {
			all[i] = p.text(fmt.Sprintf("m-%03d", i), i%people)
			if i%3 == 0 {
				all[i].Campaign = "winter"
			}
		}
		statuses.process().put(all...)
		for range deaths {
			enough := min(len(p.Sent())+messages/(deaths+2), messages-10)
			require.Eventually(t, func() bool { return len(p.Sent()) >= enough }, time.Minute, time.Millisecond)
			statuses.die(e, p, cfg)
		}
		h := statuses.process()
		require.Eventually(t, h.allDone, 3*time.Minute, 50*time.Millisecond)

		accepted := p.accepted()
		for _, entry := range all {
			got, err := h.Get(t.Context(), entry.ID)
			require.NoError(t, err)
			require.Equal(t, outbox.StateSent, got.State, "%s failed: %s", entry.ID, got.Reason)
			require.Equal(t, 1, accepted[entry.ID], "%s was accepted %d times", entry.ID, accepted[entry.ID])
		}
		faults := 0
		for _, r := range p.Requests() {
			if strings.HasPrefix(r.Fault, "accepted") {
				faults++
			}
		}
		t.Logf("%d messages, %d requests, %d accepted with an answer that did not say so", messages, len(p.Requests()),
			faults)
		t.Logf("%d statuses came late, %d deaths", len(statuses.late), deaths)
		require.Positive(t, faults)
		require.NotEmpty(t, statuses.late)
	})
}

func TestAMessageThatMetaMayHaveTakenIsNotRepeatedWhileItsHistoryIsStrange(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, e engine) {
		p := newPlatform(t, 1000)
		p.Inject(cloudapitest.Fault{On: messagesCall, Drop: true, Accept: true})
		h := start(t, e, p, outbox.Config{UnknownTimeout: 200 * time.Millisecond})
		h.put(p.text("doubt", 1))
		h.becomes("doubt", outbox.StateUnknown)
		require.Eventually(t, func() bool {
			return p.Count("GET", "/{phone-number-id}/message_history") >= 3
		}, 20*time.Second, 5*time.Millisecond)
		require.Len(t, p.Sent(), 1)
		h.becomes("doubt", outbox.StateUnknown)
		require.NoError(t, h.deliver(t.Context(), p.Sent()[0], webhook.StatusSent))
		require.Equal(t, p.Sent()[0].ID, h.becomes("doubt", outbox.StateSent).MessageID)
	})
}

func TestAMessageThatMetaNeverTookGoesOutAgain(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, e engine) {
		p := newPlatform(t, 1000)
		h := start(t, e, p, outbox.Config{UnknownTimeout: 200 * time.Millisecond})
		// The number sends past the outbox, too: what is filed is accounted for.
		m := p.text("past", 5).Payload
		sent, err := p.client.Messages.Send(t.Context(), p.phone.ID, m)
		require.NoError(t, err)
		require.NoError(t, h.tracker.RecordSent(t.Context(), p.phone.ID, sent, m))
		p.Inject(cloudapitest.Fault{On: messagesCall, Drop: true})
		h.put(p.text("again", 1))
		require.Greater(t, h.becomes("again", outbox.StateSent).Attempts, 1)
		require.Len(t, p.Sent(), 2)
	})
}

// What a history import brings of the last days is the business's own, and says nothing of who sent
// it: the app, or a call whose answer was lost.
func TestAMessageInDoubtIsNotRepeatedWhenAHistoryImportBringsIt(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, e engine) {
		p := newPlatform(t, 1000)
		p.Inject(cloudapitest.Fault{On: messagesCall, Drop: true, Accept: true})
		h := start(t, e, p, outbox.Config{UnknownTimeout: 200 * time.Millisecond})
		h.put(p.text("doubt", 1))
		h.becomes("doubt", outbox.StateUnknown)
		require.NoError(t, h.tracker.Handle(t.Context(), imported(t, p, p.Sent()[0])))

		looked := p.Count("GET", "/{phone-number-id}/message_history")
		require.Eventually(t, func() bool {
			return p.Count("GET", "/{phone-number-id}/message_history") >= looked+3
		}, 20*time.Second, 5*time.Millisecond)
		require.Len(t, p.Sent(), 1, "it was sent twice")
		h.becomes("doubt", outbox.StateUnknown)
	})
}

// imported is the chunk of history that brings a message.
func imported(t *testing.T, p *platform, m cloudapitest.SentMessage) webhook.Event {
	t.Helper()
	events, err := webhook.Decode(fmt.Appendf(nil, `{"object":"whatsapp_business_account","entry":[{"id":"1","changes":[{
		"field":"history","value":{"messaging_product":"whatsapp","metadata":{"phone_number_id":%q},"history":[{
			"metadata":{"phase":0,"chunk_order":1,"progress":100},"threads":[{"id":%q,"messages":[{
				"from":%q,"to":%q,"id":%q,"timestamp":"%d","type":"text","text":{"body":"Hello"},
				"history_context":{"status":"DELIVERED","from_me":true}}]}]}]}}]}]}`,
		p.phone.ID, m.To.WAID, p.phone.PhoneNumber, m.To.WAID, m.ID, m.At.Unix()))
	require.NoError(t, err)
	require.Len(t, events, 1)
	return events[0]
}

func TestAPersonsMessagesKeepTheirOrderAroundAnUnknownOutcome(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, e engine) {
		p := newPlatform(t, 1000)
		p.Inject(cloudapitest.Fault{On: messagesCall, Drop: true}) // before Meta does anything
		h := start(t, e, p, outbox.Config{UnknownTimeout: 2 * time.Second})
		h.put(p.text("1", 1))
		h.becomes("1", outbox.StateUnknown) // its request is the one that fails
		offer := p.text("offer", 1)
		offer.Campaign = "winter"
		h.put(p.text("2", 1), offer, p.text("another person's", 2), p.text("3", 1))
		h.becomes("3", outbox.StateSent)
		h.becomes("offer", outbox.StateSent)

		var got []string
		for _, m := range p.Sent() {
			if m.To.WAID == "15550100001" && m.CallbackData != "offer" {
				got = append(got, m.CallbackData)
			}
		}
		require.Equal(t, []string{"1", "2", "3"}, got)
		other, first := h.becomes("another person's", outbox.StateSent), h.becomes("1", outbox.StateSent)
		require.True(t, other.SentAt.Before(first.SentAt), "another person waited too")
	})
}

func TestACanceledEntryInDoubtDelaysNoOther(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, e engine) {
		p := newPlatform(t, 1000)
		p.Inject(cloudapitest.Fault{On: messagesCall, Drop: true, Accept: true})
		h := start(t, e, p, outbox.Config{UnknownTimeout: time.Hour})
		h.put(p.text("doubt", 1))
		h.becomes("doubt", outbox.StateUnknown)
		h.put(p.text("behind it", 1))
		canceled, err := h.Cancel(t.Context(), "doubt")
		require.NoError(t, err)
		require.True(t, canceled)
		h.becomes("behind it", outbox.StateSent)
		require.Equal(t, "canceled", h.becomes("doubt", outbox.StateFailed).Reason)
		require.NoError(t, h.deliver(t.Context(), p.Sent()[0], webhook.StatusSent))
		require.Empty(t, h.becomes("doubt", outbox.StateSent).Reason)
	})
}

func TestAnotherProcessGoesOnWhenTheHolderIsGone(t *testing.T) {
	t.Parallel()
	eachShared(t, func(t *testing.T, e engine) {
		p := newPlatform(t, 1000)
		p.Delay(100 * time.Millisecond)
		cfg := outbox.Config{
			LeaseDuration: 500 * time.Millisecond, UnknownTimeout: 500 * time.Millisecond, MaxConcurrentSends: 2,
		}
		first, second := start(t, e, p, cfg), open(t, e, p, cfg)
		p.OnMessage(func(m cloudapitest.SentMessage) {
			go func() { _ = second.deliver(t.Context(), m, webhook.StatusSent) }()
		})
		for i := range 40 {
			first.put(p.text(fmt.Sprintf("m-%02d", i), i))
		}
		require.Eventually(t, func() bool { return len(p.Sent()) > 4 }, 10*time.Second, time.Millisecond)
		second.run()
		first.die()
		for i := range 40 {
			second.becomes(fmt.Sprintf("m-%02d", i), outbox.StateSent)
		}
		for id, n := range p.accepted() {
			require.Equal(t, 1, n, id)
		}
	})
}

func TestThrottledEntriesComeAgain(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, e engine) {
		p := newPlatform(t, 1000)
		p.Inject(cloudapitest.Fault{On: messagesCall, Code: 131056})
		h := start(t, e, p, outbox.Config{})
		h.put(p.text("again", 1))
		require.Greater(t, h.becomes("again", outbox.StateSent).Attempts, 1)
	})
}
