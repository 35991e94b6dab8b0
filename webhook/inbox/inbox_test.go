package inbox_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
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

// wrap puts the members of a change's value into a delivery.
func wrap(field, members string) webhook.Delivery {
	return webhook.Delivery{ReceivedAt: time.Now(), Body: fmt.Appendf(nil,
		`{"object":"whatsapp_business_account","entry":[{"id":"102290129340398",`+
			`"changes":[{"value":{"messaging_product":"whatsapp",`+
			`"metadata":{"display_phone_number":"15550100199","phone_number_id":"106540352242922"},`+
			`%s},"field":%q}]}]}`, members, field)}
}

// message is a text of a customer.
func message(customer, id string) string {
	return fmt.Sprintf(
		`{"from":%q,"id":%q,"timestamp":"1795168800","type":"text","text":{"body":"hello"}}`, customer, id,
	)
}

// says is a delivery with texts of a customer.
func says(customer string, ids ...string) webhook.Delivery {
	var list []string
	for _, id := range ids {
		list = append(list, message(customer, id))
	}
	return wrap("messages", `"messages":[`+strings.Join(list, ",")+`]`)
}

func history(order int) webhook.Delivery {
	return wrap("history", fmt.Sprintf(`"history":[{"metadata":{"phase":0,"chunk_order":%d,"progress":50},`+
		`"threads":[{"id":"15550100101","messages":[%s]}]}]`,
		order, message("15550100101", "wamid.h"+fmt.Sprint(order))))
}

// A recorder is a handler that notes what it saw.
type recorder struct {
	mu   sync.Mutex
	seen []string
	then func(ctx context.Context, name string) error
}

func (r *recorder) Handle(ctx context.Context, ev webhook.Event) error {
	name := nameOf(ev)
	r.mu.Lock()
	r.seen = append(r.seen, name)
	r.mu.Unlock()
	if r.then == nil {
		return nil
	}
	return r.then(ctx, name)
}

func nameOf(ev webhook.Event) string {
	switch ev := ev.(type) {
	case *webhook.IncomingMessage:
		return string(ev.ID)
	case *webhook.UnavailableMessage:
		return "placeholder of " + string(ev.ID)
	case *webhook.HistoryChunk:
		return fmt.Sprint("history ", ev.Order)
	}
	return fmt.Sprintf("%T", ev)
}

func (r *recorder) names() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.seen)
}

func start(t *testing.T, store inbox.Store, h webhook.Handler, cfg inbox.Config) *inbox.Inbox {
	t.Helper()
	in, err := inbox.New(store, h, cfg)
	require.NoError(t, err)
	require.NoError(t, in.Start(t.Context()))
	t.Cleanup(func() { _ = in.Shutdown(context.WithoutCancel(t.Context())) }) // a test may have done it
	return in
}

func receive(t *testing.T, in *inbox.Inbox, deliveries ...webhook.Delivery) {
	t.Helper()
	for _, d := range deliveries {
		require.NoError(t, in.Receive(t.Context(), d))
	}
}

func metrics(t *testing.T, in *inbox.Inbox) inbox.Metrics {
	t.Helper()
	m, err := in.Metrics(t.Context())
	require.NoError(t, err)
	return m
}

func letters(t *testing.T, in *inbox.Inbox) (ids []inbox.ID, reasons []string) {
	t.Helper()
	for l, err := range in.DeadLetters(t.Context(), inbox.Filter{}) {
		require.NoError(t, err)
		ids, reasons = append(ids, l.ID), append(reasons, l.Reason)
	}
	return ids, reasons
}

