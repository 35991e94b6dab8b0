package webhook

import (
	"context"
	"errors"
	"fmt"
	"path"
	"runtime/debug"
	"strings"
	"time"
)

// A Delivery is one verified POST, as received. It is what to store when the work is to be done
// later.
type Delivery struct {
	// Body is the raw JSON. It is not written to; the events decoded from it alias it.
	Body []byte

	// ReceivedAt is when it arrived here.
	ReceivedAt time.Time
}

// Events decodes the delivery, and tells each event when it arrived. See [Decode].
func (d Delivery) Events() ([]Event, error) {
	events, err := Decode(d.Body)
	if !d.ReceivedAt.IsZero() {
		at := d.ReceivedAt.UTC().Truncate(time.Microsecond) // what stores keep of it
		for _, ev := range events {
			ev.base().ReceivedAt = at
		}
	}
	return events, err
}

// A Receiver takes a whole verified delivery. A nil error acknowledges it; [Permanent] errors do as
// well. Any other error makes Meta deliver it again, for up to 7 days. Return an error that matches
// [ErrUnavailable] if the delivery cannot be stored now.
//
// An [Endpoint] calls its receiver from many goroutines at once.
type Receiver interface {
	Receive(ctx context.Context, d Delivery) error
}

// A ReceiverFunc is a function as a [Receiver].
type ReceiverFunc func(ctx context.Context, d Delivery) error

// Receive calls f.
func (f ReceiverFunc) Receive(ctx context.Context, d Delivery) error { return f(ctx, d) }

// ErrUnavailable says that a delivery cannot be taken in now, because a store is down or a disk is
// full. An [Endpoint] answers 503, and Meta keeps the delivery.
var ErrUnavailable = errors.New("webhook: deliveries cannot be stored now")

// Dispatch returns a Receiver that decodes a delivery and hands its events to h at once, one after
// the other, in the order of the body, each event once: what Meta repeats is dropped by
// [EventInfo.DedupKey]. It is [DispatchAll] with [Once] and a [MemDedupStore] of its own, so it
// remembers events for 8 days, up to a million of them, and forgets them when the process ends. An
// event that failed comes again; so do events without a key.
//
// Several processes behind one URL, and what must not be done twice across a restart, need an
// inbox, or a [DedupStore] in a database:
//
//	webhook.DispatchAll(webhook.Once(&mux, store))
func Dispatch(h Handler) Receiver { return DispatchAll(Once(h, new(MemDedupStore))) }

// DispatchAll is [Dispatch] without deduplication: h gets every event of every delivery, repeats
// included. It is for handlers that are idempotent by themselves, and for hosts with a [DedupStore]
// of their own.
//
// If h is a [Preparer], the events of a delivery are prepared together before.
//
// An error of one event does not keep the others from being handled; a panic counts as an error.
// All errors are returned together, each with the type and the key of its event.
//
// A body that is not JSON reaches h as one [*UndecodableEvent]; Receive then returns a [Permanent]
// error that matches [ErrNotJSON], so that the endpoint logs it and Meta stops sending it.
func DispatchAll(h Handler) Receiver {
	return ReceiverFunc(func(ctx context.Context, d Delivery) error {
		events, err := d.Events()
		var errs []error
		if err != nil {
			errs = append(errs, Permanent(err))
			events = []Event{undecodableBody(d.Body, err)}
		}
		for _, p := range prepareAll(ctx, h, events) {
			if err := handleSafely(p.Context, h, p.Event); err != nil {
				errs = append(errs, ofEvent(p.Event, err))
			}
		}
		return errors.Join(errs...)
	})
}

// A PanicError is a panic in a handler, or in what an inbox calls, returned as an error.
type PanicError struct {
	// Type is the Go type of what was passed to panic. The value itself is left out, because it may
	// quote the event.
	Type string

	// Stack is the stack trace.
	Stack []byte
}

// Error names the line to look at.
func (e *PanicError) Error() string {
	return "webhook: panic with a " + e.Type + e.place() + "; PanicError.Stack says how it came to that"
}

// place returns the line of code that panicked: that of the first function below the panic which is
// not the runtime's.
func (e *PanicError) place() string {
	_, below, _ := strings.Cut(string(e.Stack), "\npanic(")
	// A function and its place take turns. The first line is the rest of the panic's own.
	lines := strings.Split(below, "\n")
	for i := 2; i+1 < len(lines); i += 2 {
		if !strings.HasPrefix(lines[i], "runtime.") {
			place, _, _ := strings.Cut(path.Base(lines[i+1]), " ")
			return " at " + place
		}
	}
	return ""
}

// ofEvent says which event an error is about. Keys hold nothing that could be read out of them.
func ofEvent(ev Event, err error) error {
	kind := strings.TrimPrefix(fmt.Sprintf("%T", ev), "*webhook.")
	if key := ev.Info().DedupKey; key != "" {
		kind += " " + key
	}
	return fmt.Errorf("webhook: %s: %w", kind, err)
}

func handleSafely(ctx context.Context, h Handler, ev Event) (err error) {
	defer recoverTo(&err)
	return h.Handle(ctx, ev)
}

// recoverTo is deferred around foreign code.
func recoverTo(err *error) {
	if v := recover(); v != nil {
		*err = &PanicError{Type: fmt.Sprintf("%T", v), Stack: debug.Stack()}
	}
}
