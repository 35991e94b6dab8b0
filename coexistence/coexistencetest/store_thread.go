package coexistencetest

import (
	"errors"
	"fmt"
	"reflect"
	"sync"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence"
)

// threadRoundTrip checks that records come back as they were stored, by any of several aliases.
func (c *storeCheck) threadRoundTrip() error {
	at := time.Date(2026, 11, 20, 9, 0, 0, 500, time.UTC)
	full := coexistence.ThreadRecord{
		PhoneNumberID: c.phone, Person: "b" + c.run,
		Last:      coexistence.ThreadSignal{Event: coexistence.ThreadPassed, At: at, Role: graph.RoleEscalation},
		RefusedAt: at.Add(1), AcceptedAt: at.Add(2), StandbyAt: at.Add(3), DoubtAt: at.Add(4),
		Pause:     coexistence.Pause{At: at.Add(5), By: "Grace", Reason: "a refund", Until: at.Add(time.Hour)},
		ResumedAt: at.Add(6), StoppedAt: at.Add(7), StoppedBy: coexistence.StopByWord,
		ContinuedAt: at.Add(8), ContinuedBy: coexistence.StopByHost, MarketingRefusedAt: at.Add(9),
	}
	other := coexistence.ThreadRecord{PhoneNumberID: c.phone, Person: "a" + c.run, StandbyAt: at}
	for _, r := range []coexistence.ThreadRecord{full, other} {
		err := c.s.UpdateThread(c.ctx, c.phone, r.Person, func(stored *coexistence.ThreadRecord) { *stored = r })
		if err != nil {
			return err
		}
	}
	got, err := c.s.Threads(c.ctx, c.phone, []string{full.Person, "unknown", other.Person, full.Person})
	if err != nil {
		return err
	}
	if want := []coexistence.ThreadRecord{other, full}; !reflect.DeepEqual(got, want) {
		return fmt.Errorf("%d records, not those that were stored in the order of Person", len(got))
	}
	if got, err := c.s.Threads(c.ctx, c.phone+"x", []string{full.Person}); err != nil || len(got) > 0 {
		return fmt.Errorf("another number has %d records: %w", len(got), err)
	}
	return nil
}

// threadConcurrency checks that concurrent changes are not lost, the first one included.
func (c *storeCheck) threadConcurrency() error {
	const writers = 8
	at := time.Unix(1_800_000_000, 0).UTC()
	var wg sync.WaitGroup
	errs := make([]error, writers)
	for i := range writers {
		wg.Go(func() {
			errs[i] = c.s.UpdateThread(c.ctx, c.phone, "p"+c.run, func(r *coexistence.ThreadRecord) {
				if r.StandbyAt.IsZero() {
					r.StandbyAt = at
				}
				r.StandbyAt = r.StandbyAt.Add(time.Second)
			})
		})
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		return err
	}
	list, err := c.s.Threads(c.ctx, c.phone, []string{"p" + c.run})
	if err != nil {
		return err
	}
	if len(list) != 1 || !list[0].StandbyAt.Equal(at.Add(writers*time.Second)) {
		return fmt.Errorf("after %d changes at once, %d records are left without all of them", writers, len(list))
	}
	return nil
}
