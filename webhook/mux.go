package webhook

import (
	"context"
	"fmt"
	"maps"
	"reflect"
	"slices"
)

// A Mux is a [Handler] that calls, for each type of event, the function registered for it with
// [On]. The zero Mux is ready; register before use, not during it. An event without a function goes
// to the one given to [Mux.Default], or is acknowledged without further notice.
type Mux struct {
	handlers  map[reflect.Type]muxEntry
	otherwise func(context.Context, Event) error
}

type muxEntry struct {
	field  Field
	handle func(context.Context, Event) error
}

// On registers fn for the events of its type, which the compiler infers:
//
//	webhook.On(&mux, func(ctx context.Context, m *webhook.IncomingMessage) error { … })
//
// It panics if there is one already, or if fn is nil or takes the interface Event; for the latter
// there is [Mux.Default].
func On[E Event](m *Mux, fn func(context.Context, E) error) {
	typ := reflect.TypeFor[E]()
	switch {
	case fn == nil:
		panic(fmt.Sprintf("webhook: On was given a nil function for %v", typ))
	case typ.Kind() != reflect.Pointer:
		panic(fmt.Sprintf("webhook: On needs a function of one kind of event, not of %v; use Mux.Default", typ))
	case m.handlers[typ].handle != nil:
		panic(fmt.Sprintf("webhook: On was called twice for %v", typ))
	}
	if m.handlers == nil {
		m.handlers = make(map[reflect.Type]muxEntry)
	}
	var zero E
	m.handlers[typ] = muxEntry{zero.field(), func(ctx context.Context, ev Event) error { return fn(ctx, ev.(E)) }}
}

// Default registers fn for all events that have no function of their own. Count or log what comes
// here: it shows what Meta sends that no function handles. It panics if called twice, or with nil.
func (m *Mux) Default(fn func(context.Context, Event) error) {
	if fn == nil || m.otherwise != nil {
		panic("webhook: Mux.Default takes one function, once")
	}
	m.otherwise = fn
}

// Handle calls the function for ev.
func (m *Mux) Handle(ctx context.Context, ev Event) error {
	if e, ok := m.handlers[reflect.TypeOf(ev)]; ok {
		return e.handle(ctx, ev)
	}
	if m.otherwise != nil {
		return m.otherwise(ctx, ev)
	}
	return nil
}

// Fields returns the webhook fields that the registered functions need, sorted: what the app has to
// be subscribed to for them. Handlers beside the Mux need their own; what is registered with
// Default adds none.
func (m *Mux) Fields() []Field {
	fields := make(map[Field]bool)
	for _, e := range m.handlers {
		if e.field != "" {
			fields[e.field] = true
		}
	}
	return slices.Sorted(maps.Keys(fields))
}
