package redislimit

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
)

// As in cloudapi.MemLimiter: lost throughput comes back in twenty seconds, and a twentieth of it is
// always left.
const (
	recovery   = 20 * time.Second
	leastShare = 0.05
)

// keys names the number's hash and the pair's string. The pair's name holds a hash of the
// recipient, who is personal data: names of keys appear in logs and monitors of Redis. The braces
// are Redis Cluster's hash tag, which keeps both keys on one node, as a script needs it.
func (l *Limiter) keys(t cloudapi.SendRequest) []string {
	number := l.cfg.Prefix + "{" + string(t.From) + "}"
	hash := sha256.Sum256([]byte(string(t.From) + " " + t.To.Key()))
	return []string{number, number + ":" + hex.EncodeToString(hash[:16])}
}

// take spends one message of both budgets, or of none. It returns how long to wait for the number
// and how long for the pair; both are zero if the message may leave. It notes what Redis tells of
// an outage that this process may have missed.
func (l *Limiter) take(ctx context.Context, t cloudapi.SendRequest) (wait, pair time.Duration, err error) {
	rate := l.rate(t.From)
	got, err := l.run(ctx, takeScript, l.keys(t), rate, max(1, rate/20),
		cloudapi.PairInterval.Microseconds(), cloudapi.PairBurst,
		number(t.Priority == cloudapi.PriorityReply), recovery.Microseconds(), afterOutage.Microseconds())
	if err != nil {
		return 0, 0, err
	}
	micros := func(i int) time.Duration { return time.Duration(got[i]) * time.Microsecond }
	l.noteMissed(time.Now(), micros(2))
	return micros(0), micros(1), nil
}

// run runs a script, all of which answer with three numbers. An error of the caller's context is
// returned as it is; every other one is an outage, [ErrUnavailable], and starts the second in which
// Redis is not asked.
func (l *Limiter) run(ctx context.Context, script *redis.Script, keys []string, args ...any) ([]int64, error) {
	brief, cancel := context.WithTimeout(ctx, l.cfg.Timeout)
	defer cancel()
	// The client ends a call with its context only if it is configured so, and its own timeouts are
	// long. The goroutine that is left behind ends with them, and there are few: nothing more is
	// asked while Redis counts as down.
	type answer struct {
		got []int64
		err error
	}
	answers := make(chan answer, 1)
	left := make(chan struct{})
	go func() {
		got, err := script.Run(brief, l.redis, keys, args...).Int64Slice()
		answers <- answer{got, err}
		select {
		case <-left: // a late answer ends an outage sooner than the next question
			if err == nil {
				l.note(context.WithoutCancel(ctx), nil)
			}
		default:
		}
	}()
	var got []int64
	var err error
	select {
	case a := <-answers:
		got, err = a.got, a.err
	case <-brief.Done():
		close(left)
		err = brief.Err()
	}
	if err == nil && len(got) != 3 {
		err = fmt.Errorf("the script answers with %d numbers", len(got))
	}
	if err != nil && ctx.Err() != nil {
		return nil, ctx.Err()
	}
	l.note(ctx, err)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	return got, nil
}

// number writes a boolean for a script, which gets all arguments as text.
func number(b bool) int {
	if b {
		return 1
	}
	return 0
}
