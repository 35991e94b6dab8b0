package inboxtest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/inbox"
)

// roundTrip appends a delivery with one store and claims it with the other. Everything that a
// splitter needs has to come back as it was.
func (c *check) roundTrip() {
	in := delivery("a")
	c.append(in)
	b := c.claim(c.b, request(inbox.KindDelivery, long), 1)
	out := b.Records[0]
	switch {
	case out.ID == 0 || out.Delivery != out.ID:
		fail("ID is %d and Delivery %d; a delivery has an ID, which is its Delivery too", out.ID, out.Delivery)
	case string(out.Body) != string(in.Body):
		fail("the body came back as %q, want %q", out.Body, in.Body)
	case out.DedupKey != in.DedupKey || out.Lane != "" || out.Backfill || out.Kind != inbox.KindDelivery ||
		out.Attempts != 0:
		fail("came back as %+v", out)
	case !out.ReceivedAt.Equal(in.ReceivedAt):
		fail("ReceivedAt came back as %v, want %v", out.ReceivedAt, in.ReceivedAt)
	case b.LeaseToken == "":
		fail("the batch has no token")
	}
}

// duplicateDelivery appends deliveries again: in the same call, in a later one through another
// store, and after they were done. A key stays known when the body is gone.
func (c *check) duplicateDelivery() {
	// Within one call, a repeat is one too.
	c.added(c.a, "added of two and a repeat", 2, delivery("a"), delivery("b"), delivery("a"))
	c.added(c.b, "added of one new one", 1, delivery("b"), delivery("c"))
	c.done(c.a, c.claim(c.a, request(inbox.KindDelivery, long), 3)) // into nothing: their bodies go
	c.added(c.b, "added after all were done", 0, delivery("a"), delivery("b"), delivery("c"))
}

// deliveryOrder claims thirty deliveries seven at a time. All live deliveries are one lane, so
// while some are held, another claim brings none; and they come in the order in which they were
// appended.
func (c *check) deliveryOrder() {
	var want []string
	for i := range 30 {
		d := delivery(fmt.Sprintf("%02d", i))
		c.append(d)
		want = append(want, d.DedupKey)
	}
	req := request(inbox.KindDelivery, long)
	req.PerLane = 7
	var got []string
	for len(got) < len(want) {
		// The last claim brings what is left.
		b, err := c.b.Claim(c.ctx, req)
		must(err)
		if len(b.Records) == 0 || len(b.Records) > req.PerLane {
			fail("a claim of 7 brought %d of %d", len(b.Records), len(want)-len(got))
		}
		c.claim(c.a, req, 0) // while these are held
		got = append(got, keysOf(b.Records)...)
		c.done(c.b, b)
	}
	expectKeys(got, want...)
}

// queues appends a delivery of the backfill before one that is live, and claims each from its own
// queue, though the other one is held. The backfill is split into a historical event and one that
// is live: what an event is decides about its queue, not what its delivery was. Both have the same
// lane, which is two lanes then.
func (c *check) queues() {
	old := delivery("bulk")
	old.Backfill = true
	c.append(old, delivery("live"))
	backfill := func(kind inbox.Kind) inbox.ClaimRequest {
		req := request(kind, long)
		req.Backfill = true
		return req
	}
	live := c.claim(c.a, request(inbox.KindDelivery, long), 1)
	slow := c.claim(c.a, backfill(inbox.KindDelivery), 1)
	expectKeys(keysOf(live.Records), "delivery:live")
	expectKeys(keysOf(slow.Records), "delivery:bulk")
	history := event("h", "lane")
	history.Backfill = true
	c.settle(c.a, slow, inbox.Settlement{ID: slow.Records[0].ID, Events: []inbox.Record{history, event("m", "lane")}})
	h := c.claim(c.a, backfill(inbox.KindEvent), 1)
	m := c.claim(c.a, request(inbox.KindEvent, long), 1)
	expectKeys(keysOf(h.Records), "h")
	expectKeys(keysOf(m.Records), "m")
	expect("Bulk of the history", h.Records[0].Backfill, true)
}

// splitting looks at everything that a handler needs of an event: its place in the delivery, its
// lane, its number, and the body and arrival of its delivery.
func (c *check) splitting() {
	const number = "300000000000001"
	last := event("3", "y")
	last.PhoneNumberID = number
	c.split("a", event("1", "x"), event("2", "x"), last)
	b := c.claim(c.b, request(inbox.KindEvent, long), 3)
	slices.SortFunc(b.Records, func(a, b inbox.Record) int { return a.Index - b.Index })
	for i, rec := range b.Records {
		lane, hasNumber := []string{"x", "x", "y"}[i], i == 2
		if rec.Index != i || rec.Kind != inbox.KindEvent || rec.Lane != lane ||
			(rec.PhoneNumberID == number) != hasNumber ||
			rec.Delivery == 0 || rec.Delivery == rec.ID {
			fail("event %d came back as %+v", i, rec)
		}
		if !isBody(rec.Body, "a") || rec.ReceivedAt.Sub(received()).Abs() > time.Minute {
			fail(
				"event %d came with the body %q received at %v, want those of its delivery", i, rec.Body,
				rec.ReceivedAt,
			)
		}
	}
}

