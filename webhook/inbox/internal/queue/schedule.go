package queue

import (
	"time"
)

// A schedule holds the lanes of one queue by what they wait for. A lane is in one heap at a time.
type schedule struct {
	pausing     laneHeap // until their ReadyAt
	leased      laneHeap // until their ReadyAt, and longer if nothing is claimed
	quarantined laneHeap // ready, for those who ask for quarantine

	// Those that are ready for everybody: with a customer's message, and with statuses only.
	messages, statuses ring

	// passedOver is how many lanes with messages were handed out while statuses waited.
	passedOver int
}

// statusShare is one of so many lanes: what statuses get if there are messages all the time.
const statusShare = 8

func (m *Machine) schedule(id queueID) *schedule {
	s := m.schedules[id]
	if s == nil {
		s = &schedule{messages: newRing(), statuses: newRing()}
		m.schedules[id] = s
	}
	return s
}

// place puts a lane to where it belongs now, wherever it was.
func (m *Machine) place(l *lane) {
	m.displace(l)
	s := m.schedule(l.queueID)
	switch {
	case l.Token != "":
		s.leased.put(l)
	case l.ReadyAt > m.now:
		s.pausing.put(l)
	case l.inQuarantine():
		s.quarantined.put(l)
	default:
		s.ring(l).put(l, m)
	}
}

// displace takes a lane out of the heap in which it is.
func (m *Machine) displace(l *lane) {
	if l.heap == nil {
		return
	}
	l.heap.remove(l)
	if l.turn != nil {
		l.turn.ring.tidy(l.turn)
		l.turn = nil
	}
}

// ring returns where a lane waits for its turn.
func (s *schedule) ring(l *lane) *ring {
	if l.messages > 0 {
		return &s.messages
	}
	return &s.statuses
}

// next returns the lane that is handed out next, or nil. Messages go first, and every eighth lane
// is one of statuses if such are waiting.
func (s *schedule) next() *lane {
	messages, statuses := s.messages.first(), s.statuses.first()
	if messages == nil || statuses != nil && s.passedOver >= statusShare-1 {
		return statuses
	}
	return messages
}

// took notes that a lane is handed out, which next has returned. Its number goes to the end.
func (s *schedule) took(l *lane, m *Machine) {
	switch {
	case l.turn.ring == &s.statuses:
		s.passedOver = 0
	case s.statuses.first() != nil:
		s.passedOver++
	}
	l.turn.ring.pass(l.turn, m)
}

// advance lets lanes whose pause is over be ready.
func (m *Machine) advance() {
	for _, id := range queueIDs { // in an order: the numbers get their turns in it
		s := m.schedule(id)
		for l := s.pausing.due(m.now); l != nil; l = s.pausing.due(m.now) {
			m.place(l)
		}
	}
}

// Wait returns how long after now a claim can bring something, 0 if it already can; false if the
// queue has nothing that will be ready for it by the passing of time alone.
func (m *Machine) Wait(c Claim, now int64) (time.Duration, bool) {
	s := m.schedule(queueID{c.Kind, c.Backfill})
	ready := len(s.quarantined) > 0
	if !c.Quarantine {
		ready = s.messages.hasOther(c.Except) || s.statuses.hasOther(c.Except)
	}
	if ready {
		return 0, true
	}
	var next *lane
	for _, h := range []laneHeap{s.pausing, s.leased} {
		if len(h) > 0 && (next == nil || h[0].ReadyAt < next.ReadyAt) {
			next = h[0]
		}
	}
	if next == nil {
		return 0, false
	}
	return time.Duration(max(0, next.ReadyAt-now)) * time.Microsecond, true
}

// Quarantined reports whether a claim of the queue that asks for quarantine would bring something.
func (m *Machine) Quarantined(kind Kind, backfill bool) bool {
	return len(m.schedule(queueID{kind, backfill}).quarantined) > 0
}
