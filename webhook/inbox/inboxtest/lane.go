package inboxtest

import (
	"fmt"
	"slices"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/inbox"
)

// laneOrder claims the first two of four events of a lane, which come from two deliveries. Until
// both are settled, the lane brings nothing to any worker, not even when half of the batch is done;
// after that, the other two come.
//
// It finds stores that free a lane with the first settlement, or that lease records and not lanes.
func (c *check) laneOrder() {
	c.split("a", event("1", "x"), event("2", "x"), event("3", "x"))
	c.split("b", event("4", "x"))
	req := request(inbox.KindEvent, long)
	req.PerLane = 2
	first := c.claim(c.a, req, 2)
	outs := outcomes(first, inbox.DispositionDone)
	c.claim(c.b, req, 0) // the lane is leased
	c.settle(c.a, first, outs[0])
	c.claim(c.b, req, 0) // and still is, for the rest of the batch
	c.settle(c.a, first, outs[1])
	second := c.claim(c.b, req, 2)
	expectKeys(keysOf(append(first.Records, second.Records...)), "1", "2", "3", "4")
}

// lanesApart claims two lanes with two claims of one lane each, and expects two different ones
// under different tokens. Then a lane is added while these two are held.
//
// It finds stores in which one lease holds up the queue.
func (c *check) lanesApart() {
	c.split("a", event("1", "x"), event("2", "y"))
	req := request(inbox.KindEvent, long)
	req.Lanes = 1
	first := c.claim(c.a, req, 1)
	second := c.claim(c.b, req, 1)
	// Each settles with its own token: one for both would let one settle for the other.
	if first.Records[0].DedupKey == second.Records[0].DedupKey || first.LeaseToken == second.LeaseToken {
		fail("two claims brought the same lane, or the same token")
	}
	c.split("b", event("3", "z"))
	expectKeys(keysOf(c.claim(c.b, req, 1).Records), "3")
}

// limits claims three of five lanes with two of four records each. The records of a lane have to
// follow each other in the batch, because a worker takes them as they come.
func (c *check) limits() {
	var events []inbox.Record
	for lane := range 5 {
		for i := range 4 {
			events = append(events, event(fmt.Sprintf("%d.%d", lane, i), fmt.Sprint("lane", lane)))
		}
	}
	c.split("a", events...)
	req := request(inbox.KindEvent, long)
	req.Lanes, req.PerLane = 3, 2
	b := c.claim(c.a, req, 6)
	lanes := map[string]int{}
	for i, rec := range b.Records {
		lanes[rec.Lane]++
		// Every second record is behind another one of its lane.
		if i%2 == 1 && (rec.Lane != b.Records[i-1].Lane || rec.Index != b.Records[i-1].Index+1) {
			fail("the records of a lane do not follow each other in order")
		}
	}
	expect("lanes", len(lanes), 3)
}

// maxBytes claims three deliveries of 1,000 bytes with several limits. A limit that is less than
// the first body brings that one all the same: otherwise it would never be handled. Each batch is
// released, so that the next round finds all of them.
func (c *check) maxBytes() {
	for _, name := range []string{"big 1", "big 2", "big 3"} {
		d := delivery(name)
		d.Body = make([]byte, 1000)
		c.append(d)
	}
	req := request(inbox.KindDelivery, long)
	// Just below a sum of bodies, just at it, and without a limit.
	for _, tt := range []struct{ bytes, want int }{{1, 1}, {1999, 1}, {2000, 2}, {3000, 3}, {0, 3}} {
		req.MaxBytes = tt.bytes
		b := c.await(c.a, req)
		if len(b.Records) != tt.want {
			fail("a claim of %d bytes brought %d deliveries of 1000, want %d", tt.bytes, len(b.Records), tt.want)
		}
		c.settle(c.a, b, outcomes(b, inbox.DispositionRelease)[:1]...)
	}
}

