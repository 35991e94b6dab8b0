package inbox

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

// A claimer claims lanes of one queue of events, and has its workers handle them. If lanes are
// handled fast, it claims a little ahead, so that a claim brings several lanes when there is much
// to do, and one when there is not.
type claimer struct {
	in      *Inbox
	req     ClaimRequest // without Lanes
	workers int
	wake    notifier // there may be something to claim
	settler *settler
	orphans atomic.Int64   // workers whose handler hangs, and whose place another one has taken
	running sync.WaitGroup // workers, orphans, and steps that prepare
	prepare *preparation   // nil if the handler is no webhook.Preparer

	mu       sync.Mutex
	waiting  []claimedLane                // for a worker
	ready    *sync.Cond                   // something is waiting, or can be taken, or the end has come
	ended    bool                         // nothing more comes
	inHand   int                          // lanes that are claimed and not finished, without those of orphans
	ofNumber map[graph.PhoneNumberID]load // of these
	shared   time.Time                    // when several numbers had some last, if one has now
	pace     time.Duration                // that a lane takes, as an average of the last ones; 0 if not known
	drained  bool                         // nothing is left for a claim; something else will say when there is
}

// A load is how many lanes of a number are in progress.
type load struct{ inHand, handled int }

// A claimedLane is a lane with its claimed events.
type claimedLane struct {
	lease    *lease
	records  []Record
	prepared []webhook.Preparation // by record; nil if none was, and without an event where one was not
}

// number is whose lane it is.
func (l claimedLane) number() graph.PhoneNumberID { return l.records[0].PhoneNumberID }

const (
	lanesPerWorker = 4                     // live lanes in progress, at most
	aheadWork      = 50 * time.Millisecond // of each worker, that is claimed ahead
	perLane        = 64                    // records of a lane in a batch
	claimBytes     = 8 << 20               // of the bodies in a batch
	sharingWorkers = 4                     // from so many on, a number does not get all of them
	sharedFor      = time.Second           // numbers are taken to share the inbox, after they did
)

func newClaimer(in *Inbox, backfill bool) *claimer {
	c := &claimer{
		in: in, wake: newNotifier(), workers: in.cfg.Workers, ofNumber: map[graph.PhoneNumberID]load{},
		req: ClaimRequest{
			Kind: KindEvent, Backfill: backfill, PerLane: perLane, LeaseDuration: in.cfg.LeaseDuration,
			WorkerID: in.cfg.WorkerID,
		},
	}
	if backfill {
		c.workers = in.cfg.BackfillWorkers
	}
	c.ready = sync.NewCond(&c.mu)
	c.settler = newSettler(in, c.wake)
	if p, ok := in.handler.(webhook.Preparer); ok && !backfill {
		c.prepare = newPreparation(c, p)
	}
	return c
}

// run claims until the inbox is shut down, and then waits for what is in progress. It ends from the
// front to the back: the claims, then what prepares, then the workers, then what settles their
// outcomes, and last the renewal of leases, which the settler needs.
func (c *claimer) run(ctx context.Context) {
	var settling sync.WaitGroup
	for range c.workers {
		c.running.Go(func() { c.work(ctx) })
	}
	ended := make(chan struct{})
	settling.Go(func() { c.settler.run(ctx) })
	settling.Go(func() { c.settler.renew(ended) })
	var preparing sync.WaitGroup
	if c.prepare != nil {
		preparing.Go(func() { c.prepare.run(ctx) })
	}
	c.claim(ctx)
	if c.prepare != nil {
		c.prepare.end()
		preparing.Wait()
	}
	c.mu.Lock()
	c.ended = true
	c.mu.Unlock()
	c.ready.Broadcast()
	c.running.Wait()
	close(c.settler.handled)
	c.in.lonely.Wait() // it settles by itself, and has a lease as well
	close(ended)
	settling.Wait()
}

