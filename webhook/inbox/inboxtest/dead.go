package inboxtest

import (
	"errors"
	"fmt"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/inbox"
)

// giveUp makes a dead letter of the event whose turn it is in each lane, and expects so many lanes.
func (c *check) giveUp(reason string, want int) error {
	req := request(inbox.KindEvent, long)
	req.PerLane = 1
	b, err := c.claim(c.a, req, want)
	if err != nil {
		return err
	}
	outs := outcomes(b, inbox.DispositionDead)
	for i := range outs {
		outs[i].Reason = reason
	}
	return c.a.Settle(c.ctx, b.LeaseToken, outs)
}

// letters lists the dead letters, and expects so many.
func (c *check) letters(want int) ([]inbox.DeadLetter, error) {
	list, err := c.b.DeadLetters(c.ctx, inbox.Filter{}, 0, 100)
	if err == nil && len(list) != want {
		err = fmt.Errorf("DeadLetters lists %d, want %d", len(list), want)
	}
	return list, err
}

// deadLetters gives up the first events of two lanes. The rest of the lanes goes on. The letters
// come with everything that a person wants to know, in the order of their IDs, page by page. An
// event of the same key does not come again: a dead letter is known until it is replayed.
func (c *check) deadLetters() error {
	if err := firstError(
		func() error { return c.split("a", event("1", "x"), event("2", "x"), event("3", "y")) },
		func() error { return c.giveUp("no such customer", 2) },
	); err != nil {
		return err
	}
	keys, err := c.finish()
	if err := errors.Join(err, expectKeys(keys, "2")); err != nil {
		return err
	}
	list, err := c.letters(2)
	if err != nil {
		return err
	}
	for _, l := range list {
		if l.Reason != "no such customer" || string(l.Body) != string(delivery("a").Body) ||
			l.Kind != inbox.KindEvent ||
			time.Since(l.DeadAt).Abs() > time.Minute || l.DedupKey != []string{"1", "", "3"}[l.Index] {
			return fmt.Errorf("a dead letter came back as %+v", l)
		}
	}
	if list[0].ID >= list[1].ID {
		return errors.New("dead letters do not come in the order of their IDs")
	}
	page, err := c.a.DeadLetters(c.ctx, inbox.Filter{}, list[0].ID, 100)
	if err != nil || len(page) != 1 || page[0].ID != list[1].ID {
		return errors.Join(err, fmt.Errorf("%d dead letters behind the first one, want 1", len(page)))
	}
	page, err = c.a.DeadLetters(c.ctx, inbox.Filter{}, 0, 1)
	if err != nil || len(page) != 1 || page[0].ID != list[0].ID {
		return errors.Join(err, fmt.Errorf("%d dead letters in a page of 1", len(page)))
	}
	// Meta's repeat changes nothing.
	if err := c.split("b", event("1", "x"), event("4", "x")); err != nil {
		return err
	}
	keys, err = c.finish()
	return errors.Join(err, expectKeys(keys, "4"))
}

