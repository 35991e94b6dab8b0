package inbox

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

// An Inbox takes deliveries in, and handles their events. It is a [webhook.Receiver]. It is safe
// for concurrent use.
type Inbox struct {
	store   Store
	handler webhook.Handler
	cfg     Config
	made    time.Time
	decoded decodedDeliveries
	pumps   []*pump
	splits  []*splitter

	receiving atomic.Int64
	counts    counters
	notBegun  sync.Once // for the log

	mu       sync.Mutex
	started  bool
	stopping chan struct{}           // closed when nothing more is claimed
	cancel   context.CancelCauseFunc // ends the handlers' contexts
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
	in := &Inbox{store: store, handler: h, cfg: cfg.withDefaults(), made: time.Now(), stopping: make(chan struct{})}
	for _, bulk := range []bool{false, true} {
		in.splits = append(in.splits, &splitter{in: in, bulk: bulk, alarm: newAlarm()})
		in.pumps = append(in.pumps, newPump(in, bulk))
	}
	return in, nil
}

// Receive stores a delivery durably. When it returns nil, Meta may forget it. Any error matches
// [webhook.ErrUnavailable]: Meta keeps the delivery and tries again. An inbox that was not started
// takes deliveries in and handles none of them; one that was shut down takes none.
func (in *Inbox) Receive(ctx context.Context, d webhook.Delivery) error {
	if in.over() {
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
	added, err := in.store.Append(ctx, []Record{newDelivery(d)})
	if err != nil {
		in.counts.refused.Add(1)
		return fmt.Errorf("%w: %w", webhook.ErrUnavailable, err)
	}
	if added == 0 {
		in.counts.duplicates.Add(1)
		return nil
	}
	in.counts.received.Add(1)
	in.notBegun.Do(func() { in.cfg.Logger.WarnContext(ctx, "the inbox is not started; call Start") })
	in.wakeSplitters()
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
	in.notBegun.Do(func() {}) // there is nothing to be said any more
	ctx, in.cancel = context.WithCancelCause(context.WithoutCancel(ctx))
	for _, s := range in.splits {
		in.running.Go(func() { s.run(ctx) })
	}
	for _, p := range in.pumps {
		in.running.Go(func() { p.run(ctx) })
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

// Shutdown ends an inbox: nothing more is begun, and what is being handled is waited for. If ctx
// ends first, the handlers' contexts end, and ctx's error is returned; what was not finished is
// handled again, at once by the next process that opens the store, or after the lease by others
// that share it. A store that is an [io.Closer] is closed in the end. Shut the HTTP server down
// before.
func (in *Inbox) Shutdown(ctx context.Context) error {
	in.mu.Lock()
	cancel, again := in.cancel, in.over()
	if !again {
		close(in.stopping)
	}
	in.started = true // or never will be
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
			// Handlers that heed their context are done in a moment, and can then say how far they
			// came.
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

// over reports whether nothing new is to be begun.
func (in *Inbox) over() bool {
	select {
	case <-in.stopping:
		return true
	default:
		return false
	}
}

func (in *Inbox) wakeSplitters() {
	for _, s := range in.splits {
		s.alarm.ring()
	}
}

func (in *Inbox) wakePumps() {
	for _, p := range in.pumps {
		p.alarm.ring()
	}
}

// listen passes on what the store tells about other processes.
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
			in.cfg.Logger.WarnContext(ctx, "the store cannot tell when there is work; it is asked from time to time", "err", err)
			return
		} else if err != nil && ctx.Err() == nil {
			in.cfg.Logger.WarnContext(ctx, "the store cannot tell when there is work; it is asked from time to time", "err", err)
			in.pause(time.Second)
		}
		in.wakeSplitters()
		in.wakePumps()
	}
}

// sweep forgets old keys, from time to time.
func (in *Inbox) sweep(ctx context.Context, s Sweeper) {
	for in.pause(sweepPause) {
		if _, err := s.DeleteExpired(ctx, in.cfg.DedupWindow); err != nil && ctx.Err() == nil {
			in.cfg.Logger.WarnContext(ctx, "old keys were not forgotten", "err", err)
		}
	}
}

const sweepPause = 10 * time.Minute

// pause waits, and reports whether the inbox goes on.
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

// An alarm is rung when there may be work. Ringing while it rings changes nothing.
type alarm chan struct{}

func newAlarm() alarm { return make(alarm, 1) }

func (a alarm) ring() {
	select {
	case a <- struct{}{}:
	default:
	}
}

// wait waits until the alarm rings or d is over, and reports whether the inbox goes on.
func (in *Inbox) wait(a alarm, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-in.stopping:
		return false
	case <-a:
	case <-timer.C:
	}
	return !in.over()
}
