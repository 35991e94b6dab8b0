package inbox

import (
	"context"
	"sync"
	"time"
)

// A pump claims lanes of one queue of events and has its workers run through them. It claims ahead
// a little, so that claims bring several lanes at once when there is much to do, and one at once
// when there is not.
type pump struct {
	in    *Inbox
	req   ClaimRequest
	alarm alarm
	room  int // how many lanes may be in hand
	lanes chan laneRun
	desk  *desk

	mu     sync.Mutex
	inHand int
}

// A laneRun is a lane in hand.
type laneRun struct {
	hold *hold
	recs []Record
}

const (
	ahead      = 4 // lanes in hand for each live worker
	perLane    = 64
	claimBytes = 8 << 20
)

func newPump(in *Inbox, bulk bool) *pump {
	p := &pump{in: in, alarm: newAlarm(), room: in.cfg.Workers * ahead}
	if bulk {
		p.room = in.cfg.BackfillWorkers
	}
	p.req = ClaimRequest{
		Kind: KindEvent, Backfill: bulk, PerLane: perLane, MaxBytes: claimBytes,
		LeaseDuration: in.cfg.LeaseDuration, WorkerID: in.cfg.WorkerID,
	}
	p.lanes = make(chan laneRun, p.room)
	p.desk = newDesk(in, p.alarm)
	return p
}

// run claims until the inbox is shut down, and then waits for what is in hand.
func (p *pump) run(ctx context.Context) {
	var workers, clerks sync.WaitGroup
	n := p.in.cfg.Workers
	if p.req.Backfill {
		n = p.in.cfg.BackfillWorkers
	}
	for range n {
		workers.Go(func() {
			for run := range p.lanes {
				p.work(ctx, run)
			}
		})
	}
	clerks.Go(func() { p.desk.run(ctx) })
	ended := make(chan struct{})
	clerks.Go(func() { p.desk.renew(ended) })
	p.claim(ctx)
	close(p.lanes)
	workers.Wait()
	close(p.desk.outcomes)
	close(ended)
	clerks.Wait()
}

func (p *pump) claim(ctx context.Context) {
	in, trouble := p.in, 0
	for !in.over() {
		req := p.req
		if req.Lanes = p.free(); req.Lanes == 0 {
			in.wait(p.alarm, time.Minute)
			continue
		}
		asked := time.Now()
		b, err := in.store.Claim(ctx, req)
		switch {
		case err != nil:
			trouble++
			in.complain(ctx, trouble, "events wait in the store", err)
			in.pause(troublePause(trouble))
		case len(b.Records) == 0:
			trouble = 0
			in.wait(p.alarm, pollPause(b.Wait, in.cfg.PollInterval))
		default:
			trouble = 0
			p.hand(ctx, b, asked)
		}
	}
}

// free is how many lanes to claim. It is none until a half of the room is empty.
func (p *pump) free() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.inHand > p.room/2 {
		return 0
	}
	return p.room - p.inHand
}

// hand gives the lanes of a batch to the workers. The lease runs since the batch was asked for.
func (p *pump) hand(ctx context.Context, b Batch, asked time.Time) {
	var runs []laneRun
	for i, rec := range b.Records {
		if i == 0 || rec.Lane != b.Records[i-1].Lane {
			runs = append(runs, laneRun{})
		}
		last := &runs[len(runs)-1]
		last.recs = append(last.recs, rec)
	}
	h := p.desk.open(ctx, b.LeaseToken, len(runs), asked)
	p.mu.Lock()
	p.inHand += len(runs)
	p.mu.Unlock()
	for _, run := range runs {
		run.hold = h
		p.lanes <- run
	}
}

// work handles the records of a lane, one after the other.
func (p *pump) work(ctx context.Context, run laneRun) {
	for _, rec := range run.recs {
		if p.desk.lost(run.hold) && ctx.Err() == nil {
			break // another process handles them
		}
		out, settled := Settlement{ID: rec.ID, Disposition: DispositionRelease}, false
		if !p.in.over() {
			out, settled = p.in.attempt(run.hold, rec)
		}
		if !settled {
			p.desk.outcomes <- settlement{run.hold, rec.Lane, rec.Delivery, len(rec.Body), out}
		}
		if out.Disposition == DispositionRetry || out.Disposition == DispositionRelease {
			break
		}
	}
	p.desk.finish(run.hold)
	p.mu.Lock()
	p.inHand--
	low := p.inHand <= p.room/2
	p.mu.Unlock()
	if low {
		p.alarm.ring()
	}
}
