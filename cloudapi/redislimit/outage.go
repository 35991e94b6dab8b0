package redislimit

import (
	"context"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// An outage is what this process knows about Redis not answering.
//
// The processes that share a budget notice the beginning and the end of an outage at different
// times. So that they never send more than the throughput together,
//
//   - each begins an outage with an empty share: a message has just left by the shared budget;
//   - each takes from both, Redis and its share, for a while after it noticed the end. Until the
//     last one has noticed, those that have do not use what the others still take for theirs; and
//     what they take is counted in Redis for those who are through. A Redis that has just started
//     says so to those that had nothing to send while it was away.
type outage struct {
	began time.Time // zero while Redis answers
	asked time.Time // when Redis was asked last, during an outage
	until time.Time // after an outage: until when the share counts, too
}

const (
	// askAgain is how long Redis is left alone after it did not answer, so that not every message
	// waits for the timeout.
	askAgain = time.Second

	// afterOutage is longer than any process needs to notice that an outage is over: askAgain, the
	// second in which go-redis refuses to dial after many failures, and a timeout.
	afterOutage = 3 * time.Second

	// shareMargin slows a share down so that no second holds one message more than it should, which
	// happens to evenly spaced ones at the edges of a second, in each process.
	shareMargin = 1.05
)

func (o *outage) sharesMatter(now time.Time) bool { return !o.began.IsZero() || now.Before(o.until) }

// mayAsk reports whether the caller may ask Redis. During an outage it lets one caller through now
// and then, to find out whether it is over.
func (l *Limiter) mayAsk(now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.outage.began.IsZero() {
		return true
	}
	if now.Sub(l.outage.asked) < askAgain {
		return false
	}
	l.outage.asked = now
	return true
}

// note remembers whether Redis answers.
func (l *Limiter) note(ctx context.Context, err error) {
	now := time.Now()
	l.mu.Lock()
	wasDown := !l.outage.began.IsZero()
	switch {
	case err != nil && !wasDown:
		l.outage = outage{began: now, asked: now}
	case err != nil:
		l.outage.asked = now
	case wasDown:
		l.outage = outage{until: now.Add(afterOutage)}
	}
	l.mu.Unlock()
	switch {
	case err != nil && !wasDown:
		l.cfg.Logger.ErrorContext(ctx, "redis does not answer, the limits are no longer shared",
			"hold", l.cfg.FailClosed, "err", err)
	case err == nil && wasDown:
		l.cfg.Logger.InfoContext(ctx, "redis answers again, the limits are shared")
	}
}

// noteMissed lets the shares hold for as long as a Redis that has just started asks for it, also in
// a process that had nothing to send while it was away.
func (l *Limiter) noteMissed(now time.Time, shares time.Duration) {
	if shares <= 0 {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if until := now.Add(shares); until.After(l.outage.until) {
		l.outage.until = until
	}
}

// waitInOutage returns how long the process's share of a number has no room. The first time in an
// outage, it has none for a whole step.
func (l *Limiter) waitInOutage(q *queue, phone graph.PhoneNumberID, now time.Time) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !q.outage.Equal(l.outage.began) {
		q.outage, q.next = l.outage.began, now.Add(l.step(phone))
	}
	return q.next.Sub(now)
}

// waitAfterOutage returns how long a number has to wait although Redis may have room.
func (l *Limiter) waitAfterOutage(q *queue, now time.Time) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !now.Before(l.outage.until) {
		return 0
	}
	return q.next.Sub(now)
}

func (l *Limiter) spendShare(q *queue, phone graph.PhoneNumberID, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	q.next = now.Add(l.step(phone))
}

// step is the time between two messages of a number that sends by this process's share alone.
func (l *Limiter) step(phone graph.PhoneNumberID) time.Duration {
	processes := float64(max(1, l.cfg.Processes))
	return time.Duration(shareMargin * processes / float64(l.rate(phone)) * float64(time.Second))
}
