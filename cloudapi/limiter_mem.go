package cloudapi

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// A MemLimiter is a [Limiter] for one process. Its zero value is ready: every number has the
// throughput of a coexistence number. Use one for all clients of a process.
//
// It keeps three rules for each number: its messages a second, spread evenly; the pair rule; and
// what Meta's answers ask for ([Attempt.Throttle]). Replies go before campaigns; messages of the
// same priority to one person keep the order in which they came. A call that gives up waiting holds
// no other call back.
//
// What a number receives counts as well: call [MemLimiter.RecordInbound], or let a
// coexistence.Tracker do it. It remembers only numbers and pairs with something to remember, mostly
// for seconds. After a restart it remembers nothing: a number may send one message at once, as
// always, and each person may be sent a burst. Meta refuses what is too much, and Send repeats it
// later; package cloudapi/redislimit keeps the budgets over a restart.
type MemLimiter struct {
	// Throughput returns how many messages a second a number may pass; see
	// [Phone.MessagesPerSecond]. It is asked for every message, so it should not do I/O. If nil, or
	// where it returns zero, [CoexistenceRate].
	Throughput func(graph.PhoneNumberID) int

	mu      sync.Mutex
	numbers map[graph.PhoneNumberID]*number
	sweepAt int // grow beyond so many numbers, and idle ones are forgotten
}

var (
	_ AdaptiveLimiter = (*MemLimiter)(nil)
	_ InboundRecorder = (*MemLimiter)(nil)
	_ LimitForgetter  = (*MemLimiter)(nil)
)

// Wait implements [Limiter]. If it knows that the context ends before the message may leave, it
// returns at once.
func (l *MemLimiter) Wait(ctx context.Context, t SendRequest) error {
	n := l.acquireNumber(t.From)
	defer l.releaseNumber(n)
	urgent := t.Priority == PriorityReply
	p := l.acquirePair(n, t.To)
	defer l.releasePair(p)
	// The pair comes first: a message that waits for its person must not stand in the number's
	// queue, where it would hold messages to other people back.
	err := p.queue.Wait(ctx, urgent, func() (time.Duration, error) {
		l.mu.Lock()
		defer l.mu.Unlock()
		return p.take(time.Now()), nil
	})
	if err == nil {
		err = n.queue.Wait(ctx, urgent, func() (time.Duration, error) {
			l.mu.Lock()
			defer l.mu.Unlock()
			return n.take(time.Now(), l.rate(t.From)), nil
		})
		if err != nil {
			l.giveBack(p)
		}
	}
	switch {
	case err == nil, errors.Is(err, ctx.Err()):
		return err
	default:
		return fmt.Errorf("cloudapi: the limiter holds the message back: %w", err)
	}
}

// Try takes the budget of a message that may leave at once, as Wait does without waiting. Otherwise
// it takes nothing, and returns how long the number or the person has to wait before Try may
// succeed. It is for limiters that keep their budgets elsewhere and fall back on this one; as
// nothing waits here, replies do not go before campaigns.
func (l *MemLimiter) Try(t SendRequest) (number, pair time.Duration) {
	n := l.acquireNumber(t.From)
	defer l.releaseNumber(n)
	now := time.Now()
	l.mu.Lock()
	defer l.mu.Unlock()
	p := n.pair(t.To, now)
	if pair = p.take(now); pair > 0 {
		return 0, pair
	}
	if number = n.take(now, l.rate(t.From)); number > 0 {
		p.bucket.ReserveN(now, -1)
	}
	return number, 0
}

// acquirePair returns the budget of a pair, which is not forgotten before releasePair.
func (l *MemLimiter) acquirePair(n *number, to Recipient) *pair {
	l.mu.Lock()
	defer l.mu.Unlock()
	p := n.pair(to, time.Now())
	p.using++
	return p
}

func (l *MemLimiter) releasePair(p *pair) {
	l.mu.Lock()
	defer l.mu.Unlock()
	p.using--
}

// giveBack returns to a pair's budget what a message took that does not leave, because its wait for
// the number ended with an error.
func (l *MemLimiter) giveBack(p *pair) {
	l.mu.Lock()
	p.bucket.ReserveN(time.Now(), -1)
	l.mu.Unlock()
	p.queue.Wake()
}

// Observe implements [AdaptiveLimiter]: it slows the number or the pair down as far as the answer
// to an attempt asks for it.
func (l *MemLimiter) Observe(_ context.Context, t SendRequest, c Attempt) {
	s := c.Throttle()
	if s == (Throttle{}) {
		return
	}
	n := l.acquireNumber(t.From)
	defer l.releaseNumber(n)
	now := time.Now()
	l.mu.Lock()
	defer l.mu.Unlock()
	n.pace.apply(s, now)
	if s.PausePair > 0 {
		p := n.pair(t.To, now)
		p.pausedUntil = later(p.pausedUntil, now.Add(s.PausePair))
		if left := int(p.bucket.TokensAt(now)); left > 0 {
			p.bucket.AllowN(now, left) // Meta says that the burst is spent
		}
	}
}

// RecordInbound counts a message that a number received, and that takes from the same budget as
// those it sends. at is when the message came to Meta; the one of an old delivery, which took from
// a budget of the past, is not counted.
func (l *MemLimiter) RecordInbound(_ context.Context, phone graph.PhoneNumberID, at time.Time) {
	now := time.Now()
	if now.Sub(at) > time.Minute {
		return
	}
	n := l.acquireNumber(phone)
	defer l.releaseNumber(n)
	l.mu.Lock()
	defer l.mu.Unlock()
	n.receive(now, l.rate(phone))
}

// Forget implements [LimitForgetter]. What is in use at the moment stays, and is forgotten once it
// does not matter.
func (l *MemLimiter) Forget(_ context.Context, phone graph.PhoneNumberID, people ...Recipient) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := l.numbers[phone]
	if n == nil {
		return nil
	}
	maps.DeleteFunc(n.pairs, func(to Recipient, p *pair) bool {
		return p.using == 0 && (len(people) == 0 || slices.Contains(people, to))
	})
	if len(people) == 0 && n.using == 0 && len(n.pairs) == 0 {
		delete(l.numbers, phone)
	}
	return nil
}

// rate returns the configured throughput of a number, in messages a second. The caller must hold
// l.mu.
func (l *MemLimiter) rate(phone graph.PhoneNumberID) int {
	if l.Throughput != nil {
		if r := l.Throughput(phone); r > 0 {
			return r
		}
	}
	return CoexistenceRate
}

// acquireNumber returns the number's state, which is not forgotten before releaseNumber.
func (l *MemLimiter) acquireNumber(phone graph.PhoneNumberID) *number {
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

func (l *MemLimiter) releaseNumber(n *number) {
	l.mu.Lock()
	defer l.mu.Unlock()
	n.using--
}

// sweep forgets numbers that have nothing to remember. It runs when the count has doubled since the
// last time, so that its cost per number is constant. The caller must hold l.mu.
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

// later returns the later of two times.
func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
