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

// The promise of the package: through every fault that is known, with lost statuses and processes
// that die, every message is sent once.
func TestEveryEntryIsSentOnceThroughFaultsAndDeaths(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, e engine) {
		const messages, people, deaths = 300, 60, 6
		n := seed(t)
		p := newPlatform(t, 1000)
		kinds := slices.DeleteFunc(cloudapitest.ChaosKinds(), func(kind string) bool { // those that fail a message, or stop a number for long
			return kind == "refused" || strings.HasPrefix(kind, "throttled")
		})
		p.Chaos(cloudapitest.Chaos{Rate: 0.4, Seed: n, Late: 900 * time.Millisecond, Kinds: kinds})

		var mu sync.Mutex
		var living *process
		var statuses sync.WaitGroup
		random := rand.New(rand.NewPCG(n, 1))
		lost := map[string]bool{}
		p.OnMessage(func(m cloudapitest.SentMessage) {
			mu.Lock()
			defer mu.Unlock()
			late := time.Duration(random.IntN(400)) * time.Millisecond
			if random.IntN(4) == 0 {
				late = time.Duration(2+random.IntN(2)) * time.Second // long after patience is over: Meta's history has to tell
				lost[m.CallbackData] = true
			}
			statuses.Go(func() {
				for pause := late; ; pause = 50 * time.Millisecond { // Meta repeats what is not acknowledged
					<-time.After(pause)
					mu.Lock()
					h := living
					mu.Unlock()
					if h.deliver(t.Context(), m, webhook.StatusSent) == nil || t.Context().Err() != nil {
						return
					}
				}
			})
		})
		t.Cleanup(statuses.Wait)

		cfg := outbox.Config{LeaseDuration: time.Second, UnknownTimeout: 1200 * time.Millisecond}
		living = start(t, e, p, cfg)
		all := make([]outbox.Message, messages)
		for i := range all {
			all[i] = p.text(fmt.Sprintf("m-%03d", i), i%people)
			if i%3 == 0 {
				all[i].Campaign = "winter"
			}
		}
		living.put(all...)
		for range deaths {
			before := len(p.Sent())
			require.Eventually(t, func() bool { return len(p.Sent()) >= min(before+messages/(deaths+2), messages-10) }, time.Minute, time.Millisecond)
			mu.Lock()
			old := living // nobody else changes it
			mu.Unlock()
			if !e.shared { // one process at a time
				old.die()
			}
			fresh := start(t, e, p, cfg)
			mu.Lock()
			living = fresh
			mu.Unlock()
			if e.shared {
				old.die()
			}
		}
		require.Eventually(t, func() bool {
			for range living.List(t.Context(), outbox.Filter{States: []outbox.State{outbox.StateQueued, outbox.StateSending, outbox.StateUnknown}, Limit: 1}) {
				return false
			}
			return true
		}, 3*time.Minute, 50*time.Millisecond)
		accepted := p.accepted()
		for _, entry := range all {
			got, err := living.Get(t.Context(), entry.ID)
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
		t.Logf("%d messages, %d requests, %d accepted with an answer that did not say so, %d statuses came late, %d deaths",
			messages, len(p.Requests()), faults, len(lost), deaths)
		require.Positive(t, faults)
		require.NotEmpty(t, lost)
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
		require.Eventually(t, func() bool { return p.Count("GET", "/{phone-number-id}/message_history") >= 3 }, 20*time.Second, 5*time.Millisecond)
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

func TestAnotherProcessGoesOnWhenTheHolderIsGone(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, e engine) {
		if !e.shared {
			return // one process uses the file: the test above has it die
		}
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
