package inbox

import (
	"context"
	"errors"
	"time"
)

// A splitter decodes the deliveries of one queue and stores what they consist of, so that each
// event has a turn of its own.
type splitter struct {
	in       *Inbox
	backfill bool
	wake     notifier // there may be something to split
}

const (
	splitBatch = 128     // deliveries
	splitBytes = 8 << 20 // of their bodies
)

// run splits until the inbox is shut down.
func (s *splitter) run(ctx context.Context) {
	in := s.in
	failures := 0
	for !in.stopped() {
		b, err := s.next(ctx)
		switch {
		case err != nil:
			failures++
			in.logFailure(ctx, failures, "deliveries wait in the store", err)
			in.pause(failurePause(failures))
		case len(b.Records) == 0:
			failures = 0
			in.wait(s.wake, pollPause(b.Wait, in.cfg.PollInterval))
		default:
			failures = 0
		}
	}
}

// next claims a batch and splits it. What was abandoned too often is given back, and claimed again
// when nothing else is in progress, because other deliveries and events would count as abandoned
// with it if the process died. If that moment does not come, it is split all the same: all others
// of the queue are behind it.
func (s *splitter) next(ctx context.Context) (Batch, error) {
	if !s.in.gate.enter(s.in.stopping) {
		return Batch{}, nil
	}
	b, err := s.claim(ctx)
	if err == nil && len(b.Records) > 0 && b.Records[0].Abandoned >= aloneFrom {
		err = s.in.store.Settle(ctx, b.LeaseToken, []Settlement{
			{ID: b.Records[0].ID, Disposition: DispositionRelease},
		})
		s.in.gate.add(-1)
		if err != nil {
			return b, err
		}
		if s.in.gate.alone(s.in.stopping, 0, aloneGrace) {
			defer s.in.gate.open()
		} else if s.in.gate.enter(s.in.stopping) {
			defer s.in.gate.add(-1)
		} else {
			return Batch{}, nil
		}
		b, err = s.claim(ctx)
	} else {
		defer s.in.gate.add(-1)
	}
	if err == nil && len(b.Records) > 0 {
		s.in.bodies.hold(b.Records)
		defer s.in.bodies.release(b.Records)
		err = s.settle(ctx, b)
	}
	return b, err
}

// claim claims deliveries.
func (s *splitter) claim(ctx context.Context) (Batch, error) {
	return s.in.store.Claim(ctx, ClaimRequest{
		Kind: KindDelivery, Backfill: s.backfill, Lanes: 1, PerLane: splitBatch, MaxBytes: s.in.bodies.left(splitBytes),
		LeaseDuration: s.in.cfg.LeaseDuration, WorkerID: s.in.cfg.WorkerID,
	})
}

// settle splits a batch, and tries to store that for as long as the lease lasts: until then, no
// other process can. A lost lease is no error, because another process splits them now.
func (s *splitter) settle(ctx context.Context, b Batch) error {
	outs := make([]Settlement, len(b.Records))
	for i, rec := range b.Records {
		outs[i] = split(rec)
		if outs[i].Disposition == DispositionDead {
			s.in.counts.dead.Add(1)
			s.in.cfg.Logger.ErrorContext(ctx, "a delivery cannot be decoded; it is among the dead letters",
				"id", rec.ID, "err", outs[i].Reason)
		}
	}
	for begin, failures := time.Now(), 1; ; failures++ {
		err := s.in.store.Settle(ctx, b.LeaseToken, outs)
		if err == nil || errors.Is(err, ErrLeaseLost) {
			s.in.wakeClaimersOf(outs)
			return nil
		}
		if time.Since(begin) > s.in.cfg.LeaseDuration || s.in.stopped() {
			return err
		}
		s.in.logFailure(ctx, failures, "deliveries wait in the store", err)
		s.in.pause(min(failurePause(failures), s.in.cfg.LeaseDuration/10))
	}
}

// logFailure logs that the store does not answer: the first failure in a row, the second, the
// fourth and so on.
func (in *Inbox) logFailure(ctx context.Context, failures int, msg string, err error) {
	if failures&(failures-1) == 0 && ctx.Err() == nil {
		in.cfg.Logger.ErrorContext(ctx, msg, "attempt", failures, "err", err)
	}
}

// failurePause is how long a store is left alone after so many failures in a row.
func failurePause(failures int) time.Duration {
	return min(time.Duration(failures)*50*time.Millisecond, 2*time.Second)
}

// pollPause is how long to wait before the next claim, if the last one brought nothing: no longer
// than the poll interval, and less if the store knows when something becomes ready.
func pollPause(wait, poll time.Duration) time.Duration {
	if wait > 0 && wait < poll {
		return wait
	}
	return poll
}
