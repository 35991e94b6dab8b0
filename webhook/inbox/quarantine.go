package inbox

import (
	"context"
	"fmt"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

const (
	// aloneFrom is how often a record was abandoned that is handled with nothing else in progress.
	// It is when a store puts the record's lane in quarantine.
	aloneFrom = 2

	// maxAbandoned is how often a record is abandoned before it is a dead letter. It was alone all
	// of these times but the first two.
	maxAbandoned = 5

	// aloneTimeout is how long an event in quarantine waits for a moment in which nothing is in
	// progress. After that, nothing is claimed until there is one.
	aloneTimeout = 30 * time.Second

	// aloneGrace is how long everything else waits at most: for what is in progress to end, and
	// then for the events in quarantine.
	aloneGrace = 10 * time.Second
)

// handleQuarantine handles the events in quarantine of both queues, whenever a claim has found
// some, until the inbox is shut down. Each is the only one in progress in this process, so that a
// crash is due to that event and counts no other one as abandoned.
func (in *Inbox) handleQuarantine(ctx context.Context) {
	for {
		select {
		case <-in.stopping:
			return
		case <-in.quarantined:
		}
		if in.gate.alone(in.stopping, aloneTimeout, aloneGrace) {
			in.handleAlone(ctx)
			in.gate.open()
		}
	}
}

// handleAlone handles events in quarantine, one after the other. When the others have waited long
// enough, it leaves the current event to its goroutine, and the rest for later.
func (in *Inbox) handleAlone(ctx context.Context) {
	timer := time.NewTimer(aloneGrace)
	defer timer.Stop()
	for _, c := range in.claimers {
		for !in.stopped() {
			handled, err := c.claimAlone(ctx)
			if err != nil {
				in.logFailure(ctx, 1, "events in quarantine wait in the store", err)
			}
			if handled == nil {
				break
			}
			select {
			case <-handled:
			case <-timer.C:
				return
			}
		}
	}
}

// claimAlone claims an event in quarantine, and begins to handle it. It returns a channel that is
// closed when the outcome is settled, or nil if there is no such event.
func (c *claimer) claimAlone(ctx context.Context) (<-chan struct{}, error) {
	asked := time.Now()
	req := c.req
	req.Lanes, req.PerLane, req.Quarantine = 1, 1, true
	b, err := c.in.store.Claim(ctx, req)
	if err != nil || len(b.Records) == 0 {
		return nil, err
	}
	lane := claimedLane{lease: c.settler.open(ctx, b.LeaseToken, 1, asked), records: b.Records}
	c.in.bodies.hold(lane.records)
	c.in.gate.add(1)
	handled := make(chan struct{})
	c.in.lonely.Go(func() {
		defer close(handled)
		rec := lane.records[0]
		w := c.watch(ctx, rec, func() { c.in.leave(lane) })
		out, settled := c.in.attempt(lane.lease, rec, webhook.Preparation{}, w)
		if !settled {
			c.settler.settle(ctx, lane.lease, []handledRecord{
				{lane.lease, rec.Lane, rec.Delivery, len(rec.Body), out},
			})
		}
		c.settler.finishLane(lane.lease)
		if !w.orphan() {
			c.in.leave(lane)
		}
		c.wake.notify()
	})
	return handled, nil
}

// leave removes a lane from those in progress.
func (in *Inbox) leave(lane claimedLane) {
	in.gate.add(-1)
	if in.bodies.release(lane.records) {
		in.wakeClaimers()
	}
}

// deadly is the outcome of a record of which the process has died too often. It is not handled
// again.
func deadly(rec Record) Settlement {
	out := Settlement{ID: rec.ID, Disposition: DispositionDead}
	if rec.Kind == KindDelivery {
		out.Reason = fmt.Sprintf("the process died %d times while the delivery was decoded; replay it with a release "+
			"that can decode it", rec.Abandoned)
		return out
	}
	out.Reason = fmt.Sprintf("the process died %d times while the event was handled, %d of them with nothing else in "+
		"hand; mend the handler, then replay it", rec.Abandoned, rec.Abandoned-aloneFrom)
	return out
}
