package cloudapi

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/turnstile"
)

// A MemLimiter is a [Limiter] for one process. Its zero value is ready: every number has the throughput of a coexistence
// number. Use one for all clients of a process.
//
// It keeps three rules for each number: its messages a second, spread evenly; the pair rule; and what Meta's answers ask for
// ([Call.Slowdown]). Replies go before campaigns. Messages to one person keep the order in which they came.
//
// What a number receives counts as well: tell [MemLimiter.Received], or let a coexistence.Tracker do it. It remembers only
// numbers and pairs with something to remember, mostly for seconds.
type MemLimiter struct {
	// Throughput returns how many messages a second a number may pass; see [Phone.MessagesPerSecond]. It is asked for every
	// message, so it should not do I/O. If nil, or where it returns zero, [CoexistenceRate].
	Throughput func(graph.PhoneNumberID) int

	mu      sync.Mutex
	numbers map[graph.PhoneNumberID]*number
	sweepAt int // grow beyond so many numbers, and idle ones are forgotten
}

var _ LearningLimiter = (*MemLimiter)(nil)

// Wait implements [Limiter]. If it knows that the context ends before the message may leave, it returns at once.
func (l *MemLimiter) Wait(ctx context.Context, t Turn) error {
	n := l.enter(t.From)
	defer l.exit(n)
	giveBack, err := l.waitPair(ctx, n, t)
	if err == nil {
		err = n.line.Pass(ctx, t.Priority == PriorityReply, func() (time.Duration, error) {
			l.mu.Lock()
			defer l.mu.Unlock()
			return n.take(time.Now(), l.rate(t.From)), nil
		})
		if err != nil {
			giveBack()
		}
	}
	switch {
	case err == nil, errors.Is(err, ctx.Err()):
		return err
	default:
		return fmt.Errorf("cloudapi: the limiter holds the message back: %w", err)
	}
}

// waitPair waits for the budget of the pair. What is taken and not used is to be given back.
func (l *MemLimiter) waitPair(ctx context.Context, n *number, t Turn) (giveBack func(), err error) {
	now := time.Now()
	l.mu.Lock()
	p := n.pair(t.To, now)
	p.using++
	r := p.bucket.ReserveN(now, 1)
	l.mu.Unlock()
	defer func() {
		l.mu.Lock()
		p.using--
		l.mu.Unlock()
	}()
	giveBack = func() { r.CancelAt(time.Now()) }
	wait := r.DelayFrom(now)
	for {
		l.mu.Lock()
		wait = max(wait, time.Until(p.pausedUntil))
		l.mu.Unlock()
		if wait <= 0 {
			return giveBack, nil
		}
		if err = turnstile.Outlives(ctx, wait); err == nil {
			err = sleep(ctx, wait)
		}
		if err != nil {
			giveBack()
			return nil, err
		}
		wait = 0
	}
}

// Learn implements [LearningLimiter].
func (l *MemLimiter) Learn(_ context.Context, t Turn, c Call) {
	s := c.Slowdown()
	if s == (Slowdown{}) {
		return
	}
	n := l.enter(t.From)
	defer l.exit(n)
	now := time.Now()
	l.mu.Lock()
	defer l.mu.Unlock()
	n.pace.learn(s, now)
	if s.PausePair > 0 {
		p := n.pair(t.To, now)
		p.pausedUntil = later(p.pausedUntil, now.Add(s.PausePair))
		if left := int(p.bucket.TokensAt(now)); left > 0 {
			p.bucket.AllowN(now, left) // Meta says that the burst is spent
		}
	}
}

// Received counts a message that a number received, and that takes from the same budget as those it sends. at is when the
// message came to Meta; the one of an old delivery, which took from a budget of the past, is not counted.
func (l *MemLimiter) Received(_ context.Context, phone graph.PhoneNumberID, at time.Time) {
	now := time.Now()
	if now.Sub(at) > time.Minute {
		return
	}
	n := l.enter(phone)
	defer l.exit(n)
	l.mu.Lock()
	defer l.mu.Unlock()
	n.receive(now, l.rate(phone))
}

// rate wants the lock.
func (l *MemLimiter) rate(phone graph.PhoneNumberID) int {
	if l.Throughput != nil {
		if r := l.Throughput(phone); r > 0 {
			return r
		}
	}
	return CoexistenceRate
}

// enter returns the number's state, which is not forgotten before exit.
func (l *MemLimiter) enter(phone graph.PhoneNumberID) *number {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := l.numbers[phone]
	if n == nil {
		if len(l.numbers) >= max(l.sweepAt, 64) {
			l.sweep()
		}
		if l.numbers == nil {
			l.numbers = map[graph.PhoneNumberID]*number{}
		}
		n = new(number)
		l.numbers[phone] = n
	}
	n.using++
	return n
}

func (l *MemLimiter) exit(n *number) {
	l.mu.Lock()
	defer l.mu.Unlock()
	n.using--
}

// sweep forgets numbers that have nothing to remember. That it is rare makes it cheap.
func (l *MemLimiter) sweep() {
	now := time.Now()
	for phone, n := range l.numbers {
		n.sweep(now)
		if n.idle(now) {
			delete(l.numbers, phone)
		}
	}
	l.sweepAt = 2 * len(l.numbers)
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
