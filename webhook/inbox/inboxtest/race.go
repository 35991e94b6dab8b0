package inboxtest

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/inbox"
)

// concurrentClaims has six workers split deliveries and handle their events at once, over both
// stores. Each lane has to come out in the order of its events, and never at two workers at a time:
// the check keeps a book of the lanes in progress, beside the store.
//
// It finds stores that lock too little. Deliveries are still being split while events are handled,
// so a lane goes when its last event is done and comes back with the next delivery: a store that
// decides about the one while it does the other loses events, or hands a lane out twice.
func (c *check) concurrentClaims() {
	for d := range raceDeliveries {
		c.append(delivery(fmt.Sprint(d)))
	}
	race := &claimRace{
		check: c, left: raceDeliveries * raceEvents, got: map[string][]string{}, holders: map[string]inbox.LeaseToken{},
	}
	var wg sync.WaitGroup
	errs := make([]error, raceWorkers)
	for i := range errs {
		wg.Go(func() {
			errs[i] = catch(func() { race.work([]inbox.Store{c.a, c.b}[i%2]) })
		})
	}
	wg.Wait()
	must(errors.Join(errs...))
	want := map[string][]string{}
	for d := range raceDeliveries {
		for _, ev := range raceSplit(d) {
			want[ev.Lane] = append(want[ev.Lane], ev.DedupKey)
		}
	}
	for lane, keys := range want {
		if err := catch(func() { expectKeys(race.got[lane], keys...) }); err != nil {
			fail("%s: %w", lane, err)
		}
	}
}

const (
	raceWorkers    = 6
	raceDeliveries = 20
	raceEvents     = 10 // of each delivery
	raceLanes      = 7  // in all
)

// A claimRace is what the workers of concurrentClaims share.
type claimRace struct {
	*check

	mu      sync.Mutex
	left    int                         // events that are not settled
	got     map[string][]string         // keys of the events of a lane, as they were handed out
	holders map[string]inbox.LeaseToken // of the lanes in progress
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
func (r *claimRace) work(s inbox.Store) {
	for !r.finished() {
		r.splitSome(s)
		r.handleSome(s)
		r.pause(time.Millisecond) // for others, and for the end of the context
	}
}

// finished reports whether all events are settled, or the time of the check is over.
func (r *claimRace) finished() bool {
	must(r.ctx.Err())
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.left == 0
}

// splitSome splits the deliveries that a claim brings.
func (r *claimRace) splitSome(s inbox.Store) {
	b, err := s.Claim(r.ctx, inbox.ClaimRequest{Lanes: 1, PerLane: 2, LeaseDuration: long})
	must(err)
	if len(b.Records) == 0 {
		return
	}
	outs := outcomes(b, inbox.DispositionDone)
	for i, rec := range b.Records {
		var d int
		_, err := fmt.Sscanf(rec.DedupKey, "delivery:%d", &d)
		must(err)
		outs[i].Events = raceSplit(d)
	}
	r.settle(s, b, outs...)
}

// handleSome settles the events that a claim brings. Their lanes are in the book from the claim
// until just before they are settled, since another worker may have them at once then.
func (r *claimRace) handleSome(s inbox.Store) {
	b, err := s.Claim(r.ctx, inbox.ClaimRequest{Kind: inbox.KindEvent, Lanes: 2, PerLane: 3, LeaseDuration: long})
	must(err)
	if len(b.Records) == 0 {
		return
	}
	must(r.take(b))
	r.release(b)
	r.done(s, b)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.left -= len(b.Records)
}

// take notes that the lanes of a batch are in progress.
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

// release notes that they are not.
func (r *claimRace) release(b inbox.Batch) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, rec := range b.Records {
		r.holders[rec.Lane] = ""
	}
}
