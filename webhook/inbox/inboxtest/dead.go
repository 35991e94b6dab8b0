package inboxtest

import (
	"errors"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/inbox"
)

// deadLetters gives up the first events of two lanes. The rest of the lanes goes on. The letters
// come with everything that a person wants to know. An event of the same key does not come again: a
// dead letter is known until it is replayed.
func (c *check) deadLetters() {
	c.split("a", event("1", "x"), event("2", "x"), event("3", "y"))
	c.giveUp("no such customer", 2)
	expectKeys(c.finish(), "2")
	for _, l := range c.letters(2) {
		wantKey := []string{"1", "", "3"}[l.Index] // of the events that were first in their lanes
		if l.Reason != "no such customer" || l.Kind != inbox.KindEvent || l.DedupKey != wantKey ||
			!isBody(l.Body, "a") || time.Since(l.DeadAt).Abs() > time.Minute {
			fail("a dead letter came back as %+v", l)
		}
	}
	// Meta's repeat changes nothing.
	c.split("b", event("1", "x"), event("4", "x"))
	expectKeys(c.finish(), "4")
}

// deadPages reads two dead letters page by page, in the order of their IDs: after the first one,
// and one at a time.
func (c *check) deadPages() {
	c.split("a", event("1", "x"), event("2", "y"))
	c.giveUp("bug", 2)
	list := c.letters(2)
	// The last ID of a page is where the next one begins, so the order has to be that of IDs.
	if list[0].ID >= list[1].ID {
		fail("dead letters do not come in the order of their IDs")
	}
	page, err := c.a.DeadLetters(c.ctx, inbox.Filter{}, list[0].ID, 100)
	must(err)
	if len(page) != 1 || page[0].ID != list[1].ID {
		fail("%d dead letters behind the first one, want 1", len(page))
	}
	page, err = c.a.DeadLetters(c.ctx, inbox.Filter{}, 0, 1)
	must(err)
	if len(page) != 1 || page[0].ID != list[0].ID {
		fail("%d dead letters in a page of 1", len(page))
	}
}

// deadOfANumber reads the dead letters of one business's number, page by page, past those of other
// numbers, of events without one, and of a whole delivery.
func (c *check) deadOfANumber() {
	const ours, other, third = "300000000000001", "300000000000002", "300000000000003"
	of := func(number graph.PhoneNumberID, key string) inbox.Record {
		ev := event(key, key)
		ev.PhoneNumberID = number
		return ev
	}
	c.split("a", of(ours, "1"), of(other, "2"), event("3", "3"), of(ours, "4"))
	c.giveUp("bug", 4)
	c.append(delivery("b"))
	b := c.claim(c.a, request(inbox.KindDelivery, long), 1)
	c.settle(c.a, b, outcomes(b, inbox.DispositionDead)...)
	c.letters(5)
	var after inbox.ID
	// A page of one, so that a store which filters a page after reading it comes back with less.
	for _, want := range []string{"1", "4"} {
		page, err := c.b.DeadLetters(c.ctx, inbox.Filter{PhoneNumberID: ours}, after, 1)
		must(err)
		if len(page) != 1 {
			fail("%d dead letters of a number in a page of 1", len(page))
		}
		if l := page[0]; l.DedupKey != want || l.PhoneNumberID != ours || !isBody(l.Body, "a") {
			fail("a dead letter of %s came back as %+v, want that of key %s", ours, l, want)
		}
		after = page[0].ID
	}
	for f, from := range map[inbox.Filter]inbox.ID{{PhoneNumberID: ours}: after, {PhoneNumberID: third}: 0} {
		page, err := c.b.DeadLetters(c.ctx, f, from, 100)
		must(err)
		if len(page) > 0 {
			fail("%d dead letters of %s, want none", len(page), f.PhoneNumberID)
		}
	}
}

// replaying replays one of two dead letters. Its delivery is split again into the same three
// events: the one that was waiting is known, the one that is dead stays dead, and the replayed one
// comes. Then the other one, together with an ID that is not dead any more, which does not count.
func (c *check) replaying() {
	c.split("a", event("1", "x"), event("2", "x"), event("3", "y"))
	c.giveUp("bug", 2)
	list := c.letters(2)
	c.replayed(c.a, 1, list[0].ID, noSuchID) // what is not there is no error
	c.letters(1)
	c.splitNext(event("1", "x"), event("2", "x"), event("3", "y"))
	expectKeys(c.finish(), "2", list[0].DedupKey)
	c.replayed(c.b, 1, list[0].ID, list[1].ID)
	c.splitNext(event("1", "x"), event("2", "x"), event("3", "y"))
	expectKeys(c.finish(), list[1].DedupKey)
	c.letters(0)
}

