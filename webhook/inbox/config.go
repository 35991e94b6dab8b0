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
	// Workers is how many live conversations are handled at once. If zero, 16.
	Workers int

	// BulkWorkers is how many numbers' histories and address books are handled at once, beside what is live. If zero, 2.
	BulkWorkers int

	// MaxAttempts is how often an event is tried before it becomes a dead letter. Its conversation waits meanwhile. Attempts that ended with
	// the process are not counted. If zero, 20, which takes about eight hours with the default Backoff.
	MaxAttempts int

	// Backoff returns the pause after an event has failed for the attempt-th time, from 1. If nil, [Backoff].
	Backoff func(attempt int) time.Duration

	// Timeout is how long a handler has for one event; then its context ends. A handler that does not heed that keeps its conversation
	// waiting, and a worker busy. If zero, 5 minutes.
	Timeout time.Duration

	// Lease is how long the events in hand stay reserved after the process died. It is prolonged as long as the process lives, so
	// handlers may take longer. If zero, 30 seconds.
	Lease time.Duration

	// Poll is how often the store is asked for work that nobody has announced, such as what another process left. If zero, 1 second.
	Poll time.Duration

	// KeepKeys is how long events are remembered after they were handled. If zero, [KeepKeys]; less is refused, because Meta repeats.
	KeepKeys time.Duration

	// MaxReceiving limits the bytes of deliveries that wait for being stored. Beyond, Receive answers that it is unavailable. If
	// zero, 64 MiB.
	MaxReceiving int64

	// Name tells this process from others that share the store. If empty, the name of the machine and the process's number.
	Name string

	// Logger gets what no caller can see: events that failed or were given up, and stores that do not answer. If nil, nothing is logged.
	Logger *slog.Logger

	// Observe is called after each attempt to handle an event, from many goroutines at once, for metrics and traces. ctx is the handler's:
	// it has the values of the context that [Inbox.Start] was given, and has ended if the attempt took longer than Timeout.
	Observe func(ctx context.Context, o Observation)
}

// An Observation is one attempt to handle an event.
type Observation struct {
	// Field and Phone say where the event came from.
	Field webhook.Field
	Phone graph.PhoneNumberID

	// Bulk marks history and address books.
	Bulk bool

	// Attempt counts from 1.
	Attempt int

	// Outcome is Done, Retry or Dead. Release means that the attempt was cut off by a shutdown.
	Outcome OutcomeKind

	// Err is what the handler returned, or nil.
	Err error

	// Took is how long the handler ran, Lag how long after the delivery's arrival it ended.
	Took, Lag time.Duration
}

func (c Config) validate(store Store, h webhook.Handler) error {
	var errs []error
	if store == nil {
		errs = append(errs, errors.New("inbox: New needs a Store"))
	}
	if h == nil {
		errs = append(errs, errors.New("inbox: New needs a webhook.Handler, such as a Mux"))
	}
	if t, ok := h.(txHandler); ok {
		if _, ok := store.(TxSettler); !ok && store != nil {
			errs = append(errs, errNoTx)
		}
		if t.h == nil {
			errs = append(errs, errors.New("inbox: InTx needs a webhook.Handler, such as a Mux"))
		}
	}
	for name, n := range map[string]int64{
		"Workers": int64(c.Workers), "BulkWorkers": int64(c.BulkWorkers), "MaxAttempts": int64(c.MaxAttempts), "Timeout": int64(c.Timeout),
		"Lease": int64(c.Lease), "Poll": int64(c.Poll), "MaxReceiving": c.MaxReceiving,
	} {
		if n < 0 {
			errs = append(errs, fmt.Errorf("inbox: Config.%s is negative; use 0 for the default", name))
		}
	}
	if c.KeepKeys != 0 && c.KeepKeys < KeepKeys {
		errs = append(errs, fmt.Errorf("inbox: Config.KeepKeys is less than %v; Meta repeats deliveries for 7 days", KeepKeys))
	}
	return errors.Join(errs...)
}

func (c Config) withDefaults() Config {
	c.Workers = cmp.Or(c.Workers, 16)
	c.BulkWorkers = cmp.Or(c.BulkWorkers, 2)
	c.MaxAttempts = cmp.Or(c.MaxAttempts, 20)
	c.Timeout = cmp.Or(c.Timeout, 5*time.Minute)
	c.Lease = cmp.Or(c.Lease, 30*time.Second)
	c.Poll = cmp.Or(c.Poll, time.Second)
	c.KeepKeys = cmp.Or(c.KeepKeys, KeepKeys)
	c.MaxReceiving = cmp.Or(c.MaxReceiving, 64<<20)
	c.Logger = cmp.Or(c.Logger, slog.New(slog.DiscardHandler))
	if c.Backoff == nil {
		c.Backoff = Backoff
	}
	if c.Observe == nil {
		c.Observe = func(context.Context, Observation) {}
	}
	if c.Name == "" {
		host, _ := os.Hostname() // without, the number has to do
		c.Name = fmt.Sprintf("%s-%d", host, os.Getpid())
	}
	return c
}

// Backoff is the default pause after an event has failed for the attempt-th time: 1 second, 2, 4 and so on up to an hour, each of
// them drawn between three quarters and five quarters of that, so that what failed together does not come again together.
func Backoff(attempt int) time.Duration {
	pause := min(math.Ldexp(float64(time.Second), max(attempt, 1)-1), float64(time.Hour))
	return time.Duration(pause * (0.75 + rand.Float64()/2)) //nolint:gosec // a pause is no secret
}
