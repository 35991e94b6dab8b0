package inbox

import (
	"context"
	"errors"
	"sync"
	"time"
)

// A desk settles what the workers of a pump have handled, many outcomes in one transaction, and
// prolongs the leases of what they have in hand.
type desk struct {
	in       *Inbox
	alarm    alarm // of the pump: settled lanes may have more
	outcomes chan settlement

	mu    sync.Mutex
	holds map[*hold]bool
}

// A hold is a batch in hand.
type hold struct {
	token    LeaseToken
	ctx      context.Context // ends when the lease is lost; handlers run in it
	cancel   context.CancelCauseFunc
	lanes    int       // in hand; guarded by the desk
	extended time.Time // when the lease began; guarded by the desk
}

type settlement struct {
	hold     *hold
	lane     string
	delivery ID
	size     int // of the delivery's body, which may go with it
	out      Settlement
}

// settleBytes limits the bodies that go in one transaction: others wait for it. The events of a
// large one may be many, and go together.
const settleBytes = 2 << 20

func newDesk(in *Inbox, a alarm) *desk {
	return &desk{in: in, alarm: a, outcomes: make(chan settlement, 256), holds: map[*hold]bool{}}
}

// open notes a batch. Its lease began no earlier than asked, which is before the claim: the process
// may have been stopped before the answer arrived.
func (d *desk) open(ctx context.Context, token LeaseToken, lanes int, asked time.Time) *hold {
	h := &hold{token: token, lanes: lanes, extended: asked}
	h.ctx, h.cancel = context.WithCancelCause(ctx)
	d.mu.Lock()
	defer d.mu.Unlock()
	d.holds[h] = true
	return h
}

// finish notes that a lane of the batch is handled.
func (d *desk) finish(h *hold) {
	d.mu.Lock()
	defer d.mu.Unlock()
	h.lanes--
}

// run settles until outcomes is closed.
func (d *desk) run(ctx context.Context) {
	for first := range d.outcomes {
		batch, bodies, bytes := []settlement{first}, map[ID]bool{first.delivery: true}, first.size
	collect:
		for len(batch) < cap(d.outcomes) && (bytes < settleBytes || len(bodies) == 1) {
			select {
			case s, more := <-d.outcomes:
				if !more {
					break collect
				}
				if batch = append(batch, s); !bodies[s.delivery] {
					bodies[s.delivery] = true
					bytes += s.size
				}
			default:
				break collect
			}
		}
		byHold := map[*hold][]settlement{}
		for _, s := range batch {
			byHold[s.hold] = append(byHold[s.hold], s)
		}
		var all sync.WaitGroup
		for h, list := range byHold {
			all.Go(func() { d.settle(ctx, h, list) })
		}
		all.Wait()
		d.alarm.ring()
	}
}

// settle stores outcomes of one batch, again and again until the lease is over.
func (d *desk) settle(ctx context.Context, h *hold, list []settlement) {
	// What was handled is written down even if the handlers were told to end.
	ctx = context.WithoutCancel(ctx)
	outs := make([]Settlement, len(list))
	for i, s := range list {
		outs[i] = s.out
	}
	for trouble := 1; ; trouble++ {
		err := d.in.store.Settle(ctx, h.token, outs)
		switch {
		case err == nil:
			return
		case errors.Is(err, ErrLeaseLost):
			d.settleLanes(ctx, h, list)
			return
		case d.expired(h):
			d.in.counts.fenced.Add(int64(len(outs)))
			d.in.cfg.Logger.ErrorContext(ctx, "events that were handled could not be settled; they will be handled again",
				"events", len(outs), "err", err)
			return
		}
		d.in.complain(ctx, trouble, "handled events cannot be settled yet", err)
		time.Sleep(min(troublePause(trouble), d.in.cfg.LeaseDuration/10))
	}
}

// settleLanes settles each lane of a batch for itself, after some were lost.
func (d *desk) settleLanes(ctx context.Context, h *hold, list []settlement) {
	lanes := map[string][]Settlement{}
	for _, s := range list {
		lanes[s.lane] = append(lanes[s.lane], s.out)
	}
	for _, outs := range lanes {
		if len(lanes) > 1 && d.in.store.Settle(ctx, h.token, outs) == nil {
			continue
		}
		d.in.counts.fenced.Add(int64(len(outs)))
		d.in.cfg.Logger.WarnContext(ctx, "a lease was lost: what was handled may be handled again elsewhere", "events", len(outs))
	}
}

// expired reports whether the lease of a batch has ended by this process's clock.
func (d *desk) expired(h *hold) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return time.Since(h.extended) >= d.in.cfg.LeaseDuration
}

// lost reports whether the lease of a batch is lost, and gives up one that has expired by this
// process's clock. A process that was stopped goes on before its next renewal is refused, and by
// then another one may have handled the records.
func (d *desk) lost(h *hold) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if h.ctx.Err() == nil && time.Since(h.extended) >= d.in.cfg.LeaseDuration {
		h.cancel(ErrLeaseLost)
		delete(d.holds, h)
	}
	return h.ctx.Err() != nil
}

// renew prolongs leases until ended is closed.
func (d *desk) renew(ended <-chan struct{}) {
	ticker := time.NewTicker(max(d.in.cfg.LeaseDuration/3, time.Millisecond))
	defer ticker.Stop()
	for {
		select {
		case <-ended:
			return
		case <-ticker.C:
		}
		d.mu.Lock()
		var list []*hold
		for h := range d.holds {
			if h.lanes == 0 {
				h.cancel(nil)
				delete(d.holds, h)
				continue
			}
			list = append(list, h)
		}
		d.mu.Unlock()
		for _, h := range list {
			d.extend(h)
		}
	}
}

// extend prolongs one lease. If that is refused, or cannot be done in time, the handlers are told
// to end.
func (d *desk) extend(h *hold) {
	now := time.Now()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(h.ctx), d.in.cfg.LeaseDuration/3)
	defer cancel()
	err := d.in.store.Extend(ctx, h.token, d.in.cfg.LeaseDuration)
	d.mu.Lock()
	defer d.mu.Unlock()
	if h.lanes == 0 {
		return // done meanwhile, so there was nothing left to extend
	}
	switch {
	case err == nil:
		h.extended = now
	case errors.Is(err, ErrLeaseLost), now.Sub(h.extended) > d.in.cfg.LeaseDuration*2/3:
		h.cancel(ErrLeaseLost)
		delete(d.holds, h)
	}
}
