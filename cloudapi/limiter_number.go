package cloudapi

import (
	"time"

	"golang.org/x/time/rate"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/turnstile"
)

// A number is what a MemLimiter remembers of one. All but the lines want the limiter's lock.
type number struct {
	line  turnstile.Line
	using int // goroutines that have it in hand

	bucket  *rate.Limiter // nil until the first message
	pace    pace
	pairs   map[Recipient]*pair
	sweepAt int
}

// A pair is the budget between a number and a person.
type pair struct {
	line        turnstile.Line
	bucket      *rate.Limiter
	using       int
	pausedUntil time.Time
}

// burst is how many messages may leave at once after a silence: a twentieth of a second's worth, so
// that no second holds much more than Meta allows for one.
func burst(perSecond int) int { return max(1, perSecond/20) }

// sync makes the bucket that of the present throughput.
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

// take spends one message, or says how long to wait before asking again.
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

// pair returns the budget of a pair. It forgets those with nothing to remember, now and then.
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

// take spends one message, or says how long to wait before asking again.
func (p *pair) take(now time.Time) time.Duration {
	if wait := p.pausedUntil.Sub(now); wait > 0 {
		return wait
	}
	if p.bucket.AllowN(now, 1) {
		return 0
	}
	return max(time.Duration((1-p.bucket.TokensAt(now))*float64(PairInterval)), time.Microsecond)
}

func (n *number) sweep(now time.Time) {
	for to, p := range n.pairs {
		if p.using == 0 && !now.Before(p.pausedUntil) && p.bucket.TokensAt(now) >= PairBurst {
			delete(n.pairs, to)
		}
	}
	n.sweepAt = 2 * len(n.pairs)
}

// idle reports whether a new number would behave the same.
func (n *number) idle(now time.Time) bool {
	return n.using == 0 && len(n.pairs) == 0 && !now.Before(n.pace.pausedUntil) && n.pace.share(now) == 1 &&
		(n.bucket == nil || n.bucket.TokensAt(now) >= float64(n.bucket.Burst()))
}

// A pace is what Meta's answers have made of a number's throughput. The zero pace is full speed.
type pace struct {
	pausedUntil time.Time
	lost        float64 // of the throughput, at the time of at
	at          time.Time
	halvedAt    time.Time
}

// What was lost comes back in twenty seconds, if all was.
const recovery = 20 * time.Second

// leastShare keeps a number moving, so that it notices when things are better.
const leastShare = 0.05

func (p *pace) share(now time.Time) float64 {
	if p.lost == 0 {
		return 1
	}
	return min(1, 1-p.lost+float64(now.Sub(p.at))/float64(recovery))
}

func (p *pace) learn(s Throttle, now time.Time) {
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
