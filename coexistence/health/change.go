package health

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence"
)

const (
	// lookEvery is how often Run looks at all numbers.
	lookEvery = time.Minute

	// lookAtOnce is how many numbers are looked at at a time, and lookTime how long one may take.
	lookAtOnce = 8
	lookTime   = time.Minute

	// readAtMost is how many numbers are read from Meta in one pass, so that a pass over many ends,
	// and calls are spread.
	readAtMost = 100
)

// A Change is a part of a number's health that is not as it was at the last look.
type Change struct {
	// PhoneNumberID is the number. It is empty for [PartBacklog], which is of all numbers.
	PhoneNumberID graph.PhoneNumberID

	// From is the part as it was known last, zero if this process did not know it before: then To
	// is a warning or broken. To is as it is now. A part that has become unknown is no change.
	From, To Part
}

// Worse reports whether the part needs more attention than before: what an alarm is for.
func (c Change) Worse() bool { return c.To.Wrong() && c.To.Status.rank() > c.From.Status.rank() }

// Recovered reports whether a part is OK that was not.
func (c Change) Recovered() bool { return c.From.Wrong() && c.To.Status == StatusOK }

// compare returns what is known after a look, and what has changed. known stays as it is.
func compare(
	phone graph.PhoneNumberID, known map[PartName]Part, parts []Part,
) (now map[PartName]Part, changes []Change) {
	now = maps.Clone(known)
	if now == nil {
		now = map[PartName]Part{}
	}
	for _, p := range parts {
		if p.Status == StatusUnknown {
			continue
		}
		from, ok := now[p.Name]
		now[p.Name] = p
		if ok && !from.same(p) || !ok && p.Wrong() {
			changes = append(changes, Change{phone, from, p})
		}
	}
	return now, changes
}

// Run looks at all numbers at once and then every minute, until ctx ends: see [Monitor.CheckAll].
// What fails is logged and tried again.
func (m *Monitor) Run(ctx context.Context) {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		m.checkAll(ctx, func(phone graph.PhoneNumberID, err error) {
			if ctx.Err() == nil {
				m.cfg.Logger.WarnContext(ctx, "not all of the health could be looked at; it is tried again",
					"phone", phone, "err", err)
			}
		})
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// CheckAll looks at all numbers once, for hosts that are called by a timer, and calls
// Config.OnChange for what has changed since the last time. With Config.ReadInterval it reads those
// numbers from Meta for which it is time, 100 at most. It returns when it is done, with the errors
// of all numbers; what could not be read is unknown.
func (m *Monitor) CheckAll(ctx context.Context) error {
	var (
		mu   sync.Mutex
		errs []error
	)
	m.checkAll(ctx, func(_ graph.PhoneNumberID, err error) {
		mu.Lock()
		defer mu.Unlock()
		errs = append(errs, err)
	})
	return errors.Join(errs...)
}

// checkAll looks at all numbers, some at a time, and forgets those that are not there any more. A
// number that is slow takes one place for a while. failed is called from several goroutines, with
// an empty number for what is not about one.
func (m *Monitor) checkAll(ctx context.Context, failed func(graph.PhoneNumberID, error)) {
	m.pass.Lock()
	defer m.pass.Unlock()
	var (
		working sync.WaitGroup
		reads   atomic.Int64
		seen    = map[graph.PhoneNumberID]bool{}
		places  = make(chan struct{}, lookAtOnce)
	)
	defer working.Wait()
	all, err := m.checkBacklog(ctx)
	if err != nil {
		failed("", err)
	}
	for n, err := range m.cfg.Tracker.Store().Numbers(ctx) {
		if err = cmp.Or(err, ctx.Err()); err != nil {
			failed("", fmt.Errorf("health: the numbers cannot be listed: %w", err))
			return
		}
		if n.Stage == coexistence.StageNone {
			continue
		}
		seen[n.PhoneNumberID] = true
		places <- struct{}{}
		working.Go(func() {
			defer func() { <-places }()
			if err := m.check(ctx, n, all, &reads); err != nil {
				failed(n.PhoneNumberID, err)
			}
		})
	}
	working.Wait()
	m.mu.Lock()
	defer m.mu.Unlock()
	maps.DeleteFunc(m.numbers, func(phone graph.PhoneNumberID, _ record) bool { return !seen[phone] })
}

// check looks at one number, after reading it if that is due, and tells what has changed.
func (m *Monitor) check(ctx context.Context, n coexistence.Number, all Backlog, reads *atomic.Int64) error {
	within, cancel := context.WithTimeout(ctx, lookTime)
	defer cancel()
	var err1 error
	due := m.reading(n.PhoneNumberID).due(m.cfg.ReadInterval, m.cfg.Arrivals.changedAt(n.Accounts()), time.Now())
	if due && n.Stage != coexistence.StageRemoved && reads.Add(1) <= readAtMost {
		if n, err1 = m.read(within, n); err1 != nil {
			err1 = fmt.Errorf("health: number %s: %w", n.PhoneNumberID, err1)
		}
	}
	h, err2 := m.look(within, n, all)
	parts := slices.DeleteFunc(h.Parts(), func(p Part) bool { return p.Name == PartBacklog })
	m.mu.Lock()
	rec := m.numbers[n.PhoneNumberID]
	var changes []Change
	rec.parts, changes = compare(n.PhoneNumberID, rec.parts, parts)
	rec.health = h
	m.numbers[n.PhoneNumberID] = rec
	m.mu.Unlock()
	m.tell(ctx, changes)
	return errors.Join(err1, err2)
}

// checkBacklog looks at what is the same for all numbers, and tells once if it has changed.
func (m *Monitor) checkBacklog(ctx context.Context) (Backlog, error) {
	all, err := m.backlog(ctx)
	m.mu.Lock()
	var changes []Change
	m.known, changes = compare("", m.known, []Part{all.part()})
	m.mu.Unlock()
	m.tell(ctx, changes)
	return all, err
}

// tell calls Config.OnChange.
func (m *Monitor) tell(ctx context.Context, changes []Change) {
	if m.cfg.OnChange == nil {
		return
	}
	for _, c := range changes {
		m.cfg.OnChange(ctx, c)
	}
}

// Snapshot returns the health of all numbers as of the last [Monitor.CheckAll], by number, without
// looking at anything: for metrics.
func (m *Monitor) Snapshot() []Health {
	m.mu.Lock()
	defer m.mu.Unlock()
	var all []Health
	for _, rec := range m.numbers {
		if rec.health.PhoneNumberID != "" { // else it was read and not checked yet
			all = append(all, rec.health)
		}
	}
	slices.SortFunc(all, func(a, b Health) int { return cmp.Compare(a.PhoneNumberID, b.PhoneNumberID) })
	return all
}
