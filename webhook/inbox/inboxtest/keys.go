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
func (c *check) roundTrip() error {
	in := delivery("a")
	if err := c.append(in); err != nil {
		return err
	}
	b, err := c.claim(c.b, request(inbox.KindDelivery, long), 1)
	if err != nil {
		return err
	}
	out := b.Records[0]
	switch {
	case out.ID == 0 || out.Delivery != out.ID:
		err = fmt.Errorf(
			"ID is %d and Delivery %d; a delivery has an ID, which is its Delivery too", out.ID, out.Delivery,
		)
	case string(out.Body) != string(in.Body):
		err = fmt.Errorf("the body came back as %q, want %q", out.Body, in.Body)
	case out.DedupKey != in.DedupKey || out.Lane != "" || out.Backfill ||
		out.Kind != inbox.KindDelivery || out.Attempts != 0:
		err = fmt.Errorf("came back as %+v", out)
	case !out.ReceivedAt.Equal(in.ReceivedAt):
		err = fmt.Errorf("ReceivedAt came back as %v, want %v", out.ReceivedAt, in.ReceivedAt)
	case b.LeaseToken == "":
		err = errors.New("the batch has no token")
	}
	return err
}

// duplicateDelivery appends deliveries again: in the same call, in a later one, and after they were
// done. A key stays known when the body is gone.
func (c *check) duplicateDelivery() error {
	n, err := c.a.Append(c.ctx, []inbox.Record{delivery("a"), delivery("b"), delivery("a")})
	if err := errors.Join(err, expect("added of two and a repeat", n, 2)); err != nil {
		return err
	}
	n, err = c.b.Append(c.ctx, []inbox.Record{delivery("b"), delivery("c")})
	if err := errors.Join(err, expect("added of one new one", n, 1)); err != nil {
		return err
	}
	b, err := c.claim(c.a, request(inbox.KindDelivery, long), 3)
	if err != nil {
		return err
	}
	if err := c.done(c.a, b); err != nil {
		return err
	}
	n, err = c.b.Append(c.ctx, []inbox.Record{delivery("a"), delivery("b"), delivery("c")})
	return errors.Join(err, expect("added after all were done", n, 0))
}

// deliveryOrder claims thirty deliveries seven at a time. All live deliveries are one lane, so
// while some are held, another claim brings none; and they come in the order in which they were
// appended.
func (c *check) deliveryOrder() error {
	var want []string
	for i := range 30 {
		d := delivery(fmt.Sprintf("%02d", i))
		if err := c.append(d); err != nil {
			return err
		}
		want = append(want, d.DedupKey)
	}
	req := request(inbox.KindDelivery, long)
	req.PerLane = 7
	var got []string
	for len(got) < len(want) {
		b, err := c.b.Claim(c.ctx, req)
		if err != nil {
			return err
		}
		if len(b.Records) == 0 || len(b.Records) > req.PerLane {
			return fmt.Errorf("a claim of 7 brought %d of %d", len(b.Records), len(want)-len(got))
		}
		if other, err := c.a.Claim(c.ctx, req); err != nil || len(other.Records) > 0 {
			return errors.Join(err, fmt.Errorf(
				"another claim brought %d while the first ones were held", len(other.Records),
			))
		}
		got = append(got, keysOf(b.Records)...)
		if err := c.done(c.b, b); err != nil {
			return err
		}
	}
	return expectKeys(got, want...)
}

