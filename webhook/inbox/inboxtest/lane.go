package inboxtest

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/inbox"
)

// laneOrder claims the first two of four events of a lane, which come from two deliveries. Until
// both are settled, the lane brings nothing to anybody, not even when half of the batch is done;
// after that, the other two come.
//
// It finds stores that free a lane with the first settlement, or that look at leases of records and
// not of lanes.
func (c *check) laneOrder() error {
	if err := c.split("a", event("1", "x"), event("2", "x"), event("3", "x")); err != nil {
		return err
	}
	if err := c.split("b", event("4", "x")); err != nil {
		return err
	}
	req := request(inbox.KindEvent, long)
	req.PerLane = 2
	first, err := c.claim(c.a, req, 2)
	if err != nil {
		return err
	}
	if _, err := c.claim(c.b, req, 0); err != nil {
		return fmt.Errorf("while the lane is held: %w", err)
	}
	if err := c.a.Settle(c.ctx, first.LeaseToken, outcomes(first, inbox.DispositionDone)[:1]); err != nil {
		return err
	}
	if _, err := c.claim(c.b, req, 0); err != nil {
		return fmt.Errorf("while the rest of the batch is held: %w", err)
	}
	if err := c.a.Settle(c.ctx, first.LeaseToken, outcomes(first, inbox.DispositionDone)[1:]); err != nil {
		return err
	}
	second, err := c.claim(c.b, req, 2)
	return errors.Join(err, expectKeys(keysOf(append(first.Records, second.Records...)), "1", "2", "3", "4"))
}

// lanesApart claims two lanes with two claims of one lane each, and expects two different ones
// under different tokens. Then a lane is added while these two are held.
//
// It finds stores in which one lease holds up the queue.
func (c *check) lanesApart() error {
	if err := c.split("a", event("1", "x"), event("2", "y")); err != nil {
		return err
	}
	req := request(inbox.KindEvent, long)
	req.Lanes = 1
	first, err := c.claim(c.a, req, 1)
	if err != nil {
		return err
	}
	second, err := c.claim(c.b, req, 1)
	if err != nil {
		return err
	}
	if first.Records[0].DedupKey == second.Records[0].DedupKey || first.LeaseToken == second.LeaseToken {
		return errors.New("two claims brought the same lane, or the same token")
	}
	// New events of one lane become ready while another one is held.
	if err := c.split("b", event("3", "z")); err != nil {
		return err
	}
	third, err := c.claim(c.b, req, 1)
	return errors.Join(err, expectKeys(keysOf(third.Records), "3"))
}

// limits claims three of five lanes with two of four records each. The records of a lane have to
// follow each other in the batch, because a worker takes them as they come.
func (c *check) limits() error {
	var events []inbox.Record
	for lane := range 5 {
		for i := range 4 {
			events = append(events, event(fmt.Sprintf("%d.%d", lane, i), fmt.Sprint("lane", lane)))
		}
	}
	if err := c.split("a", events...); err != nil {
		return err
	}
	req := request(inbox.KindEvent, long)
	req.Lanes, req.PerLane = 3, 2
	b, err := c.claim(c.a, req, 6)
	if err != nil {
		return err
	}
	lanes := map[string]int{}
	for i, rec := range b.Records {
		lanes[rec.Lane]++
		if i%2 == 1 && (rec.Lane != b.Records[i-1].Lane || rec.Index != b.Records[i-1].Index+1) {
			return errors.New("the records of a lane do not follow each other in order")
		}
	}
	return expect("lanes", len(lanes), 3)
}

// maxBytes claims three deliveries of 1,000 bytes with several limits. A limit that is less than
// the first body brings that one all the same: otherwise it would never be handled. The lease is
// short, so that the next round finds them again.
func (c *check) maxBytes() error {
	for _, name := range []string{"big 1", "big 2", "big 3"} {
		d := delivery(name)
		d.Body = make([]byte, 1000)
		if err := c.append(d); err != nil {
			return err
		}
	}
	req := request(inbox.KindDelivery, c.short)
	for _, tt := range []struct{ bytes, want int }{{1, 1}, {1999, 1}, {2000, 2}, {3000, 3}, {0, 3}} {
		req.MaxBytes = tt.bytes
		b, err := c.await(c.a, req)
		if err != nil || len(b.Records) != tt.want {
			return errors.Join(err, fmt.Errorf(
				"a claim of %d bytes brought %d deliveries of 1000, want %d", tt.bytes, len(b.Records), tt.want,
			))
		}
	}
	return nil
}

