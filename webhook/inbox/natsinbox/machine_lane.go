package natsinbox

import (
	"cmp"
	"container/heap"
	"slices"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/inbox"
)

// A queueName is one of the four queues.
type queueName struct {
	kind inbox.Kind
	bulk bool
}

type laneName struct {
	queue queueName
	lane  string
}

// A lane is what has to be in order: records that are not settled.
type lane struct {
	name    laneName
	records []*record
	next    int64            // when it can be claimed: the end of a pause, or of a lease
	turn    inbox.ID         // among lanes that can be claimed at the same time: the record that made it
	token   inbox.LeaseToken // who holds it; whoever claims it after the lease has ended takes it away
	held    []inbox.ID       // what of the batch is not settled
	place   int              // in the queue
}

// A hold is what a token holds.
type hold struct {
	lanes []*lane
	lost  bool // somebody else took a lane after the lease had ended
}

// A queue is a heap of lanes: first the one that can be claimed first. No two lanes are equal, so
// that everybody has the same order.
type queue []*lane

func (q queue) Len() int { return len(q) }

func (q queue) Less(i, j int) bool {
	return cmp.Or(cmp.Compare(q[i].next, q[j].next), cmp.Compare(q[i].turn, q[j].turn)) < 0
}

func (q queue) Swap(i, j int) {
	q[i], q[j] = q[j], q[i]
	q[i].place, q[j].place = i, j
}

// Push adds a lane, for package heap.
func (q *queue) Push(l any) { //nolint:forcetypeassert // package heap hands over what it was handed
	l.(*lane).place = len(*q)
	*q = append(*q, l.(*lane))
}

// Pop takes the last lane away, for package heap.
func (q *queue) Pop() any {
	last := (*q)[len(*q)-1]
	*q = (*q)[:len(*q)-1]
	return last
}

func (m *machine) queue(name queueName) *queue {
	q := m.queues[name]
	if q == nil {
		q = new(queue)
		m.queues[name] = q
	}
	return q
}

// enqueue puts a record at its place in its lane.
func (m *machine) enqueue(rec *record) {
	name := laneName{queueName{rec.Kind, rec.Backfill}, rec.Lane}
	l := m.lanes[name]
	if l == nil {
		l = &lane{name: name, next: m.now, turn: rec.ID}
		m.lanes[name] = l
		heap.Push(m.queue(name.queue), l)
	}
	rec.lane = l
	m.ready = true
	i := len(l.records) // what was replayed belongs further to the front
	for i > 0 && l.records[i-1].ID > rec.ID {
		i--
	}
	l.records = slices.Insert(l.records, i, rec)
}

// dequeue takes a record out of its lane. Those that are handed out are in front.
func (l *lane) dequeue(rec *record) {
	i := slices.Index(l.records, rec)
	copy(l.records[1:], l.records[:i])
	l.records[0] = nil
	l.records = l.records[1:]
}

// find returns the record of an ID that is in the lane.
func (l *lane) find(id inbox.ID) *record {
	i, _ := slices.BinarySearchFunc(l.records, id, func(rec *record, id inbox.ID) int { return cmp.Compare(rec.ID, id) })
	return l.records[i]
}

// wait says how long it takes until a lane of a queue can be claimed, at a time by the store's
// clock; ok is false if it has none.
func (m *machine) wait(name queueName, now int64) (d time.Duration, ok bool) {
	q := *m.queue(name)
	if len(q) == 0 {
		return 0, false
	}
	return max(0, time.Duration(q[0].next-now)*time.Microsecond), true
}

// claim hands out what is ready.
func (m *machine) claim(c claimed) (res result) {
	q := m.queue(queueName{c.Kind, c.Bulk})
	left, counted := c.MaxBytes, map[inbox.ID]bool{}
	for range c.Lanes {
		if len(*q) == 0 || (*q)[0].next > m.now || left < 0 {
			break
		}
		l := (*q)[0]
		var held []inbox.ID
		for _, rec := range l.records[:min(len(l.records), max(c.PerLane, 1))] {
			d := m.deliveries[rec.Delivery]
			if c.MaxBytes > 0 && !counted[d.ID] {
				counted[d.ID] = true
				if left -= d.size; left < 0 && len(res.batch.Records) > 0 {
					break
				}
			}
			held = append(held, rec.ID)
			res.batch.Records = append(res.batch.Records, rec.Record)
			res.body = append(res.body, d.body)
		}
		if len(held) == 0 {
			break
		}
		m.fence(l)
		l.token, l.held, l.next = c.Token, held, m.now+max(1, c.Lease.Microseconds()) // at least, so as not to claim it twice here
		heap.Fix(q, l.place)
		h := m.holds[c.Token]
		if h == nil {
			h = new(hold)
			m.holds[c.Token] = h
		}
		h.lanes = append(h.lanes, l)
	}
	if len(res.batch.Records) > 0 {
		res.batch.LeaseToken = c.Token
		return res
	}
	res.batch.Wait, _ = m.wait(queueName{c.Kind, c.Bulk}, m.now)
	return res
}

// extend prolongs a hold.
func (m *machine) extend(e extended) error {
	h := m.holds[e.Token]
	if h == nil || h.lost {
		return inbox.ErrLeaseLost
	}
	for _, l := range h.lanes {
		l.next = m.now + e.Lease.Microseconds()
		heap.Fix(m.queue(l.name.queue), l.place)
	}
	return nil
}

// let takes a lane out of its hold.
func (m *machine) let(l *lane) {
	h := m.holds[l.token]
	h.lanes = slices.DeleteFunc(h.lanes, func(other *lane) bool { return other == l })
	if len(h.lanes) == 0 {
		delete(m.holds, l.token)
	}
}

// fence takes a lane away from whoever did not settle it in time.
func (m *machine) fence(l *lane) {
	if l.token != "" {
		m.holds[l.token].lost = true
		m.let(l)
	}
}

// free ends the hold on a lane, which can be claimed again at next.
func (m *machine) free(l *lane, next int64) {
	m.let(l)
	l.token, l.held, l.next = "", nil, next
	q := m.queue(l.name.queue)
	if len(l.records) == 0 {
		heap.Remove(q, l.place)
		delete(m.lanes, l.name)
		return
	}
	m.ready = true
	heap.Fix(q, l.place)
}
