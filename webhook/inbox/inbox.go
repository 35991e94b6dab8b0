package inbox

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

// An Inbox takes deliveries in, and handles their events. It is a [webhook.Receiver]. It is safe
// for concurrent use.
type Inbox struct {
	store     Store
	handler   webhook.Handler
	cfg       Config
	createdAt time.Time
	decoded   decodedDeliveries
	bodies    heldBodies

	// Two of each: for what is live, and for the backfill.
	splitters []*splitter
	claimers  []*claimer

	gate        gate
	quarantined notifier       // a claim has told that an event is in quarantine
	lonely      sync.WaitGroup // events in quarantine that are handled

	receiving      atomic.Int64 // bytes of deliveries that wait for the store
	counts         counters
	warnNotStarted sync.Once

	mu       sync.Mutex              // guards started and cancel
	started  bool                    // Start was called, or must not be any more
	stopping chan struct{}           // closed when nothing more is claimed
	cancel   context.CancelCauseFunc // ends the handlers' contexts; nil if not started
	running  sync.WaitGroup
}

var _ webhook.Receiver = (*Inbox)(nil)

// New returns an inbox over a store. It does nothing but receive until it is started. The error
// lists everything wrong with cfg.
//
// Most hosts call Open of a package below this one, which also starts, or the method Inbox of an
// open database.
func New(store Store, h webhook.Handler, cfg Config) (*Inbox, error) {
	if err := cfg.validate(store, h); err != nil {
		return nil, err
	}
	in := &Inbox{
		store: store, handler: h, cfg: cfg.withDefaults(), createdAt: time.Now(), stopping: make(chan struct{}),
		quarantined: newNotifier(),
	}
	for _, backfill := range []bool{false, true} {
		in.splitters = append(in.splitters, &splitter{in: in, backfill: backfill, wake: newNotifier()})
		in.claimers = append(in.claimers, newClaimer(in, backfill))
	}
	return in, nil
}

// Receive stores a delivery durably. When it returns nil, Meta may forget it. Any error matches
// [webhook.ErrUnavailable]: Meta keeps the delivery and tries again. An inbox that was not started
// takes deliveries in and handles none of them; one that was shut down takes none.
func (in *Inbox) Receive(ctx context.Context, d webhook.Delivery) error {
	if in.stopped() {
		in.counts.refused.Add(1)
		return fmt.Errorf("%w: %w", webhook.ErrUnavailable, errShutdown)
	}
	size := int64(len(d.Body))
	if in.receiving.Add(size) > in.cfg.MaxBufferedBytes && size < in.receiving.Load() {
		in.receiving.Add(-size)
		return fmt.Errorf("%w: inbox: more arrives than the store can take", webhook.ErrUnavailable)
	}
	defer in.receiving.Add(-size)
	ctx, cancel := context.WithTimeout(ctx, receiveTimeout)
	defer cancel()
	rec := newDelivery(d)
	added, err := in.store.Append(ctx, []Record{rec})
	if err != nil {
		in.counts.refused.Add(1)
		return fmt.Errorf("%w: %w", webhook.ErrUnavailable, err)
	}
	if added == 0 {
		in.counts.duplicates.Add(1)
		return nil
	}
	in.counts.received.Add(1)
	in.warnNotStarted.Do(func() { in.cfg.Logger.WarnContext(ctx, "the inbox is not started; call Start") })
	for _, s := range in.splitters {
		if s.backfill == rec.Backfill {
			s.wake.notify()
		}
	}
	return nil
}

// receiveTimeout is how long Meta is kept waiting for a store that does not answer.
const receiveTimeout = 10 * time.Second

// SinkReceiver returns a Receiver that stores deliveries in a sink, for hosts that consume them
// with workers of their own.
func SinkReceiver(sink Sink) webhook.Receiver {
	return webhook.ReceiverFunc(func(ctx context.Context, d webhook.Delivery) error {
		if _, err := sink.Append(ctx, []Record{newDelivery(d)}); err != nil {
			return fmt.Errorf("%w: %w", webhook.ErrUnavailable, err)
		}
		return nil
	})
}

// Start begins to handle events, in goroutines that end with [Inbox.Shutdown]. The end of ctx does
// not end them; its values reach the handlers.
func (in *Inbox) Start(ctx context.Context) error {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.started {
		return errors.New("inbox: Start was called before, or after Shutdown")
	}
	in.started = true
	in.warnNotStarted.Do(func() {}) // never
	ctx, in.cancel = context.WithCancelCause(context.WithoutCancel(ctx))
	for _, s := range in.splitters {
		in.running.Go(func() { s.run(ctx) })
	}
	in.lonely.Go(func() { in.handleQuarantine(ctx) })
	for _, c := range in.claimers {
		in.running.Go(func() { c.run(ctx) })
	}
	if w, ok := in.store.(Waker); ok {
		in.running.Go(func() { in.listen(ctx, w) })
	}
	if s, ok := in.store.(Sweeper); ok {
		in.running.Go(func() { in.sweep(ctx, s) })
	}
	return nil
}

