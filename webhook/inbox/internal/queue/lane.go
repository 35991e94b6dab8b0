package queue

import (
	"cmp"
	"container/heap"
	"slices"
)

// A lane holds the waiting records with one ordering key, like a partition of a Kafka topic or a
// message group of an SQS queue. It is handed out to one worker at a time, and exists as long as it
// has records.
//
// The leased records are in front, with one exception: a delivery that is replayed while others are
// leased goes to its old place, which is before theirs.
type lane struct {
	StoredLane

	records  []*record // by ID
	messages int       // of the records: those that are no Status

	heap  *laneHeap // in which it is
	index int       // there
	turn  *turn     // of its number, if the lane is ready
}

// A StoredLane is a lane without its records, which follow from the records themselves.
type StoredLane struct {
	laneID

	// ReadyAt is since when the lane can be claimed, or when that will be: its creation, or the end
	// of a pause or of its lease.
	ReadyAt int64 `json:"ready_at"`

	// Creator is the record that created the lane. It decides between lanes with the same ReadyAt.
	Creator ID `json:"creator"`

	// Token is that of the lane's lease, or "".
	Token Token `json:"token,omitzero"`

	// Leased are the records of the lease that are not settled, in order.
	Leased []ID `json:"leased,omitzero"`

	// Abandoned is how many leases of the lane ended in a row without a settlement.
	Abandoned int `json:"abandoned,omitzero"`
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
	}
	rec.State, rec.lane = waiting, l
	m.ready = true
	i := len(l.records) // nearly always: only what is replayed belongs further to the front
	for i > 0 && l.records[i-1].ID > rec.ID {
		i--
	}
	l.records = slices.Insert(l.records, i, rec)
	if !rec.Status {
		l.messages++
	}
	// A lane of its own has to be placed, and one that was of statuses alone until now belongs
	// elsewhere.
	if l.heap == nil || l.messages == 1 && !rec.Status {
		m.place(l)
	}
}

// dequeue takes a record out. It moves those before it, because a lane can be long and a settled
// record is near its front.
func (l *lane) dequeue(rec *record) {
	i := slices.Index(l.records, rec)
	copy(l.records[1:], l.records[:i])
	l.records[0] = nil
	l.records = l.records[1:]
	rec.lane = nil
	if !rec.Status {
		l.messages--
	}
}

// inQuarantine reports whether the lane comes only to those who ask for quarantine. All deliveries
// of a queue are one lane, which would hold up everything there.
func (l *lane) inQuarantine() bool { return l.Kind == KindEvent && l.Abandoned >= 2 }

// find returns the waiting record with an ID, or nil.
func (l *lane) find(id ID) *record {
	i, found := slices.BinarySearchFunc(l.records, id, func(rec *record, id ID) int { return cmp.Compare(rec.ID, id) })
	if !found {
		return nil
	}
	return l.records[i]
}

// A laneHeap has the lane that was ready first, or will be, on top. No two lanes compare as equal,
// so that all machines agree on the order.
type laneHeap []*lane

// Len is the number of lanes, for package heap.
func (h laneHeap) Len() int { return len(h) }

// Less orders lanes by time and then by age, for package heap.
func (h laneHeap) Less(i, j int) bool {
	return cmp.Or(cmp.Compare(h[i].ReadyAt, h[j].ReadyAt), cmp.Compare(h[i].Creator, h[j].Creator)) < 0
}

// Swap swaps two lanes, for package heap.
func (h laneHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].index, h[j].index = i, j
}

// Push adds a lane, for package heap.
func (h *laneHeap) Push(l any) { //nolint:forcetypeassert // package heap hands over what it was handed
	l.(*lane).index = len(*h)
	*h = append(*h, l.(*lane))
}

// Pop takes the last lane away, for package heap.
func (h *laneHeap) Pop() any {
	last := (*h)[len(*h)-1]
	(*h)[len(*h)-1] = nil
	*h = (*h)[:len(*h)-1]
	return last
}

// due returns the first lane if its time has come, or nil.
func (h laneHeap) due(now int64) *lane {
	if len(h) == 0 || h[0].ReadyAt > now {
		return nil
	}
	return h[0]
}

// put adds a lane, which is in no heap.
func (h *laneHeap) put(l *lane) {
	l.heap = h
	heap.Push(h, l)
}

// remove takes a lane out.
func (h *laneHeap) remove(l *lane) {
	heap.Remove(h, l.index)
	l.heap = nil
}
