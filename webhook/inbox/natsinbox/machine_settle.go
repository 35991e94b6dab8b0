package natsinbox

import (
	"errors"
	"slices"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/inbox"
)

var errOutOfOrder = errors.New("natsinbox: the outcomes of a lane are not in its order; settle its records one after the other")

// settle stores all outcomes or none.
func (m *machine) settle(s settled) error {
	recs, err := m.settling(s)
	if err != nil {
		return err
	}
	for i, out := range s.Outcomes {
		m.settleOne(recs[i], out)
	}
	return nil
}

// settling returns the records that the outcomes are about, if the token holds them all.
func (m *machine) settling(s settled) ([]*record, error) {
	h := m.holds[s.Token]
	if h == nil {
		return nil, inbox.ErrLeaseLost
	}
	type place struct {
		lane  *lane
		index int // in what is held of the lane
		rec   *record
	}
	places := make(map[inbox.ID]place, len(s.Outcomes))
	for _, out := range s.Outcomes {
		places[out.ID] = place{}
	}
	for _, l := range h.lanes {
		for i, id := range l.held {
			if _, ok := places[id]; ok {
				places[id] = place{l, i, l.find(id)}
			}
		}
	}
	next := map[*lane]int{} // how far the outcomes have come in a lane
	recs := make([]*record, len(s.Outcomes))
	for i, out := range s.Outcomes {
		p := places[out.ID]
		switch {
		case p.lane == nil || next[p.lane] > p.index:
			return nil, inbox.ErrLeaseLost
		case next[p.lane] < p.index:
			return nil, errOutOfOrder
		}
		next[p.lane]++
		if out.Kind == inbox.DispositionRetry || out.Kind == inbox.DispositionRelease {
			next[p.lane] = len(p.lane.held) // nothing may follow
		}
		recs[i] = p.rec
	}
	return recs, nil
}

func (m *machine) settleOne(rec *record, out outcome) {
	l := rec.lane
	switch out.Kind {
	case inbox.DispositionRetry:
		rec.Attempts++
		rec.reason = out.Reason
		m.free(l, m.now+out.After.Microseconds())
		return
	case inbox.DispositionRelease:
		m.free(l, m.now)
		return
	case inbox.DispositionDone:
		if rec.Kind == inbox.KindDelivery {
			m.splitUp(rec, out)
			break
		}
		m.finish(rec.DedupKey)
		m.deliveries[rec.Delivery].open--
	case inbox.DispositionDead:
		rec.reason, rec.diedAt = out.Reason, m.now
		m.dead[rec.ID] = rec
	}
	l.dequeue(rec)
	rec.lane = nil
	if l.held = slices.Delete(l.held, 0, 1); len(l.held) == 0 {
		m.free(l, m.now)
	}
	m.drop(rec.Delivery)
}

// splitUp stores the events of a delivery.
func (m *machine) splitUp(d *record, out outcome) {
	d.split = true
	if out.Forget {
		delete(m.keys, hashKey(d.DedupKey))
	}
	for _, ev := range out.Events {
		if m.isKnown(ev.Key, ev.YieldsTo) {
			continue
		}
		m.lastID++
		rec := &record{Record: inbox.Record{
			ID: m.lastID, Delivery: d.ID, Kind: inbox.KindEvent, DedupKey: ev.Key, SupersededBy: ev.YieldsTo, Lane: ev.Lane, Backfill: ev.Bulk,
			PhoneNumberID: ev.PhoneNumberID, Index: ev.Index, ReceivedAt: d.ReceivedAt,
		}}
		m.remember(rec.Record)
		d.open++
		m.enqueue(rec)
	}
}