// deadOfANumber reads the dead letters of one business's number, page by page, past those of
// others.
func (c *check) deadOfANumber() error {
	const ours, other = "300000000000001", "300000000000002"
	of := func(number graph.PhoneNumberID, key string) inbox.Record {
		ev := event(key, key)
		ev.PhoneNumberID = number
		return ev
	}
	if err := firstError(
		func() error { return c.split("a", of(ours, "1"), of(other, "2"), event("3", "3"), of(ours, "4")) },
		func() error { return c.giveUp("bug", 4) },
		func() error { return c.append(delivery("b")) },
	); err != nil {
		return err
	}
	b, err := c.claim(c.a, request(inbox.KindDelivery, long), 1)
	if err != nil {
		return err
	}
	if err := c.a.Settle(c.ctx, b.LeaseToken, outcomes(b, inbox.DispositionDead)); err != nil {
		return err
	}
	if _, err := c.letters(5); err != nil {
		return err
	}
	var after inbox.ID
	for _, want := range []string{"1", "4"} {
		page, err := c.b.DeadLetters(c.ctx, inbox.Filter{PhoneNumberID: ours}, after, 1)
		if err != nil || len(page) != 1 {
			return errors.Join(err, fmt.Errorf("%d dead letters of a number in a page of 1", len(page)))
		}
		if l := page[0]; l.DedupKey != want || l.PhoneNumberID != ours || string(l.Body) != string(delivery("a").Body) {
			return fmt.Errorf("a dead letter of %s came back as %+v, want that of key %s", ours, l, want)
		}
		after = page[0].ID
	}
	for f, from := range map[inbox.Filter]inbox.ID{
		{PhoneNumberID: ours}: after, {PhoneNumberID: "300000000000003"}: 0,
	} {
		if page, err := c.b.DeadLetters(c.ctx, f, from, 100); err != nil || len(page) > 0 {
			return errors.Join(err, fmt.Errorf("%d dead letters of %s, want none", len(page), f.PhoneNumberID))
		}
	}
	return nil
}

// replaying replays one of two dead letters. Its delivery is split anew into the same three events:
// the one that was handled is known, the one that is dead stays dead, and only the replayed one
// comes. Then the other one, together with an ID that is not dead any more, which does not count.
func (c *check) replaying() error {
	if err := firstError(
		func() error { return c.split("a", event("1", "x"), event("2", "x"), event("3", "y")) },
		func() error { return c.giveUp("bug", 2) },
	); err != nil {
		return err
	}
	list, err := c.letters(2)
	if err != nil {
		return err
	}
	n, err := c.a.ReplayDeadLetters(c.ctx, []inbox.ID{list[0].ID, 1 << 40})
	if err := errors.Join(err, expect("replayed", n, 1)); err != nil {
		return err
	}
	if _, err := c.letters(1); err != nil {
		return err
	}
	// Split anew, into the same events, of which one was replayed, one is dead, and one is waiting.
	if err := c.splitNext(event("1", "x"), event("2", "x"), event("3", "y")); err != nil {
		return err
	}
	keys, err := c.finish()
	if err := errors.Join(err, expectKeys(keys, "2", list[0].DedupKey)); err != nil {
		return err
	}
	n, err = c.b.ReplayDeadLetters(c.ctx, []inbox.ID{list[0].ID, list[1].ID})
	if err := errors.Join(err, expect("replayed", n, 1)); err != nil {
		return err
	}
	if err := c.splitNext(event("1", "x"), event("2", "x"), event("3", "y")); err != nil {
		return err
	}
	keys, err = c.finish()
	if err := errors.Join(err, expectKeys(keys, list[1].DedupKey)); err != nil {
		return err
	}
	_, err = c.letters(0)
	return err
}

// deadDelivery gives up two whole deliveries, as when the decoder panics. Their keys stay known.
// One is deleted, the other one replayed, and split and handled after that.
func (c *check) deadDelivery() error {
	if err := c.append(delivery("a"), delivery("b")); err != nil {
		return err
	}
	b, err := c.claim(c.a, request(inbox.KindDelivery, long), 2)
	if err != nil {
		return err
	}
	outs := outcomes(b, inbox.DispositionDead)
	outs[0].Reason = "the decoder panicked"
	if err := c.a.Settle(c.ctx, b.LeaseToken, outs); err != nil {
		return err
	}
	list, err := c.letters(2)
	if err != nil {
		return err
	}
	if l := list[0]; l.Reason != "the decoder panicked" || l.Kind != inbox.KindDelivery ||
		string(l.Body) != string(delivery("a").Body) {
		return fmt.Errorf("a dead delivery came back as %+v", l)
	}
	if n, err := c.a.Append(c.ctx, []inbox.Record{delivery("a")}); err != nil || n != 0 {
		return errors.Join(err, expect("added of a dead delivery", n, 0))
	}
	n, err := c.a.DeleteDeadLetters(c.ctx, []inbox.ID{list[1].ID})
	if err := errors.Join(err, expect("deleted", n, 1)); err != nil {
		return err
	}
	n, err = c.a.ReplayDeadLetters(c.ctx, []inbox.ID{list[0].ID, list[1].ID})
	if err := errors.Join(err, expect("replayed", n, 1)); err != nil {
		return err
	}
	if err := c.splitNext(event("1", "x")); err != nil {
		return err
	}
	keys, err := c.finish()
	if err := errors.Join(err, expectKeys(keys, "1")); err != nil {
		return err
	}
	_, err = c.letters(0)
	return err
}

