package webhook

import "context"

// A Preparer is a [Handler] that can do its part for many events in one step, before they are
// handled one by one: a coexistence.Tracker stores what a hundred texts tell in one transaction
// instead of a hundred. [Dispatch] and an inbox prepare what they have at hand; [MultiHandler],
// [Once] and inbox.InTx pass the step on. A wrapper of the host's own does so by having this method
// too; without it, the handlers within it work as before, and only slower.
//
// Preparing is an optimization and never more: which events are prepared, how many together, and
// whether at all is up to the caller.
type Preparer interface {
	Handler

	// Prepare does for the events of a batch what Handle would do for each. Events of a
	// conversation follow each other in order; so the effect of an event may be there before those
	// in front of it have been handled, and before the handlers in front of this one have seen it.
	//
	// Handle is called for every event afterwards, prepared or not, with the context that the batch
	// holds for it by then. Prepare replaces that context by one that says what was done, so that
	// Handle does not do it again, and that may hold what other handlers of the event can use.
	//
	// There is no error: an event that cannot be prepared keeps its context, and goes the usual
	// way. The same event may be prepared again, even after it was handled, so Prepare is
	// idempotent. It does not change events, and keeps nothing of the batch. ctx is for the step as
	// a whole.
	Prepare(ctx context.Context, batch []Preparation)
}

// A Preparation is an event that is about to be handled.
type Preparation struct {
	// Event is the event.
	Event Event

	// Context is the context of the event's handlers, or the parent of it. A replacement is derived
	// from it.
	Context context.Context
}

// prepareAll prepares the events of a delivery if h is a Preparer, and returns the context of each.
// A panic ends the step: what was prepared by then is.
func prepareAll(ctx context.Context, h Handler, events []Event) []Preparation {
	batch := make([]Preparation, len(events))
	for i, ev := range events {
		batch[i] = Preparation{Event: ev, Context: ctx}
	}
	if p, ok := h.(Preparer); ok && len(events) > 0 {
		var err error // handling the events shows it again
		func() {
			defer recoverTo(&err)
			p.Prepare(ctx, batch)
		}()
	}
	return batch
}
