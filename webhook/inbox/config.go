package inbox

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"math/rand/v2"
	"os"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

// Config configures an [Inbox]. The zero Config is good for most hosts.
type Config struct {
	// Workers is how many live conversations are handled at once. If zero, 16. From 4 workers on, a
	// number has three quarters of them at most, so that one is always free for a number that has
	// none: with 16 workers and slow handlers, 12 conversations of a number are handled at once.
	Workers int

	// BackfillWorkers is how many numbers' histories and address books are handled at once, beside
	// what is live. If zero, 2.
	BackfillWorkers int

	// MaxAttempts is how often an event is tried before it becomes a dead letter. Its conversation
	// waits meanwhile. Attempts that ended with the process are not among them: there are five of
	// those. If zero, 20, which takes about eight hours with the [DefaultBackoff].
	MaxAttempts int

	// Backoff returns the pause after an event has failed for the attempt-th time, from 1. If nil,
	// [DefaultBackoff].
	Backoff func(attempt int) time.Duration

	// HandlerTimeout is how long a handler has for one event; then its context ends. A handler that
	// ignores that within as long again, but 10 seconds at most, is logged and counted
	// ([Metrics].Hanging). Its conversation waits until it returns; its worker is replaced, unless
	// as many as Workers were already. If zero, 5 minutes.
	HandlerTimeout time.Duration

	// LeaseDuration is how long the events in progress stay reserved after the process died. It is
	// prolonged as long as the process lives, so handlers may take longer. If zero, 30 seconds.
	LeaseDuration time.Duration

	// PollInterval is how often the store is asked for work that was not announced, such as what
	// another process left. If zero, 1 second.
	PollInterval time.Duration

	// DedupWindow is how long events are remembered after they were handled. If zero,
	// [MinDedupWindow]; less is refused, because Meta repeats.
	DedupWindow time.Duration

	// MaxBufferedBytes limits the bytes of deliveries that wait for being stored. Beyond, Receive
	// answers that it is unavailable. If zero, 64 MiB.
	MaxBufferedBytes int64

	// WorkerID tells this process from others that share the store. If empty, the name of the
	// machine and the process's number.
	WorkerID string

	// Logger gets what no caller can see: events that failed or were given up, and stores that do
	// not answer. If nil, nothing is logged.
	Logger *slog.Logger

	// Observe is called after each attempt to handle an event, from many goroutines at once, for
	// metrics and traces. ctx is the handler's: it has the values of the context that [Inbox.Start]
	// was given, and has ended if the attempt took longer than HandlerTimeout.
	Observe func(ctx context.Context, a Attempt)
}

// An Attempt is one attempt to handle an event, as Config.Observe sees it.
type Attempt struct {
	// Field is the webhook field that brought the event.
	Field webhook.Field

	// PhoneNumberID is the business's number that the event is about. It is empty for events of an
	// account.
	PhoneNumberID graph.PhoneNumberID

	// Backfill marks history and address books.
	Backfill bool

	// Attempt counts from 1.
	Attempt int

	// Disposition is [DispositionDone], [DispositionRetry] or [DispositionDead].
	// [DispositionRelease] means that the attempt was cut off by a shutdown.
	Disposition Disposition

	// Err is the error of the handler, or nil.
	Err error

	// Duration is how long the handler ran, Lag how long after the delivery's arrival it ended.
	Duration, Lag time.Duration
}

// validate reports all mistakes at once, also those in what New was given beside the Config.
func (c Config) validate(store Store, h webhook.Handler) error {
	var errs []error
	if store == nil {
		errs = append(errs, errors.New("inbox: New needs a Store"))
	}
	if h == nil {
		errs = append(errs, errors.New("inbox: New needs a webhook.Handler, such as a Mux"))
	}
	t, inTx := h.(txHandler)
	if p, ok := h.(txPreparer); ok {
		t, inTx = p.txHandler, true
	}
	if inTx {
		if _, ok := store.(TxSettler); !ok && store != nil {
			errs = append(errs, errNoTx)
		}
		if t.h == nil {
			errs = append(errs, errors.New("inbox: InTx needs a webhook.Handler, such as a Mux"))
		}
	}
	for name, n := range map[string]int64{
		"Workers": int64(c.Workers), "BackfillWorkers": int64(c.BackfillWorkers), "MaxAttempts": int64(c.MaxAttempts),
		"HandlerTimeout": int64(c.HandlerTimeout),
		"LeaseDuration":  int64(c.LeaseDuration), "PollInterval": int64(c.PollInterval),
		"MaxBufferedBytes": c.MaxBufferedBytes,
	} {
		if n < 0 {
			errs = append(errs, fmt.Errorf("inbox: Config.%s is negative; use 0 for the default", name))
		}
	}
	if c.DedupWindow != 0 && c.DedupWindow < MinDedupWindow {
		errs = append(errs, fmt.Errorf(
			"inbox: Config.DedupWindow is less than %v; Meta repeats deliveries for 7 days", MinDedupWindow,
		))
	}
	return errors.Join(errs...)
}

// withDefaults replaces zero values by what the comments of the fields say.
func (c Config) withDefaults() Config {
	c.Workers = cmp.Or(c.Workers, 16)
	c.BackfillWorkers = cmp.Or(c.BackfillWorkers, 2)
	c.MaxAttempts = cmp.Or(c.MaxAttempts, 20)
	c.HandlerTimeout = cmp.Or(c.HandlerTimeout, 5*time.Minute)
	c.LeaseDuration = cmp.Or(c.LeaseDuration, 30*time.Second)
	c.PollInterval = cmp.Or(c.PollInterval, time.Second)
	c.DedupWindow = cmp.Or(c.DedupWindow, MinDedupWindow)
	c.MaxBufferedBytes = cmp.Or(c.MaxBufferedBytes, 64<<20)
	c.Logger = cmp.Or(c.Logger, slog.New(slog.DiscardHandler))
	if c.Backoff == nil {
		c.Backoff = DefaultBackoff
	}
	if c.Observe == nil {
		c.Observe = func(context.Context, Attempt) {}
	}
	if c.WorkerID == "" {
		host, _ := os.Hostname() // without, the number has to do
		c.WorkerID = fmt.Sprintf("%s-%d", host, os.Getpid())
	}
	return c
}

// DefaultBackoff is the default pause after an event has failed for the attempt-th time: 1 second,
// 2, 4 and so on up to an hour, each of them drawn between three quarters and five quarters of
// that, so that what failed together does not come again together.
func DefaultBackoff(attempt int) time.Duration {
	pause := min(math.Ldexp(float64(time.Second), max(attempt, 1)-1), float64(time.Hour))
	return time.Duration(pause * (0.75 + rand.Float64()/2)) //nolint:gosec // a pause is no secret
}