// retrying settles the first of two events of a lane for another attempt in an hour. The one behind
// it waits, though it was in the same batch; other lanes do not, be they in that batch or not. The
// Wait of an empty batch must not be longer than the pause, so that no worker sleeps past it.
func (c *check) retrying() {
	c.split("a", event("1", "x"), event("2", "x"), event("3", "y"))
	b := c.claim(c.a, request(inbox.KindEvent, long), 3)
	// The lanes of a batch may come in any order.
	find := func(key string) inbox.ID {
		return b.Records[slices.IndexFunc(b.Records, func(r inbox.Record) bool { return r.DedupKey == key })].ID
	}
	c.settle(c.a, b,
		inbox.Settlement{ID: find("1"), Disposition: inbox.DispositionRetry, RetryAfter: time.Hour, Reason: "busy"},
		inbox.Settlement{ID: find("3")})
	waiting := c.claim(c.b, request(inbox.KindEvent, long), 0) // not "2" either
	if waiting.Wait < 0 || waiting.Wait > time.Hour {
		fail("the batch's Wait is %v during a pause of an hour", waiting.Wait)
	}
	c.split("b", event("4", "z"))
	expectKeys(keysOf(c.claim(c.b, request(inbox.KindEvent, long), 1).Records), "4")
}

// draining claims lanes of several numbers in batches of three until a batch says that it has left
// nothing, or comes empty. Then nothing may be ready. A store that never says so is asked once more
// each time, which is allowed. If it says so, it may know of the pause of a lane that has failed,
// and must not tell a longer one.
func (c *check) draining() {
	var events []inbox.Record
	for i := range 20 {
		ev := event(fmt.Sprint(i), fmt.Sprint("lane", i))
		ev.PhoneNumberID, ev.Status = graph.PhoneNumberID(fmt.Sprint("30000000000000", i%3)), i%5 == 0
		events = append(events, ev)
	}
	c.split("a", events...)
	req, left := request(inbox.KindEvent, long), len(events)
	req.Lanes = 3
	for drained := false; !drained; {
		b, err := c.a.Claim(c.ctx, req)
		must(err)
		left -= len(b.Records)
		drained = b.Drained || len(b.Records) == 0
	}
	expect("what is left behind a batch that is drained", left, 0)

	c.split("b", event("fails", "x"))
	failed := c.claim(c.a, request(inbox.KindEvent, long), 1)
	c.settle(c.a, failed, inbox.Settlement{
		ID: failed.Records[0].ID, Disposition: inbox.DispositionRetry, RetryAfter: time.Minute,
	})
	c.split("c", event("another", "y"))
	if b := c.claim(c.a, request(inbox.KindEvent, long), 1); b.Drained && (b.Wait < 0 || b.Wait > time.Minute) {
		fail("the batch's Wait is %v during a pause of a minute", b.Wait)
	}
}

// attempts has an event fail three times, with a short pause. Its Attempts have to count that,
// because a worker gives it up by that number.
func (c *check) attempts() {
	c.split("a", event("1", "x"))
	b := c.claim(c.b, request(inbox.KindEvent, long), 1)
	for n := range 3 {
		c.settle(c.b, b, inbox.Settlement{
			ID: b.Records[0].ID, Disposition: inbox.DispositionRetry, RetryAfter: time.Millisecond,
		})
		b = c.await(c.b, request(inbox.KindEvent, long))
		expect("Attempts", b.Records[0].Attempts, n+1)
	}
	expectKeys(keysOf(b.Records), "1")
}

// releasing settles three events of a lane as done, released, and not at all. Releasing the second
// gives back the third as well, so settling that is refused; both come again at once, and without
// an attempt being counted.
//
// It is what a worker does with a batch when its process shuts down.
func (c *check) releasing() {
	c.split("a", event("1", "x"), event("2", "x"), event("3", "x"))
	b := c.claim(c.a, request(inbox.KindEvent, long), 3)
	c.settle(c.a, b,
		inbox.Settlement{ID: b.Records[0].ID},
		inbox.Settlement{ID: b.Records[1].ID, Disposition: inbox.DispositionRelease})
	expectLeaseLost("settling what was released with the record before it",
		c.a.Settle(c.ctx, b.LeaseToken, []inbox.Settlement{{ID: b.Records[2].ID}}))
	b = c.claim(c.b, request(inbox.KindEvent, long), 2)
	expectKeys(keysOf(b.Records), "2", "3")
	expect("Attempts", b.Records[0].Attempts, 0)
}

