package queue

import (
	"cmp"
	"container/heap"
	"slices"
	"time"
)

// A laneID names a lane. Live and backfill events with the same ordering key are in different
// lanes, so that history never holds up what is live.
type laneID struct {
	queue queueID
	name  string
}

// A lane holds the waiting records with one ordering key, like a partition of a Kafka topic or a
// message group of an SQS queue. It is handed out to one worker at a time, and exists as long as it
// has records.
//
// The leased records are in front, with one exception: a delivery that is replayed while others are
// leased goes to its old place, which is before theirs.
type lane struct {
	id      laneID
	records []*record // by ID

	readyAt int64 // when it can be claimed: the end of a pause or of its lease, or its creation
	creator ID    // the record that created the lane; decides between lanes with the same readyAt

	token  Token // of the lease; "" if there is none
	leased []ID  // records of the lease that are not settled, in order

	index int // in its schedule
}

// enqueue puts a record to its place in its lane, and creates the lane if there is none.
func (m *Machine) enqueue(rec *record) {
	id := laneID{rec.queueID(), rec.Lane}
	l := m.lanes[id]
	if l == nil {
		l = &lane{id: id, readyAt: m.now, creator: rec.ID}
		m.lanes[id] = l
		heap.Push(m.schedule(id.queue), l)
	}
	rec.state, rec.lane = waiting, l
	m.ready = true
	i := len(l.records) // nearly always: only what is replayed belongs further to the front
	for i > 0 && l.records[i-1].ID > rec.ID {
		i--
	}
	l.records = slices.Insert(l.records, i, rec)
}

// dequeue takes a record out. It moves those before it, because a lane can be long and a settled
// record is near its front.
func (l *lane) dequeue(rec *record) {
	i := slices.Index(l.records, rec)
	copy(l.records[1:], l.records[:i])
	l.records[0] = nil
	l.records = l.records[1:]
	rec.lane = nil
}

// find returns the waiting record with an ID, or nil.
func (l *lane) find(id ID) *record {
	i, found := slices.BinarySearchFunc(l.records, id, func(rec *record, id ID) int { return cmp.Compare(rec.ID, id) })
	if !found {
		return nil
	}
	return l.records[i]
}

// reschedule sets when a lane can be claimed next.
func (m *Machine) reschedule(l *lane, readyAt int64) {
	l.readyAt = readyAt
	heap.Fix(m.schedule(l.id.queue), l.index)
}

// A schedule is the heap of a queue's lanes, with the one that can be claimed first on top. Leased
// and pausing lanes are in it too: they are due when the lease or the pause ends. No two lanes
// compare as equal, so that all machines agree on the order.
type schedule []*lane

func (m *Machine) schedule(id queueID) *schedule {
	s := m.schedules[id]
	if s == nil {
		s = new(schedule)
		m.schedules[id] = s
	}
	return s
}

func (s schedule) Len() int { return len(s) }

func (s schedule) Less(i, j int) bool {
	return cmp.Or(cmp.Compare(s[i].readyAt, s[j].readyAt), cmp.Compare(s[i].creator, s[j].creator)) < 0
}

func (s schedule) Swap(i, j int) {
	s[i], s[j] = s[j], s[i]
	s[i].index, s[j].index = i, j
}

// Push adds a lane, for package heap.
func (s *schedule) Push(l any) { //nolint:forcetypeassert // package heap hands over what it was handed
	l.(*lane).index = len(*s)
	*s = append(*s, l.(*lane))
}

// Pop takes the last lane away, for package heap.
func (s *schedule) Pop() any {
	last := (*s)[len(*s)-1]
	*s = (*s)[:len(*s)-1]
	return last
}

// Wait returns how long after now a lane of a queue can be claimed, 0 if one can already; false if
// the queue has no lane.
func (m *Machine) Wait(kind Kind, backfill bool, now int64) (time.Duration, bool) {
	s := *m.schedule(queueID{kind, backfill})
	if len(s) == 0 {
		return 0, false
	}
	return time.Duration(max(0, s[0].readyAt-now)) * time.Microsecond, true
}