// retrying settles the first of two events of a lane for another attempt in an hour. The one behind
// it waits, though it was in the same batch; other lanes do not. The Wait of an empty batch must
// not be longer than the pause, so that nobody sleeps past it.
//
// Then an event fails three times, and its Attempts have to count that.
func (c *check) retrying() error {
	if err := c.split("a", event("1", "x"), event("2", "x"), event("3", "y")); err != nil {
		return err
	}
	b, err := c.claim(c.a, request(inbox.KindEvent, long), 3)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(b.Records, func(r inbox.Record) bool { return r.DedupKey == "1" })
	j := slices.IndexFunc(b.Records, func(r inbox.Record) bool { return r.DedupKey == "3" })
	if err := c.a.Settle(c.ctx, b.LeaseToken, []inbox.Settlement{
		{ID: b.Records[i].ID, Disposition: inbox.DispositionRetry, RetryAfter: time.Hour, Reason: "busy"},
		{ID: b.Records[j].ID},
	}); err != nil {
		return err
	}
	waiting, err := c.claim(c.b, request(inbox.KindEvent, long), 0)
	if err != nil {
		return fmt.Errorf("during the pause: %w", err)
	}
	if waiting.Wait < 0 || waiting.Wait > time.Hour {
		return fmt.Errorf("the batch's Wait is %v during a pause of an hour", waiting.Wait)
	}
	if err := c.split("b", event("4", "z")); err != nil { // others are not blocked
		return err
	}
	if b, err = c.claim(c.b, request(inbox.KindEvent, long), 1); err != nil {
		return err
	}
	for attempts := range 3 {
		if err := c.b.Settle(c.ctx, b.LeaseToken, []inbox.Settlement{{
			ID: b.Records[0].ID, Disposition: inbox.DispositionRetry, RetryAfter: time.Millisecond,
		}}); err != nil {
			return err
		}
		if b, err = c.await(c.b, request(inbox.KindEvent, long)); err != nil {
			return err
		}
		if err := expect("Attempts", b.Records[0].Attempts, attempts+1); err != nil {
			return err
		}
	}
	return expectKeys(keysOf(b.Records), "4")
}

// releasing settles three events of a lane as done, released, and not at all. Releasing the second
// gives back the third as well, so settling that is refused; both come again at once, and without
// an attempt being counted.
//
// It is what a worker does with a batch when its process shuts down.
func (c *check) releasing() error {
	if err := c.split("a", event("1", "x"), event("2", "x"), event("3", "x")); err != nil {
		return err
	}
	b, err := c.claim(c.a, request(inbox.KindEvent, long), 3)
	if err != nil {
		return err
	}
	if err := c.a.Settle(c.ctx, b.LeaseToken, []inbox.Settlement{
		{ID: b.Records[0].ID}, {ID: b.Records[1].ID, Disposition: inbox.DispositionRelease},
	}); err != nil {
		return err
	}
	err = c.a.Settle(c.ctx, b.LeaseToken, []inbox.Settlement{{ID: b.Records[2].ID}})
	if err := wantLeaseLost("settling what was released with the record before it", err); err != nil {
		return err
	}
	b, err = c.claim(c.b, request(inbox.KindEvent, long), 2)
	if err != nil {
		return err
	}
	return errors.Join(expectKeys(keysOf(b.Records), "2", "3"), expect("Attempts", b.Records[0].Attempts, 0))
}

// leaseEnds claims events, and a delivery, and does nothing with them. When the lease is over,
// another store gets them, in the same order.
func (c *check) leaseEnds() error {
	if err := c.split("a", event("1", "x"), event("2", "x")); err != nil {
		return err
	}
	if _, err := c.claim(c.a, request(inbox.KindEvent, c.short), 2); err != nil {
		return err
	}
	b, err := c.await(c.b, request(inbox.KindEvent, long))
	if err := errors.Join(err, expectKeys(keysOf(b.Records), "1", "2")); err != nil {
		return err
	}
	if err := c.append(delivery("b")); err != nil {
		return err
	}
	if _, err := c.claim(c.a, request(inbox.KindDelivery, c.short), 1); err != nil {
		return err
	}
	b, err = c.await(c.b, request(inbox.KindDelivery, long))
	return errors.Join(err, expectKeys(keysOf(b.Records), "delivery:b"))
}

