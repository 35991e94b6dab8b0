package coexistencetest

import (
	"cmp"
	"errors"
	"slices"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

// A DeliveryFilter chooses among deliveries. The zero DeliveryFilter chooses all.
type DeliveryFilter struct {
	// Field and State are what a delivery must have, if they are not empty.
	Field webhook.Field
	State DeliveryState

	// After is the number of the delivery behind which the list begins.
	After int

	// Last limits the list to the latest ones. If zero, all.
	Last int
}

// FindDeliveries returns the deliveries that a filter chooses, in the order of their numbers. It
// copies those alone, which [World.Deliveries] does with all. total is how many there were since
// the beginning, forgotten ones included.
func (w *World) FindDeliveries(f DeliveryFilter) (list []Delivery, total int) {
	c := w.dispatcher
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, p := range slices.Backward(c.posts) {
		if p.number <= f.After || f.Last > 0 && len(list) == f.Last {
			break
		}
		field := func(ch change) bool { return ch.field == f.Field }
		if f.Field != "" && !slices.ContainsFunc(p.changes, field) || f.State != "" && f.State != p.state {
			continue
		}
		list = append(list, p.delivery())
	}
	slices.Reverse(list)
	return list, c.packed
}

// ErrNoDelivery is returned for a number that no delivery has, or one that is forgotten:
// [Config].KeepLast.
var ErrNoDelivery = errors.New("coexistencetest: there is no delivery of this number, or it is too old")

// FindDelivery returns one delivery, by its number.
func (w *World) FindDelivery(number int) (Delivery, error) {
	c := w.dispatcher
	c.mu.Lock()
	defer c.mu.Unlock()
	p := c.find(number)
	if p == nil {
		return Delivery{}, ErrNoDelivery
	}
	return p.delivery(), nil
}

// find finds a POST, or returns nil. The caller must hold c.mu.
func (c *dispatcher) find(number int) *post {
	i, ok := slices.BinarySearchFunc(c.posts, number, func(p *post, n int) int { return cmp.Compare(p.number, n) })
	if !ok {
		return nil
	}
	return c.posts[i]
}

// Resend delivers once more, at once, and returns the delivery that does it. One that waits or was
// given up is tried again now; one that was acknowledged gets a delivery of its own with the same
// bytes, as a repeat at Meta has.
func (w *World) Resend(number int) (Delivery, error) {
	c := w.dispatcher
	c.mu.Lock()
	defer c.mu.Unlock()
	p := c.find(number)
	switch {
	case p == nil:
		return Delivery{}, ErrNoDelivery
	case p.state == DeliveryWaiting:
		p.due = c.graph.Now()
	case p.state == DeliveryGivenUp:
		p.state, p.born, p.due, p.attempts = DeliveryWaiting, c.graph.Now(), time.Time{}, nil
		c.retries = append(c.retries, p)
		c.givenUp--
	default:
		p = c.repeat(p)
	}
	c.address(p)
	c.changed.Broadcast()
	return p.delivery(), nil
}

// repeat queues an acknowledged POST again, as one of its own. The caller must hold c.mu.
func (c *dispatcher) repeat(p *post) *post {
	c.packed++
	again := &post{
		number: c.packed, changes: p.changes, body: p.body, url: p.url, level: p.level, duplicate: true,
		state: DeliveryWaiting, born: c.graph.Now(),
	}
	c.posts = append(c.posts, again)
	c.retries = append(c.retries, again)
	return again
}

// Delivery returns how webhooks travel now.
func (w *World) Delivery() DeliveryConfig {
	w.dispatcher.mu.Lock()
	defer w.dispatcher.mu.Unlock()
	return w.dispatcher.cfg
}

// SetDelivery changes how webhooks travel from now on. Parallel and Timeout stay what they were,
// and zero values stand for the defaults, as in [Config].
func (w *World) SetDelivery(cfg DeliveryConfig) {
	cfg = Config{Delivery: cfg}.withDefaults().Delivery
	c := w.dispatcher
	c.mu.Lock()
	defer c.mu.Unlock()
	cfg.Parallel, cfg.Timeout = c.cfg.Parallel, c.cfg.Timeout
	c.cfg = cfg
	c.changed.Broadcast()
}
