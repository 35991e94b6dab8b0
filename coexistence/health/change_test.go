package health_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/cloudapitest"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/health"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/inbox"
)

func TestAChangeIsToldOnce(t *testing.T) {
	t.Parallel()
	b := newBench(t, health.Config{})
	require.Empty(t, b.check(t), "a number that works is no news")
	b.change(t, func(n *coexistence.Number) { n.Stage, n.OffboardedAt = coexistence.StageOffboarded, time.Now() })
	changes := b.check(t)
	require.Len(t, changes, 1)
	c := changes[0]
	require.Equal(t, phone, c.PhoneNumberID)
	require.Equal(t, health.PartConnection, c.To.Name)
	require.Equal(t, health.CodeSuspended, c.To.Code)
	require.Equal(t, "active", c.From.Value)
	require.Equal(t, "offboarded", c.To.Value)
	require.True(t, c.Worse())
	require.False(t, c.Recovered())
	require.Empty(t, b.check(t), "and not again")

	b.change(t, func(n *coexistence.Number) { n.OffboardedAt = time.Now().Add(-2 * day) })
	changes = b.check(t)
	require.Len(t, changes, 1)
	require.True(t, changes[0].Worse(), "from a warning to broken")

	b.change(t, func(n *coexistence.Number) { n.Stage = coexistence.StageActive })
	changes = b.check(t)
	require.Len(t, changes, 1)
	require.True(t, changes[0].Recovered())
	require.False(t, changes[0].Worse())
}

// The first look after a restart tells what is wrong, once, and nothing else.
func TestARestartTellsWhatIsWrong(t *testing.T) {
	t.Parallel()
	b := newBench(t, health.Config{})
	b.change(t, func(n *coexistence.Number) {
		n.Enforcement.Ban = &webhook.BanInfo{State: webhook.BanInForce}
		n.OtherResponderAt = time.Now()
	})
	for range 2 {
		changes := b.check(t)
		require.Len(t, changes, 1)
		require.Equal(t, health.CodeBanned, changes[0].To.Code)
		require.Zero(t, changes[0].From)
		require.True(t, changes[0].Worse())
		require.Empty(t, b.check(t))
		b.watch(t, health.Config{})
	}
}

// A limit, a rating and a responder that change are events although nothing is wrong.
func TestAValueThatChangesIsToldToo(t *testing.T) {
	t.Parallel()
	b := newBench(t, health.Config{})
	_, err := b.monitor.Read(t.Context(), phone)
	require.NoError(t, err)
	require.Empty(t, b.check(t))
	b.srv.Inject(cloudapitest.Fault{On: "GET /{phone-number-id}"}) // passes
	b.srv.Inject(cloudapitest.Fault{On: "GET /{phone-number-id}",
		Body: `{"id":"` + string(phone) + `","whatsapp_business_manager_messaging_limit":"TIER_2K"}`})
	_, err = b.monitor.Read(t.Context(), phone)
	require.NoError(t, err)
	b.change(t, func(n *coexistence.Number) { n.OtherResponderAt = time.Now() })
	changes := b.check(t)
	require.Len(t, changes, 2)
	require.Equal(t, "TIER_250", changes[0].From.Value)
	require.Equal(t, "TIER_2K", changes[0].To.Value)
	require.Equal(t, health.CodeOtherResponder, changes[1].To.Code)
	for _, c := range changes {
		require.False(t, c.Worse())
		require.False(t, c.Recovered())
	}
}

// What cannot be read is neither an alarm nor an all-clear: the next look compares with what was
// known.
func TestWhatIsUnknownIsNoChange(t *testing.T) {
	t.Parallel()
	store := &brokenStats{Store: new(inbox.MemStore)}
	store.age.Store(int64(time.Hour))
	in, err := inbox.New(store, webhook.HandlerFunc(func(context.Context, webhook.Event) error { return nil }),
		inbox.Config{})
	require.NoError(t, err)
	b := newBench(t, health.Config{Inbox: in})
	b.onboard(t, "100000000000002")
	changes := b.check(t)
	require.Len(t, changes, 1, "once, and not for each number")
	require.Equal(t, health.PartBacklog, changes[0].To.Name)
	require.Empty(t, changes[0].PhoneNumberID)

	store.down.Store(true)
	b.changes = nil
	require.ErrorIs(t, b.monitor.CheckAll(t.Context()), errDown)
	require.Empty(t, b.changes)
	h, err := b.monitor.Health(t.Context(), phone)
	require.ErrorIs(t, err, errDown)
	require.Equal(t, health.CodeUnreadable, h.Backlog.Code)
	require.Equal(t, health.CodeUnreadable, h.DeadLetters.Code)
	require.Equal(t, health.StatusOK, h.Status(), "the rest holds")

	store.down.Store(false)
	require.Empty(t, b.check(t))
	store.age.Store(0)
	changes = b.check(t)
	require.Len(t, changes, 1)
	require.True(t, changes[0].Recovered())
}

var errDown = errors.New("the store is down")

// A brokenStats counts one event of an age, or nothing.
type brokenStats struct {
	inbox.Store
	age  atomic.Int64
	down atomic.Bool
}