// duplicateEvent splits a delivery into an event that it has twice, and another delivery into one
// that the first had.
func (c *check) duplicateEvent() {
	c.split("a", event("1", "x"), event("1", "x"), event("2", "x")) // twice in one settlement
	c.split("b", event("2", "x"), event("3", "x"))
	expectKeys(c.finish(), "1", "2", "3")
}

// keyless splits a delivery into two events without a key: two events, although their keys are
// equal.
func (c *check) keyless() {
	c.split("a", event("", "x"), event("", "x"))
	expectKeys(c.finish(), "", "")
}

// yielding splits a delivery into a placeholder, its message, a late placeholder of the same
// message, and one of another message. The placeholder that comes first is handled, since it cannot
// be known what follows; the late one is dropped; the other one waits for nothing.
func (c *check) yielding() {
	placeholder := event("placeholder", "x")
	placeholder.SupersededBy = "message"
	// All of the same delivery, so that a store has to look at keys that it stores at the same
	// time.
	late, other := placeholder, placeholder
	late.DedupKey, other.DedupKey, other.SupersededBy = "late placeholder", "other placeholder", "another message"
	c.split("a", placeholder, event("message", "x"), late, other)
	expectKeys(c.finish(), "placeholder", "message", "other placeholder")
}

// keysStay splits a delivery into an event that was handled before: its key is still known.
func (c *check) keysStay() {
	c.split("a", event("1", "x"))
	c.finish()
	c.split("b", event("1", "x"), event("2", "x"))
	expectKeys(c.finish(), "2")
}

// forgotten splits a delivery with DropKey twice. Its event has no key, so each time that Meta
// sends it, it counts.
func (c *check) forgotten() {
	for range 2 {
		c.append(delivery("a"))
		b := c.claim(c.a, request(inbox.KindDelivery, long), 1)
		c.settle(c.a, b, inbox.Settlement{ID: b.Records[0].ID, DropKey: true, Events: []inbox.Record{event("", "x")}})
		expectKeys(c.finish(), "")
	}
}

// sweeping has old keys forgotten. Keys of what was done just now are kept, and so are those of a
// delivery of which an event is pending, whose body is still there: a replay would need them. What
// was forgotten counts as new.
func (c *check) sweeping() {
	sweeper, ok := c.a.(inbox.Sweeper)
	if !ok {
		return
	}
	c.split("a", event("done", "x"))
	c.finish()
	c.split("b", event("done beside a pending one", "x"), event("pending", "y"))
	// The lane that was made first comes first, so "pending" is what is left of the delivery.
	req := request(inbox.KindEvent, long)
	req.Lanes, req.PerLane = 1, 1
	c.done(c.a, c.claim(c.a, req, 1))
	n, err := sweeper.DeleteExpired(c.ctx, time.Hour)
	must(err)
	expect("forgotten of what was done just now", n, 0)
	c.expired(2) // of the first delivery and its event
	// The first delivery is new again; the second one is known, because an event of it is pending.
	c.added(c.a, "added after a sweep", 1, delivery("a"), delivery("b"))
	c.splitNext(event("done", "z"), event("done beside a pending one", "z"), event("pending", "z"))
	keys := c.finish()
	slices.Sort(keys)
	expectKeys(keys, "done", "pending")
}

// concurrentAppends has 32 callers append the same two deliveries and one of their own. Each
// delivery has to be counted by one of them.
//
// It finds stores that look for a key and store it in two steps.
func (c *check) concurrentAppends() {
	var wg sync.WaitGroup
	added, errs := make([]int, 32), make([]error, 32)
	for i := range added {
		wg.Go(func() {
			s := []inbox.Store{c.a, c.b}[i%2]
			added[i], errs[i] = s.Append(c.ctx, []inbox.Record{delivery("a"), delivery("b"), delivery(fmt.Sprint(i))})
		})
	}
	wg.Wait()
	must(errors.Join(errs...))
	// The two that all of them have, and 32 of their own.
	sum := 0
	for _, n := range added {
		sum += n
	}
	expect("added by all together", sum, 34)
	c.claim(c.a, request(inbox.KindDelivery, long), 34)
}

// endedContext claims and settles with a context that has ended. Both have to fail and to change
// nothing, because the caller does not look at the result any more.
func (c *check) endedContext() {
	ctx, cancel := context.WithCancel(c.ctx)
	cancel()
	if _, err := c.a.Claim(ctx, request(inbox.KindDelivery, long)); err == nil {
		fail("a claim accepted an ended context")
	}
	c.append(delivery("a"))
	b := c.claim(c.a, request(inbox.KindDelivery, long), 1)
	if err := c.a.Settle(ctx, b.LeaseToken, outcomes(b, inbox.DispositionDone)); err == nil {
		fail("settling accepted an ended context")
	}
	c.done(c.a, b) // the batch is as it was
}