func TestAConversationIsHandledInOrder(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		busy := map[string]bool{}
		var mu sync.Mutex
		parallel, most := 0, 0
		r := &recorder{then: func(_ context.Context, name string) error {
			customer, _, _ := strings.Cut(name, "/")
			mu.Lock()
			if busy[customer] {
				mu.Unlock()
				return errors.New("two at once")
			}
			busy[customer] = true
			parallel++
			most = max(most, parallel)
			mu.Unlock()
			time.Sleep(10 * time.Millisecond)
			mu.Lock()
			busy[customer] = false
			parallel--
			mu.Unlock()
			return nil
		}}
		in := start(t, new(inbox.MemStore), r, inbox.Config{Workers: 5})
		for i := range 100 {
			for c := range 10 {
				customer := fmt.Sprint("1555010010", c)
				receive(t, in, says(customer, fmt.Sprintf("%s/%02d", customer, i)))
			}
		}
		pass(5 * time.Second)
		require.Equal(t, int64(1000), metrics(t, in).Handled)
		require.Equal(t, 4, most, "conversations are handled in parallel, by all workers that one number can have")
		last := map[string]string{}
		for _, name := range r.names() {
			customer, _, _ := strings.Cut(name, "/")
			require.Less(t, last[customer], name)
			last[customer] = name
		}
		require.NoError(t, in.Shutdown(t.Context()))
	})
}

func TestWhatIsLiveOvertakesHistory(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := &recorder{then: func(ctx context.Context, name string) error {
			past := strings.HasPrefix(name, "history")
			if info, _ := inbox.FromContext(ctx); info.Backfill != past {
				return webhook.Permanent(fmt.Errorf("Backfill is %t", info.Backfill))
			}
			if past {
				time.Sleep(time.Second)
			}
			return nil
		}}
		in := start(t, new(inbox.MemStore), r, inbox.Config{})
		for i := range 50 {
			receive(t, in, history(i+1))
		}
		pass(3500 * time.Millisecond)
		receive(t, in, says("15550100101", "wamid.live"))
		pass(time.Millisecond)
		require.Equal(t, []string{"history 1", "history 2", "history 3", "history 4", "wamid.live"}, r.names())
		pass(time.Minute)
		require.Len(t, r.names(), 51)
		require.Equal(t, int64(51), metrics(t, in).Handled)
		require.NoError(t, in.Shutdown(t.Context()))
	})
}

func TestFailuresAreRepeatedAndThenGivenUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var at []time.Duration
		begin := time.Now()
		r := &recorder{then: func(ctx context.Context, name string) error {
			switch name {
			case "flaky":
				at = append(at, time.Since(begin))
				info, within := inbox.FromContext(ctx)
				if !within || info.Attempt != len(at) || !info.ReceivedAt.Equal(begin) {
					return fmt.Errorf("attempt %d of what was received at %v", info.Attempt, info.ReceivedAt)
				}
				if info.Attempt < 4 {
					return errors.New("not now")
				}
			case "refused":
				return webhook.Permanent(errors.New("no such customer"))
			case "bad":
				panic("a bug")
			}
			return nil
		}}
		var observed []inbox.Disposition
		var mu sync.Mutex
		in := start(t, new(inbox.MemStore), r, inbox.Config{
			MaxAttempts: 5, Backoff: func(attempt int) time.Duration { return time.Duration(attempt) * time.Second },
			Observe: func(_ context.Context, a inbox.Attempt) {
				mu.Lock()
				defer mu.Unlock()
				observed = append(observed, a.Disposition)
			},
		})
		receive(
			t, in, says("15550100101", "flaky", "after flaky"), says("15550100102", "refused", "after refused"),
			says("15550100103", "bad", "after bad"),
		)
		pass(time.Minute)
		require.Equal(t, []time.Duration{0, time.Second, 3 * time.Second, 6 * time.Second}, at)
		seen := r.names()
		for _, name := range []string{"refused", "after flaky", "after refused", "after bad"} {
			require.Len(t, slices.DeleteFunc(slices.Clone(seen), func(s string) bool { return s != name }), 1, name)
		}
		_, reasons := letters(t, in)
		require.Len(t, reasons, 2)
		slices.Sort(reasons)
		require.Regexp(t, `^failed 5 times: webhook: panic with a string at inbox_test\.go:\d+; `, reasons[0])
		require.Equal(t, "no such customer", reasons[1])
		m := metrics(t, in)
		require.Equal(t, int64(3), m.Received)
		require.Equal(t, int64(4), m.Handled)
		require.Equal(t, int64(3+4), m.Retried)
		require.Equal(t, int64(2), m.DeadLettered)
		require.Equal(t, 2, m.Dead)
		require.Zero(t, m.Depth())
		require.Len(t, observed, 4+3+4+2)
		require.NoError(t, in.Shutdown(t.Context()))
	})
}

func TestObserveGetsTheHandlersContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		type key struct{}
		type seen struct {
			tracer  any
			attempt int
			err     error
		}
		all := make(chan seen, 2)
		in, err := inbox.New(new(inbox.MemStore), webhook.HandlerFunc(func(ctx context.Context, _ webhook.Event) error {
			if info, _ := inbox.FromContext(ctx); info.Attempt == 1 {
				<-ctx.Done()
			}
			return ctx.Err()
		}), inbox.Config{HandlerTimeout: time.Second, Observe: func(ctx context.Context, _ inbox.Attempt) {
			info, _ := inbox.FromContext(ctx)
			all <- seen{ctx.Value(key{}), info.Attempt, ctx.Err()}
		}})
		require.NoError(t, err)
		require.NoError(t, in.Start(context.WithValue(t.Context(), key{}, "tracer")))
		receive(t, in, says("15550100101", "wamid.1"))
		require.Equal(t, seen{"tracer", 1, context.DeadlineExceeded}, <-all)
		require.Equal(t, seen{"tracer", 2, nil}, <-all)
		require.NoError(t, in.Shutdown(t.Context()))
	})
}

func TestRepeatsAreHandledOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := new(recorder)
		in := start(t, new(inbox.MemStore), r, inbox.Config{PollInterval: time.Hour, LeaseDuration: 24 * time.Hour})
		unavailable := wrap("messages", `"messages":[{"from":"15550100101","id":"wamid.2","timestamp":"1795168800",`+
			`"type":"unsupported",`+
			`"errors":[{"code":131060,"title":"This message is unavailable."}]}]`)
		d := says("15550100101", "wamid.1")
		receive(t, in, d, d)
		pass(time.Second)
		receive(t, in, d, says("15550100101", "wamid.1", "wamid.3"), unavailable, unavailable)
		pass(time.Second)
		receive(t, in, says("15550100101", "wamid.2"))
		pass(7 * 24 * time.Hour)
		other := wrap("messages", `"messages":[{"from":"15550100101","id":"wamid.3","timestamp":"1795168800",`+
			`"type":"unsupported",`+
			`"errors":[{"code":131060,"title":"This message is unavailable."}]}]`)
		receive(t, in, d, says("15550100101", "wamid.3"), unavailable, other)
		pass(time.Second)
		require.Equal(t, []string{"wamid.1", "wamid.3", "placeholder of wamid.2", "wamid.2"}, r.names())
		require.Equal(t, int64(5), metrics(t, in).Duplicates)
		require.NoError(t, in.Shutdown(t.Context()))
	})
}

// A placeholder is dropped after the message that it stands for even while another responder owns
// the conversation. The events of a group are in one order, whichever member wrote.
func TestPlaceholdersYieldOnStandbyAndInGroups(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := new(recorder)
		in := start(t, new(inbox.MemStore), r, inbox.Config{PollInterval: time.Hour, LeaseDuration: 24 * time.Hour})
		standby := func(message string) webhook.Delivery {
			return wrap("standby", `"standby":{"messages":[{"from":"15550100101","id":"wamid.1",`+message+`}]}`)
		}
		receive(t, in, standby(`"text":{"body":"x"}`))
		pass(time.Second)
		receive(t, in, standby(`"type":"unsupported","errors":[{"code":131060}]`))
		pass(time.Second)
		require.Equal(t, []string{"*webhook.StandbyMessage"}, r.names())

		r.then = func(_ context.Context, name string) error {
			if name == "wamid.2" {
				return errors.New("not now")
			}
			return nil
		}
		receive(t, in, wrap("messages", `"messages":[
			{"from":"15550100101","id":"wamid.2","group_id":"g","text":{"body":"x"}},
			{"from":"15550100102","id":"wamid.3","group_id":"g","type":"unsupported","errors":[{"code":131060}]}]`))
		pass(time.Second)
		require.NotContains(t, r.names(), "placeholder of wamid.3", "it waits for what came before it in the group")
		require.NoError(t, in.Shutdown(t.Context()))
	})
}

