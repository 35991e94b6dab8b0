package inbox_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/inbox"
)

// abandon claims the records of a kind so many times without settling anything, like processes that
// die.
func abandon(t *testing.T, store inbox.Store, kind inbox.Kind, times int) {
	t.Helper()
	for n := range times {
		req := inbox.ClaimRequest{
			Kind: kind, Lanes: 100, PerLane: 100, LeaseDuration: time.Millisecond,
			Quarantine: kind == inbox.KindEvent && n >= 2,
		}
		b, err := store.Claim(t.Context(), req)
		require.NoError(t, err)
		require.NotEmpty(t, b.Records)
		time.Sleep(2 * time.Millisecond)
		_, err = store.Claim(t.Context(), inbox.ClaimRequest{ // finds the end of the lease, and leases nothing
			Kind: kind, Lanes: 0, PerLane: 1, LeaseDuration: time.Millisecond,
		})
		require.NoError(t, err)
		if kind == inbox.KindEvent {
			time.Sleep(inbox.AbandonedPause(n + 1))
		}
	}
}

// suspect stores a message, and has it in quarantine.
func suspect(t *testing.T, store inbox.Store, times int, deliveries ...webhook.Delivery) {
	t.Helper()
	in, err := inbox.New(store, new(recorder), inbox.Config{})
	require.NoError(t, err)
	receive(t, in, deliveries...)
	b, err := store.Claim(t.Context(), inbox.ClaimRequest{Lanes: 1, PerLane: 100, LeaseDuration: time.Minute})
	require.NoError(t, err)
	outs := make([]inbox.Settlement, len(b.Records))
	for i, rec := range b.Records {
		events, err := webhook.Decode(rec.Body)
		require.NoError(t, err)
		key := events[0].Info().DedupKey
		outs[i] = inbox.Settlement{ID: rec.ID, Events: []inbox.Record{
			{Kind: inbox.KindEvent, DedupKey: key, Lane: "chat:" + key, PhoneNumberID: "106540352242922"},
		}}
	}
	require.NoError(t, store.Settle(t.Context(), b.LeaseToken, outs))
	abandon(t, store, inbox.KindEvent, times)
}

// A timeline notes when events were handled.
type timeline struct {
	mu    sync.Mutex
	spans map[string][2]time.Time // begin and end
	takes func(name string) time.Duration
}

func (l *timeline) Handle(_ context.Context, ev webhook.Event) error {
	name := nameOf(ev)
	begin := time.Now()
	time.Sleep(l.takes(name))
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.spans == nil {
		l.spans = map[string][2]time.Time{}
	}
	l.spans[name] = [2]time.Time{begin, time.Now()}
	return nil
}

// span returns when an event was begun and when it ended; zero times if that has not happened yet.
func (l *timeline) span(name string) [2]time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.spans[name]
}

// beside counts the events that were handled while another one was, and began before it ended.
func (l *timeline) beside(name string) (n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	span := l.spans[name]
	for other, o := range l.spans {
		if other != name && o[0].Before(span[1]) && span[0].Before(o[1]) {
			n++
		}
	}
	return n
}

// longestPause is how long nothing of keepBusy was begun.
func (l *timeline) longestPause() (longest time.Duration) {
	for i := 1; ; i++ {
		a, b := l.span(fmt.Sprint("busy", i-1)), l.span(fmt.Sprint("busy", i))
		if b[0].IsZero() {
			return longest
		}
		longest = max(longest, b[0].Sub(a[0]))
	}
}

// keepBusy has messages of many customers arrive until all is over.
func keepBusy(t *testing.T, in *inbox.Inbox, d time.Duration) {
	t.Helper()
	begin := time.Now()
	for i := 0; time.Since(begin) < d; i++ {
		receive(t, in, says(fmt.Sprintf("1555010%04d", i%9999), fmt.Sprint("busy", i)))
		pass(300 * time.Millisecond)
	}
}

// A lateQuarantine hands out nothing of the quarantine until it is opened.
type lateQuarantine struct {
	*inbox.MemStore
	open atomic.Bool
}

func (s *lateQuarantine) Claim(ctx context.Context, req inbox.ClaimRequest) (inbox.Batch, error) {
	req.Quarantine = req.Quarantine && s.open.Load()
	return s.MemStore.Claim(ctx, req)
}

