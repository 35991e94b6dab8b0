package redislimit

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/waitqueue"
)

// ErrUnavailable matches the error of a message that was held back because Redis does not answer,
// with [Config].FailClosed.
var ErrUnavailable = errors.New("redislimit: Redis does not answer")

// Config configures a Limiter. The zero Config is valid.
type Config struct {
	// Throughput returns how many messages a second a number may pass; see
	// cloudapi.Phone.MessagesPerSecond. It is asked for every message, so it should not do I/O, and
	// must be the same in all processes. If nil, or where it returns zero,
	// cloudapi.CoexistenceRate.
	Throughput func(graph.PhoneNumberID) int

	// Prefix begins the names of all keys. If empty, "whatsapp:limit:".
	Prefix string

	// Processes is how many processes send. Each keeps to its share while Redis is down. If zero,
	// 1.
	Processes int

	// FailClosed sends nothing while Redis is down: Wait returns an error that is [ErrUnavailable].
	FailClosed bool

	// Timeout is how long Redis may take to answer. If zero, 500 ms.
	Timeout time.Duration

	// Logger gets the beginning and the end of outages. If nil, nothing is logged.
	Logger *slog.Logger
}

// A Limiter shares budgets with every other Limiter on the same Redis and prefix. Make one per
// process. It is safe for concurrent use.
type Limiter struct {
	cfg   Config
	redis redis.Scripter
	alone cloudapi.MemLimiter // while Redis is down; told of everything all the time, so that it knows

	mu     sync.Mutex
	queues map[graph.PhoneNumberID]*queue
	outage outage
}

// A queue is where the messages of one number wait in this process, whichever budget they wait for.
// Only its first message asks. The caller must hold Limiter.mu to use its fields.
type queue struct {
	waitqueue.Queue
	using  int       // goroutines that hold it
	outage time.Time // the beginning of the outage that next is about
	next   time.Time // when this process's share of the throughput has room for a message
}

var (
	_ cloudapi.AdaptiveLimiter = (*Limiter)(nil)
	_ cloudapi.InboundRecorder = (*Limiter)(nil)
	_ cloudapi.LimitForgetter  = (*Limiter)(nil)
)

