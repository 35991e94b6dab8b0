package inboxtest

import (
	"fmt"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/inbox"
)

// abandonedOnce claims a lane of three events and settles nothing, like a process that dies, while
// five other lanes are ready. When the lease is over, the five go first, and then the abandoned
// lane comes with its first event alone, which says that it was abandoned. Releasing that changes
// nothing; once it is done, the rest of the lane comes as usual.
//
// It finds stores in which an event that ends its process takes the same neighbors with it each
// time.
func (c *check) abandonedOnce() {
	c.split("a", event("1", "x"), event("2", "x"), event("3", "x"))
	req := request(inbox.KindEvent, c.short)
	c.claim(c.a, req, 3)
	for i := range 5 {
		c.split(fmt.Sprint("other", i), event(fmt.Sprint("other", i), fmt.Sprint("other", i)))
	}
	c.pause(2 * c.short) // so that the lane is ready, too; if it is not yet, this proves less
	req = request(inbox.KindEvent, long)
	req.Lanes = 5
	for _, rec := range c.claim(c.b, req, 5).Records {
		if rec.Lane == "x" {
			fail("an abandoned lane came before lanes that were ready")
		}
		expect("Abandoned of a lane that was not abandoned", rec.Abandoned, 0)
	}
	b := c.await(c.b, req)
	for range 2 {
		expectKeys(keysOf(b.Records), "1")
		expect("Abandoned", b.Records[0].Abandoned, 1)
		expect("Attempts", b.Records[0].Attempts, 0)
		c.settle(c.b, b, outcomes(b, inbox.DispositionRelease)...)
		b = c.claim(c.a, req, 1)
	}
	c.done(c.a, b)
	b = c.claim(c.a, req, 2)
	expectKeys(keysOf(b.Records), "2", "3")
	expect("Abandoned after a settlement", b.Records[0].Abandoned, 0)
}

// abandonedCleared abandons three lanes of two events, and then settles the first event of each as
// done, to be tried again, and dead. All three start again with that: they come with no count, and
// with several events at a time.
func (c *check) abandonedCleared() {
	c.split("a", event("d1", "d"), event("d2", "d"), event("r1", "r"), event("r2", "r"), event("k1", "k"),
		event("k2", "k"), event("k3", "k"))
	c.claim(c.a, request(inbox.KindEvent, c.short), 7)
	kinds := map[string]inbox.Disposition{
		"d": inbox.DispositionDone, "r": inbox.DispositionRetry, "k": inbox.DispositionDead,
	}
	for n := 0; n < len(kinds); {
		b := c.await(c.b, request(inbox.KindEvent, long))
		for _, rec := range b.Records {
			expect("Abandoned of "+rec.DedupKey, rec.Abandoned, 1)
			c.settle(c.b, b, inbox.Settlement{
				ID: rec.ID, Disposition: kinds[rec.Lane], RetryAfter: time.Millisecond, Reason: "why",
			})
			n++
		}
	}
	got := map[string]int{} // events of each lane
	for len(got) < len(kinds) {
		b := c.await(c.a, request(inbox.KindEvent, long))
		for _, rec := range b.Records {
			expect("Abandoned after a settlement", rec.Abandoned, 0)
			got[rec.Lane]++
		}
	}
	expect("events of the lane that goes on behind a done one", got["d"], 1)
	expect("events of the lane whose first one is tried again", got["r"], 2)
	expect("events of the lane that goes on behind a dead one", got["k"], 2)
}

// quarantine abandons a lane twice. It is in quarantine then: no ordinary claim brings it, not even
// when its pause is over. From then on each claim of the queue says that it is there, and one that
// asks for quarantine gets its first event, and nothing of what is ready otherwise.
func (c *check) quarantine() {
	begin := time.Now()
	c.abandonTwice("a", event("1", "x"), event("2", "x"))
	c.awaitQuarantine(begin, inbox.AbandonedPause(2))
	c.split("b", event("3", "y"))
	ask := request(inbox.KindEvent, long)
	ask.Quarantine = true
	b := c.claim(c.a, ask, 1)
	expectKeys(keysOf(b.Records), "1")
	expect("Abandoned", b.Records[0].Abandoned, 2)
	c.claim(c.b, ask, 0) // the lane is leased, and "3" is in no quarantine
	other := c.claim(c.b, request(inbox.KindEvent, long), 1)
	expectKeys(keysOf(other.Records), "3")
	expect("Quarantined while the lane in quarantine is leased", other.Quarantined, false)
	c.done(c.a, b)
	b = c.claim(c.b, request(inbox.KindEvent, long), 1)
	expectKeys(keysOf(b.Records), "2")
	expect("Abandoned after a settlement", b.Records[0].Abandoned, 0)
	c.done(c.b, b)
	expect("Quarantined of an empty queue", c.claim(c.a, request(inbox.KindEvent, long), 0).Quarantined, false)
}

