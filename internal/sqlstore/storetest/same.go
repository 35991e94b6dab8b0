package storetest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"sync"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

// A View is everything that a store knows about the number, except when it was told: what two runs
// over the same events must have in common.
type View struct {
	// Single are the same conversations, each asked for under its last alias.
	Conversations, Single []coexistence.Conversation

	// Messages has each message twice: out of its conversation, and by its id.
	Messages []coexistence.Message

	// Found are the same contacts, each asked for by its identity. Where these pairs differ, an
	// index is wrong.
	Contacts, Found []coexistence.Contact

	// Phases and Progress are those of the history sync.
	Phases   []coexistence.PhaseSync
	Progress int
}

// ViewOf reads a store through all of its methods. Its iterations are nested, so a store that holds
// a connection while the caller works runs out of them.
func ViewOf(ctx context.Context, store coexistence.Store) (View, error) {
	var v View
	for c, err := range store.Conversations(ctx, Phone) {
		if err != nil {
			return v, err
		}
		// The last alias is the one that a lookup by key would not need.
		one, err := store.Conversation(ctx, Phone, c.Contact.Aliases[len(c.Contact.Aliases)-1])
		if err != nil {
			return v, err
		}
		v.Conversations = append(v.Conversations, nameless(c))
		v.Single = append(v.Single, nameless(one))
		for m, err := range store.Messages(ctx, Phone, c.ID) {
			if err != nil {
				return v, err
			}
			again, err := store.Message(ctx, Phone, m.ID)
			if err != nil {
				return v, err
			}
			if m.ConversationID != c.ID || again.ConversationID != c.ID {
				return v, fmt.Errorf("message %s of conversation %s says that it is in %s and in %s", m.ID, c.ID,
					m.ConversationID, again.ConversationID)
			}
			m.ConversationID, again.ConversationID = "", ""
			v.Messages = append(v.Messages, m, again)
		}
	}
	for c, err := range store.Contacts(ctx, Phone) {
		if err != nil {
			return v, err
		}
		v.Contacts = append(v.Contacts, c)
		found, err := store.Contact(ctx, Phone, c.Identity)
		if err != nil {
			return v, err
		}
		v.Found = append(v.Found, found)
	}
	state, err := store.Number(ctx, Phone)
	if err != nil && !errors.Is(err, coexistence.ErrNotFound) {
		return v, err
	}
	v.Phases, v.Progress = state.History.Phases, state.History.Progress
	return v, nil
}

// nameless is a conversation without its ids, which depend on what was told first.
func nameless(c coexistence.Conversation) coexistence.Conversation {
	c.ID, c.FormerIDs = "", nil
	if c.Last != nil {
		c.Last = new(*c.Last)
		c.Last.ConversationID = ""
	}
	return c
}

// Handle applies events in order, as an inbox does: some are prepared together, in batches of any
// size, and some are not.
func Handle(ctx context.Context, store coexistence.Store, events []webhook.Event) error {
	tracker, err := coexistence.NewTracker(coexistence.Config{Store: store})
	if err != nil {
		return err
	}
	for i, size := 0, 1; i < len(events); i, size = i+size, size%7+3 {
		size = min(size, len(events)-i)
		batch := make([]webhook.Preparation, size)
		for j, ev := range events[i : i+size] {
			batch[j] = webhook.Preparation{Event: ev, Context: ctx}
		}
		if size%4 != 0 {
			tracker.Prepare(ctx, batch)
		}
		for _, p := range batch {
			if err := tracker.Handle(p.Context, p.Event); err != nil {
				return err
			}
		}
	}
	return nil
}

// HandleConcurrently applies all events through every one of the stores, which share a database:
// each in its own order, all of them at once, each with several workers, as endpoints of several
// processes do. The tracker's changes are commutative, so the result has to be that of one process;
// a store that loses an update shows here.
func HandleConcurrently(ctx context.Context, seed uint64, events []webhook.Event, stores ...coexistence.Store) error {
	// Three for each store, so that two processes with one worker each would not be enough to show
	// a deadlock.
	const workers = 3
	var wg sync.WaitGroup
	errs := make([]error, len(stores)*workers)
	for i, store := range stores {
		r := rand.New(rand.NewPCG(seed, uint64(i)))
		shuffled := slices.Clone(events)
		r.Shuffle(len(shuffled), func(a, b int) { shuffled[a], shuffled[b] = shuffled[b], shuffled[a] })
		for w := range workers {
			wg.Go(func() {
				var mine []webhook.Event
				for j := w; j < len(shuffled); j += workers {
					mine = append(mine, shuffled[j])
				}
				errs[i*workers+w] = Handle(ctx, store, mine)
			})
		}
	}
	wg.Wait()
	return errors.Join(errs...)
}

// Expected is what a store in memory makes of the events. It is the reference: its order of work
// and its locks are the simplest there are.
func Expected(ctx context.Context, events []webhook.Event) (View, error) {
	store := new(coexistence.MemStore)
	tracker, err := coexistence.NewTracker(coexistence.Config{Store: store})
	if err != nil {
		return View{}, err
	}
	for _, ev := range events { // none of them prepared
		if err := tracker.Handle(ctx, ev); err != nil {
			return View{}, err
		}
	}
	return ViewOf(ctx, store)
}

// Differs says what a store knows otherwise than expected, or nil. It names the first part of the
// view that differs.
func Differs(ctx context.Context, store coexistence.Store, want View) error {
	got, err := ViewOf(ctx, store)
	if err != nil {
		return err
	}
	// Field by field, so that the error shows the part that differs and not all of it.
	g, w := reflect.ValueOf(got), reflect.ValueOf(want)
	for i := range g.NumField() {
		if !reflect.DeepEqual(g.Field(i).Interface(), w.Field(i).Interface()) {
			return fmt.Errorf("%s: got %+v, want %+v", g.Type().Field(i).Name, g.Field(i), w.Field(i))
		}
	}
	return nil
}
