package queue

import (
	"container/heap"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// A ring lets the numbers that have ready lanes take turns: the first of them gives its lane that
// was ready first, and goes to the end. A number without ready lanes leaves it, and comes back at
// the end.
type ring struct {
	numbers map[graph.PhoneNumberID]*turn
	order   turnHeap
}

// A turn is the place of a number in a ring, with its ready lanes.
type turn struct {
	StoredTurn

	ring  *ring
	lanes laneHeap
	index int  // in the ring's order
	aside bool // not in the order for now, because a claim excepts the number
}

// A StoredTurn is a turn without its lanes, which follow from the lanes themselves.
type StoredTurn struct {
	// Number is "" for the events of accounts, and for deliveries.
	Number graph.PhoneNumberID `json:"number,omitzero"`

	// At says when the number's turn is: the smallest goes first. No two are the same.
	At int64 `json:"at"`
}

func newRing() ring { return ring{numbers: map[graph.PhoneNumberID]*turn{}} }

// put adds a lane, under the number of its first record.
func (r *ring) put(l *lane, m *Machine) {
	number := l.records[0].PhoneNumberID
	t := r.numbers[number]
	if t == nil {
		m.lastTurn++
		t = &turn{StoredTurn: StoredTurn{number, m.lastTurn}, ring: r}
		r.numbers[number] = t
		heap.Push(&r.order, t)
	}
	l.turn = t
	t.lanes.put(l)
}

// first returns the lane whose turn it is, or nil.
func (r *ring) first() *lane {
	if len(r.order) == 0 {
		return nil
	}
	return r.order[0].lanes[0]
}

// pass puts a number to the end.
func (r *ring) pass(t *turn, m *Machine) {
	m.lastTurn++
	t.At = m.lastTurn
	heap.Fix(&r.order, t.index)
}

// tidy lets a number go that has no ready lane any more.
func (r *ring) tidy(t *turn) {
	if len(t.lanes) > 0 {
		return
	}
	delete(r.numbers, t.Number)
	if !t.aside {
		heap.Remove(&r.order, t.index)
	}
}

// hasOther reports whether a number has ready lanes that is not among these.
func (r *ring) hasOther(numbers []graph.PhoneNumberID) bool {
	if len(r.numbers) > len(numbers) {
		return true
	}
	excepted := map[graph.PhoneNumberID]bool{}
	for _, number := range numbers {
		excepted[number] = r.numbers[number] != nil
	}
	for number := range r.numbers {
		if !excepted[number] {
			return true
		}
	}
	return false
}

// except takes numbers out of the order. The function that it returns puts them back to their
// places.
func (r *ring) except(numbers []graph.PhoneNumberID) (restore func()) {
	var aside []*turn
	for _, number := range numbers {
		if t := r.numbers[number]; t != nil && !t.aside { // the caller may name one twice
			t.aside = true
			heap.Remove(&r.order, t.index)
			aside = append(aside, t)
		}
	}
	return func() {
		for _, t := range aside {
			t.aside = false
			heap.Push(&r.order, t)
		}
	}
}

// snapshot returns the turns, in any order.
func (r *ring) snapshot() (turns []StoredTurn) {
	for _, t := range r.order {
		turns = append(turns, t.StoredTurn)
	}
	return turns
}

// restore gives the numbers their turns. It reports whether each of them has one.
func (r *ring) restore(turns []StoredTurn) bool {
	for _, stored := range turns {
		t := r.numbers[stored.Number]
		if t == nil {
			return false
		}
		t.At = stored.At
	}
	heap.Init(&r.order)
	return len(turns) == len(r.order)
}

// A turnHeap has the number whose turn it is on top.
type turnHeap []*turn

// Len is the number of numbers, for package heap.
func (h turnHeap) Len() int { return len(h) }

// Less orders them by turn, for package heap.
func (h turnHeap) Less(i, j int) bool { return h[i].At < h[j].At }

// Swap swaps two of them, for package heap.
func (h turnHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].index, h[j].index = i, j
}

// Push adds one, for package heap.
func (h *turnHeap) Push(t any) { //nolint:forcetypeassert // package heap hands over what it was handed
	t.(*turn).index = len(*h)
	*h = append(*h, t.(*turn))
}

// Pop takes the last one away, for package heap.
func (h *turnHeap) Pop() any {
	last := (*h)[len(*h)-1]
	(*h)[len(*h)-1] = nil
	*h = (*h)[:len(*h)-1]
	return last
}
