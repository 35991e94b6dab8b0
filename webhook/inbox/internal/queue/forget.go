package queue

import (
	"slices"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// Forget deletes the events about a number that wait or are dead: those of the named lanes, or all
// if there are no names. Their keys stay known. It reports whether some are in lanes that are
// leased; these stay.
func (m *Machine) Forget(number graph.PhoneNumberID, names []string) (busy bool) {
	selects := func(r *record) bool {
		return r.Kind == KindEvent && r.PhoneNumberID == number && (len(names) == 0 || slices.Contains(names, r.Lane))
	}
	for _, id := range queueIDs {
		m.abandon(m.schedule(id)) // a lease that has ended holds nothing
	}
	var gone []ID
	for _, id := range m.dead.page(number, 0, len(m.dead.records)) {
		if selects(m.dead.records[id]) {
			gone = append(gone, id)
		}
	}
	m.Delete(gone)
	// Lanes do not depend on each other, so their order makes no difference to the state but for
	// the order in which bodies are dropped.
	var lanes []*lane
	for _, l := range m.lanes {
		if slices.ContainsFunc(l.records, selects) {
			lanes = append(lanes, l)
		}
	}
	slices.SortFunc(lanes, func(a, b *lane) int { return int(a.Creator - b.Creator) })
	for _, l := range lanes {
		if l.Token != "" {
			busy = true
			continue
		}
		for _, rec := range slices.Clone(l.records) {
			if selects(rec) {
				m.closeEvent(rec)
				l.dequeue(rec)
				m.dropIfDone(rec.Delivery)
			}
		}
		m.displace(l)
		if len(l.records) == 0 {
			delete(m.lanes, l.laneID)
		} else {
			m.place(l)
		}
	}
	return busy
}

// A Body is what is known of a delivery whose body is needed.
type Body struct {
	ID     ID
	Split  bool // its events are there
	Leased bool // a worker splits it, or may
}

// Bodies lists the deliveries whose bodies are needed, by their IDs.
func (m *Machine) Bodies() []Body {
	list := make([]Body, 0, len(m.deliveries))
	for id := range m.deliveries {
		b, _ := m.Body(id)
		list = append(list, b)
	}
	slices.SortFunc(list, func(a, b Body) int { return int(a.ID - b.ID) })
	return list
}

// Body returns what is known of a delivery, and false if its body is not needed any more.
func (m *Machine) Body(id ID) (Body, bool) {
	d := m.deliveries[id]
	if d == nil {
		return Body{}, false
	}
	leased := d.State == waiting && slices.Contains(d.lane.Leased, id)
	return Body{ID: id, Split: d.State == split, Leased: leased}, true
}

// Resize notes that the body of a delivery has another size.
func (m *Machine) Resize(delivery ID, size int) {
	if d := m.deliveries[delivery]; d != nil {
		d.Size = size
	}
}