func TestKeysAreForgottenAfterEightDays(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		in := start(t, new(inbox.MemStore), new(recorder), inbox.Config{
			PollInterval: time.Hour, LeaseDuration: 24 * time.Hour,
		})
		receive(t, in, says("15550100101", "wamid.1"))
		pass(inbox.MinDedupWindow - time.Minute)
		require.Equal(t, 2, metrics(t, in).DedupKeys)
		pass(time.Hour)
		require.Equal(t, 0, metrics(t, in).DedupKeys)
		require.NoError(t, in.Shutdown(t.Context()))
	})
}

func TestWhatCannotBeDecodedIsParked(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := new(recorder)
		in := start(t, new(inbox.MemStore), r, inbox.Config{})
		receive(t, in, webhook.Delivery{Body: []byte("no JSON"), ReceivedAt: time.Now()},
			wrap("messages", `"messages":[7,`+message("15550100101", "wamid.1")+`]`))
		pass(time.Second)
		require.Equal(
			t, []string{"*webhook.UndecodableEvent", "*webhook.UndecodableEvent", "wamid.1"},
			slices.Sorted(slices.Values(r.names())),
		)
		ids, reasons := letters(t, in)
		require.Len(t, ids, 2)
		require.Contains(t, reasons[0], "parked")
		n, err := in.ReplayDeadLetters(t.Context(), ids...)
		require.NoError(t, err)
		require.Equal(t, 2, n)
		pass(time.Second)
		require.Len(t, r.names(), 5, "the neighbour was handled, and does not come again")
		ids, _ = letters(t, in)
		n, err = in.DeleteDeadLetters(t.Context(), ids...)
		require.NoError(t, err)
		require.Equal(t, 2, n)
		require.Zero(t, metrics(t, in).Dead)
		require.NoError(t, in.Shutdown(t.Context()))
	})
}

// A slowDisk takes a while for what it settles, as long as others handle events.
type slowDisk struct {
	inbox.MemStore
	settled atomic.Int64 // transactions
}

func (s *slowDisk) Settle(ctx context.Context, token inbox.LeaseToken, outs []inbox.Settlement) error {
	s.settled.Add(1)
	time.Sleep(10 * time.Millisecond)
	return s.MemStore.Settle(ctx, token, outs)
}

// A body counts once among what goes in one transaction, however many events it has.
func TestTheEventsOfALargeDeliveryAreSettledTogether(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const n = 1000
		store := new(slowDisk)
		in := start(t, store, new(recorder), inbox.Config{})
		var list []string
		for i := range n {
			text := message(fmt.Sprintf("1555010%04d", i), fmt.Sprint("wamid.", i))
			list = append(list, strings.Replace(text, "hello", strings.Repeat("x", 2900), 1))
		}
		receive(t, in, wrap("messages", `"messages":[`+strings.Join(list, ",")+`]`))
		pass(time.Minute)
		require.Equal(t, int64(n), metrics(t, in).Handled)
		require.Less(t, store.settled.Load(), int64(n/5))
		require.NoError(t, in.Shutdown(t.Context()))
	})
}

func TestADeadLetterSaysWhatItIs(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := &recorder{then: func(_ context.Context, name string) error {
			if name == "wamid.2" {
				return webhook.Permanent(errors.New("no such customer"))
			}
			return nil
		}}
		in := start(t, new(inbox.MemStore), r, inbox.Config{})
		receive(t, in, says("15550100101", "wamid.1", "wamid.2", "wamid.3"), webhook.Delivery{
			Body: []byte("no JSON"), ReceivedAt: time.Now(),
		})
		pass(time.Second)
		var names []string
		for l, err := range in.DeadLetters(t.Context(), inbox.Filter{}) {
			require.NoError(t, err)
			ev, err := l.Event()
			require.NoError(t, err)
			names = append(names, nameOf(ev))

			l.Index++ // as if this release found other events in the body
			_, err = l.Event()
			require.ErrorContains(t, err, "replay it")
			l.Index = -1
			_, err = l.Event()
			require.ErrorContains(t, err, "replay it")
		}
		require.ElementsMatch(t, []string{"wamid.2", "*webhook.UndecodableEvent"}, names)
		_, err := inbox.Record{Body: []byte("{}")}.Event()
		require.ErrorContains(t, err, "webhook.Decode")
		n, err := in.ReplayDeadLetters(t.Context())
		require.NoError(t, err)
		require.Zero(t, n, "no IDs are not all")
		require.NoError(t, in.Shutdown(t.Context()))
	})
}

