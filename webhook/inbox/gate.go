package inbox

import (
	"sync"
	"time"
)

// A gate lets one event be alone in the process: what ends the process then was that event, and
// nobody else's event is in progress. What is claimed enters the gate and leaves it once it is
// settled; while the gate is closed, nothing enters.
type gate struct {
	mu      sync.Mutex
	inHand  int // claims, lanes, and outcomes that are not settled
	closed  bool
	changed chan struct{} // closed when something changes; nil if that is not waited for
}

// enter waits until the gate is open, and notes a claim. It reports whether that was not cut short
// by Shutdown.
func (g *gate) enter(stopping <-chan struct{}) bool {
	return g.waitFor(stopping, nil, func() bool {
		if g.closed {
			return false
		}
		g.inHand++
		return true
	})
}

// add changes how much is in progress.
func (g *gate) add(n int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.inHand += n; g.inHand == 0 {
		g.signal()
	}
}

// isClosed reports whether something is alone, or is to be.
func (g *gate) isClosed() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.closed
}

// open ends what alone has begun.
func (g *gate) open() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.closed = false
	g.signal()
}

// alone closes the gate once nothing is in progress. If that takes longer than timeout, it closes
// the gate at once, and gives what is in progress some time to end. It reports whether nothing is
// in progress now; then the caller opens the gate afterwards. If not, the gate is open again.
func (g *gate) alone(stopping <-chan struct{}, timeout, grace time.Duration) bool {
	timer := time.NewTimer(timeout)
	defer timer.Stop()
	if g.waitFor(stopping, timer.C, func() bool {
		if g.inHand == 0 && !g.closed {
			g.closed = true
			return true
		}
		return false
	}) {
		return true
	}
	timer.Reset(grace)
	if !g.waitFor(stopping, timer.C, func() bool {
		free := !g.closed
		g.closed = true
		return free
	}) {
		return false // another one is alone
	}
	if g.waitFor(stopping, timer.C, func() bool { return g.inHand == 0 }) {
		return true
	}
	g.open()
	return false
}

// waitFor waits until cond, which is called with the lock, returns true. It reports false if that
// was cut short.
func (g *gate) waitFor(stopping <-chan struct{}, late <-chan time.Time, cond func() bool) bool {
	for {
		g.mu.Lock()
		if cond() {
			g.mu.Unlock()
			return true
		}
		if g.changed == nil {
			g.changed = make(chan struct{})
		}
		changed := g.changed
		g.mu.Unlock()
		select {
		case <-changed:
		case <-late:
			return false
		case <-stopping:
			return false
		}
	}
}

// signal wakes all who wait. The caller must hold g.mu.
func (g *gate) signal() {
	if g.changed != nil {
		close(g.changed)
		g.changed = nil
	}
}
