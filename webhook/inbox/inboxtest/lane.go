package inboxtest

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/inbox"
)

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
	req := request(inbox.KindEvent, c.short)
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
	if err := expect("lanes", len(lanes), 3); err != nil {
		return err
	}
	for _, name := range []string{"big 1", "big 2", "big 3"} {
		d := delivery(name)
		d.Body = make([]byte, 1000)
		if err := c.append(d); err != nil {
			return err
		}
	}
	req = request(inbox.KindDelivery, c.short)
	for _, tt := range []struct{ bytes, want int }{{1, 1}, {1999, 1}, {2000, 2}, {3000, 3}, {0, 3}} {
		req.MaxBytes = tt.bytes
		b, err := c.await(c.a, req)
		if err != nil || len(b.Records) != tt.want {
			return errors.Join(err, fmt.Errorf("a claim of %d bytes brought %d deliveries of 1000, want %d", tt.bytes, len(b.Records), tt.want))
		}
	}
	return nil
}

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
		if err := c.b.Settle(c.ctx, b.LeaseToken, []inbox.Settlement{{ID: b.Records[0].ID, Disposition: inbox.DispositionRetry, RetryAfter: time.Millisecond}}); err != nil {
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

func (c *check) releasing() error {
	if err := c.split("a", event("1", "x"), event("2", "x"), event("3", "x")); err != nil {
		return err
	}
	b, err := c.claim(c.a, request(inbox.KindEvent, long), 3)
	if err != nil {
		return err
	}
	if err := c.a.Settle(c.ctx, b.LeaseToken, []inbox.Settlement{{ID: b.Records[0].ID}, {ID: b.Records[1].ID, Disposition: inbox.DispositionRelease}}); err != nil {
		return err
	}
	if err := wantLeaseLost("settling what was released with the record before it", c.a.Settle(c.ctx, b.LeaseToken, []inbox.Settlement{{ID: b.Records[2].ID}})); err != nil {
		return err
	}
	b, err = c.claim(c.b, request(inbox.KindEvent, long), 2)
	if err != nil {
		return err
	}
	return errors.Join(expectKeys(keysOf(b.Records), "2", "3"), expect("Attempts", b.Records[0].Attempts, 0))
}

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
		if err := wantLeaseLost("settling after the lease was lost", c.a.Settle(c.ctx, late.LeaseToken, outcomes(late, kind)[:1])); err != nil {
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
	if err := wantLeaseLost("settling what the new holder has settled", c.a.Settle(c.ctx, late.LeaseToken, outcomes(late, inbox.DispositionDone))); err != nil {
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
	err = c.a.Settle(c.ctx, late.LeaseToken, []inbox.Settlement{{ID: late.Records[0].ID, Events: []inbox.Record{event("", "late")}}})
	if err := wantLeaseLost("splitting after the lease was lost", err); err != nil {
		return err
	}
	if err := c.done(c.b, now); err != nil {
		return err
	}
	_, err = c.claim(c.a, request(inbox.KindEvent, long), 0)
	return err
}

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

// Many claim at once while deliveries are still being split, and each lane has to come out in
// order.
func (c *check) concurrentClaims() error {
	const lanes, deliveries, each = 7, 20, 10
	want := map[string][]string{}
	for d := range deliveries {
		if err := c.append(delivery(fmt.Sprint(d))); err != nil {
			return err
		}
		for i := range each {
			lane := fmt.Sprint("lane", (d*3+i)%lanes)
			want[lane] = append(want[lane], fmt.Sprintf("%d.%d", d, i))
		}
	}
	var mu sync.Mutex
	got, left := map[string][]string{}, deliveries*each
	holders := map[string]inbox.LeaseToken{}
	work := func(s inbox.Store) error {
		for {
			mu.Lock()
			over := left == 0
			mu.Unlock()
			if over {
				return nil
			}
			if b, err := s.Claim(c.ctx, inbox.ClaimRequest{Lanes: 1, PerLane: 2, LeaseDuration: long}); err != nil {
				return err
			} else if len(b.Records) > 0 {
				outs := outcomes(b, inbox.DispositionDone)
				for i, rec := range b.Records {
					var d int
					if _, err := fmt.Sscanf(rec.DedupKey, "delivery:%d", &d); err != nil {
						return err
					}
					for j := range each {
						ev := event(fmt.Sprintf("%d.%d", d, j), fmt.Sprint("lane", (d*3+j)%lanes))
						ev.Index = j
						outs[i].Events = append(outs[i].Events, ev)
					}
				}
				if err := s.Settle(c.ctx, b.LeaseToken, outs); err != nil {
					return err
				}
			}
			b, err := s.Claim(c.ctx, inbox.ClaimRequest{
				Kind: inbox.KindEvent, Lanes: 2, PerLane: 3, LeaseDuration: long,
			})
			if err != nil {
				return err
			}
			if len(b.Records) == 0 {
				continue
			}
			mu.Lock()
			for _, rec := range b.Records {
				if holder := holders[rec.Lane]; holder != "" && holder != b.LeaseToken {
					err = fmt.Errorf("the lane %q has two holders", rec.Lane)
				}
				holders[rec.Lane] = b.LeaseToken
				got[rec.Lane] = append(got[rec.Lane], rec.DedupKey)
			}
			mu.Unlock()
			if err != nil {
				return err
			}
			mu.Lock()
			for _, rec := range b.Records {
				holders[rec.Lane] = ""
			}
			mu.Unlock()
			if err := c.done(s, b); err != nil {
				return err
			}
			mu.Lock()
			left -= len(b.Records)
			mu.Unlock()
		}
	}
	var wg sync.WaitGroup
	errs := make([]error, 6)
	for i := range errs {
		wg.Go(func() { errs[i] = work([]inbox.Store{c.a, c.b}[i%2]) })
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		return err
	}
	for lane, keys := range want {
		if err := expectKeys(got[lane], keys...); err != nil {
			return fmt.Errorf("%s: %w", lane, err)
		}
	}
	return nil
}