// fencing has a second worker claim what the lease of the first one does not hold any more. From
// then on the first one can neither settle in any way nor extend, before and after the second one
// has settled; and what it tried leaves no trace. The same for a delivery, because one that is
// split twice would make its events twice.
//
// This is the check that keeps a process which was stopped for a while from doing damage when it
// goes on.
func (c *check) fencing() error {
	if err := c.split("a", event("1", "x"), event("2", "x")); err != nil {
		return err
	}
	late, err := c.claim(c.a, request(inbox.KindEvent, c.short), 2)
	if err != nil {
		return err
	}
	now, err := c.await(c.b, request(inbox.KindEvent, long))
	if err != nil {
		return err
	}
	for _, kind := range []inbox.Disposition{
		inbox.DispositionDone, inbox.DispositionRetry, inbox.DispositionDead, inbox.DispositionRelease,
	} {
		err := c.a.Settle(c.ctx, late.LeaseToken, outcomes(late, kind)[:1])
		if err := wantLeaseLost("settling after the lease was lost", err); err != nil {
			return err
		}
	}
	err = c.a.Extend(c.ctx, late.LeaseToken, long)
	if err := wantLeaseLost("extending after the lease was lost", err); err != nil {
		return err
	}
	if err := c.done(c.b, now); err != nil {
		return fmt.Errorf("the new holder: %w", err)
	}
	if err := wantLeaseLost("settling what the new holder has settled", c.done(c.a, late)); err != nil {
		return err
	}
	if err := c.append(delivery("b")); err != nil {
		return err
	}
	// A delivery must not be split by two.
	if late, err = c.claim(c.a, request(inbox.KindDelivery, c.short), 1); err != nil {
		return err
	}
	if now, err = c.await(c.b, request(inbox.KindDelivery, long)); err != nil {
		return err
	}
	err = c.a.Settle(
		c.ctx, late.LeaseToken, []inbox.Settlement{{ID: late.Records[0].ID, Events: []inbox.Record{event("", "late")}}},
	)
	if err := wantLeaseLost("splitting after the lease was lost", err); err != nil {
		return err
	}
	if err := c.done(c.b, now); err != nil {
		return err
	}
	_, err = c.claim(c.a, request(inbox.KindEvent, long), 0)
	return err
}

// extending shortens a lease and waits for its end, which proves that Extend sets a lease and not
// only adds to it. Then a lease whose time is over, but which no other worker has claimed, is
// extended: that works, and the lane is held again.
func (c *check) extending() error {
	if err := c.split("a", event("1", "x")); err != nil {
		return err
	}
	b, err := c.claim(c.a, request(inbox.KindEvent, long), 1)
	if err != nil {
		return err
	}
	// Down to a short lease, whose end proves that Extend sets it; then up again.
	if err := c.a.Extend(c.ctx, b.LeaseToken, c.short); err != nil {
		return err
	}
	next, err := c.await(c.b, request(inbox.KindEvent, c.short))
	if err != nil {
		return err
	}
	if err := c.b.Extend(c.ctx, next.LeaseToken, long); errors.Is(err, inbox.ErrLeaseLost) {
		return errors.New("ErrLeaseLost, although nobody else has asked")
	} else if err != nil {
		return err
	}
	if _, err := c.claim(c.a, request(inbox.KindEvent, long), 0); err != nil {
		return err
	}
	return c.done(c.b, next)
}

// allOrNothing settles a batch together with an ID that is not in it. That is refused as a whole,
// so the batch can be settled afterwards.
//
// It finds stores that settle record by record, outside of a transaction.
func (c *check) allOrNothing() error {
	if err := c.split("a", event("1", "x"), event("2", "y")); err != nil {
		return err
	}
	b, err := c.claim(c.a, request(inbox.KindEvent, long), 2)
	if err != nil {
		return err
	}
	bad := append(outcomes(b, inbox.DispositionDone), inbox.Settlement{ID: b.Records[0].ID + 1<<40})
	if err := wantLeaseLost("settling what is not in the batch", c.a.Settle(c.ctx, b.LeaseToken, bad)); err != nil {
		return err
	}
	if err := c.done(c.a, b); err != nil {
		return fmt.Errorf("after outcomes that were refused as a whole: %w", err)
	}
	_, err = c.claim(c.b, request(inbox.KindEvent, long), 0)
	return err
}

