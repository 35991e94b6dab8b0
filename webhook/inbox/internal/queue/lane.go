package queue

import (
	"cmp"
	"container/heap"
	"slices"
	"time"
)

// A lane holds the waiting records with one ordering key, like a partition of a Kafka topic or a
// message group of an SQS queue. It is handed out to one worker at a time, and exists as long as it
// has records.
//
// The leased records are in front, with one exception: a delivery that is replayed while others are
// leased goes to its old place, which is before theirs.
type lane struct {
	StoredLane

	records []*record // by ID
	index   int       // in its schedule
}

// A StoredLane is a lane without its records, which follow from the records themselves.
type StoredLane struct {
	laneID

	// ReadyAt is when the lane can be claimed: its creation, or the end of a pause or of its lease.
	ReadyAt int64 `json:"ready_at"`

	// Creator is the record that created the lane. It decides between lanes with the same ReadyAt.
	Creator ID `json:"creator"`

	// Token is that of the lane's lease, or "".
	Token Token `json:"token,omitzero"`

	// Leased are the records of the lease that are not settled, in order.
	Leased []ID `json:"leased,omitzero"`
}

// A laneID names a lane. Live and backfill events with the same ordering key are in different
// lanes, so that history never holds up what is live.
type laneID struct {
	queueID

	Name string `json:"lane,omitzero"`
}

// enqueue puts a record to its place in its lane, and creates the lane if there is none.
func (m *Machine) enqueue(rec *record) {
	id := laneID{rec.queueID(), rec.Lane}
	l := m.lanes[id]
	if l == nil {
		l = &lane{StoredLane: StoredLane{laneID: id, ReadyAt: m.now, Creator: rec.ID}}
		m.lanes[id] = l
		heap.Push(m.schedule(id.queueID), l)
	}
	rec.State, rec.lane = waiting, l
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
	l.ReadyAt = readyAt
	heap.Fix(m.schedule(l.queueID), l.index)
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

// Len is the number of lanes, for package heap.
func (s schedule) Len() int { return len(s) }

// Less orders lanes by time and then by age, for package heap.
func (s schedule) Less(i, j int) bool {
	return cmp.Or(cmp.Compare(s[i].ReadyAt, s[j].ReadyAt), cmp.Compare(s[i].Creator, s[j].Creator)) < 0
}

// Swap swaps two lanes, for package heap.
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
	return time.Duration(max(0, s[0].ReadyAt-now)) * time.Microsecond, true
}
