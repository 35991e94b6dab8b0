package webhooktest

import (
	"context"
	"slices"
	"sync"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

// A Recorder is a [webhook.Handler] that remembers every event. The zero Recorder is ready and safe
// for concurrent use.
type Recorder struct {
	mu       sync.Mutex
	events   []webhook.Event
	messages map[graph.MessageID]int // how often customers' messages were handled
	err      error
}

// Handle remembers ev and returns what [Recorder.Fail] was given.
func (r *Recorder) Handle(_ context.Context, ev webhook.Event) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.events = append(r.events, ev)
	if m, ok := ev.(*webhook.IncomingMessage); ok {
		if r.messages == nil {
			r.messages = make(map[graph.MessageID]int)
		}
		r.messages[m.ID]++
	}
	return r.err
}

// Fail makes Handle return err from now on, as a handler whose database is down does. Fail(nil)
// ends it.
func (r *Recorder) Fail(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.err = err
}

// Events returns the events so far, in the order in which they were handled.
func (r *Recorder) Events() []webhook.Event {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.events)
}

// Handled returns how many customers' messages with that id were handled, repeats counted. It is
// what [Target.Handled] of a host in a test can be; its error is always nil.
func (r *Recorder) Handled(_ context.Context, id graph.MessageID) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.messages[id], nil
}

// Reset forgets all events.
func (r *Recorder) Reset() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.events, r.messages = nil, nil
}