func TestShutdownWaitsForHandlers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := new(inbox.MemStore)
		r := &recorder{then: func(context.Context, string) error { time.Sleep(time.Second); return nil }}
		in := start(t, store, r, inbox.Config{Workers: 2})
		for i := range 10 {
			receive(t, in, says(fmt.Sprint("1555010010", i), fmt.Sprint("a", i), fmt.Sprint("b", i)))
		}
		pass(500 * time.Millisecond)
		require.NoError(t, in.Shutdown(t.Context()))
		require.Len(t, r.names(), 2)
		again := start(t, store, r, inbox.Config{})
		pass(time.Minute)
		names := r.names()
		slices.Sort(names)
		require.Len(t, slices.Compact(names), 20, "everything else is handled by the next one")
		require.Len(t, r.names(), 20, "and nothing twice")
		require.NoError(t, again.Shutdown(t.Context()))
		require.Error(t, again.Start(t.Context()))
	})
}

func TestShutdownEndsHandlersThatTakeTooLong(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := new(inbox.MemStore)
		r := &recorder{then: func(ctx context.Context, _ string) error { <-ctx.Done(); return ctx.Err() }}
		in := start(t, store, r, inbox.Config{HandlerTimeout: time.Hour})
		receive(t, in, says("15550100101", "wamid.1", "wamid.2"))
		pass(time.Second)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		require.ErrorIs(t, in.Shutdown(ctx), context.DeadlineExceeded)
		b, err := store.Claim(t.Context(), inbox.ClaimRequest{
			Kind: inbox.KindEvent, Lanes: 1, PerLane: 9, LeaseDuration: time.Second,
		})
		require.NoError(t, err)
		require.Len(t, b.Records, 2, "they are ready at once")
		require.Zero(t, b.Records[0].Attempts, "an attempt that was cut off does not count")
	})
}

func TestAHandlerThatHangsBlocksItsConversationAlone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := &recorder{then: func(ctx context.Context, name string) error {
			if name == "hang" {
				<-ctx.Done()
				return context.Cause(ctx)
			}
			return nil
		}}
		in := start(t, new(inbox.MemStore), r, inbox.Config{
			HandlerTimeout: time.Minute, LeaseDuration: time.Second, MaxAttempts: 2,
		})
		receive(t, in, says("15550100101", "hang", "behind"))
		for i := range 100 {
			receive(t, in, says("15550100102", fmt.Sprint("other ", i)))
		}
		pass(time.Second)
		require.Equal(t, int64(100), metrics(t, in).Handled)
		require.Equal(t, int64(1), metrics(t, in).Running)
		pass(10 * time.Minute)
		require.Equal(t, "behind", r.names()[len(r.names())-1])
		require.Zero(t, metrics(t, in).LeasesLost, "its lease was prolonged all the time")
		require.NoError(t, in.Shutdown(t.Context()))
	})
}

// A brokenStore fails on demand.
type brokenStore struct {
	inbox.MemStore

	mu     sync.Mutex
	broken bool
	extend error
}

var errDown = errors.New("the store is down")

func (s *brokenStore) set(broken bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.broken = broken
}

func (s *brokenStore) err() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.broken {
		return errDown
	}
	return nil
}

func (s *brokenStore) Append(ctx context.Context, recs []inbox.Record) (int, error) {
	if err := s.err(); err != nil {
		return 0, err
	}
	return s.MemStore.Append(ctx, recs)
}

func (s *brokenStore) Claim(ctx context.Context, req inbox.ClaimRequest) (inbox.Batch, error) {
	if err := s.err(); err != nil {
		return inbox.Batch{}, err
	}
	return s.MemStore.Claim(ctx, req)
}

func (s *brokenStore) Settle(ctx context.Context, token inbox.LeaseToken, outs []inbox.Settlement) error {
	if err := s.err(); err != nil {
		return err
	}
	return s.MemStore.Settle(ctx, token, outs)
}

