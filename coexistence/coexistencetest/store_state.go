package coexistencetest

import (
	"errors"
	"fmt"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

// storeTime has no fraction of a microsecond: that is all that a database keeps. PostgreSQL cuts
// the rest off, and what comes back would differ.
var storeTime = time.Date(2026, 11, 20, 9, 30, 15, 123456000, time.UTC)

// fullState has every member set, to values that JSON keeps. A member that a store forgets shows in
// the comparison.
func (c *storeCheck) fullState() coexistence.Number {
	sync := coexistence.Sync{
		Status: coexistence.SyncStreaming, RequestedAt: storeTime, AcceptedAt: storeTime.Add(time.Second),
		RequestID: "0123ABCD",
		ActiveAt:  storeTime.Add(time.Minute), Code: 2593109,
	}
	return coexistence.Number{
		PhoneNumberID: c.phone, WABAID: c.waba, WABAs: []graph.WABAID{c.waba, c.waba + "-b"},
		DisplayPhoneNumber: "15550100199",
		Cycle:              2, Stage: coexistence.StageSyncing, OnboardedAt: storeTime,
		Contacts: coexistence.ContactSync{Sync: sync},
		History: coexistence.HistorySync{Sync: sync, Progress: 40, Phases: []coexistence.PhaseSync{
			{Phase: webhook.HistoryPhaseMiddle, Chunks: coexistence.Ranges{{First: 1, Last: 3}, {First: 7, Last: 7}},
				UnreadableChunks: []coexistence.UnreadableChunk{{Order: 2, Messages: 1}}},
		}},
		OffboardedAt: storeTime, ReconnectedAt: storeTime.Add(time.Hour),
		Disconnection: &coexistence.Disconnection{
			Event: webhook.AccountOffboarded, Reason: webhook.DisconnectedReRegistered, InitiatedBy: "USER",
			At: storeTime,
		},
		RefreshedAt: storeTime.Add(2 * time.Hour), Placement: coexistence.PlacementBoth, LifecycleAt: storeTime,
		Enforcement: coexistence.Enforcement{
			Restrictions: []webhook.RestrictionInfo{{
				Type: "RESTRICTED_UTILITY_TEMPLATES", Remediation: "Appeal",
				ExpiresAt: graph.NewTimestamp(storeTime.Truncate(time.Second)),
			}},
			RestrictedAt: storeTime,
			Ban:          &webhook.BanInfo{State: "REINSTATE", Date: "November 20, 2026"}, BanAt: storeTime,
			Violation: &webhook.ViolationInfo{Type: "ADULT", Remediation: "Appeal"}, ViolationAt: storeTime,
		},
		PhoneSeenAt: storeTime.Truncate(time.Hour),
	}
}

// unknownState reads a number that was never stored.
func (c *storeCheck) unknownState() error {
	_, err := c.s.Number(c.ctx, c.phone)
	return notFound(err)
}

// stateRoundTrip stores a state with every member set. fn must begin with nothing but the id, what
// the call returns must be what is stored, and both must equal what fn returned.
func (c *storeCheck) stateRoundTrip() error {
	want := c.fullState()
	// The first change of a number that is not stored.
	stored, err := c.s.UpdateNumber(c.ctx, c.phone, func(s coexistence.Number) (coexistence.Number, error) {
		if !reflect.DeepEqual(s, coexistence.Number{PhoneNumberID: c.phone}) {
			return s, fmt.Errorf("fn got %+v, want nothing but PhoneNumberID", s)
		}
		return c.fullState(), nil
	})
	if err != nil {
		return err
	}
	want.Version = 1
	if !reflect.DeepEqual(stored, want) {
		return fmt.Errorf("the method UpdateNumber returned %+v, want %+v", stored, want)
	}
	got, err := c.s.Number(c.ctx, c.phone)
	if err == nil && !reflect.DeepEqual(got, want) {
		err = fmt.Errorf("the method Number returned %+v, want %+v", got, want)
	}
	return err
}

// stateVersion stores changed and unchanged states in turn. A host that watches a number by its
// Version must see each change once.
func (c *storeCheck) stateVersion() error {
	// Each second step stores what is there already.
	for i, step := range []struct {
		cycle int
		want  int64
	}{{1, 1}, {1, 1}, {2, 2}, {2, 2}, {3, 3}} {
		got, err := c.s.UpdateNumber(c.ctx, c.phone, func(s coexistence.Number) (coexistence.Number, error) {
			s.Cycle = step.cycle
			return s, nil
		})
		if err != nil {
			return err
		}
		if got.Version != step.want {
			return fmt.Errorf("step %d: Version is %d, want %d", i, got.Version, step.want)
		}
	}
	return nil
}

// stateError has fn refuse after it has made a state. The guard of the sync requests rests on this:
// what is refused must not be stored, and its reason must come back.
func (c *storeCheck) stateError() error {
	// An error of the caller's own, which the store cannot know.
	refused := errors.New("refused")
	_, err := c.s.UpdateNumber(c.ctx, c.phone,
		func(s coexistence.Number) (coexistence.Number, error) { return c.fullState(), refused })
	if !errors.Is(err, refused) {
		return fmt.Errorf("want the error of fn, got: %w", err)
	}
	_, err = c.s.Number(c.ctx, c.phone)
	return notFound(err)
}

// numbers stores more numbers than a store is likely to read at a time, in descending order, and a
// message of a number without a state. All of them have to be listed, each once and in order: jobs
// that go through all numbers rest on it. The store may hold others.
func (c *storeCheck) numbers() error {
	const count = 520
	var want []graph.PhoneNumberID
	for i := range count {
		id := graph.PhoneNumberID(fmt.Sprintf("%s-%04d", c.phone, count-1-i))
		want = append(want, id)
		_, err := c.s.UpdateNumber(c.ctx, id, func(s coexistence.Number) (coexistence.Number, error) {
			s.Cycle, s.WABAID = 1, c.waba
			return s, nil
		})
		if err != nil {
			return err
		}
	}
	slices.Sort(want)
	if err := c.put(c.phone, c.text("wamid.1", "a", storeTime)); err != nil {
		return err
	}
	var all, got []graph.PhoneNumberID
	// A store in use has other numbers too. They have to be in order with ours, and are not looked
	// at otherwise.
	for st, err := range c.s.Numbers(c.ctx) {
		if err != nil {
			return err
		}
		all = append(all, st.PhoneNumberID)
		if !strings.HasPrefix(string(st.PhoneNumberID), string(c.phone)) {
			continue
		}
		if got = append(got, st.PhoneNumberID); st.Cycle != 1 || st.WABAID != c.waba || st.Version != 1 {
			return fmt.Errorf("got %+v, which is not what was stored", st)
		}
	}
	if !slices.IsSorted(all) {
		return errors.New("the method Numbers is not in the order of the phone ids")
	}
	// The message that was stored above must not have made a state of its number.
	if !slices.Equal(got, want) {
		return fmt.Errorf("%d numbers were stored and %d are listed, or others: a number without a state is none",
			len(want), len(got))
	}
	return nil
}

// statesByWABA stores numbers that one account, another, both or a list names. Account updates find
// their numbers in this way, so one that is left out would never hear that it was disconnected.
func (c *storeCheck) statesByWABA() error {
	other := c.waba + "-other"
	// Named as WABAID, within WABAs, not at all, and within WABAs alone. The ids are stored in
	// descending order.
	for i, st := range []coexistence.Number{
		{WABAID: c.waba}, {WABAID: other, WABAs: []graph.WABAID{other, c.waba}}, {WABAID: other},
		{WABAs: []graph.WABAID{c.waba}},
	} {
		phone := graph.PhoneNumberID(fmt.Sprintf("%s-%d", c.phone, 9-i))
		_, err := c.s.UpdateNumber(c.ctx, phone, func(s coexistence.Number) (coexistence.Number, error) {
			s.WABAID, s.WABAs = st.WABAID, st.WABAs
			return s, nil
		})
		if err != nil {
			return err
		}
	}
	for waba, want := range map[graph.WABAID][]graph.PhoneNumberID{
		c.waba: {c.phone + "-6", c.phone + "-8", c.phone + "-9"}, other: {c.phone + "-7", c.phone + "-8"}, c.waba +
			"-none": nil, "": nil,
	} {
		states, err := c.s.NumbersByWABA(c.ctx, waba)
		if err != nil {
			return err
		}
		var got []graph.PhoneNumberID
		for _, st := range states {
			got = append(got, st.PhoneNumberID)
		}
		if !reflect.DeepEqual(got, want) {
			return fmt.Errorf("account %q holds %v, want %v", waba, got, want)
		}
	}
	return nil
}

const (
	storeWriters = 8
	storeWrites  = 25
)

// yield lets other goroutines come between the reading and the writing of a store whose updates are
// not atomic. Without it such a store would pass most of the time.
func yield() {
	for range 10 {
		runtime.Gosched()
	}
}

// concurrently runs write from several goroutines, several times each, and returns the errors, at
// most one of each goroutine.
func concurrently(write func(worker, i int) error) error {
	var wg sync.WaitGroup
	errs := make([]error, storeWriters)
	for w := range storeWriters {
		wg.Go(func() {
			for i := range storeWrites {
				if errs[w] = write(w, i); errs[w] != nil {
					return
				}
			}
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

// stateConcurrency counts from several goroutines. A lost update is a sync request that is made
// twice.
func (c *storeCheck) stateConcurrency() error {
	err := concurrently(func(int, int) error {
		_, err := c.s.UpdateNumber(c.ctx, c.phone, func(s coexistence.Number) (coexistence.Number, error) {
			yield()
			s.Cycle++
			return s, nil
		})
		return err
	})
	if err != nil {
		return err
	}
	got, err := c.s.Number(c.ctx, c.phone)
	if err != nil {
		return err
	}
	if want := storeWriters * storeWrites; got.Cycle != want || got.Version != int64(want) {
		return fmt.Errorf("%d increments left Cycle %d and Version %d", want, got.Cycle, got.Version)
	}
	return nil
}