// purging deletes a dead letter. It cannot be replayed any more, and its key stays known, so that
// Meta's repeat does not bring it back.
func (c *check) purging() error {
	if err := firstError(
		func() error { return c.split("a", event("1", "x"), event("2", "x")) },
		func() error { return c.giveUp("bug", 1) },
	); err != nil {
		return err
	}
	list, err := c.letters(1)
	if err != nil {
		return err
	}
	n, err := c.b.DeleteDeadLetters(c.ctx, []inbox.ID{list[0].ID, 1 << 40})
	if err := errors.Join(err, expect("deleted", n, 1)); err != nil {
		return err
	}
	if _, err := c.letters(0); err != nil {
		return err
	}
	if n, err = c.b.ReplayDeadLetters(c.ctx, []inbox.ID{list[0].ID}); err != nil || n != 0 {
		return errors.Join(err, expect("replayed of what was deleted", n, 0))
	}
	if err := c.split("b", event("1", "x"), event("3", "x")); err != nil {
		return err
	}
	keys, err := c.finish()
	return errors.Join(err, expectKeys(keys, "2", "3"))
}

// bodiesStay follows one delivery through everything that can happen to its events: one is deleted,
// one is replayed and handled, one deleted after that. The body has to be there until the last of
// them is done or deleted, and its keys may be forgotten only then. Then a delivery that dies when
// it is split anew, and is deleted while one of its events waits.
//
// It finds stores that count wrongly what still needs a body.
func (c *check) bodiesStay() error {
	// One event is deleted, one replayed and done, one deleted after that.
	if err := firstError(
		func() error { return c.split("a", event("1", "x"), event("2", "y"), event("3", "z")) },
		func() error { return c.giveUp("bug", 3) },
	); err != nil {
		return err
	}
	list, err := c.letters(3)
	if err != nil {
		return err
	}
	if err := firstError(
		func() error { _, err := c.a.DeleteDeadLetters(c.ctx, []inbox.ID{list[0].ID}); return err },
		func() error { _, err := c.a.ReplayDeadLetters(c.ctx, []inbox.ID{list[1].ID}); return err },
		func() error { return c.splitNext(event("1", "x"), event("2", "y"), event("3", "z")) },
		func() error { keys, err := c.finish(); return errors.Join(err, expectKeys(keys, list[1].DedupKey)) },
		func() error { return c.forgets(0) },
	); err != nil {
		return err
	}
	if list, err = c.letters(1); err != nil {
		return err
	}
	if string(list[0].Body) != string(delivery("a").Body) {
		return errors.New("the body went before the last dead letter")
	}
	if err := firstError(
		func() error { _, err := c.a.DeleteDeadLetters(c.ctx, []inbox.ID{list[0].ID}); return err },
		func() error { return c.forgets(4) },
		// A delivery dies when it is split anew, and is deleted while an event of it waits.
		func() error { return c.split("b", event("4", "x"), event("5", "x")) },
		func() error { return c.giveUp("bug", 1) },
	); err != nil {
		return err
	}
	if list, err = c.letters(1); err != nil {
		return err
	}
	if _, err := c.a.ReplayDeadLetters(c.ctx, []inbox.ID{list[0].ID}); err != nil {
		return err
	}
	b, err := c.claim(c.a, request(inbox.KindDelivery, long), 1)
	if err != nil {
		return err
	}
	return firstError(
		func() error { return c.a.Settle(c.ctx, b.LeaseToken, outcomes(b, inbox.DispositionDead)) },
		func() error { _, err := c.a.DeleteDeadLetters(c.ctx, []inbox.ID{b.Records[0].ID}); return err },
		func() error { return c.forgets(0) },
		func() error {
			b, err := c.claim(c.a, request(inbox.KindEvent, long), 1)
			if err == nil && string(b.Records[0].Body) != string(delivery("b").Body) {
				err = errors.New("the body went before the last event")
			}
			return errors.Join(err, c.done(c.a, b))
		},
		func() error { return c.forgets(2) },
	)
}