func (s *brokenStore) Extend(ctx context.Context, token inbox.LeaseToken, lease time.Duration) error {
	if err := errors.Join(s.err(), s.extend); err != nil {
		return err
	}
	return s.MemStore.Extend(ctx, token, lease)
}

func TestAStoreThatIsDownAnswers503AndRecovers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := new(brokenStore)
		r := &recorder{then: func(context.Context, string) error { time.Sleep(time.Second); return nil }}
		var log bytes.Buffer
		in := start(t, store, r, inbox.Config{Logger: slog.New(slog.NewTextHandler(&log, nil))})
		endpoint, err := webhook.NewEndpoint(webhook.Config{AppSecret: "made-up", VerifyToken: "made-up"}, in)
		require.NoError(t, err)
		require.Equal(t, http.StatusOK, post(t, endpoint, says("15550100101", "wamid.1")))
		pass(500 * time.Millisecond)
		store.set(true)
		require.Equal(t, http.StatusServiceUnavailable, post(t, endpoint, says("15550100101", "wamid.2")))
		pass(10 * time.Second)
		require.Contains(t, log.String(), "the store is down")
		require.Less(t, strings.Count(log.String(), "\n"), 30, "it is not said all the time")
		store.set(false)
		require.Equal(t, http.StatusOK, post(t, endpoint, says("15550100101", "wamid.2")))
		pass(10 * time.Second)
		require.Equal(t, []string{"wamid.1", "wamid.2"}, r.names(), "what was handled meanwhile was settled later")
		m := metrics(t, in)
		require.Equal(t, int64(2), m.Received)
		require.Equal(t, int64(1), m.Refused)
		require.Equal(t, int64(2), m.Handled)
		require.NoError(t, in.Shutdown(t.Context()))
	})
}

// A lease is lost as well if its time is over before the store says so.
func TestALeaseThatRanOutCountsAsLost(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := new(brokenStore)
		r := &recorder{then: func(context.Context, string) error { time.Sleep(time.Second); return nil }}
		in := start(t, store, r, inbox.Config{LeaseDuration: 3 * time.Second})
		receive(t, in, says("15550100101", "wamid.1"))
		pass(500 * time.Millisecond)
		store.set(true)
		pass(time.Minute)
		store.set(false)
		require.Equal(t, int64(1), metrics(t, in).LeasesLost)
		pass(time.Minute)
		require.Equal(t, []string{"wamid.1", "wamid.1"}, r.names(), "it is handled again")
		require.NoError(t, in.Shutdown(t.Context()))
	})
}

func TestALostLeaseEndsTheHandler(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := &brokenStore{extend: inbox.ErrLeaseLost}
		var cause error
		r := &recorder{then: func(ctx context.Context, _ string) error {
			if info, _ := inbox.FromContext(ctx); info.Attempt > 1 || cause != nil {
				return nil
			}
			<-ctx.Done()
			cause = context.Cause(ctx)
			return ctx.Err()
		}}
		in := start(t, store, r, inbox.Config{LeaseDuration: 3 * time.Second})
		receive(t, in, says("15550100101", "wamid.1"))
		pass(1100 * time.Millisecond)
		require.ErrorIs(t, cause, inbox.ErrLeaseLost)
		pass(time.Minute)
		require.Equal(t, []string{"wamid.1", "wamid.1"}, r.names())
		require.NoError(t, in.Shutdown(t.Context()))
	})
}

// A stalledStore answers its first claim of events, and all renewals, only when the lease of that
// claim has long passed. That is what a process sees that was stopped and goes on.
type stalledStore struct {
	*inbox.MemStore

	claim, extend time.Duration
	claimed       atomic.Bool
}

func (s *stalledStore) Claim(ctx context.Context, req inbox.ClaimRequest) (inbox.Batch, error) {
	b, err := s.MemStore.Claim(ctx, req)
	if len(b.Records) > 0 && req.Kind == inbox.KindEvent && s.claimed.CompareAndSwap(false, true) {
		time.Sleep(s.claim)
	}
	return b, err
}

func (s *stalledStore) Extend(ctx context.Context, token inbox.LeaseToken, lease time.Duration) error {
	time.Sleep(s.extend)
	return s.MemStore.Extend(context.WithoutCancel(ctx), token, lease)
}