// queues appends a delivery of the backfill before one that is live, and claims each from its own
// queue, though the other one is held. The backfill is split into a historical event and one that
// is live: what an event is decides about its queue, not what its delivery was. Both have the same
// lane, which is two lanes then.
func (c *check) queues() error {
	bulk := delivery("bulk")
	bulk.Backfill = true
	if err := c.append(bulk, delivery("live")); err != nil {
		return err
	}
	live, err := c.claim(c.a, request(inbox.KindDelivery, long), 1)
	if err != nil {
		return err
	}
	req := request(inbox.KindDelivery, long)
	req.Backfill = true
	slow, err := c.claim(c.a, req, 1)
	if err != nil {
		return err
	}
	if err := expectKeys(keysOf(append(live.Records, slow.Records...)), "delivery:live", "delivery:bulk"); err != nil {
		return err
	}
	history := event("h", "lane")
	history.Backfill = true
	if err := c.a.Settle(c.ctx, slow.LeaseToken, []inbox.Settlement{{
		ID: slow.Records[0].ID, Events: []inbox.Record{history, event("m", "lane")},
	}}); err != nil {
		return err
	}
	req.Kind = inbox.KindEvent
	h, err := c.claim(c.a, req, 1)
	if err != nil {
		return err
	}
	m, err := c.claim(c.a, request(inbox.KindEvent, long), 1)
	return errors.Join(err, expectKeys(keysOf(append(h.Records, m.Records...)), "h", "m"),
		expect("Bulk of the history", len(h.Records) > 0 && h.Records[0].Backfill, true))
}

// splitting looks at everything that a handler needs of an event: its place in the delivery, its
// lane, its number, and the body and arrival of its delivery.
func (c *check) splitting() error {
	const number = "300000000000001"
	last := event("3", "y")
	last.PhoneNumberID = number
	if err := c.split("a", event("1", "x"), event("2", "x"), last); err != nil {
		return err
	}
	b, err := c.claim(c.b, request(inbox.KindEvent, long), 3)
	if err != nil {
		return err
	}
	slices.SortFunc(b.Records, func(a, b inbox.Record) int { return a.Index - b.Index })
	want := delivery("a")
	for i, rec := range b.Records {
		lane := []string{"x", "x", "y"}[i]
		if rec.Index != i || rec.Kind != inbox.KindEvent || rec.Lane != lane ||
			(rec.PhoneNumberID == number) != (i == 2) || rec.Delivery == 0 || rec.Delivery == rec.ID {
			return fmt.Errorf("event %d came back as %+v", i, rec)
		}
		if string(rec.Body) != string(want.Body) || rec.ReceivedAt.Sub(want.ReceivedAt).Abs() > time.Minute {
			return fmt.Errorf(
				"event %d came with the body %q received at %v, want those of its delivery", i, rec.Body,
				rec.ReceivedAt,
			)
		}
	}
	return nil
}

// duplicateEvent splits a delivery into an event that it has twice, and another delivery into one
// that the first had.
func (c *check) duplicateEvent() error {
	if err := c.split("a", event("1", "x"), event("1", "x"), event("2", "x")); err != nil {
		return err
	}
	if err := c.split("b", event("2", "x"), event("3", "x")); err != nil {
		return err
	}
	keys, err := c.finish()
	return errors.Join(err, expectKeys(keys, "1", "2", "3"))
}

// keyless splits a delivery into two events without a key: two events, although their keys are
// equal.
func (c *check) keyless() error {
	if err := c.split("a", event("", "x"), event("", "x")); err != nil {
		return err
	}
	keys, err := c.finish()
	return errors.Join(err, expectKeys(keys, "", ""))
}

// yielding splits a delivery into a placeholder, its message, a late placeholder of the same
// message, and one of another message. The placeholder that comes first is handled, since nobody
// knows yet what follows; the late one is dropped; the other one waits for nothing.
func (c *check) yielding() error {
	placeholder := event("placeholder", "x")
	placeholder.SupersededBy = "message"
	late, other := placeholder, placeholder
	late.DedupKey, other.DedupKey, other.SupersededBy = "late placeholder", "other placeholder", "another message"
	if err := c.split("a", placeholder, event("message", "x"), late, other); err != nil {
		return err
	}
	keys, err := c.finish()
	return errors.Join(err, expectKeys(keys, "placeholder", "message", "other placeholder"))
}

// keysStay splits a delivery into an event that was handled before: its key is still known.
func (c *check) keysStay() error {
	if err := c.split("a", event("1", "x")); err != nil {
		return err
	}
	if _, err := c.finish(); err != nil {
		return err
	}
	if err := c.split("b", event("1", "x"), event("2", "x")); err != nil {
		return err
	}
	keys, err := c.finish()
	return errors.Join(err, expectKeys(keys, "2"))
}

