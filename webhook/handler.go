package webhook

import (
	"context"
	"errors"
)

// A Handler handles one event. A nil error acknowledges it. Any other error asks for the event
// again, later. Meta repeats whole deliveries; [Dispatch] and package inbox drop what was handled
// before, except after a crash within the handler. Wrap errors that a repeat cannot cure with
// [Permanent].
//
// An [Endpoint] calls its handler from many goroutines at once.
type Handler interface {
	Handle(ctx context.Context, ev Event) error
}

// A HandlerFunc is a function as a [Handler].
type HandlerFunc func(ctx context.Context, ev Event) error

// Handle calls f.
func (f HandlerFunc) Handle(ctx context.Context, ev Event) error { return f(ctx, ev) }

// MultiHandler returns a Handler that passes each event to every h in order, until one returns an
// error. Later handlers can rely on what earlier ones stored; when the event comes again, the
// earlier ones see it again. A [Permanent] error stops nothing, because no repeat will come that
// would reach the later ones; it is returned at the end. It is a [Preparer] if one of them is.
func MultiHandler(h ...Handler) Handler {
	var preparers []Preparer
	for _, h := range h {
		if p, ok := h.(Preparer); ok {
			preparers = append(preparers, p)
		}
	}
	if len(preparers) == 0 {
		return multiHandler(h)
	}
	return multiPreparer{h, preparers}
}

// A multiHandler is what MultiHandler returns.
type multiHandler []Handler

// Handle implements [Handler].
func (m multiHandler) Handle(ctx context.Context, ev Event) error {
	var errs []error
	for _, h := range m {
		err := h.Handle(ctx, ev)
		if err == nil {
			continue
		}
		errs = append(errs, err)
		if !IsPermanent(err) {
			break
		}
	}
	return errors.Join(errs...)
}

// A multiPreparer is a multiHandler of which some are preparers.
type multiPreparer struct {
	multiHandler
	preparers []Preparer
}

// Prepare implements [Preparer].
func (m multiPreparer) Prepare(ctx context.Context, batch []Preparation) {
	for _, p := range m.preparers {
		p.Prepare(ctx, batch)
	}
}

// Permanent marks err as one that a repeat cannot cure, such as an event that the host refuses for
// good. The delivery is acknowledged and the error logged. Permanent(nil) is nil.
func Permanent(err error) error {
	if err == nil {
		return nil
	}
	return &permanentError{err}
}

// IsPermanent reports whether err was marked with [Permanent]. Of joined errors, all have to be.
func IsPermanent(err error) bool {
	switch e := err.(type) { //nolint:errorlint // walks the tree by itself: all branches have to be marked
	case nil:
		return false
	case *permanentError:
		return true
	case interface{ Unwrap() []error }:
		errs := e.Unwrap()
		for _, err := range errs {
			if !IsPermanent(err) {
				return false
			}
		}
		return len(errs) > 0
	case interface{ Unwrap() error }:
		return IsPermanent(e.Unwrap())
	}
	return false
}

type permanentError struct{ err error }

func (e *permanentError) Error() string { return e.err.Error() }
func (e *permanentError) Unwrap() error { return e.err }