func (s *brokenStats) Stats(context.Context) (inbox.Stats, error) {
	if s.down.Load() {
		return inbox.Stats{}, errDown
	}
	return inbox.Stats{Live: 1, OldestLive: time.Duration(s.age.Load())}, nil
}

// Numbers are read as often as the host wants, soon again after a failure, and when a webhook says
// that a limit has changed.
func TestNumbersAreReadWhenItIsTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, health.Config{})
		reads := func() int { return b.srv.Count("GET", "/{waba-id}/subscribed_apps") }
		b.check(t)
		time.Sleep(day)
		b.check(t)
		require.Zero(t, reads(), "nothing is asked if the host has not asked for it")

		b.watch(t, health.Config{ReadInterval: 6 * time.Hour})
		b.check(t)
		b.check(t)
		require.Equal(t, 1, reads())
		time.Sleep(6 * time.Hour)
		b.check(t)
		require.Equal(t, 2, reads())

		require.NoError(t, b.arrivals.Handle(t.Context(), &webhook.PhoneNumberQualityUpdate{
			EventInfo: webhook.EventInfo{WABAID: waba, ReceivedAt: time.Now().Add(time.Second)},
		}))
		time.Sleep(time.Minute)
		b.check(t)
		b.check(t)
		require.Equal(t, 3, reads(), "at once, and once")

		time.Sleep(6 * time.Hour)
		b.srv.Inject(cloudapitest.Fault{On: "GET /{phone-number-id}", Status: 502, Body: "busy"})
		require.Error(t, b.monitor.CheckAll(t.Context()))
		require.NoError(t, b.monitor.CheckAll(t.Context()), "not at once")
		before := reads()
		time.Sleep(10 * time.Minute)
		b.check(t)
		require.Equal(t, before+1, reads())

		b.change(t, func(n *coexistence.Number) { n.Stage = coexistence.StageRemoved })
		time.Sleep(day)
		b.check(t)
		require.Equal(t, before+1, reads(), "a removed number cannot be read")
	})
}

// One pass reads a hundred numbers, the next one the rest, so that all are looked at in time.
func TestManyNumbersAreReadInTurns(t *testing.T) {
	t.Parallel()
	b := newBench(t, health.Config{})
	for i := range 120 {
		b.onboard(t, graph.PhoneNumberID(fmt.Sprint(100000000001000+i)))
		b.srv.AddPhone(cloudapitest.Phone{
			ID: graph.PhoneNumberID(fmt.Sprint(100000000001000 + i)), WABAs: []graph.WABAID{waba},
		})
	}
	b.watch(t, health.Config{ReadInterval: time.Hour, OnChange: func(context.Context, health.Change) {}})
	read := func() (n int) {
		for _, h := range b.monitor.Snapshot() {
			if !h.ReadAt.IsZero() {
				n++
			}
		}
		return n
	}
	require.Empty(t, b.monitor.Snapshot())
	require.NoError(t, b.monitor.CheckAll(t.Context()))
	require.Equal(t, 100, read())
	require.Len(t, b.monitor.Snapshot(), 121)
	require.NoError(t, b.monitor.CheckAll(t.Context()))
	require.Equal(t, 121, read())
}

func TestANumberThatWasForgottenIsForgotten(t *testing.T) {
	t.Parallel()
	b := newBench(t, health.Config{})
	b.check(t)
	require.Len(t, b.monitor.Snapshot(), 1)
	require.NoError(t, b.tracker.Forget(t.Context(), coexistence.ForgetRequest{PhoneNumberID: phone}))
	require.Empty(t, b.check(t))
	require.Empty(t, b.monitor.Snapshot())
}

// Run goes on until its context ends, also when the numbers cannot be listed for a while.
func TestRunLooksEveryMinute(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, health.Config{})
		store := &unlisted{Store: b.store}
		tracker, err := coexistence.NewTracker(coexistence.Config{Store: store})
		require.NoError(t, err)
		changes := make(chan health.Change, 10)
		m, err := health.New(health.Config{Tracker: tracker, OnChange: func(_ context.Context, c health.Change) {
			changes <- c
		}})
		require.NoError(t, err)
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() { m.Run(ctx); close(ended) }()
		synctest.Wait()
		store.fails.Store(true)
		b.change(t, func(n *coexistence.Number) { n.Stage = coexistence.StageRemoved })
		time.Sleep(10 * time.Minute)
		require.Empty(t, changes)
		require.Len(t, m.Snapshot(), 1, "what was known is kept")
		store.fails.Store(false)
		time.Sleep(time.Minute)
		require.Equal(t, health.CodeRemoved, (<-changes).To.Code)
		cancel()
		<-ended
	})
}

// An unlisted store cannot list its numbers as long as fails is set.
type unlisted struct {
	coexistence.Store
	fails atomic.Bool
}

func (s *unlisted) Numbers(ctx context.Context) iter.Seq2[coexistence.Number, error] {
	if s.fails.Load() {
		return func(yield func(coexistence.Number, error) bool) { yield(coexistence.Number{}, errDown) }
	}
	return s.Store.Numbers(ctx)
}