// claim asks the store for lanes whenever there is room for some, until the inbox is shut down.
func (c *claimer) claim(ctx context.Context) {
	in, failures := c.in, 0
	for !in.stopped() {
		req := c.request()
		if req.Lanes == 0 {
			in.wait(c.wake, time.Minute)
			continue
		}
		if !in.gate.enter(in.stopping) {
			return
		}
		asked := time.Now()
		b, err := in.store.Claim(ctx, req)
		if b.Quarantined {
			in.quarantined.notify()
		}
		// What the numbers have that were left out may be ready.
		drained := b.Drained && len(req.Except) == 0
		c.mu.Lock()
		c.drained = drained
		c.mu.Unlock()
		if len(b.Records) > 0 {
			failures = 0
			c.dispatch(ctx, b, asked)
		}
		in.gate.add(-1)
		if len(b.Records) > 0 && !drained {
			continue
		}
		if err != nil {
			failures++
			in.logFailure(ctx, failures, "events wait in the store", err)
			in.pause(failurePause(failures))
			continue
		}
		failures = 0
		in.wait(c.wake, pollPause(b.Wait, in.cfg.PollInterval))
	}
}

// capacity is how many lanes may be in progress: one for each worker, and what they finish within
// aheadWork, so that nothing that was claimed waits long behind slow handlers. Fast handlers wait
// for what is prepared: the step that is under way and the one that gathers meanwhile may be full
// ones, unless other numbers would wait for them. The caller must hold c.mu.
func (c *claimer) capacity() int {
	if c.req.Backfill || c.pace == 0 {
		return c.workers
	}
	ahead := min(lanesPerWorker-1, aheadWork/c.pace)
	n := c.workers * (1 + int(ahead))
	alone := len(c.ofNumber) <= 1 && time.Since(c.shared) > sharedFor
	if c.prepare != nil && ahead == lanesPerWorker-1 && alone {
		n += 2 * prepareEvents
	}
	return n
}

// share returns how many of n lanes one number may have: three quarters, so that there is always a
// worker for a number that has none. If there are few workers, it may have all.
func (c *claimer) share(n int) int {
	if c.workers < sharingWorkers {
		return n
	}
	return (3*n + 3) / 4
}

// idle returns how many workers have nothing to do, and will not have by what is waiting: that may
// be of numbers that have their share of workers. The caller must hold c.mu.
func (c *claimer) idle() int {
	n := c.workers
	for _, load := range c.ofNumber {
		n -= min(load.inHand, c.share(c.workers))
	}
	return n
}

// request returns what to claim. Its Lanes are 0 while workers have enough to do: if more is
// claimed than they need, it is half of the capacity, so that a busy claimer does not claim one
// lane at a time. No number gets more than its share by it.
func (c *claimer) request() ClaimRequest {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.drained = false // the wake that has brought the claimer here may be for what it cannot claim now
	req, capacity, idle := c.req, c.capacity(), c.idle()
	if idle <= 0 && (c.inHand > capacity/2 || c.in.bodies.full()) {
		return req
	}
	share, most := c.share(capacity), 0
	for number, load := range c.ofNumber {
		if load.inHand >= share {
			req.Except = append(req.Except, number)
		} else {
			most = max(most, load.inHand)
		}
	}
	req.Lanes = max(0, min(max(idle, capacity-c.inHand), share-most))
	req.MaxBytes = c.in.bodies.left(claimBytes)
	return req
}

