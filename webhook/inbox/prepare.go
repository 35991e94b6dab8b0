package inbox

import (
	"cmp"
	"context"
	"fmt"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

const (
	// prepareEvents and prepareBytes limit what is prepared in one step: all conversations in it,
	// and those that are claimed meanwhile, wait until it is done, and its bodies are in memory
	// decoded.
	prepareEvents = 128
	prepareBytes  = 1 << 20

	// maxPrepareTimeout is how long a step may take at most. Events that are not prepared by then
	// go the usual way.
	maxPrepareTimeout = 10 * time.Second
)

// A preparation stands between a claimer and its workers if the inbox's handler is a
// [webhook.Preparer]. It takes the lanes that were claimed while the step before was under way, so
// steps are as large as there is much to do, and as small as one event if there is little.
type preparation struct {
	c       *claimer
	handler webhook.Preparer

	// Guarded by the claimer.
	claimed []claimedLane
	arrived *sync.Cond // something was claimed, or nothing more comes
	ended   bool

	hanging chan struct{} // of a step that ignored its context; closed when it returns
}

func newPreparation(c *claimer, h webhook.Preparer) *preparation {
	return &preparation{c: c, handler: h, arrived: sync.NewCond(&c.mu)}
}

// run prepares what is claimed and hands it to the workers, until nothing more comes.
func (p *preparation) run(ctx context.Context) {
	for {
		lanes := p.take()
		if len(lanes) == 0 {
			return
		}
		if !p.c.in.stopped() && !p.c.in.gate.isClosed() && !p.hangs() {
			p.prepare(ctx, lanes)
		}
		p.c.mu.Lock()
		p.c.waiting = append(p.c.waiting, lanes...)
		p.c.mu.Unlock()
		p.c.ready.Broadcast()
	}
}

// end has run return once everything that was claimed is handed over.
func (p *preparation) end() {
	p.c.mu.Lock()
	p.ended = true
	p.c.mu.Unlock()
	p.arrived.Signal()
}

// deal sorts what is claimed so that numbers take turns: a flood of one number was claimed before,
// and the text of another one is in the next step all the same. The caller must hold c.mu.
func (p *preparation) deal() {
	if len(p.c.ofNumber) < 2 {
		return
	}
	type turn struct {
		lane claimedLane
		n    int // lanes of its number before it
	}
	turns, counts := make([]turn, len(p.claimed)), map[graph.PhoneNumberID]int{}
	for i, lane := range p.claimed {
		turns[i] = turn{lane, counts[lane.number()]}
		counts[lane.number()]++
	}
	slices.SortStableFunc(turns, func(a, b turn) int { return cmp.Compare(a.n, b.n) })
	for i, t := range turns {
		p.claimed[i] = t.lane
	}
}

// take waits for lanes, and returns as many as go in one step. It returns none at the end.
func (p *preparation) take() []claimedLane {
	p.c.mu.Lock()
	defer p.c.mu.Unlock()
	for len(p.claimed) == 0 && !p.ended {
		p.arrived.Wait()
	}
	p.deal()
	n, events, bytes := 0, 0, 0
	for ; n < len(p.claimed) && (n == 0 || events < prepareEvents && bytes < prepareBytes); n++ {
		events += len(p.claimed[n].records)
		for _, rec := range p.claimed[n].records {
			bytes += len(rec.Body)
		}
	}
	lanes := p.claimed[:n:n]
	p.claimed = p.claimed[n:]
	return lanes
}

// prepare decodes the events of lanes and has them prepared. A lane with an event that failed or
// was abandoned before is left out: a bad event fails one step only, and an event that ends its
// process is found when it is handled by itself. If the step does not end in time, its events are
// left to it, since it may still use them, and decoded again.
func (p *preparation) prepare(ctx context.Context, lanes []claimedLane) {
	type place struct{ lane, record int }
	var batch []webhook.Preparation
	var places []place
	for i, lane := range lanes {
		if !lane.fresh() || p.c.settler.lost(lane.lease) {
			continue
		}
		for j, rec := range lane.records {
			if ev, err := p.c.in.decoded.take(rec); err == nil && ev != nil && rec.is(ev) {
				batch = append(batch, webhook.Preparation{Event: ev, Context: lane.lease.ctx})
				places = append(places, place{i, j})
			}
		}
	}
	if len(batch) == 0 || !p.step(ctx, batch) {
		return
	}
	for k, at := range places {
		lane := &lanes[at.lane]
		if lane.prepared == nil {
			lane.prepared = make([]webhook.Preparation, len(lane.records))
		}
		lane.prepared[at.record] = batch[k]
	}
}

// step has a batch prepared, and reports whether that ended in time. A panic ends the step: what
// was prepared by then is, and the rest goes the usual way.
func (p *preparation) step(ctx context.Context, batch []webhook.Preparation) bool {
	in := p.c.in
	timeout := min(in.cfg.HandlerTimeout, maxPrepareTimeout)
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	done := make(chan struct{})
	p.c.running.Go(func() {
		defer close(done)
		defer func() {
			if v := recover(); v != nil {
				err := &webhook.PanicError{Type: fmt.Sprintf("%T", v), Stack: debug.Stack()}
				in.cfg.Logger.ErrorContext(ctx, "events could not be prepared; each is handled by itself",
					"events", len(batch), "err", err, "stack", string(err.Stack))
			}
		}()
		p.handler.Prepare(ctx, batch)
	})
	timer := time.NewTimer(timeout + in.handlerGrace())
	defer timer.Stop()
	select {
	case <-done:
		return true
	case <-timer.C:
		p.hanging = done
		in.cfg.Logger.ErrorContext(ctx, "preparing events did not heed its context and hangs; events are handled "+
			"without until it returns", "events", len(batch))
		return false
	}
}

// hangs reports whether a step has not returned that should have long ago.
func (p *preparation) hangs() bool {
	if p.hanging == nil {
		return false
	}
	select {
	case <-p.hanging:
		p.hanging = nil
		return false
	default:
		return true
	}
}

// fresh reports whether no event of the lane was tried before.
func (l claimedLane) fresh() bool {
	for _, rec := range l.records {
		if rec.Attempts > 0 || rec.Abandoned > 0 {
			return false
		}
	}
	return true
}

// event returns what was prepared of the i-th record: nothing if it was not.
func (l claimedLane) event(i int) webhook.Preparation {
	if l.prepared == nil {
		return webhook.Preparation{}
	}
	return l.prepared[i]
}
