package inbox

import (
	"context"
	"errors"
	"sync"
	"time"
)

// A settler settles what the workers of a claimer have handled, many outcomes in a transaction, and
// prolongs the leases of events in progress.
type settler struct {
	in      *Inbox
	wake    notifier // of the claimer: lanes that were settled may have more
	handled chan handledRecord

	mu     sync.Mutex
	leases map[*lease]bool // those that are prolonged
}

// A lease is a batch in progress. Its context is that of the handlers.
type lease struct {
	token  LeaseToken
	ctx    context.Context // ends when the lease is lost
	cancel context.CancelCauseFunc

	// Guarded by the settler.
	lanes   int       // that are not finished
	renewed time.Time // since when the lease runs, by this process's clock
}

// A handledRecord is a record with its outcome.
type handledRecord struct {
	lease    *lease
	lane     string
	delivery ID
	size     int // of the delivery's body
	out      Settlement
}

const (
	// settleRecords limits the outcomes that go in one transaction.
	settleRecords = 256

	// settleBytes limits the bodies that go in one transaction, because they may be deleted in it
	// and other transactions wait meanwhile. The events of one large body go together all the same.
	settleBytes = 2 << 20
)

func newSettler(in *Inbox, wake notifier) *settler {
	return &settler{in: in, wake: wake, handled: make(chan handledRecord, settleRecords), leases: map[*lease]bool{}}
}

// open notes a batch. Its lease began no earlier than asked, which is before the claim: the process
// may have been stopped before the answer arrived.
func (s *settler) open(ctx context.Context, token LeaseToken, lanes int, asked time.Time) *lease {
	l := &lease{token: token, lanes: lanes, renewed: asked}
	l.ctx, l.cancel = context.WithCancelCause(ctx)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.leases[l] = true
	return l
}

// finishLane notes that a lane of the batch is handled. The lease of a batch without lanes is not
// prolonged any more.
func (s *settler) finishLane(l *lease) {
	s.mu.Lock()
	defer s.mu.Unlock()
	l.lanes--
}

// run settles until handled is closed.
func (s *settler) run(ctx context.Context) {
	for first := range s.handled {
		list := s.collect(first)
		s.settleAll(ctx, list)
		s.in.gate.add(-len(list))
		s.wake.notify()
	}
}

// collect returns a record with what else has been handled, as much as goes in one transaction. It
// does not wait for more: while one transaction runs, the next one collects.
func (s *settler) collect(first handledRecord) []handledRecord {
	list := []handledRecord{first}
	bodies, bytes := map[ID]bool{first.delivery: true}, first.size
	for len(list) < settleRecords && (bytes < settleBytes || len(bodies) == 1) {
		select {
		case h, ok := <-s.handled:
			if !ok {
				return list
			}
			list = append(list, h)
			if !bodies[h.delivery] { // the events of a delivery share its body
				bodies[h.delivery] = true
				bytes += h.size
			}
		default:
			return list
		}
	}
	return list
}

// settleAll settles records of several batches, each batch on its own, because a transaction has
// one token; they share a commit if the store can do that.
func (s *settler) settleAll(ctx context.Context, list []handledRecord) {
	batches := map[*lease][]handledRecord{}
	for _, h := range list {
		batches[h.lease] = append(batches[h.lease], h)
	}
	var all sync.WaitGroup
	for l, part := range batches {
		all.Go(func() { s.settle(ctx, l, part) })
	}
	all.Wait()
}

// settle stores outcomes of one batch, and tries again until the lease is over. What was handled is
// settled even if the handlers were told to end.
func (s *settler) settle(ctx context.Context, l *lease, list []handledRecord) {
	ctx = context.WithoutCancel(ctx)
	outs := make([]Settlement, len(list))
	for i, h := range list {
		outs[i] = h.out
	}
	for failures := 1; ; failures++ {
		err := s.in.store.Settle(ctx, l.token, outs)
		switch {
		case err == nil:
			return
		case errors.Is(err, ErrLeaseLost):
			s.settleLanes(ctx, l, list)
			return
		case s.expired(l):
			s.in.counts.leasesLost.Add(int64(len(outs)))
			s.in.cfg.Logger.ErrorContext(ctx, "events that were handled could not be settled; they will be "+
				"handled again",
				"events", len(outs), "err", err)
			return
		}
		s.in.logFailure(ctx, failures, "handled events cannot be settled yet", err)
		time.Sleep(min(failurePause(failures), s.in.cfg.LeaseDuration/10))
	}
}

// settleLanes settles each lane of a batch on its own, after the batch was refused: some of its
// lanes may still be leased.
func (s *settler) settleLanes(ctx context.Context, l *lease, list []handledRecord) {
	lanes := map[string][]Settlement{}
	for _, h := range list {
		lanes[h.lane] = append(lanes[h.lane], h.out)
	}
	for _, outs := range lanes {
		if len(lanes) > 1 && s.in.store.Settle(ctx, l.token, outs) == nil {
			continue
		}
		s.in.counts.leasesLost.Add(int64(len(outs)))
		s.in.cfg.Logger.WarnContext(
			ctx, "a lease was lost: what was handled may be handled again elsewhere", "events", len(outs),
		)
	}
}

// expired reports whether a lease has ended by this process's clock.
func (s *settler) expired(l *lease) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return time.Since(l.renewed) >= s.in.cfg.LeaseDuration
}

// lost reports whether a lease is lost, and gives up one that has expired by this process's clock.
// A process that was stopped goes on before its next renewal is refused, and by then another one
// may have handled the records.
func (s *settler) lost(l *lease) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if l.ctx.Err() == nil && time.Since(l.renewed) >= s.in.cfg.LeaseDuration {
		l.cancel(ErrLeaseLost)
		delete(s.leases, l)
	}
	return l.ctx.Err() != nil
}

// renew prolongs leases, three times in the duration of one, until ended is closed.
func (s *settler) renew(ended <-chan struct{}) {
	ticker := time.NewTicker(max(s.in.cfg.LeaseDuration/3, time.Millisecond))
	defer ticker.Stop()
	for {
		select {
		case <-ended:
			return
		case <-ticker.C:
		}
		for _, l := range s.unfinished() {
			s.extend(l)
		}
	}
}

// unfinished returns the leases of batches with lanes in progress, and forgets the others.
func (s *settler) unfinished() []*lease {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []*lease
	for l := range s.leases {
		if l.lanes == 0 {
			l.cancel(nil)
			delete(s.leases, l)
			continue
		}
		list = append(list, l)
	}
	return list
}

// extend prolongs one lease. If that is refused, or cannot be done in time, the handlers are told
// to end.
func (s *settler) extend(l *lease) {
	now := time.Now() // before the store's answer, which may take a while: the lease runs from no later
	ctx, cancel := context.WithTimeout(context.WithoutCancel(l.ctx), s.in.cfg.LeaseDuration/3)
	defer cancel()
	err := s.in.store.Extend(ctx, l.token, s.in.cfg.LeaseDuration)
	s.mu.Lock()
	defer s.mu.Unlock()
	if l.lanes == 0 {
		return // finished meanwhile, so there was nothing left to extend
	}
	switch {
	case err == nil:
		l.renewed = now
	case errors.Is(err, ErrLeaseLost), now.Sub(l.renewed) > s.in.cfg.LeaseDuration*2/3:
		l.cancel(ErrLeaseLost)
		delete(s.leases, l)
	}
}