// forgotten splits a delivery with DropKey twice. Its event has no key, so each time that Meta
// sends it, it counts.
func (c *check) forgotten() error {
	for range 2 {
		if err := c.append(delivery("a")); err != nil {
			return err
		}
		b, err := c.claim(c.a, request(inbox.KindDelivery, long), 1)
		if err != nil {
			return err
		}
		err = c.a.Settle(c.ctx, b.LeaseToken, []inbox.Settlement{{
			ID: b.Records[0].ID, DropKey: true, Events: []inbox.Record{event("", "x")},
		}})
		if err != nil {
			return err
		}
		keys, err := c.finish()
		if err := errors.Join(err, expectKeys(keys, "")); err != nil {
			return err
		}
	}
	return nil
}

// sweeping has old keys forgotten. Keys of an hour ago are kept, and so are those of a delivery of
// which an event is pending, whose body is still there: a replay would need them. What was
// forgotten counts as new.
func (c *check) sweeping() error {
	sweeper, ok := c.a.(inbox.Sweeper)
	if !ok {
		return nil
	}
	if err := firstError(
		func() error { return c.split("a", event("done", "x")) },
		func() error { _, err := c.finish(); return err },
		func() error { return c.split("b", event("done beside a pending one", "x"), event("pending", "y")) },
	); err != nil {
		return err
	}
	req := request(inbox.KindEvent, long)
	req.Lanes, req.PerLane = 1, 1
	b, err := c.claim(c.a, req, 1)
	if err != nil {
		return err
	}
	if err := c.done(c.a, b); err != nil {
		return err
	}
	if n, err := sweeper.DeleteExpired(c.ctx, time.Hour); err != nil || n != 0 {
		return errors.Join(err, expect("forgotten of what was done just now", n, 0))
	}
	// Old is what was done before now, by the store's clock.
	for n := 0; n < 2; {
		swept, err := sweeper.DeleteExpired(c.ctx, time.Microsecond)
		if err := errors.Join(err, c.ctx.Err()); err != nil {
			return err
		}
		n += swept
	}
	n, err := c.a.Append(c.ctx, []inbox.Record{delivery("a"), delivery("b")})
	if err := errors.Join(err, expect("added after a sweep", n, 1)); err != nil {
		return err
	}
	err = c.splitNext(event("done", "z"), event("done beside a pending one", "z"), event("pending", "z"))
	if err != nil {
		return err
	}
	keys, err := c.finish()
	slices.Sort(keys)
	return errors.Join(err, expectKeys(keys, "done", "pending"))
}

// concurrentAppends has 32 callers append the same two deliveries and one of their own. Each
// delivery has to be counted by one of them.
//
// It finds stores that look for a key and store it in two steps.
func (c *check) concurrentAppends() error {
	var wg sync.WaitGroup
	added, errs := make([]int, 32), make([]error, 32)
	for i := range added {
		wg.Go(func() {
			s := []inbox.Store{c.a, c.b}[i%2]
			added[i], errs[i] = s.Append(c.ctx, []inbox.Record{delivery("a"), delivery("b"), delivery(fmt.Sprint(i))})
		})
	}
	wg.Wait()
	sum := 0
	for _, n := range added {
		sum += n
	}
	if err := errors.Join(errors.Join(errs...), expect("added by all together", sum, 34)); err != nil {
		return err
	}
	_, err := c.claim(c.a, request(inbox.KindDelivery, long), 34)
	return err
}

// endedContext claims and settles with a context that has ended. Both have to fail and to change
// nothing, because the caller does not look at the result any more.
func (c *check) endedContext() error {
	ctx, cancel := context.WithCancel(c.ctx)
	cancel()
	if _, err := c.a.Claim(ctx, request(inbox.KindDelivery, long)); err == nil {
		return errors.New("a claim accepted an ended context")
	}
	if err := c.append(delivery("a")); err != nil {
		return err
	}
	b, err := c.claim(c.a, request(inbox.KindDelivery, long), 1)
	if err != nil {
		return err
	}
	if err := c.a.Settle(ctx, b.LeaseToken, outcomes(b, inbox.DispositionDone)); err == nil {
		return errors.New("settling accepted an ended context")
	}
	return c.done(c.a, b)
}