// deadDelivery gives up two whole deliveries, as when the decoder panics. Their keys stay known.
// One is deleted, the other one replayed, and split and handled after that.
func (c *check) deadDelivery() {
	c.append(delivery("a"), delivery("b"))
	b := c.claim(c.a, request(inbox.KindDelivery, long), 2)
	outs := outcomes(b, inbox.DispositionDead)
	outs[0].Reason = "the decoder panicked"
	c.settle(c.a, b, outs...)
	list := c.letters(2)
	if l := list[0]; l.Reason != "the decoder panicked" || l.Kind != inbox.KindDelivery || !isBody(l.Body, "a") {
		fail("a dead delivery came back as %+v", l)
	}
	c.added(c.a, "added of a dead delivery", 0, delivery("a")) // Meta's repeat does not replay it
	c.deleted(c.a, 1, list[1].ID)
	c.replayed(c.a, 1, list[0].ID, list[1].ID) // the second one is gone
	c.splitNext(event("1", "x"))
	expectKeys(c.finish(), "1")
	c.letters(0)
}

// purging deletes a dead letter. It cannot be replayed any more, and its key stays known, so that
// Meta's repeat does not bring it back.
func (c *check) purging() {
	c.split("a", event("1", "x"), event("2", "x"))
	c.giveUp("bug", 1)
	letter := c.letters(1)[0]
	c.deleted(c.b, 1, letter.ID, noSuchID)
	c.letters(0)
	c.replayed(c.a, 0, letter.ID)
	c.split("b", event("1", "x"), event("3", "x"))
	expectKeys(c.finish(), "2", "3")
}

// bodiesStay follows one delivery through everything that can happen to its events: one is deleted,
// one is replayed and handled, one deleted after that. The body has to be there until the last of
// them is done or deleted, and its keys may be forgotten only then.
//
// It finds stores that count wrongly what still needs a body.
func (c *check) bodiesStay() {
	c.split("a", event("1", "x"), event("2", "y"), event("3", "z"))
	c.giveUp("bug", 3)
	list := c.letters(3)
	c.deleted(c.a, 1, list[0].ID)
	c.replayed(c.a, 1, list[1].ID)
	c.splitNext(event("1", "x"), event("2", "y"), event("3", "z"))
	expectKeys(c.finish(), list[1].DedupKey)
	c.expired(0) // two of three events are done or deleted, and the third keeps all keys
	last := c.letters(1)[0]
	if !isBody(last.Body, "a") {
		fail("the body went before the last dead letter")
	}
	c.deleted(c.a, 1, last.ID)
	c.expired(4) // of three events and their delivery
}

// bodyOfADeletedDelivery replays a dead event while its neighbour waits. The delivery dies when it
// is split again, and is deleted while the neighbour still waits: that one needs the body.
func (c *check) bodyOfADeletedDelivery() {
	c.split("a", event("1", "x"), event("2", "x"))
	c.giveUp("bug", 1)
	c.replayed(c.a, 1, c.letters(1)[0].ID)
	b := c.claim(c.a, request(inbox.KindDelivery, long), 1)
	c.settle(c.a, b, outcomes(b, inbox.DispositionDead)...)
	c.deleted(c.a, 1, b.Records[0].ID)
	c.expired(0) // the neighbour keeps the keys of its delivery
	b = c.claim(c.a, request(inbox.KindEvent, long), 1)
	if !isBody(b.Records[0].Body, "a") {
		fail("the body went before the last event")
	}
	c.done(c.a, b)
	c.expired(2) // of the event that was left, and the delivery; the replayed one's key went before
}

// parking receives a body that is not JSON with an inbox whose handler is in a transaction (InTx).
// The handler takes it well, and it is a dead letter all the same, settled in that transaction.
// Stores without transactions are not checked.
func (c *check) parking() {
	store, ok := c.a.(inbox.TxSettler)
	if !ok {
		return
	}
	open := struct{ inbox.TxSettler }{store} // without Close: Shutdown would close the store
	in, err := inbox.New(open, inbox.InTx(new(webhook.Mux)), inbox.Config{})
	must(err)
	const body = "not JSON"
	err = catch(func() {
		must(in.Start(c.ctx))
		must(in.Receive(c.ctx, webhook.Delivery{Body: []byte(body), ReceivedAt: received()}))
		must(in.WaitIdle(c.ctx))
	})
	must(errors.Join(err, in.Shutdown(c.ctx)))
	if l := c.letters(1)[0]; string(l.Body) != body || l.Kind != inbox.KindEvent || l.Reason == "" {
		fail("what cannot be decoded came back as %+v", l)
	}
}

// counting looks at the Stats of one delivery, one event that is live, one of the backfill, and two
// dead letters. Ages are those of deliveries, by their arrival; dead letters have none. Whether a
// store counts keys is its own decision.
func (c *check) counting() {
	history := event("3", "z")
	history.Backfill = true
	c.split("a", event("1", "x"), event("2", "y"), history, event("4", "x"))
	c.giveUp("bug", 2)
	c.append(delivery("b"))
	st, err := c.b.Stats(c.ctx)
	must(err)
	got := st // without what differs from run to run
	got.DedupKeys, got.Oldest, got.OldestLive = 0, 0, 0
	expect("Stats", got, inbox.Stats{Deliveries: 1, Live: 1, Backfill: 1, Dead: 2})
	expect("Depth", st.Depth(), 3)
	for _, age := range []time.Duration{st.Oldest, st.OldestLive} { // all arrived an hour ago
		if (age - time.Hour).Abs() > 5*time.Minute {
			fail("the oldest of an hour ago are %v and %v old", st.Oldest, st.OldestLive)
		}
	}
}
