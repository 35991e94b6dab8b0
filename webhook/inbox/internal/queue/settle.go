package queue

import (
	"errors"
	"time"
)

// A Disposition is how an attempt at a record ended.
type Disposition int

// The dispositions. Their numbers are those of inbox.Disposition.
const (
	Done    Disposition = iota // handled, or split: never again
	Retry                      // failed: again after a pause, and counted
	Dead                       // given up: a dead letter
	Release                    // not tried: again at once
)

// An Outcome is what became of a record.
type Outcome struct {
	// ID is that of the record.
	ID ID `json:"id"`

	// Disposition says what happens to it.
	Disposition Disposition `json:"kind,omitzero"`

	// RetryAfter is the pause of a Retry.
	RetryAfter time.Duration `json:"after,omitzero"`

	// Reason is why, for Retry and Dead.
	Reason string `json:"reason,omitzero"`

	// Events are what a delivery that is Done was split into. Those with a known key are left out.
	Events []Record `json:"events,omitzero"`

	// DropKey forgets the key of a delivery that is Done.
	DropKey bool `json:"forget,omitzero"`
}

var (
	errOutOfOrder = errors.New(
		"inbox: the outcomes of a lane are not in its order; settle its records one after the other",
	)
	errDisposition = errors.New("inbox: a settlement has a Disposition that does not exist")
)

// Settle stores all outcomes or, if it returns an error, none. It returns [ErrLeaseLost] if the
// token does not hold one of the records.
func (m *Machine) Settle(token Token, outcomes []Outcome) error {
	recs, err := m.leasedRecords(token, outcomes)
	if err != nil {
		return err
	}
	for i, out := range outcomes {
		m.settle(recs[i], out)
	}
	return nil
}

// leasedRecords returns the records of outcomes, each of which has to be leased to the token, and
// has to be next in its lane when its turn among the outcomes comes. It changes nothing.
func (m *Machine) leasedRecords(token Token, outcomes []Outcome) ([]*record, error) {
	held := m.leases[token]
	if held == nil {
		return nil, ErrLeaseLost
	}
	type position struct {
		lane  *lane
		index int // in lane.Leased
	}
	positions := make(map[ID]position, len(outcomes))
	for _, out := range outcomes {
		positions[out.ID] = position{}
	}
	// A batch can have many more records than there are outcomes: one pass over all of them.
	for _, l := range held.lanes {
		for i, id := range l.Leased {
			if _, ok := positions[id]; ok {
				positions[id] = position{l, i}
			}
		}
	}
	next := map[*lane]int{} // the index of the record that is next
	recs := make([]*record, len(outcomes))
	for i, out := range outcomes {
		p := positions[out.ID]
		switch {
		case p.lane == nil || next[p.lane] > p.index:
			return nil, ErrLeaseLost
		case next[p.lane] < p.index:
			return nil, errOutOfOrder
		}
		switch out.Disposition {
		case Done, Dead:
			next[p.lane]++
		case Retry, Release:
			next[p.lane] = len(p.lane.Leased) // they give back what is behind them: nothing may follow
		default:
			return nil, errDisposition
		}
		recs[i] = p.lane.find(out.ID)
	}
	return recs, nil
}

// settle carries out one outcome. The record is the first that is leased of its lane.
func (m *Machine) settle(rec *record, out Outcome) {
	l := rec.lane
	if out.Disposition != Release {
		l.Abandoned = 0
	}
	switch out.Disposition {
	case Retry:
		rec.Attempts++
		rec.Reason = out.Reason
		m.free(l, m.now+out.RetryAfter.Microseconds())
		return
	case Release:
		m.free(l, m.now)
		return
	case Done:
		if rec.Kind == KindDelivery {
			m.splitDelivery(rec, out)
		} else {
			m.closeEvent(rec)
		}
	case Dead:
		rec.State, rec.Reason, rec.DeadAt = dead, out.Reason, m.now
		m.dead.add(rec)
	}
	l.dequeue(rec)
	if l.Leased = l.Leased[1:]; len(l.Leased) == 0 {
		m.free(l, m.now)
	}
	m.dropIfDone(rec.Delivery)
}

// splitDelivery stores the events of a delivery.
func (m *Machine) splitDelivery(d *record, out Outcome) {
	d.State = split
	if out.DropKey {
		m.keys.remove(d.Key)
	}
	for _, ev := range out.Events {
		if m.keys.has(ev.Key) || m.keys.has(ev.SupersededBy) {
			continue
		}
		m.lastID++
		ev.ID, ev.Delivery, ev.Kind = m.lastID, d.ID, KindEvent
		ev.ReceivedAt, ev.Attempts = d.ReceivedAt, 0
		m.keys.add(ev)
		d.Open++
		m.enqueue(&record{StoredRecord: StoredRecord{Record: ev}})
	}
}

// closeEvent notes that an event is done or deleted. Its key expires from now on.
func (m *Machine) closeEvent(ev *record) {
	m.keys.finish(ev.Key, m.now)
	m.deliveries[ev.Delivery].Open--
}

// free ends the lease of a lane, which can be claimed again at readyAt. An empty lane goes.
func (m *Machine) free(l *lane, readyAt int64) {
	m.release(l)
	if len(l.records) == 0 {
		m.displace(l)
		delete(m.lanes, l.laneID)
		return
	}
	m.ready = true
	l.ReadyAt = readyAt
	m.place(l)
}