// A process that stood still past its lease begins none of the events that it had claimed: another
// one has handled them. Only what was in a handler at that moment is handled twice.
func TestAnExpiredLeaseIsNotWorkedOn(t *testing.T) {
	t.Parallel()
	const (
		lease, stall = 3 * time.Second, 10 * time.Second
		workers      = 2
		customers    = 6
		each         = 5
	)
	for name, c := range map[string]struct {
		claim, extend, handler time.Duration
		most                   int // events that the stalled process may begin
	}{
		"stopped within handlers": {extend: stall, handler: stall, most: workers},
		"stopped within a claim":  {claim: stall, most: 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				shared := new(inbox.MemStore)
				stalled := &recorder{then: func(context.Context, string) error { time.Sleep(c.handler); return nil }}
				cfg := inbox.Config{Workers: workers, LeaseDuration: lease}
				first := start(t, &stalledStore{MemStore: shared, claim: c.claim, extend: c.extend}, stalled, cfg)
				for i := range customers {
					for k := range each {
						receive(t, first, says(fmt.Sprint("1555010010", i), fmt.Sprintf("wamid.%d.%d", i, k)))
					}
				}
				pass(time.Second)
				other := new(recorder)
				second := start(t, shared, other, cfg)
				pass(time.Minute)
				require.Len(t, other.names(), customers*each, "the other process handles everything")
				require.LessOrEqual(
					t, len(stalled.names()), c.most, "begun by the one that had stalled: %v", stalled.names(),
				)
				require.NoError(t, errors.Join(first.Shutdown(t.Context()), second.Shutdown(t.Context())))
			})
		})
	}
}

func TestTheLogSaysWhereAHandlerPanicked(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		in := start(t, new(inbox.MemStore), &recorder{then: panics}, inbox.Config{
			MaxAttempts: 2, Logger: slog.New(slog.NewTextHandler(&log, nil)),
		})
		receive(t, in, says("15550100101", "wamid.1"))
		pass(time.Minute)
		lines := strings.Split(strings.TrimSpace(log.String()), "\n")
		require.Len(t, lines, 2, "one for each attempt")
		for _, line := range lines {
			require.Contains(t, line, "stack=")
			require.Contains(t, line, "inbox_test.panics")
		}
		_, reasons := letters(t, in)
		require.Len(t, reasons, 1)
		require.NotContains(t, reasons[0], "inbox_test.panics")
		require.NoError(t, in.Shutdown(t.Context()))
	})
}

func panics(context.Context, string) error { panic("a bug") }

// With the defaults: for how long a conversation waits for an event that always fails.
func TestAnEventIsGivenUpAfterEightHours(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var begin, end time.Time
		r := &recorder{then: func(context.Context, string) error {
			if end = time.Now(); begin.IsZero() {
				begin = end
			}
			return errors.New("never")
		}}
		in := start(t, new(inbox.MemStore), r, inbox.Config{})
		receive(t, in, says("15550100101", "wamid.1"))
		pass(24 * time.Hour)
		require.Len(t, r.names(), 20)
		require.InDelta(t, 8.1, end.Sub(begin).Hours(), 8.1/4)
		require.NoError(t, in.Shutdown(t.Context()))
	})
}

func TestASingleAttemptFailsOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := &recorder{then: func(context.Context, string) error { return errors.New("never") }}
		in := start(t, new(inbox.MemStore), r, inbox.Config{MaxAttempts: 1})
		receive(t, in, says("15550100101", "wamid.1"))
		pass(time.Second)
		_, reasons := letters(t, in)
		require.Equal(t, []string{"failed once: never"}, reasons)
		require.NoError(t, in.Shutdown(t.Context()))
	})
}

// An inbox that is not started answers 200, and nothing more happens.
func TestAnInboxThatIsNotStartedSaysSo(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	in, err := inbox.New(new(inbox.MemStore), new(recorder), inbox.Config{
		Logger: slog.New(slog.NewTextHandler(&log, nil)),
	})
	require.NoError(t, err)
	receive(t, in, says("15550100101", "wamid.1"), says("15550100101", "wamid.2"))
	require.Equal(
		t, 1, strings.Count(log.String(), `level=WARN msg="the inbox is not started; call Start"`), log.String(),
	)
	require.NoError(t, in.Shutdown(t.Context()))
}