// concurrentClaims has six workers split deliveries and handle their events at once, over both
// stores. Each lane has to come out in the order of its events, and never at two workers at a time:
// the check keeps a book of the lanes in hand, beside the store.
//
// It finds stores that lock too little. Deliveries are still being split while events are handled,
// so a lane goes when its last event is done and comes back with the next delivery: a store that
// decides about the one while it does the other loses events, or hands a lane out twice.
func (c *check) concurrentClaims() error {
	race := &claimRace{
		check: c, left: raceDeliveries * raceEvents, got: map[string][]string{}, holders: map[string]inbox.LeaseToken{},
	}
	for d := range raceDeliveries {
		if err := c.append(delivery(fmt.Sprint(d))); err != nil {
			return err
		}
	}
	var wg sync.WaitGroup
	errs := make([]error, raceWorkers)
	for i := range errs {
		wg.Go(func() { errs[i] = race.work([]inbox.Store{c.a, c.b}[i%2]) })
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		return err
	}
	want := map[string][]string{}
	for d := range raceDeliveries {
		for _, ev := range raceSplit(d) {
			want[ev.Lane] = append(want[ev.Lane], ev.DedupKey)
		}
	}
	for lane, keys := range want {
		if err := expectKeys(race.got[lane], keys...); err != nil {
			return fmt.Errorf("%s: %w", lane, err)
		}
	}
	return nil
}

const (
	raceWorkers    = 6
	raceDeliveries = 20
	raceEvents     = 10 // of each delivery
	raceLanes      = 7  // in all
)

// A claimRace is the state that the workers of concurrentClaims share.
type claimRace struct {
	*check

	mu      sync.Mutex
	left    int                         // events that are not settled
	got     map[string][]string         // keys of the events of a lane, as they were handed out
	holders map[string]inbox.LeaseToken // of the lanes in hand
}

// raceSplit returns the events of the d-th delivery. Neighbours in a delivery are in different
// lanes.
func raceSplit(d int) []inbox.Record {
	events := make([]inbox.Record, raceEvents)
	for i := range events {
		events[i] = event(fmt.Sprintf("%d.%d", d, i), fmt.Sprint("lane", (d*3+i)%raceLanes))
		events[i].Index = i
	}
	return events
}

// work splits and handles by turns until nothing is left.
func (r *claimRace) work(s inbox.Store) error {
	for !r.finished() {
		if err := errors.Join(r.splitSome(s), r.handleSome(s)); err != nil {
			return err
		}
	}
	return nil
}

func (r *claimRace) finished() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.left == 0
}

// splitSome splits the deliveries that a claim brings.
func (r *claimRace) splitSome(s inbox.Store) error {
	b, err := s.Claim(r.ctx, inbox.ClaimRequest{Lanes: 1, PerLane: 2, LeaseDuration: long})
	if err != nil || len(b.Records) == 0 {
		return err
	}
	outs := outcomes(b, inbox.DispositionDone)
	for i, rec := range b.Records {
		var d int
		if _, err := fmt.Sscanf(rec.DedupKey, "delivery:%d", &d); err != nil {
			return err
		}
		outs[i].Events = raceSplit(d)
	}
	return s.Settle(r.ctx, b.LeaseToken, outs)
}

// handleSome settles the events that a claim brings. The lanes are in the book from the claim until
// just before they are settled, since another worker may have them at once then.
func (r *claimRace) handleSome(s inbox.Store) error {
	b, err := s.Claim(r.ctx, inbox.ClaimRequest{Kind: inbox.KindEvent, Lanes: 2, PerLane: 3, LeaseDuration: long})
	if err != nil || len(b.Records) == 0 {
		return err
	}
	if err := r.take(b); err != nil {
		return err
	}
	r.release(b)
	if err := r.done(s, b); err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.left -= len(b.Records)
	return nil
}

// take notes that the lanes of a batch are in hand.
func (r *claimRace) take(b inbox.Batch) (err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, rec := range b.Records {
		if holder := r.holders[rec.Lane]; holder != "" && holder != b.LeaseToken {
			err = fmt.Errorf("the lane %q has two holders", rec.Lane)
		}
		r.holders[rec.Lane] = b.LeaseToken
		r.got[rec.Lane] = append(r.got[rec.Lane], rec.DedupKey)
	}
	return err
}

func (r *claimRace) release(b inbox.Batch) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, rec := range b.Records {
		r.holders[rec.Lane] = ""
	}
}
