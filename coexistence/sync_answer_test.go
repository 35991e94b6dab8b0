package coexistence_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/cloudapitest"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence"
)

func TestTheAnswerIsStoredAlthoughTheCallerHasGone(t *testing.T) {
	t.Parallel()
	d := newSyncBench(t)
	ctx, cancel := context.WithCancel(t.Context())
	d.onSynced = cancel
	result, err := d.tracker.RequestSync(ctx, phone)
	require.ErrorIs(t, err, context.Canceled)
	require.Equal(t, []cloudapi.SyncKind{cloudapi.SyncContacts}, result.Requested)
	require.Equal(t, coexistence.SyncAccepted, d.state(t).Contacts.Status)
	require.NotEmpty(t, d.state(t).Contacts.RequestID)
	require.Equal(t, coexistence.SyncNone, d.state(t).History.Status, "and it can still be requested")
}

// brokenStore fails the nth change of a state, and those after it if more than one is to fail.
type brokenStore struct {
	coexistence.Store
	changes, fail, more int

	// committed says that a change which fails is stored all the same: its connection was cut
	// behind the commit.
	committed bool

	onFail func() // called after a change has failed
}

var errDisk = errors.New("the disk is full")

func (s *brokenStore) UpdateNumber(
	ctx context.Context, phone graph.PhoneNumberID, fn func(coexistence.Number) (coexistence.Number, error),
) (coexistence.Number, error) {
	s.changes++
	if s.changes < s.fail || s.changes > s.fail+s.more {
		return s.Store.UpdateNumber(ctx, phone, fn)
	}
	if s.committed {
		if _, err := s.Store.UpdateNumber(ctx, phone, fn); err != nil {
			return coexistence.Number{}, err
		}
	}
	if s.onFail != nil {
		s.onFail()
	}
	return coexistence.Number{}, errDisk
}

func TestWithoutAStoredIntentThereIsNoCall(t *testing.T) {
	t.Parallel()
	store := &brokenStore{Store: new(coexistence.MemStore)}
	d := newSyncBench(t, func(d *syncBench) { d.store = store })
	store.changes, store.fail = 0, 2 // the first one stores what the preflight read
	_, err := d.tracker.RequestSync(t.Context(), phone)
	require.ErrorIs(t, err, errDisk)
	require.Zero(t, d.calls())
}

// A connection to the database that is cut at the wrong moment costs a pause, and not the answer.
func TestTheAnswerIsStoredWithSeveralTries(t *testing.T) {
	t.Parallel()
	for _, committed := range []bool{false, true} {
		for failures := 1; failures <= 4; failures++ {
			t.Run(fmt.Sprintf("%d fail, committed %t", failures, committed), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					store := &brokenStore{Store: new(coexistence.MemStore), committed: committed}
					d := newSyncBench(t, func(d *syncBench) { d.store = store })
					store.changes, store.fail, store.more = 0, 3, failures-1
					ctx, cancel := context.WithCancel(t.Context())
					store.onFail = cancel // even when the caller does not wait for them
					answered := time.Now()
					_, err := d.tracker.RequestSync(ctx, phone, cloudapi.SyncContacts)
					if err != nil {
						require.ErrorIs(t, err, context.Canceled)
					}
					st := d.state(t)
					require.Equal(t, coexistence.SyncAccepted, st.Contacts.Status)
					require.NotEmpty(t, st.Contacts.RequestID)
					require.True(t, st.Contacts.AcceptedAt.Equal(answered), "when Meta answered")
					require.Equal(t, 1, d.calls())
				})
			})
		}
	}
}

// Once all tries have failed, the store knows the intent only, and the host knows more.
func TestAnAnswerThatCannotBeStoredIsUnknown(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]*cloudapitest.Fault{
		"accepted": nil, "refused": {On: "POST " + syncPath, Code: 200},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				store := &brokenStore{Store: new(coexistence.MemStore)}
				d := newSyncBench(t, func(d *syncBench) { d.store = store })
				if fault != nil {
					d.srv.Inject(*fault)
				}
				store.changes, store.fail, store.more = 0, 3, 1000
				result, err := d.tracker.RequestSync(t.Context(), phone)
				require.ErrorIs(t, err, errDisk)
				require.ErrorIs(t, err, coexistence.ErrSyncOutcomeUnknown)
				if fault == nil {
					require.Equal(t, []cloudapi.SyncKind{cloudapi.SyncContacts}, result.Requested)
					require.ErrorContains(t, err, "Meta accepted the request")
				} else {
					require.Empty(t, result.Requested)
					require.ErrorIs(t, err, fault.Code)
				}
				require.Equal(t, 1, d.calls())

				store.fail, store.more = 0, 0
				_, err = d.tracker.RequestSync(t.Context(), phone, cloudapi.SyncContacts)
				require.ErrorIs(t, err, coexistence.ErrSyncInProgress)
				time.Sleep(time.Hour)
				_, err = d.tracker.RequestSync(t.Context(), phone, cloudapi.SyncContacts)
				require.ErrorIs(t, err, coexistence.ErrSyncOutcomeUnknown)
				require.Equal(t, 1, d.calls())
			})
		})
	}
}

// The try that seemed to fail has freed the kind for another request. The next try is about the
// request that was refused, and leaves the other one alone.
func TestALateTryLeavesAnotherRequestAlone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := &brokenStore{Store: new(coexistence.MemStore), committed: true}
		d := newSyncBench(t, func(d *syncBench) { d.store = store })
		other, err := coexistence.NewTracker(coexistence.Config{
			Store:  store.Store,
			Client: func(context.Context, graph.PhoneNumberID) (*cloudapi.Client, error) { return d.client, nil },
		})
		require.NoError(t, err)
		d.srv.Inject(cloudapitest.Fault{On: "POST " + syncPath, Code: 200})
		store.changes, store.fail = 0, 3
		var second sync.WaitGroup
		store.onFail = func() {
			time.Sleep(time.Millisecond)
			d.onSync = func() { time.Sleep(10 * time.Second) } // the next try falls into this call
			second.Go(func() {
				_, err := other.RequestSync(t.Context(), phone, cloudapi.SyncContacts)
				if err != nil {
					t.Error(err)
				}
			})
			synctest.Wait()
		}
		_, err = d.tracker.RequestSync(t.Context(), phone, cloudapi.SyncContacts)
		require.ErrorIs(t, err, graph.ErrPermission)
		require.Equal(t, coexistence.SyncRequested, d.state(t).Contacts.Status, "by the other, which is calling")
		second.Wait()
		require.Equal(t, coexistence.SyncAccepted, d.state(t).Contacts.Status)
		require.Equal(t, 2, d.calls())
	})
}
