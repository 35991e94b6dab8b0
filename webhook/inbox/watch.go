package inbox

import (
	"context"
	"sync"
	"time"
)

// A watch is over one call of a handler. If the call goes on though its context has ended, the
// worker that waits for it becomes an orphan: another worker takes its place, and it ends with the
// call. So handlers that hang hold their conversations, and no others.
type watch struct {
	ctx   context.Context // for the log
	c     *claimer
	rec   Record
	leave func() // lets another worker take the place

	mu       sync.Mutex
	timer    *time.Timer
	ended    bool
	late     bool // counted as hanging
	full     bool // there were too many orphans once
	isOrphan bool
	duration time.Duration // what the handler has, with the grace
}

// maxHandlerGrace is how long a handler may go on at most after its context has ended.
const maxHandlerGrace = 10 * time.Second

// handlerGrace is how long a handler may go on after its context has ended.
func (in *Inbox) handlerGrace() time.Duration { return min(in.cfg.HandlerTimeout, maxHandlerGrace) }

// watch begins to watch over a call.
func (c *claimer) watch(ctx context.Context, rec Record, leave func()) *watch {
	return &watch{ctx: ctx, c: c, rec: rec, leave: leave}
}

// begin is called just before the handler is.
func (w *watch) begin() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.duration = w.c.in.cfg.HandlerTimeout + w.c.in.handlerGrace()
	w.timer = time.AfterFunc(w.duration, w.expire)
}

// end is called when the handler has returned.
func (w *watch) end() {
	w.timer.Stop()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ended = true
	if w.late {
		w.c.in.counts.hanging.Add(-1)
	}
	if w.isOrphan {
		w.c.orphans.Add(-1)
	}
}

// orphan reports whether another worker has taken the place of the one that waited for the handler.
func (w *watch) orphan() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.isOrphan
}

// expire is called when the handler has not returned in time. There are as many orphans as workers
// at most, since each is a goroutine with an event; beyond that, workers wait for their handlers.
func (w *watch) expire() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.ended {
		return
	}
	in := w.c.in
	log := in.cfg.Logger.With("key", w.rec.DedupKey, "phone", w.rec.PhoneNumberID, "attempt", w.rec.Attempts+1)
	if !w.late {
		w.late = true
		in.counts.hanging.Add(1)
		log.ErrorContext(w.ctx, "a handler did not heed its context and hangs; its conversation waits until it returns",
			"after", w.duration)
	}
	if w.c.orphans.Add(1) > int64(w.c.workers) {
		w.c.orphans.Add(-1)
		if !w.full {
			w.full = true
			log.ErrorContext(w.ctx, "so many handlers hang that a worker waits for this one; end the process, and "+
				"mend the handler")
		}
		w.timer.Reset(in.handlerGrace())
		return
	}
	w.isOrphan = true
	w.leave()
}