// leaseEnds claims events, and a delivery, and does nothing with them, like a process that dies.
// When the lease is over, another store gets them, in the same order, though one at a time.
func (c *check) leaseEnds() {
	c.split("a", event("1", "x"), event("2", "x"))
	c.claim(c.a, request(inbox.KindEvent, c.short), 2) // and never settled
	b := c.await(c.b, request(inbox.KindEvent, long))
	expectKeys(keysOf(b.Records), "1")
	c.done(c.b, b)
	expectKeys(keysOf(c.claim(c.b, request(inbox.KindEvent, long), 1).Records), "2")
	c.append(delivery("b"))
	c.claim(c.a, request(inbox.KindDelivery, c.short), 1)
	expectKeys(keysOf(c.await(c.b, request(inbox.KindDelivery, long)).Records), "delivery:b")
}

// fencing has a second worker claim what the lease of the first one does not hold any more. From
// then on the first one can neither settle in any way nor extend, before and after the second one
// has settled.
//
// This is the check that keeps a process which was stopped for a while from doing damage when it
// goes on.
func (c *check) fencing() {
	c.split("a", event("1", "x"), event("2", "x"))
	late := c.claim(c.a, request(inbox.KindEvent, c.short), 2)
	now := c.await(c.b, request(inbox.KindEvent, long))
	// Each disposition goes another way through a store.
	for _, kind := range []inbox.Disposition{
		inbox.DispositionDone, inbox.DispositionRetry, inbox.DispositionDead, inbox.DispositionRelease,
	} {
		expectLeaseLost("settling after the lease was lost",
			c.a.Settle(c.ctx, late.LeaseToken, outcomes(late, kind)[:1]))
	}
	expectLeaseLost("extending after the lease was lost", c.a.Extend(c.ctx, late.LeaseToken, long))
	c.done(c.b, now)
	expectLeaseLost("settling what the new holder has settled",
		c.a.Settle(c.ctx, late.LeaseToken, outcomes(late, inbox.DispositionDone)))
}

// fencedSplit has a worker split a delivery that another one has claimed after the lease. That is
// refused and leaves no event: a delivery that is split twice would make its keyless events twice.
func (c *check) fencedSplit() {
	c.append(delivery("b"))
	late := c.claim(c.a, request(inbox.KindDelivery, c.short), 1)
	now := c.await(c.b, request(inbox.KindDelivery, long))
	expectLeaseLost("splitting after the lease was lost", c.a.Settle(c.ctx, late.LeaseToken, []inbox.Settlement{{
		ID: late.Records[0].ID, Events: []inbox.Record{event("", "late")},
	}}))
	c.done(c.b, now) // into nothing
	c.claim(c.a, request(inbox.KindEvent, long), 0)
}

// extending shortens a lease and waits for its end, which proves that Extend sets a lease and not
// only adds to it. Then a lease whose time may be over, but which no other worker has claimed, is
// extended: that works, and the lane is held again.
func (c *check) extending() {
	c.split("a", event("1", "x"))
	b := c.claim(c.a, request(inbox.KindEvent, long), 1)
	must(c.a.Extend(c.ctx, b.LeaseToken, c.short)) // from a minute to a moment
	next := c.await(c.b, request(inbox.KindEvent, c.short))
	must(c.b.Extend(c.ctx, next.LeaseToken, long)) // though it may be over: no other worker has claimed it
	c.claim(c.a, request(inbox.KindEvent, long), 0)
	c.done(c.b, next)
}

// allOrNothing settles a batch together with an ID that is not in it. That is refused as a whole,
// so the batch can be settled afterwards.
//
// It finds stores that settle record by record, outside of a transaction.
func (c *check) allOrNothing() {
	c.split("a", event("1", "x"), event("2", "y"))
	b := c.claim(c.a, request(inbox.KindEvent, long), 2)
	bad := append(outcomes(b, inbox.DispositionDone), inbox.Settlement{ID: b.Records[0].ID + noSuchID})
	// The bad one is last, so that a store which settles one by one has settled the others.
	expectLeaseLost("settling what is not in the batch", c.a.Settle(c.ctx, b.LeaseToken, bad))
	c.done(c.a, b)
	c.claim(c.b, request(inbox.KindEvent, long), 0)
}