// forgets has old keys forgotten until there were so many, and no more. The keys of a delivery can
// be forgotten when its body is gone, so their number tells whether it is. Stores that forget by
// themselves are not checked.
func (c *check) forgets(want int) error {
	sweeper, ok := c.a.(inbox.Sweeper)
	if !ok {
		return nil
	}
	for n := 0; ; {
		swept, err := sweeper.DeleteExpired(c.ctx, time.Microsecond)
		if n += swept; n > want {
			err = fmt.Errorf("%d keys were forgotten, want %d", n, want)
		}
		if err := errors.Join(err, c.ctx.Err()); err != nil || n == want {
			return err
		}
	}
}

// parking receives a body that is not JSON with an inbox whose handler is in a transaction (InTx).
// The handler takes it well, and it is a dead letter all the same, settled in that transaction.
// Stores without transactions are not checked.
func (c *check) parking() error {
	store, ok := c.a.(inbox.TxSettler)
	if !ok {
		return nil
	}
	open := struct{ inbox.TxSettler }{store} // Shutdown closes a store that can be closed, and this one is still needed
	in, err := inbox.New(open, inbox.InTx(new(webhook.Mux)), inbox.Config{})
	if err != nil {
		return err
	}
	const body = "not JSON"
	err = firstError(
		func() error { return in.Start(c.ctx) },
		func() error { return in.Receive(c.ctx, webhook.Delivery{Body: []byte(body), ReceivedAt: received()}) },
		func() error { return in.WaitIdle(c.ctx) },
	)
	if err := errors.Join(err, in.Shutdown(c.ctx)); err != nil {
		return err
	}
	list, err := c.letters(1)
	if err != nil {
		return err
	}
	if l := list[0]; string(l.Body) != body || l.Kind != inbox.KindEvent || l.Reason == "" {
		return fmt.Errorf("what cannot be decoded came back as %+v", l)
	}
	return nil
}

// counting looks at the Stats of one delivery, one event that is live, one of the backfill, and two
// dead letters. Ages are those of deliveries, by their arrival; dead letters have none.
func (c *check) counting() error {
	bulk := event("3", "z")
	bulk.Backfill = true
	if err := firstError(
		func() error { return c.split("a", event("1", "x"), event("2", "y"), bulk, event("4", "x")) },
		func() error { return c.giveUp("bug", 2) },
		func() error { return c.append(delivery("b")) },
	); err != nil {
		return err
	}
	st, err := c.b.Stats(c.ctx)
	if err != nil {
		return err
	}
	want := inbox.Stats{Deliveries: 1, Live: 1, Backfill: 1, Dead: 2}
	got := st
	got.DedupKeys, got.Oldest, got.OldestLive = 0, 0, 0
	if err := errors.Join(expect("Stats", got, want), expect("Depth", st.Depth(), 3)); err != nil {
		return err
	}
	for _, age := range []time.Duration{st.Oldest, st.OldestLive} { // all arrived an hour ago
		if (age - time.Hour).Abs() > 5*time.Minute {
			return fmt.Errorf("the oldest of an hour ago are %v and %v old", st.Oldest, st.OldestLive)
		}
	}
	return nil
}
