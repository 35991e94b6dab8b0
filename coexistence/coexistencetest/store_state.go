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

// storeTime has no fraction of a microsecond: that is all that a database keeps.
var storeTime = time.Date(2026, 11, 20, 9, 30, 15, 123456000, time.UTC)

// fullState has every member set.
func (c *storeCheck) fullState() coexistence.State {
	sync := coexistence.Sync{
		Status: coexistence.SyncStreaming, RequestedAt: storeTime, AcceptedAt: storeTime.Add(time.Second), RequestID: "0123ABCD",
		ActiveAt: storeTime.Add(time.Minute), Code: 2593109,
	}
	return coexistence.State{
		Phone: c.phone, WABA: c.waba, WABAs: []graph.WABAID{c.waba, c.waba + "-b"}, DisplayPhone: "15550100199",
		Cycle: 2, Stage: coexistence.StageSyncing, OnboardedAt: storeTime,
		Contacts: coexistence.ContactSync{Sync: sync},
		History: coexistence.HistorySync{Sync: sync, Progress: 40, Phases: []coexistence.PhaseSync{
			{Phase: webhook.HistoryPhaseMiddle, Chunks: coexistence.Ranges{{First: 1, Last: 3}, {First: 7, Last: 7}}, Lost: []coexistence.ChunkLoss{{Order: 2, Messages: 1}}},
		}},
		OffboardedAt: storeTime, ReconnectedAt: storeTime.Add(time.Hour),
		Ending: &coexistence.Ending{
			Event: webhook.AccountOffboarded, Reason: webhook.DisconnectedReRegistered, InitiatedBy: "USER", At: storeTime,
		},
		ConfirmedAt: storeTime.Add(2 * time.Hour), Presence: coexistence.PresenceBoth, LifecycleAt: storeTime,
		Enforcement: coexistence.Enforcement{
			Restrictions: []webhook.RestrictionInfo{{
				Type: "RESTRICTED_UTILITY_TEMPLATES", Remediation: "Appeal", ExpiresAt: graph.At(storeTime.Truncate(time.Second)),
			}},
			RestrictedAt: storeTime,
			Ban:          &webhook.BanInfo{State: "REINSTATE", Date: "November 20, 2026"}, BanAt: storeTime,
			Violation: &webhook.ViolationInfo{Type: "ADULT", Remediation: "Appeal"}, ViolationAt: storeTime,
		},
		PhoneSeenAt: storeTime.Truncate(time.Hour),
	}
}

func (c *storeCheck) unknownState() error {
	_, err := c.s.State(c.ctx, c.phone)
	return notFound(err)
}

func (c *storeCheck) stateRoundTrip() error {
	want := c.fullState()
	stored, err := c.s.UpdateState(c.ctx, c.phone, func(s coexistence.State) (coexistence.State, error) {
		if !reflect.DeepEqual(s, coexistence.State{Phone: c.phone}) {
			return s, fmt.Errorf("fn got %+v, want nothing but Phone", s)
		}
		return c.fullState(), nil
	})
	if err != nil {
		return err
	}
	want.Version = 1
	if !reflect.DeepEqual(stored, want) {
		return fmt.Errorf("the method UpdateState returned %+v, want %+v", stored, want)
	}
	got, err := c.s.State(c.ctx, c.phone)
	if err == nil && !reflect.DeepEqual(got, want) {
		err = fmt.Errorf("the method State returned %+v, want %+v", got, want)
	}
	return err
}

func (c *storeCheck) stateVersion() error {
	for i, step := range []struct {
		cycle int
		want  int64
	}{{1, 1}, {1, 1}, {2, 2}, {2, 2}, {3, 3}} {
		got, err := c.s.UpdateState(c.ctx, c.phone, func(s coexistence.State) (coexistence.State, error) {
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

func (c *storeCheck) stateError() error {
	refused := errors.New("refused")
	_, err := c.s.UpdateState(c.ctx, c.phone, func(s coexistence.State) (coexistence.State, error) { return c.fullState(), refused })
	if !errors.Is(err, refused) {
		return fmt.Errorf("want the error of fn, got: %w", err)
	}
	_, err = c.s.State(c.ctx, c.phone)
	return notFound(err)
}

// numbers stores more numbers than a store is likely to read at a time. The store may hold others.
func (c *storeCheck) numbers() error {
	const count = 520
	var want []graph.PhoneNumberID
	for i := range count {
		id := graph.PhoneNumberID(fmt.Sprintf("%s-%04d", c.phone, count-1-i))
		want = append(want, id)
		_, err := c.s.UpdateState(c.ctx, id, func(s coexistence.State) (coexistence.State, error) {
			s.Cycle, s.WABA = 1, c.waba
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
	for st, err := range c.s.Numbers(c.ctx) {
		if err != nil {
			return err
		}
		all = append(all, st.Phone)
		if !strings.HasPrefix(string(st.Phone), string(c.phone)) {
			continue
		}
		if got = append(got, st.Phone); st.Cycle != 1 || st.WABA != c.waba || st.Version != 1 {
			return fmt.Errorf("got %+v, which is not what was stored", st)
		}
	}
	if !slices.IsSorted(all) {
		return errors.New("the method Numbers is not in the order of the phone ids")
	}
	if !slices.Equal(got, want) {
		return fmt.Errorf("%d numbers were stored and %d are listed, or others: a number without a state is none", len(want), len(got))
	}
	return nil
}

func (c *storeCheck) statesByWABA() error {
	other := c.waba + "-other"
	for i, st := range []coexistence.State{
		{WABA: c.waba}, {WABA: other, WABAs: []graph.WABAID{other, c.waba}}, {WABA: other}, {WABAs: []graph.WABAID{c.waba}},
	} {
		phone := graph.PhoneNumberID(fmt.Sprintf("%s-%d", c.phone, 9-i))
		_, err := c.s.UpdateState(c.ctx, phone, func(s coexistence.State) (coexistence.State, error) {
			s.WABA, s.WABAs = st.WABA, st.WABAs
			return s, nil
		})
		if err != nil {
			return err
		}
	}
	for waba, want := range map[graph.WABAID][]graph.PhoneNumberID{
		c.waba: {c.phone + "-6", c.phone + "-8", c.phone + "-9"}, other: {c.phone + "-7", c.phone + "-8"}, c.waba + "-none": nil, "": nil,
	} {
		states, err := c.s.StatesByWABA(c.ctx, waba)
		if err != nil {
			return err
		}
		var got []graph.PhoneNumberID
		for _, st := range states {
			got = append(got, st.Phone)
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

// yield lets other goroutines come between the reading and the writing of a store whose updates are not atomic.
func yield() {
	for range 10 {
		runtime.Gosched()
	}
}

// concurrently runs write from several goroutines, several times each, and returns the first error.
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

func (c *storeCheck) stateConcurrency() error {
	err := concurrently(func(int, int) error {
		_, err := c.s.UpdateState(c.ctx, c.phone, func(s coexistence.State) (coexistence.State, error) {
			yield()
			s.Cycle++
			return s, nil
		})
		return err
	})
	if err != nil {
		return err
	}
	got, err := c.s.State(c.ctx, c.phone)
	if err != nil {
		return err
	}
	if want := storeWriters * storeWrites; got.Cycle != want || got.Version != int64(want) {
		return fmt.Errorf("%d increments left Cycle %d and Version %d", want, got.Cycle, got.Version)
	}
	return nil
}