// New returns a limiter that keeps its budgets in rdb. It does no I/O.
func New(rdb redis.Scripter, cfg Config) (*Limiter, error) {
	if rdb == nil {
		return nil, errors.New("redislimit: there is no Redis client")
	}
	if cfg.Processes < 0 || cfg.Timeout < 0 {
		return nil, errors.New("redislimit: Config.Processes and Timeout cannot be negative")
	}
	if cfg.Prefix == "" {
		cfg.Prefix = "whatsapp:limit:"
	}
	if cfg.Timeout == 0 {
		cfg.Timeout = 500 * time.Millisecond
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	l := &Limiter{cfg: cfg, redis: rdb, queues: map[graph.PhoneNumberID]*queue{}}
	l.alone.Throughput = func(phone graph.PhoneNumberID) int {
		return max(1, l.rate(phone)/max(1, cfg.Processes))
	}
	return l, nil
}

// Wait implements cloudapi.Limiter. If it knows that the context ends before the message may leave,
// it returns at once.
//
// A message that has to wait for its pair leaves the queue of the number and comes back later, so
// that it holds no message to another person back. A message that meets an outage goes by the
// process's own share of the budgets, or fails with [Config].FailClosed.
func (l *Limiter) Wait(ctx context.Context, t cloudapi.SendRequest) error {
	q := l.acquire(t.From)
	defer l.release(q)
	for {
		var pair time.Duration
		err := q.Wait(ctx, t.Priority == cloudapi.PriorityReply, func() (wait time.Duration, err error) {
			wait, pair, err = l.try(ctx, q, t)
			return wait, err
		})
		if err == nil && pair > 0 {
			if err = waitqueue.Outlives(ctx, pair); err == nil {
				err = sleep(ctx, pair)
			}
			if err == nil {
				continue
			}
		}
		switch {
		case err == nil, errors.Is(err, ErrUnavailable), ctx.Err() != nil && errors.Is(err, ctx.Err()):
			return err
		}
		return fmt.Errorf("redislimit: the message is held back: %w", err)
	}
}

// try takes the budget of a message, or says how long its number or its pair has to wait. It takes
// from Redis; from this process's share while Redis is down; and from both for a while after that.
func (l *Limiter) try(ctx context.Context, q *queue, t cloudapi.SendRequest) (wait, pair time.Duration, err error) {
	if l.mayAsk(time.Now()) {
		if wait = l.waitAfterOutage(q, time.Now()); wait > 0 {
			return wait, 0, nil
		}
		wait, pair, err = l.take(ctx, t)
		if err == nil && wait <= 0 && pair <= 0 {
			l.spendShare(q, t.From, time.Now())
		}
	} else {
		err = ErrUnavailable
	}
	if !errors.Is(err, ErrUnavailable) || l.cfg.FailClosed {
		return wait, pair, err
	}
	if wait = l.waitInOutage(q, t.From, time.Now()); wait > 0 {
		return wait, 0, nil
	}
	wait, pair = l.alone.Try(t)
	if wait <= 0 && pair <= 0 {
		l.spendShare(q, t.From, time.Now())
	}
	return wait, pair, nil
}

// Observe implements cloudapi.AdaptiveLimiter. What Meta tells one process slows all of them down.
func (l *Limiter) Observe(ctx context.Context, t cloudapi.SendRequest, c cloudapi.Attempt) {
	s := c.Throttle()
	if s == (cloudapi.Throttle{}) {
		return
	}
	l.alone.Observe(ctx, t, c)
	if !l.mayAsk(time.Now()) {
		return
	}
	// The caller may have gone, and other processes still need to slow down.
	_, _ = l.run(context.WithoutCancel(ctx), throttleScript, l.keys(t),
		s.Pause.Microseconds(), s.PausePair.Microseconds(), number(s.HalveRate), s.RateShare,
		cloudapi.PairInterval.Microseconds(), cloudapi.PairBurst,
		recovery.Microseconds(), leastShare)
}

// RecordInbound implements cloudapi.InboundRecorder: it counts a message that a number received,
// and that takes from the same budget as those it sends. A coexistence.Tracker calls it. Old
// messages are not counted. It is one round trip.
func (l *Limiter) RecordInbound(ctx context.Context, phone graph.PhoneNumberID, at time.Time) {
	if time.Since(at) > time.Minute {
		return
	}
	l.alone.RecordInbound(ctx, phone, at)
	if !l.mayAsk(time.Now()) {
		return
	}
	number := l.keys(cloudapi.SendRequest{From: phone})[:1]
	_, _ = l.run(ctx, receiveScript, number, l.rate(phone), recovery.Microseconds())
}

// Forget implements cloudapi.LimitForgetter. Of a whole number, the strings of pairs are left:
// their names hold hashes of recipients, and they are gone within an hour, mostly within five
// minutes. The error is [ErrUnavailable] if Redis does not answer.
func (l *Limiter) Forget(ctx context.Context, phone graph.PhoneNumberID, people ...cloudapi.Recipient) error {
	if err := l.alone.Forget(ctx, phone, people...); err != nil {
		return err
	}
	keys := l.keys(cloudapi.SendRequest{From: phone})[:1]
	if len(people) > 0 {
		keys = nil
	}
	for _, to := range people {
		keys = append(keys, l.keys(cloudapi.SendRequest{From: phone, To: to})[1])
	}
	_, err := l.run(ctx, forgetScript, keys)
	return err
}

// rate returns the throughput of a number, in messages a second.
func (l *Limiter) rate(phone graph.PhoneNumberID) int {
	if l.cfg.Throughput != nil {
		if r := l.cfg.Throughput(phone); r > 0 {
			return r
		}
	}
	return cloudapi.CoexistenceRate
}

// acquire returns the queue of a number, which is not forgotten before release.
func (l *Limiter) acquire(phone graph.PhoneNumberID) *queue {
	l.mu.Lock()
	defer l.mu.Unlock()
	q := l.queues[phone]
	if q == nil {
		q = new(queue)
		l.queues[phone] = q
	}
	q.using++
	return q
}

// release forgets queues that are not in use, but not while the shares that they remember matter.
func (l *Limiter) release(q *queue) {
	l.mu.Lock()
	defer l.mu.Unlock()
	q.using--
	if l.outage.sharesMatter(time.Now()) {
		return
	}
	maps.DeleteFunc(l.queues, func(_ graph.PhoneNumberID, q *queue) bool { return q.using == 0 })
}

// sleep waits for d, or for the end of ctx.
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
