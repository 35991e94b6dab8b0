package cloudapi

import (
	"time"

	"golang.org/x/time/rate"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/waitqueue"
)

// A number is the state of one business number in a [MemLimiter]. For all but the queue, which has
// a lock of its own, the caller must hold the limiter's mu.
type number struct {
	queue waitqueue.Queue // of messages that wait for the throughput
	using int             // goroutines that hold it; it is not forgotten before that is zero

	bucket  *rate.Limiter // nil until the first message
	pace    pace
	pairs   map[Recipient]*pair
	sweepAt int // grow beyond so many pairs, and idle ones are forgotten
}

// A pair is the budget of messages from one number to one person. For all but the queue the caller
// must hold the limiter's mu.
type pair struct {
	queue       waitqueue.Queue // of messages that wait for this person
	bucket      *rate.Limiter
	using       int       // goroutines that hold it; it is not forgotten before that is zero
	pausedUntil time.Time // as Meta asked; zero for never
}

// burst is how many messages may leave at once after a silence: a twentieth of a second's worth, so
// that no second holds much more than Meta allows for one.
func burst(perSecond int) int { return max(1, perSecond/20) }

// sync makes the bucket that of the present throughput, which changes with the configured rate and
// with what Meta's answers took away. What is in the bucket stays in it.
func (n *number) sync(now time.Time, perSecond int) rate.Limit {
	limit := rate.Limit(float64(perSecond) * n.pace.share(now))
	switch {
	case n.bucket == nil:
		n.bucket = rate.NewLimiter(limit, burst(perSecond))
	case n.bucket.Limit() != limit || n.bucket.Burst() != burst(perSecond):
		n.bucket.SetLimitAt(now, limit)
		n.bucket.SetBurstAt(now, burst(perSecond))
	}
	return limit
}

// take spends one message and returns zero, or returns how long to wait before asking again. The
// wait is at least a microsecond: a zero would mean that the message may leave.
func (n *number) take(now time.Time, perSecond int) time.Duration {
	if wait := n.pace.pausedUntil.Sub(now); wait > 0 {
		return wait
	}
	limit := n.sync(now, perSecond)
	if n.bucket.AllowN(now, 1) {
		return 0
	}
	missing := 1 - n.bucket.TokensAt(now)
	return max(time.Duration(missing/float64(limit)*float64(time.Second)), time.Microsecond)
}

// receive spends one message that has come already, into debt if need be. The debt ends at a
// second's worth: what came in a flood of late deliveries was not received just now.
func (n *number) receive(now time.Time, perSecond int) {
	n.sync(now, perSecond)
	if n.bucket.TokensAt(now) > -float64(perSecond) {
		n.bucket.ReserveN(now, 1)
	}
}

// pair returns the budget of a pair, and makes one for a person that is not remembered. When the
// number of pairs has doubled, it sweeps first, which costs a new pair O(1) on average.
func (n *number) pair(to Recipient, now time.Time) *pair {
	p := n.pairs[to]
	if p == nil {
		if len(n.pairs) >= max(n.sweepAt, 64) {
			n.sweep(now)
		}
		if n.pairs == nil {
			n.pairs = map[Recipient]*pair{}
		}
		p = &pair{bucket: rate.NewLimiter(rate.Every(PairInterval), PairBurst)}
		n.pairs[to] = p
	}
	return p
}

// take spends one message and returns zero, or returns how long to wait before asking again.
func (p *pair) take(now time.Time) time.Duration {
	if wait := p.pausedUntil.Sub(now); wait > 0 {
		return wait
	}
	if p.bucket.AllowN(now, 1) {
		return 0
	}
	return max(time.Duration((1-p.bucket.TokensAt(now))*float64(PairInterval)), time.Microsecond)
}

// sweep forgets pairs that a new one would behave like: not in use, not paused, with a full bucket.
func (n *number) sweep(now time.Time) {
	for to, p := range n.pairs {
		if p.using == 0 && !now.Before(p.pausedUntil) && p.bucket.TokensAt(now) >= PairBurst {
			delete(n.pairs, to)
		}
	}
	n.sweepAt = 2 * len(n.pairs)
}

// idle reports whether a new number would behave the same, so that this one can be forgotten.
func (n *number) idle(now time.Time) bool {
	return n.using == 0 && len(n.pairs) == 0 && !now.Before(n.pace.pausedUntil) && n.pace.share(now) == 1 &&
		(n.bucket == nil || n.bucket.TokensAt(now) >= float64(n.bucket.Burst()))
}

// A pace is what Meta's answers have made of a number's throughput. The zero pace is full speed.
type pace struct {
	pausedUntil time.Time
	lost        float64   // share of the throughput that was lost at the time at, 0 to 1
	at          time.Time // of the last loss
	halvedAt    time.Time // of the last refusal that halved it
}

// recovery is how long the whole throughput takes to come back; half of it takes half as long.
const recovery = 20 * time.Second

// leastShare is what is left of the throughput at worst. It keeps a number sending, so that an
// answer can show that things are better.
const leastShare = 0.05

// share returns the share of the throughput that a number has now, above 0 and up to 1.
func (p *pace) share(now time.Time) float64 {
	if p.lost == 0 {
		return 1
	}
	return min(1, 1-p.lost+float64(now.Sub(p.at))/float64(recovery))
}

// apply takes in what one answer asks for. Twenty requests that were under way together are refused
// together: they halve the throughput once, not twenty times.
func (p *pace) apply(s Throttle, now time.Time) {
	if s.Pause > 0 {
		p.pausedUntil = later(p.pausedUntil, now.Add(s.Pause))
	}
	share := p.share(now)
	if s.HalveRate && now.Sub(p.halvedAt) >= time.Second {
		share, p.halvedAt = share/2, now
	}
	if s.RateShare > 0 {
		share = min(share, s.RateShare)
	}
	if share < 1 {
		p.lost, p.at = 1-max(share, leastShare), now
	}
}
