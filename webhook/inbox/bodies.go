package inbox

import "sync"

// heldBodies are the bodies of which records are in progress. A delivery can consist of thousands
// of events, of which each claim brings a few, and each time the body: it is kept once. All claims
// share a budget.
type heldBodies struct {
	mu     sync.Mutex
	bodies map[ID]*heldBody // by delivery
	size   int              // of all of them
}

type heldBody struct {
	body    []byte
	records int
}

// maxHeldBytes is the budget. Workers without anything to do may exceed it by a record each.
const maxHeldBytes = 32 << 20

// left is how many bytes a claim may bring, at least 1.
func (h *heldBodies) left(most int) int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return max(1, min(most, maxHeldBytes-h.size))
}

// full reports whether the budget is used up.
func (h *heldBodies) full() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.size >= maxHeldBytes
}

// hold notes the bodies of records, and lets those of one delivery share one.
func (h *heldBodies) hold(recs []Record) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.bodies == nil {
		h.bodies = map[ID]*heldBody{}
	}
	for i := range recs {
		b := h.bodies[recs[i].Delivery]
		if b == nil {
			b = &heldBody{body: recs[i].Body}
			h.bodies[recs[i].Delivery] = b
			h.size += len(b.body)
		}
		b.records++
		recs[i].Body = b.body
	}
}

// release ends what hold has begun, for the same records. It reports whether the budget was used up
// until now.
func (h *heldBodies) release(recs []Record) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	full := h.size >= maxHeldBytes
	for i := range recs {
		b := h.bodies[recs[i].Delivery]
		if b.records--; b.records == 0 {
			delete(h.bodies, recs[i].Delivery)
			h.size -= len(b.body)
		}
	}
	return full && h.size < maxHeldBytes
}
