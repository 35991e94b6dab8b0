package inbox

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"
)

// Metrics is the backlog of an inbox, and its work since it was made.
type Metrics struct {
	// Stats is the content of the store, for all processes that share it.
	Stats

	// Received counts deliveries, Duplicates repeats of known ones, Refused those that could not be
	// stored.
	Received, Duplicates, Refused int64

	// Handled, Retried and DeadLettered count attempts by how they ended. LeasesLost counts events
	// whose lease was lost before they could be settled.
	Handled, Retried, DeadLettered, LeasesLost int64

	// Running is how many events are being handled now. Hanging is how many of them have a handler
	// that ignored the end of its context: see Config.HandlerTimeout.
	Running, Hanging int64
}

// Metrics asks the store and adds what this process has counted.
func (in *Inbox) Metrics(ctx context.Context) (Metrics, error) {
	st, err := in.store.Stats(ctx)
	c := &in.counts
	return Metrics{
		Stats: st, Received: c.received.Load(), Duplicates: c.duplicates.Load(), Refused: c.refused.Load(),
		Handled: c.handled.Load(), Retried: c.retried.Load(), DeadLettered: c.dead.Load(),
		LeasesLost: c.leasesLost.Load(), Running: c.running.Load(),
		Hanging: c.hanging.Load(),
	}, err
}

// counters are those of this process; Metrics says what each counts.
type counters struct {
	received, duplicates, refused, handled, retried, dead, leasesLost, running, hanging atomic.Int64
}

// count counts an attempt by how it ended.
func (in *Inbox) count(kind Disposition) {
	switch kind {
	case DispositionDone:
		in.counts.handled.Add(1)
	case DispositionRetry:
		in.counts.retried.Add(1)
	case DispositionDead:
		in.counts.dead.Add(1)
	case DispositionRelease: // was cut off, and is no attempt
	}
}

// WaitIdle returns when nothing is left to do, dead letters aside: for tests, and for scripts that
// wait for an empty inbox before a change. Events whose pause is not over count as something to do.
func (in *Inbox) WaitIdle(ctx context.Context) error {
	ticker := time.NewTicker(idlePoll)
	defer ticker.Stop()
	for {
		st, err := in.store.Stats(ctx)
		if err != nil {
			return err
		}
		if st.Depth() == 0 {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("inbox: %d deliveries and events are left: %w", st.Depth(), ctx.Err())
		case <-ticker.C:
		}
	}
}

// idlePoll is short, because tests wait for it.
const idlePoll = 5 * time.Millisecond
