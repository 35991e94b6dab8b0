package inbox

import (
	"sync"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

// decodedDeliveries keeps the events of deliveries that hold several, so that a delivery of a
// thousand is not decoded a thousand times. Each event is given away once: a handler may have
// changed it before it failed.
type decodedDeliveries struct {
	mu      sync.Mutex
	entries map[ID]*decodedDelivery
	order   []ID // of entries, oldest first
	bytes   int  // of entries
}

type decodedDelivery struct {
	events []webhook.Event // nil where one was given away
	left   int             // events that were not
	size   int             // bytes of the body, which the events refer to
}

// maxDecoded limits the bodies of the deliveries that are kept decoded.
const maxDecoded = 32 << 20

// take returns an event of a delivery, or nil if there is none of that index.
func (c *decodedDeliveries) take(rec Record) (webhook.Event, error) {
	if ev := c.find(rec); ev != nil {
		return ev, nil
	}
	events, err := decode(rec.Body, rec.ReceivedAt)
	if err != nil || rec.Index >= len(events) {
		return nil, err
	}
	ev := events[rec.Index]
	if len(events) > 1 {
		events[rec.Index] = nil
		c.add(rec.Delivery, &decodedDelivery{events, len(events) - 1, len(rec.Body)})
	}
	return ev, nil
}

// find gives away an event that is there, or returns nil.
func (c *decodedDeliveries) find(rec Record) webhook.Event {
	c.mu.Lock()
	defer c.mu.Unlock()
	d := c.entries[rec.Delivery]
	if d == nil || rec.Index >= len(d.events) || d.events[rec.Index] == nil {
		return nil
	}
	ev := d.events[rec.Index]
	d.events[rec.Index] = nil
	if d.left--; d.left == 0 {
		c.drop(rec.Delivery)
	}
	return ev
}

// add keeps the events of a delivery, and drops those that were kept longest if there are too many
// bytes. Two workers may have decoded the same delivery; the later one counts.
func (c *decodedDeliveries) add(id ID, d *decodedDelivery) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.entries == nil {
		c.entries = map[ID]*decodedDelivery{}
	}
	c.drop(id)
	c.entries[id] = d
	c.order = append(c.order, id)
	c.bytes += d.size
	for c.bytes > maxDecoded && len(c.order) > 1 {
		c.drop(c.order[0])
	}
}

// drop forgets a delivery, whose events are decoded again if they are still needed. The caller must
// hold c.mu.
func (c *decodedDeliveries) drop(id ID) {
	d := c.entries[id]
	if d == nil {
		return
	}
	delete(c.entries, id)
	c.bytes -= d.size
	for i, other := range c.order {
		if other == id {
			c.order = append(c.order[:i], c.order[i+1:]...)
			break
		}
	}
}
