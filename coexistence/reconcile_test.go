package coexistence_test

import (
	"bytes"
	"context"
	"errors"
	"iter"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/cloudapitest"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

func TestReconcileDoesWhatIsDue(t *testing.T) {
	t.Parallel()
	d := newSyncBench(t)
	require.NoError(t, d.tracker.Reconcile(t.Context(), phone))
	require.Equal(t, 2, d.calls(), "contacts and history")

	d.asked.Store(0)
	require.NoError(t, d.tracker.Reconcile(t.Context(), phone))
	require.Zero(t, d.asked.Load(), "nothing is due, so no token is needed")

	require.NoError(t, d.tracker.Handle(t.Context(), account(webhook.AccountOffboarded, time.Now())))
	require.True(t, d.state(t).NeedsRefresh())
	require.NoError(t, d.tracker.Reconcile(t.Context(), phone))
	require.True(t, d.state(t).Stage.Connected(), "the number was read, and works")
	require.Equal(t, 2, d.calls(), "and nothing is requested twice")
	require.ErrorIs(t, d.tracker.Reconcile(t.Context(), "another number"), coexistence.ErrNotOnboarded)
}

// What was refused for a reason that passes is requested again, as long as there is time.
func TestReconcileRequestsAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := newSyncBench(t)
		d.srv.Inject(cloudapitest.Fault{On: "POST " + syncPath, Code: 200})
		require.ErrorIs(t, d.tracker.Reconcile(t.Context(), phone), graph.ErrPermission)
		time.Sleep(23 * time.Hour)
		require.NoError(t, d.tracker.Reconcile(t.Context(), phone))
		require.Equal(t, 3, d.calls())

		late := d.add(t)
		time.Sleep(25 * time.Hour)
		require.NoError(t, d.tracker.Reconcile(t.Context(), late.ID))
		require.Equal(t, 3, d.calls(), "the 24 hours are over")
	})
}

func TestAHostThatNeverWantsHistoryGetsNone(t *testing.T) {
	t.Parallel()
	d := newSyncBench(t)
	d.track(t, coexistence.Config{Syncs: []cloudapi.SyncKind{cloudapi.SyncContacts}})
	d.srv.Inject(cloudapitest.Fault{On: "POST " + syncPath, Code: 200})
	require.Error(t, d.tracker.ReconcileAll(t.Context()))
	require.NoError(t, d.tracker.ReconcileAll(t.Context()))
	require.NoError(t, d.tracker.ReconcileAll(t.Context()))
	require.True(t, d.srv.Synced(phone, cloudapi.SyncHistory).IsZero())
	require.False(t, d.srv.Synced(phone, cloudapi.SyncContacts).IsZero())
	require.Equal(t, coexistence.SyncSkipped, d.state(t).History.Status)
	require.Equal(t, coexistence.StageActive, d.state(t).Stage)
}

// After a removal the token has ended, or the host has deleted it. That is no error, and Meta is
// not asked forever.
func TestARemovedNumberThatCannotBeReadStaysRemoved(t *testing.T) {
	t.Parallel()
	remove := func(t *testing.T) *syncBench {
		t.Helper()
		d := newSyncBench(t)
		require.NoError(t, d.tracker.Handle(t.Context(), account(webhook.AccountPartnerRemoved, time.Now())))
		return d
	}
	read := func(d *syncBench) int { return d.srv.Count("GET", "/{phone-number-id}") }
	t.Run("access is lost", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			d := remove(t)
			d.srv.DetachWABA(waba)
			require.NoError(t, d.tracker.ReconcileAll(t.Context()))
			time.Sleep(time.Minute)
			require.NoError(t, d.tracker.ReconcileAll(t.Context()))
			before := read(d)
			require.NoError(t, d.tracker.ReconcileAll(t.Context()))
			require.Equal(t, before, read(d))
			require.Equal(t, coexistence.StageRemoved, d.state(t).Stage)
		})
	})
	t.Run("the token is deleted", func(t *testing.T) {
		t.Parallel()
		d := remove(t)
		d.track(t, coexistence.Config{Client: func(context.Context, graph.PhoneNumberID) (*cloudapi.Client, error) {
			return nil, errors.New("there is no token")
		}})
		require.NoError(t, d.tracker.ReconcileAll(t.Context()))
		require.True(t, d.state(t).NeedsRefresh(), "it would still be read, if there were one")
	})
	t.Run("the reading fails for another reason", func(t *testing.T) {
		t.Parallel()
		d := remove(t)
		d.srv.Inject(cloudapitest.Fault{On: "GET /{phone-number-id}", Code: 100})
		require.Error(t, d.tracker.ReconcileAll(t.Context()))
		require.NoError(t, d.tracker.ReconcileAll(t.Context()))
		require.True(t, d.state(t).Stage.Connected(), "the update was about another number of the account")
	})
}

