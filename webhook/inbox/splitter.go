package inbox

import (
	"context"
	"errors"
	"time"
)

// A splitter decodes the deliveries of one queue and stores what they consist of, so that each
// event has a turn of its own.
type splitter struct {
	in    *Inbox
	bulk  bool
	alarm alarm
}

const (
	splitBatch = 128
	splitBytes = 8 << 20
)

func (s *splitter) run(ctx context.Context) {
	in := s.in
	req := ClaimRequest{
		Kind: KindDelivery, Backfill: s.bulk, Lanes: 1, PerLane: splitBatch, MaxBytes: splitBytes, LeaseDuration: in.cfg.LeaseDuration, WorkerID: in.cfg.WorkerID,
	}
	trouble := 0
	for !in.over() {
		b, err := in.store.Claim(ctx, req)
		if err == nil && len(b.Records) > 0 {
			err = s.settle(ctx, b)
		}
		switch {
		case err != nil:
			trouble++
			in.complain(ctx, trouble, "deliveries wait in the store", err)
			in.pause(troublePause(trouble))
		case len(b.Records) == 0:
			trouble = 0
			in.wait(s.alarm, pollPause(b.Wait, in.cfg.PollInterval))
		default:
			trouble = 0
		}
	}
}

func (s *splitter) settle(ctx context.Context, b Batch) error {
	outs := make([]Settlement, len(b.Records))
	for i, rec := range b.Records {
		outs[i] = split(rec)
		if outs[i].Disposition == DispositionDead {
			s.in.counts.dead.Add(1)
			s.in.cfg.Logger.ErrorContext(ctx, "a delivery cannot be decoded; it is among the dead letters", "id", rec.ID, "err", outs[i].Reason)
		}
	}
	for begin, trouble := time.Now(), 1; ; trouble++ {
		err := s.in.store.Settle(ctx, b.LeaseToken, outs)
		if err == nil || errors.Is(err, ErrLeaseLost) { // fenced: somebody else splits them
			s.in.wakePumps()
			return nil
		}
		if time.Since(begin) > s.in.cfg.LeaseDuration || s.in.over() {
			return err
		}
		// Nobody else can split them while the lease lasts, so it is worth trying on.
		s.in.complain(ctx, trouble, "deliveries wait in the store", err)
		s.in.pause(min(troublePause(trouble), s.in.cfg.LeaseDuration/10))
	}
}

// complain logs trouble with the store, the first time and then less and less often.
func (in *Inbox) complain(ctx context.Context, times int, msg string, err error) {
	if times&(times-1) == 0 && ctx.Err() == nil {
		in.cfg.Logger.ErrorContext(ctx, msg, "attempt", times, "err", err)
	}
}

// troublePause is how long a store that does not answer is left alone.
func troublePause(times int) time.Duration {
	return min(time.Duration(times)*50*time.Millisecond, 2*time.Second)
}

// pollPause is how long nothing is expected to become ready.
func pollPause(wait, poll time.Duration) time.Duration {
	if wait > 0 && wait < poll {
		return wait
	}
	return poll
}