func TestAnInboxThatIsOverTakesNothingIn(t *testing.T) {
	t.Parallel()
	store := new(inbox.MemStore)
	var log bytes.Buffer
	in := start(t, store, new(recorder), inbox.Config{Logger: slog.New(slog.NewTextHandler(&log, nil))})
	receive(t, in, says("15550100101", "wamid.1"))
	require.NoError(t, in.WaitIdle(t.Context()))
	require.NoError(t, in.Shutdown(t.Context()))
	require.ErrorIs(t, in.Receive(t.Context(), says("15550100101", "wamid.2")), webhook.ErrUnavailable)
	st, err := store.Stats(t.Context())
	require.NoError(t, err)
	require.Zero(t, st.Depth())
	require.Empty(t, log.String())
}

func TestReceivingIsLimited(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := &slowSink{Store: new(inbox.MemStore)}
		d := says("15550100101", "wamid.1")
		in := start(t, store, new(recorder), inbox.Config{MaxBufferedBytes: int64(2*len(d.Body)) + 100})
		var wg sync.WaitGroup
		errs := make([]error, 5)
		for i := range errs {
			wg.Go(func() { errs[i] = in.Receive(t.Context(), says("15550100101", fmt.Sprint("wamid.", i))) })
		}
		wg.Wait()
		refused := slices.DeleteFunc(errs, func(err error) bool { return err == nil })
		require.Len(t, refused, 3)
		require.ErrorIs(t, refused[0], webhook.ErrUnavailable)
		require.NoError(t, in.Receive(t.Context(), d))
		require.NoError(t, in.Shutdown(t.Context()))
	})
}

type slowSink struct{ inbox.Store }

func (s *slowSink) Append(ctx context.Context, recs []inbox.Record) (int, error) {
	time.Sleep(time.Second)
	return s.Store.Append(ctx, recs)
}

func TestMistakesAreReportedAtOnce(t *testing.T) {
	t.Parallel()
	_, err := inbox.New(nil, nil, inbox.Config{Workers: -1, LeaseDuration: -1, DedupWindow: time.Hour})
	for _, want := range []string{
		"needs a Store", "needs a webhook.Handler", "Config.Workers", "Config.LeaseDuration", "Config.DedupWindow",
	} {
		require.ErrorContains(t, err, want)
	}
	_, err = inbox.New(new(inbox.MemStore), inbox.InTx(new(webhook.Mux)), inbox.Config{Workers: -1})
	require.ErrorContains(t, err, "sqliteinbox or pginbox")
	require.ErrorContains(t, err, "Config.Workers")
	require.NotContains(t, err.Error(), "InTx needs a webhook.Handler")
	_, err = inbox.New(new(inbox.MemStore), inbox.InTx(nil), inbox.Config{})
	require.ErrorContains(t, err, "InTx needs a webhook.Handler")
}

func TestBackoffGrowsToAnHour(t *testing.T) {
	t.Parallel()
	for attempt, want := range map[int]time.Duration{
		0: time.Second, 1: time.Second, 2: 2 * time.Second, 10: 512 * time.Second, 13: time.Hour, 9999: time.Hour,
	} {
		t.Run(fmt.Sprint("attempt ", attempt), func(t *testing.T) {
			t.Parallel()
			for range 100 {
				got := inbox.DefaultBackoff(attempt)
				require.InDelta(t, want.Seconds(), got.Seconds(), want.Seconds()/4)
			}
		})
	}
}

// post sends a signed delivery, and returns the status.
func post(t *testing.T, endpoint http.Handler, d webhook.Delivery) int {
	t.Helper()
	req := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", bytes.NewReader(d.Body))
	req.Header.Set(webhook.SignatureHeader, webhook.Sign("made-up", d.Body))
	w := httptest.NewRecorder()
	endpoint.ServeHTTP(w, req)
	return w.Code
}

// pass lets time go by, in a bubble, and waits until all that was to happen has happened.
func pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}