func TestAnEventInQuarantineIsAlone(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		busy    bool
		takes   time.Duration // an event beside
		alone   bool
		handled time.Duration // until then
	}{
		"in an idle process":           {false, time.Second, true, 3 * time.Second},
		"in a busy one, after a while": {true, time.Second, true, 35 * time.Second},
		"not as long as others run":    {true, 15 * time.Second, false, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				store := &lateQuarantine{MemStore: new(inbox.MemStore)}
				store.open.Store(!tt.busy)
				suspect(t, store.MemStore, 2, says("15550100101", "suspect"), says("15550100102", "another"))
				l := &timeline{takes: func(name string) time.Duration {
					if strings.HasPrefix(name, "busy") {
						store.open.Store(true)
						return tt.takes
					}
					return time.Second
				}}
				in := start(t, store, l, inbox.Config{Workers: 100})
				begin := time.Now()
				if tt.busy {
					keepBusy(t, in, 2*time.Minute)
				} else {
					pass(time.Minute)
				}
				for _, name := range []string{"suspect", "another"} {
					if !tt.alone {
						require.Zero(t, l.span(name)[1])
						continue
					}
					require.Zero(t, l.beside(name))
					require.LessOrEqual(t, l.span(name)[1].Sub(begin), tt.handled)
				}
				require.NoError(t, in.WaitIdle(t.Context()))
				require.Zero(t, l.beside("suspect"))
				ids, _ := letters(t, in)
				require.Empty(t, ids)
				require.LessOrEqual(t, l.longestPause(), 21*time.Second,
					"others wait for what is in hand, and for what is alone")
			})
		})
	}
}

// An event in quarantine that hangs does not hold up the others.
func TestOthersGoOnBesideAnEventInQuarantine(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := new(inbox.MemStore)
		suspect(t, store, 2, says("15550100101", "suspect"))
		l := &timeline{takes: func(name string) time.Duration {
			if name == "suspect" {
				return time.Hour
			}
			return time.Second
		}}
		in := start(t, store, l, inbox.Config{})
		pass(time.Second)
		require.Equal(t, int64(1), metrics(t, in).Running)
		receive(t, in, says("15550100102", "other"))
		pass(5 * time.Second)
		require.Zero(t, l.span("other"))
		pass(7 * time.Second)
		require.NotZero(t, l.span("other"))
		pass(time.Hour)
		require.NotZero(t, l.span("suspect"))
		require.Equal(t, int64(2), metrics(t, in).Handled)
	})
}

func TestAnEventThatCrashesTheProcessTooOftenIsGivenUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store, r := new(inbox.MemStore), new(recorder)
		suspect(t, store, 5, says("15550100101", "suspect"))
		in := start(t, store, r, inbox.Config{})
		pass(time.Second)
		require.Empty(t, r.names())
		ids, reasons := letters(t, in)
		require.Equal(t, []string{"the process died 5 times while the event was handled, 3 of them with nothing else " +
			"in hand; mend the handler, then replay it"}, reasons)
		_, err := in.ReplayDeadLetters(t.Context(), ids...)
		require.NoError(t, err)
		pass(time.Second)
		require.Equal(t, []string{"suspect"}, r.names())
	})
}

func TestADeliveryThatCrashesTheProcessIsGivenUp(t *testing.T) {
	t.Parallel()
	for times, handled := range map[int]bool{4: true, 5: false} {
		t.Run(fmt.Sprint(times), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				store, r := new(inbox.MemStore), new(recorder)
				idle, err := inbox.New(store, r, inbox.Config{})
				require.NoError(t, err)
				receive(t, idle, says("15550100101", "suspect"), says("15550100102", "other"))
				abandon(t, store, inbox.KindDelivery, times)
				in := start(t, store, r, inbox.Config{})
				pass(time.Second)
				if handled {
					require.ElementsMatch(t, []string{"suspect", "other"}, r.names())
					return
				}
				require.Equal(t, []string{"other"}, r.names())
				ids, reasons := letters(t, in)
				require.Equal(t, []string{"the process died 5 times while the delivery was decoded; replay it with a " +
					"release that can decode it"}, reasons)
				_, err = in.ReplayDeadLetters(t.Context(), ids...)
				require.NoError(t, err)
				pass(time.Second)
				require.Equal(t, []string{"other", "suspect"}, r.names())
			})
		})
	}
}