// dispatch gives the lanes of a batch to the workers, or to what prepares them before. The lease
// runs since the batch was asked for.
func (c *claimer) dispatch(ctx context.Context, b Batch, asked time.Time) {
	var lanes []claimedLane
	c.in.bodies.hold(b.Records)
	for from, i := 0, 1; i <= len(b.Records); i++ {
		if i == len(b.Records) || b.Records[i].Lane != b.Records[from].Lane {
			lanes = append(lanes, claimedLane{records: b.Records[from:i:i]})
			from = i
		}
	}
	l := c.settler.open(ctx, b.LeaseToken, len(lanes), asked)
	c.in.gate.add(len(lanes))
	c.mu.Lock()
	defer c.mu.Unlock()
	c.inHand += len(lanes)
	for i, lane := range lanes {
		lanes[i].lease = l
		load := c.ofNumber[lane.number()]
		load.inHand++
		c.ofNumber[lane.number()] = load
	}
	if c.prepare != nil {
		c.prepare.claimed = append(c.prepare.claimed, lanes...)
		c.prepare.arrived.Signal()
		return
	}
	c.waiting = append(c.waiting, lanes...)
	c.ready.Broadcast()
}

// take waits for a lane of a number that does not keep its share of the workers busy already, and
// returns it. It reports false when nothing more comes.
func (c *claimer) take() (claimedLane, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for {
		for i, lane := range c.waiting {
			number := lane.number()
			load := c.ofNumber[number]
			if load.handled < c.share(c.workers) {
				load.handled++
				c.ofNumber[number] = load
				c.waiting = slices.Delete(c.waiting, i, i+1)
				return lane, true
			}
		}
		if c.ended && len(c.waiting) == 0 {
			return claimedLane{}, false
		}
		c.ready.Wait()
	}
}

// leave removes a lane from those in progress.
func (c *claimer) leave(lane claimedLane) {
	c.in.leave(lane)
	c.mu.Lock()
	defer c.mu.Unlock()
	number := lane.number()
	load := c.ofNumber[number]
	load.inHand--
	load.handled--
	c.ofNumber[number] = load
	if load.inHand == 0 {
		if len(c.ofNumber) > 1 {
			c.shared = time.Now()
		}
		delete(c.ofNumber, number)
	}
	c.inHand--
	if !c.drained && (c.idle() > 0 || c.inHand <= c.capacity()/2) {
		c.wake.notify()
	}
	if c.ended {
		c.ready.Broadcast() // to those who wait for nothing but this number
	}
}

// work handles lanes, one after the other, until nothing more comes, or until a handler has hung so
// long that another worker has taken the place of this one.
func (c *claimer) work(ctx context.Context) {
	for {
		lane, ok := c.take()
		if !ok {
			return
		}
		begin := time.Now()
		orphan := c.handle(ctx, lane)
		c.settler.finishLane(lane.lease)
		if orphan {
			return // the lane has left
		}
		c.mu.Lock()
		if took := max(1, time.Since(begin)); c.pace == 0 {
			c.pace = took
		} else {
			c.pace = max(1, (7*c.pace+took)/8)
		}
		c.mu.Unlock()
		c.leave(lane)
	}
}

// handle handles the records of a lane, one after the other. It ends early when the lease is lost,
// since another process handles them then, and behind a record that is to come again, because the
// store gives back the rest of the lane with it. It gives that back itself if something else is to
// be alone, and if the worker is an orphan, which it reports.
func (c *claimer) handle(ctx context.Context, lane claimedLane) (orphan bool) {
	for i, rec := range lane.records {
		if c.settler.lost(lane.lease) && ctx.Err() == nil {
			break
		}
		out, settled := Settlement{ID: rec.ID, Disposition: DispositionRelease}, false
		if !orphan && !c.in.stopped() && !c.in.gate.isClosed() {
			w := c.watch(ctx, rec, func() {
				c.leave(lane)
				c.running.Go(func() { c.work(ctx) })
			})
			out, settled = c.in.attempt(lane.lease, rec, lane.event(i), w)
			orphan = w.orphan()
		}
		if !settled {
			c.in.gate.add(1) // until it is settled
			c.settler.handled <- handledRecord{lane.lease, rec.Lane, rec.Delivery, len(rec.Body), out}
		}
		if out.Disposition == DispositionRetry || out.Disposition == DispositionRelease {
			break
		}
	}
	return orphan
}