// quarantinePause abandons a lane a third time, within quarantine. It pauses longer then. A release
// ends neither the quarantine nor the count. A dead letter does: the lane continues with what is
// behind it, and a replay of the dead letter starts again.
func (c *check) quarantinePause() {
	begin := time.Now()
	c.abandonTwice("a", event("1", "x"), event("2", "x"))
	c.awaitQuarantine(begin, inbox.AbandonedPause(2))
	ask := request(inbox.KindEvent, c.short)
	ask.Quarantine = true
	begin = time.Now()
	c.claim(c.a, ask, 1)
	c.awaitQuarantine(begin, inbox.AbandonedPause(3))
	ask.LeaseDuration = long
	b := c.claim(c.b, ask, 1)
	c.settle(c.b, b, outcomes(b, inbox.DispositionRelease)...)
	if !c.claim(c.b, request(inbox.KindEvent, long), 0).Quarantined {
		fail("a lane that was released is not in quarantine any more")
	}
	b = c.claim(c.a, ask, 1)
	expectKeys(keysOf(b.Records), "1")
	expect("Abandoned", b.Records[0].Abandoned, 3)
	c.settle(c.a, b, inbox.Settlement{ID: b.Records[0].ID, Disposition: inbox.DispositionDead, Reason: "why"})
	expectKeys(c.finish(), "2")
	c.replayed(c.a, 1, c.letters(1)[0].ID)
	c.splitNext(event("1", "x"), event("2", "x"))
	b = c.claim(c.a, request(inbox.KindEvent, long), 1)
	expectKeys(keysOf(b.Records), "1")
	expect("Abandoned of what was replayed", b.Records[0].Abandoned, 0)
}

// abandonedDeliveries abandons the lane of deliveries six times. It comes with one delivery at a
// time, which counts, but is never in quarantine and never pauses, because all deliveries of the
// queue are behind it.
func (c *check) abandonedDeliveries() {
	c.append(delivery("a"), delivery("b"), delivery("c"))
	req := request(inbox.KindDelivery, c.short)
	begin, pauses := time.Now(), time.Duration(0)
	c.claim(c.a, req, 3)
	for n := 1; n <= 6; n++ {
		b := c.await(c.b, req)
		expectKeys(keysOf(b.Records), "delivery:a")
		expect("Abandoned", b.Records[0].Abandoned, n)
		expect("Quarantined", b.Quarantined, false)
		pauses += inbox.AbandonedPause(n)
	}
	if took := time.Since(begin); took > pauses {
		fail("deliveries paused: six leases of %v took %v", c.short, took)
	}
	req.LeaseDuration = long
	b := c.await(c.a, req)
	expectKeys(keysOf(b.Records), "delivery:a")
	c.done(c.a, b) // into nothing
	b = c.claim(c.a, req, 2)
	expectKeys(keysOf(b.Records), "delivery:b", "delivery:c")
	expect("Abandoned after a settlement", b.Records[0].Abandoned, 0)
}

// reopened ends the process that has events and deliveries in progress. The next one finds both
// abandoned.
func (c *check) reopened() {
	if c.storage.Reopen == nil {
		return
	}
	c.split("a", event("1", "x"), event("2", "x"))
	c.claim(c.a, request(inbox.KindEvent, c.short), 2)
	c.append(delivery("b"), delivery("c"))
	c.claim(c.b, request(inbox.KindDelivery, c.short), 2)
	s, err := c.storage.Reopen(c.ctx)
	must(err)
	for kind, want := range map[inbox.Kind]string{inbox.KindEvent: "1", inbox.KindDelivery: "delivery:b"} {
		b := c.await(s, request(kind, long))
		expectKeys(keysOf(b.Records), want)
		expect("Abandoned", b.Records[0].Abandoned, 1)
	}
}

// abandonTwice splits a delivery into events of one lane, and claims that twice without settling
// anything.
func (c *check) abandonTwice(name string, events ...inbox.Record) {
	c.split(name, events...)
	c.claim(c.a, request(inbox.KindEvent, c.short), len(events))
	b := c.await(c.b, request(inbox.KindEvent, c.short))
	expectKeys(keysOf(b.Records), events[0].DedupKey)
}

// awaitQuarantine claims until the store says that a lane is in quarantine, and expects that to
// take so long at least.
func (c *check) awaitQuarantine(since time.Time, pause time.Duration) {
	for !c.claim(c.b, request(inbox.KindEvent, long), 0).Quarantined {
		c.pause(10 * time.Millisecond)
	}
	if took := time.Since(since); took < pause {
		fail("a lane was in quarantine and ready after %v, want a pause of %v", took, pause)
	}
}
