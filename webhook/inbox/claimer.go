package inbox

import (
	"context"
	"sync"
	"time"
)

// A claimer claims lanes of one queue of events, and has its workers handle them. It claims a
// little ahead, so that a claim brings several lanes when there is much to do, and one when there
// is not.
type claimer struct {
	in       *Inbox
	req      ClaimRequest // without Lanes
	wake     notifier     // there may be something to claim
	capacity int          // how many lanes may be in hand
	lanes    chan claimedLane
	settler  *settler

	mu     sync.Mutex
	inHand int // lanes that are claimed and not finished
}

// A claimedLane is what a claim brought of a lane.
type claimedLane struct {
	lease   *lease
	records []Record
}

const (
	lanesPerWorker = 4       // in hand, of what is live
	perLane        = 64      // records of a lane in a batch
	claimBytes     = 8 << 20 // of the bodies in a batch
)

func newClaimer(in *Inbox, backfill bool) *claimer {
	c := &claimer{in: in, wake: newNotifier(), capacity: in.cfg.Workers * lanesPerWorker}
	if backfill {
		c.capacity = in.cfg.BackfillWorkers // its lanes are few and long
	}
	c.req = ClaimRequest{
		Kind: KindEvent, Backfill: backfill, PerLane: perLane, MaxBytes: claimBytes,
		LeaseDuration: in.cfg.LeaseDuration, WorkerID: in.cfg.WorkerID,
	}
	c.lanes = make(chan claimedLane, c.capacity)
	c.settler = newSettler(in, c.wake)
	return c
}

// run claims until the inbox is shut down, and then waits for what is in hand. It ends from the
// front to the back: the claims, then the workers, then what settles their outcomes, and last the
// renewal of leases, which the settler needs.
func (c *claimer) run(ctx context.Context) {
	var workers, settling sync.WaitGroup
	n := c.in.cfg.Workers
	if c.req.Backfill {
		n = c.in.cfg.BackfillWorkers
	}
	for range n {
		workers.Go(func() {
			for lane := range c.lanes {
				c.handle(ctx, lane)
			}
		})
	}
	ended := make(chan struct{})
	settling.Go(func() { c.settler.run(ctx) })
	settling.Go(func() { c.settler.renew(ended) })
	c.claim(ctx)
	close(c.lanes)
	workers.Wait()
	close(c.settler.handled)
	close(ended)
	settling.Wait()
}

// claim asks the store for lanes whenever there is room for some, until the inbox is shut down.
func (c *claimer) claim(ctx context.Context) {
	in, failures := c.in, 0
	for !in.stopped() {
		req := c.req
		if req.Lanes = c.room(); req.Lanes == 0 {
			in.wait(c.wake, time.Minute)
			continue
		}
		asked := time.Now()
		b, err := in.store.Claim(ctx, req)
		switch {
		case err != nil:
			failures++
			in.logFailure(ctx, failures, "events wait in the store", err)
			in.pause(failurePause(failures))
		case len(b.Records) == 0:
			failures = 0
			in.wait(c.wake, pollPause(b.Wait, in.cfg.PollInterval))
		default:
			failures = 0
			c.dispatch(ctx, b, asked)
		}
	}
}

// room is how many lanes to claim. It is none until a half of the capacity is free, so that a busy
// claimer does not claim one lane at a time.
func (c *claimer) room() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.inHand > c.capacity/2 {
		return 0
	}
	return c.capacity - c.inHand
}

// dispatch gives the lanes of a batch to the workers. The lease runs since the batch was asked for.
func (c *claimer) dispatch(ctx context.Context, b Batch, asked time.Time) {
	var lanes []claimedLane
	for i, rec := range b.Records {
		if i == 0 || rec.Lane != b.Records[i-1].Lane {
			lanes = append(lanes, claimedLane{})
		}
		last := &lanes[len(lanes)-1]
		last.records = append(last.records, rec)
	}
	l := c.settler.open(ctx, b.LeaseToken, len(lanes), asked)
	c.mu.Lock()
	c.inHand += len(lanes)
	c.mu.Unlock()
	for _, lane := range lanes {
		lane.lease = l
		c.lanes <- lane // it has room for all that may be in hand
	}
}

// handle handles the records of a lane, one after the other. It ends early when the lease is lost,
// since another process handles them then, and behind a record that is to come again, because the
// store gives back the rest of the lane with it.
func (c *claimer) handle(ctx context.Context, lane claimedLane) {
	for _, rec := range lane.records {
		if c.settler.lost(lane.lease) && ctx.Err() == nil {
			break
		}
		out, settled := Settlement{ID: rec.ID, Disposition: DispositionRelease}, false
		if !c.in.stopped() {
			out, settled = c.in.attempt(lane.lease, rec)
		}
		if !settled {
			c.settler.handled <- handledRecord{lane.lease, rec.Lane, rec.Delivery, len(rec.Body), out}
		}
		if out.Disposition == DispositionRetry || out.Disposition == DispositionRelease {
			break
		}
	}
	c.settler.finishLane(lane.lease)
	c.mu.Lock()
	c.inHand--
	low := c.inHand <= c.capacity/2
	c.mu.Unlock()
	if low {
		c.wake.notify()
	}
}