// One number hangs and one fails; all others are done at once, and those two are tried again.
func TestRunLetsNoNumberHoldTheOthers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := newSyncBench(t)
		hangs, fails := d.add(t), d.add(t)
		for range 40 {
			d.add(t)
		}
		var mu sync.Mutex
		broken, hanging, atOnce := true, 0, 0
		var log safeBuffer
		d.track(t, coexistence.Config{
			Logger: slog.New(slog.NewTextHandler(&log, nil)),
			Client: func(ctx context.Context, phone graph.PhoneNumberID) (*cloudapi.Client, error) {
				mu.Lock()
				defer mu.Unlock()
				switch {
				case !broken:
				case phone == hangs.ID:
					hanging++
					atOnce = max(atOnce, hanging)
					mu.Unlock()
					<-ctx.Done()
					mu.Lock()
					hanging--
					return nil, ctx.Err()
				case phone == fails.ID:
					return nil, errors.New("the token does not open")
				}
				return d.client, nil
			},
		})
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() { d.tracker.Run(ctx); close(ended) }()
		time.Sleep(time.Second)
		require.Equal(t, 2*41, d.calls(), "at once, and all but two")
		require.Contains(t, log.String(), "phone="+string(fails.ID))
		require.NotContains(t, log.String(), "phone="+string(hangs.ID))
		time.Sleep(30 * time.Minute)
		mu.Lock()
		require.Equal(t, 1, atOnce, "no number is worked on twice at a time")
		mu.Unlock()
		require.Contains(t, log.String(), "phone="+string(hangs.ID), "a number has a limited time")
		require.Equal(t, 2*41, d.calls())

		d.add(t) // while it runs
		mu.Lock()
		broken = false
		mu.Unlock()
		time.Sleep(10 * time.Minute)
		require.Equal(t, 2*44, d.calls())
		for _, st := range numbers(t, d.store) {
			require.Equal(t, coexistence.SyncAccepted, st.History.Status)
		}
		cancel()
		<-ended
	})
}

// A number that hangs and ignores its context costs one place, and is not begun again.
func TestRunGoesOnBesideANumberThatNeverReturns(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := newSyncBench(t)
		release := make(chan struct{})
		var begun atomic.Int64
		d.track(t, coexistence.Config{Client: func(_ context.Context, id graph.PhoneNumberID) (*cloudapi.Client,
			error) {
			if id == phone {
				begun.Add(1)
				<-release
			}
			return d.client, nil
		}})
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() { d.tracker.Run(ctx); close(ended) }()
		time.Sleep(time.Hour)
		require.EqualValues(t, 1, begun.Load())
		d.add(t)
		time.Sleep(10 * time.Minute)
		require.Equal(t, 2, d.calls())
		cancel()
		close(release)
		<-ended
	})
}

func TestRunOutlivesAStoreThatFails(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := &unlisted{Store: new(coexistence.MemStore)}
		d := newSyncBench(t, func(d *syncBench) { d.store = store })
		store.fails.Store(true)
		require.ErrorIs(t, d.tracker.ReconcileAll(t.Context()), errDisk)
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() { d.tracker.Run(ctx); close(ended) }()
		synctest.Wait()
		store.fails.Store(false)
		time.Sleep(10 * time.Minute)
		require.Equal(t, 2, d.calls())
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
		return func(yield func(coexistence.Number, error) bool) { yield(coexistence.Number{}, errDisk) }
	}
	return s.Store.Numbers(ctx)
}

func TestReconcileAllNamesEveryNumberThatFailed(t *testing.T) {
	t.Parallel()
	d := newSyncBench(t)
	other := d.add(t)
	sealed := errors.New("the token does not open")
	var broken atomic.Bool
	broken.Store(true)
	d.track(t, coexistence.Config{Client: func(_ context.Context, id graph.PhoneNumberID) (*cloudapi.Client, error) {
		if id == phone && broken.Load() {
			return nil, sealed
		}
		return d.client, nil
	}})
	err := d.tracker.ReconcileAll(t.Context())
	require.ErrorIs(t, err, sealed)
	require.ErrorContains(t, err, "number "+string(phone))
	require.NotContains(t, err.Error(), string(other.ID))
	require.Equal(t, 2, d.calls())
	broken.Store(false)
	require.NoError(t, d.tracker.ReconcileAll(t.Context()))
	require.Equal(t, 4, d.calls())
}

func numbers(t *testing.T, store coexistence.Store) (list []coexistence.Number) {
	t.Helper()
	for st, err := range store.Numbers(t.Context()) {
		require.NoError(t, err)
		list = append(list, st)
	}
	return list
}

// A safeBuffer is a buffer for several goroutines.
type safeBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *safeBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *safeBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}