var errShutdown = errors.New("inbox: the inbox was shut down")

// Shutdown ends an inbox: nothing more is begun, and Shutdown waits for what is being handled. If
// ctx ends first, the handlers' contexts end, and ctx's error is returned; what was not finished is
// handled again, at once by the next process that opens the store, or after the lease by others
// that share it. A store that is an [io.Closer] is closed in the end. Shut the HTTP server down
// before.
func (in *Inbox) Shutdown(ctx context.Context) error {
	in.mu.Lock()
	cancel, again := in.cancel, in.stopped()
	if !again {
		close(in.stopping)
	}
	in.started = true // an inbox that was shut down cannot be started
	in.mu.Unlock()
	var err error
	if cancel != nil {
		ended := make(chan struct{})
		go func() {
			in.running.Wait()
			close(ended)
		}()
		select {
		case <-ended:
		case <-ctx.Done():
			err = fmt.Errorf("inbox: handlers were still busy: %w", ctx.Err())
			cancel(errShutdown)
			// Handlers that heed their context return in a moment, and what they have done by then
			// is settled.
			select {
			case <-ended:
			case <-time.After(shutdownGrace):
			}
		}
		cancel(errShutdown)
	}
	if store, ok := in.store.(io.Closer); ok && !again {
		err = errors.Join(err, store.Close())
	}
	return err
}

// shutdownGrace is how long handlers have that were told to end.
const shutdownGrace = time.Second

// stopped reports whether Shutdown was called: nothing new is begun.
func (in *Inbox) stopped() bool {
	select {
	case <-in.stopping:
		return true
	default:
		return false
	}
}

func (in *Inbox) wakeSplitters() {
	for _, s := range in.splitters {
		s.wake.notify()
	}
}

// wakeClaimersOf wakes the claimers whose queues got events by a split. Each wake is a query, which
// would find nothing in the other queue.
func (in *Inbox) wakeClaimersOf(outs []Settlement) {
	for _, c := range in.claimers {
		if slices.ContainsFunc(outs, func(out Settlement) bool {
			return slices.ContainsFunc(out.Events, func(rec Record) bool { return rec.Backfill == c.req.Backfill })
		}) {
			c.wake.notify()
		}
	}
}

func (in *Inbox) wakeClaimers() {
	for _, c := range in.claimers {
		c.wake.notify()
	}
}

// listen wakes splitters and claimers when the store tells that another process has stored
// something. If the store cannot tell, they poll; the first error says that in the log.
func (in *Inbox) listen(ctx context.Context, w Waker) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	in.running.Go(func() {
		defer cancel()
		select {
		case <-in.stopping:
		case <-ctx.Done():
		}
	})
	for ctx.Err() == nil {
		if err := w.Wait(ctx); errors.Is(err, errors.ErrUnsupported) {
			in.cfg.Logger.WarnContext(
				ctx, "the store cannot tell when there is work; it is asked from time to time", "err", err,
			)
			return
		} else if err != nil && ctx.Err() == nil {
			in.cfg.Logger.WarnContext(
				ctx, "the store cannot tell when there is work; it is asked from time to time", "err", err,
			)
			in.pause(time.Second)
		}
		in.wakeSplitters()
		in.wakeClaimers()
	}
}

// sweep has the store forget old keys, from time to time.
func (in *Inbox) sweep(ctx context.Context, s Sweeper) {
	for in.pause(sweepPause) {
		if _, err := s.DeleteExpired(ctx, in.cfg.DedupWindow); err != nil && ctx.Err() == nil {
			in.cfg.Logger.WarnContext(ctx, "old keys were not forgotten", "err", err)
		}
	}
}

const sweepPause = 10 * time.Minute

// pause waits, and reports whether that was not cut short by Shutdown.
func (in *Inbox) pause(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-in.stopping:
		return false
	}
}

// A notifier tells one goroutine that there may be work. A notification that comes while that is
// busy is kept, and several of them are one.
type notifier chan struct{}

func newNotifier() notifier { return make(notifier, 1) }

func (n notifier) notify() {
	select {
	case n <- struct{}{}:
	default:
	}
}

// wait waits until n is notified or d is over, and reports whether that was not cut short by
// Shutdown.
func (in *Inbox) wait(n notifier, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-in.stopping:
		return false
	case <-n:
	case <-timer.C:
	}
	return !in.stopped()
}
