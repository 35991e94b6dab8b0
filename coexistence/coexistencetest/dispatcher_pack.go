package coexistencetest

import (
	"slices"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/cloudapitest"
)

// take returns what is to be delivered: a repeat that is due, before the next POST of the queue. It
// returns nil if there is nothing any more.
func (c *dispatcher) take() *post {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return nil
	}
	now := c.graph.Now()
	repeat, first := c.due(now)
	switch {
	case repeat >= 0:
		p := c.retries[repeat]
		c.retries = slices.Delete(c.retries, repeat, repeat+1)
		c.inFlight++
		return p
	case first >= 0:
		c.inFlight++
		return c.pack(first, now)
	}
	return nil
}

// due returns the first repeat that is due and the first change of the queue that is, -1 for none,
// as while deliveries are held. What is not due yet is passed over, and wakes a worker when it is.
// The caller must hold c.mu.
func (c *dispatcher) due(now time.Time) (repeat, first int) {
	if c.held > 0 {
		return -1, -1
	}
	repeat = slices.IndexFunc(c.retries, func(p *post) bool { return !now.Before(p.due) })
	return repeat, c.ready(0, now)
}

// ready returns the first change from i on that is due, or -1.
func (c *dispatcher) ready(i int, now time.Time) int {
	for ; i < len(c.queue); i++ {
		if !now.Before(c.queue[i].due) {
			return i
		}
	}
	return -1
}

// pack takes changes that are due and go to the same URL out of the queue, and makes a POST of
// them. The first is chosen among the oldest as [DeliveryConfig].Reorder allows; up to
// [DeliveryConfig].Batch follow it in their order. The caller must hold c.mu.
func (c *dispatcher) pack(first int, now time.Time) *post {
	// take removes the i-th change and closes the gap from the front, so that the oldest changes
	// stay first and the memory of what is gone can be used again.
	take := func(i int) change {
		ch := c.queue[i]
		copy(c.queue[1:i+1], c.queue[:i])
		c.queue[0] = change{}
		c.queue = c.queue[1:]
		return ch
	}
	// A change further back comes first now and then. If it is not due yet, the order stays.
	if far := first + c.rand.IntN(min(c.cfg.Reorder, len(c.queue)-first)); !now.Before(c.queue[far].due) {
		first = far
	}
	c.packed++
	p := &post{number: c.packed, state: DeliveryWaiting, born: now}
	p.changes = append(p.changes, take(first))
	size := len(p.changes[0].value)
	c.address(p)
	// What goes to another URL, or is not due, waits for a POST of its own. The size is kept below
	// Meta's limit with a little to spare for what surrounds each change.
	for i := 0; i < len(c.queue) && len(p.changes) < c.cfg.Batch; {
		ch := c.queue[i]
		to := c.graph.Callback(string(ch.field), ch.waba, ch.phone)
		if to.URL != "" && to.URL == p.url && !now.Before(ch.due) && size+len(ch.value)+perChange <= c.cfg.MaxBytes {
			p.changes = append(p.changes, take(i))
			size += len(ch.value) + perChange
			continue
		}
		i++
	}
	if len(p.changes) > 1 {
		c.relied.on(relyBatch)
	}
	if p.level != cloudapitest.LevelApp {
		c.relied.on(relyOverride)
	}
	p.body = envelope(p.changes)
	c.posts = append(c.posts, p)
	return p
}

// perChange is more than what surrounds the value of a change in a body.
const perChange = 200
