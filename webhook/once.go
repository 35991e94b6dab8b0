package webhook

import (
	"context"
	"errors"
	"fmt"
)

// A DedupStore remembers which events were handled. Meta delivers at least once and repeats for up
// to 7 days, so a DedupStore has to remember for at least 8. [MemDedupStore] is one for a single
// process; a host of several keeps one in its database.
type DedupStore interface {
	// Claim takes key for the caller, who handles the event and then calls Done or Release. It
	// returns [ErrDuplicate] if the event was handled before, and [ErrInProgress] if another caller
	// holds the key. A claim whose holder died ends by itself after a while; 60 seconds are usual.
	Claim(ctx context.Context, key string) (Claim, error)
}

// A Claim is a key that was taken.
type Claim interface {
	// Done says that the event was handled. It returns an error if the claim had ended before; then
	// another caller may have handled the event as well.
	Done(ctx context.Context) error

	// Release says that it was not, and lets the next delivery try.
	Release(ctx context.Context) error
}

var (
	// ErrDuplicate is the error of [DedupStore.Claim] for an event that was handled before.
	ErrDuplicate = errors.New("webhook: the event was handled before")

	// ErrInProgress is the error of [DedupStore.Claim] while another caller handles the event. The
	// delivery is not acknowledged, so that Meta's repeat finds out how it ended.
	ErrInProgress = errors.New("webhook: the event is being handled elsewhere; let Meta deliver it again")
)

// Once returns a Handler that passes an event on to h only if the store does not know its key, so
// that h need not be idempotent: a bot answers once.
//
// An event is marked before and after h runs. If h fails, the next delivery reaches it again; if
// the process dies within h, the same happens once the claim has ended, and what h had done until
// then is done twice. Events without a key always pass.
//
// An [UnavailableMessage] has a key of its own, so that the content passes after it. It also passes
// after the content, if it was slower: a handler that shows placeholders checks whether it has the
// message already. An inbox does that by itself.
//
// If h is a [Preparer], so is what Once returns; repeats are prepared as well.
//
// [Dispatch] does this with a [MemDedupStore]. With another store:
//
//	webhook.DispatchAll(webhook.Once(&mux, store))
func Once(h Handler, store DedupStore) Handler {
	if p, ok := h.(Preparer); ok {
		return oncePreparer{once{h, store}, p}
	}
	return once{h, store}
}

// A once is what Once returns.
type once struct {
	h     Handler
	store DedupStore
}

// Handle implements [Handler].
func (o once) Handle(ctx context.Context, ev Event) error {
	key := ev.Info().DedupKey
	if key == "" {
		return o.h.Handle(ctx, ev)
	}
	claim, err := o.store.Claim(ctx, key)
	switch {
	case errors.Is(err, ErrDuplicate):
		return nil
	case err != nil:
		return fmt.Errorf("webhook: claiming an event: %w", err)
	}
	// The outcome is written down even if the request that brought the event is over by now.
	settle := context.WithoutCancel(ctx)
	err = handleSafely(ctx, o.h, ev)
	if err != nil && !IsPermanent(err) {
		return errors.Join(err, claim.Release(settle))
	}
	return errors.Join(err, claim.Done(settle))
}

// An oncePreparer is a once around a preparer.
type oncePreparer struct {
	once
	Preparer
}

// Handle implements [Handler]: that of once.
func (o oncePreparer) Handle(ctx context.Context, ev Event) error { return o.once.Handle(ctx, ev) }
