package coexistence

import (
	"context"
	"math/bits"
	"reflect"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

// preparedKey is that of the event, in its own context, that a tracker has prepared. A handler that
// hands another event to the tracker with the same context must not find that prepared.
type preparedKey struct{ t *Tracker }

// A preparedEvent is an event of which the tracker has stored what it tells, and the conversation
// that it is in; the zero one if the store did not return it.
type preparedEvent struct {
	event        webhook.Event
	conversation Conversation
}

// prepared reports whether the tracker has stored what an event tells.
func (t *Tracker) prepared(ctx context.Context, ev webhook.Event) bool {
	p, ok := ctx.Value(preparedKey{t}).(preparedEvent)
	return ok && p.event == ev
}

// Conversation returns the conversation that an event is in, as it was once the tracker had stored
// the event: its permanent ID, the customer, and whether a person is in it. It is for handlers
// after the tracker. If the event was prepared, as nearly all are that an inbox or
// [webhook.Dispatch] passes on, it costs no query, and Last is nil; otherwise it reads one row. For
// an event that is in no conversation, or in one without a message, it is [ErrNotFound].
func (t *Tracker) Conversation(ctx context.Context, ev webhook.Event) (Conversation, error) {
	if p, ok := ctx.Value(preparedKey{t}).(preparedEvent); ok && p.event == ev && p.conversation.MessageCount > 0 {
		return p.conversation.clone(), nil
	}
	f, phone := factsOf(ev), ev.Info().PhoneNumberID
	name := ""
	if len(f.messages) > 0 {
		name = f.messages[0].person
	} else if who, ok := ev.(interface{ Customer() graph.Identity }); ok {
		name = bestAlias(who.Customer())
	}
	if name == "" && len(f.messages) > 0 { // as of a reaction that names no customer
		m, err := t.cfg.Store.Message(ctx, phone, f.messages[0].id)
		if err != nil {
			return Conversation{}, err
		}
		name = m.ConversationID
	}
	if name == "" {
		return Conversation{}, ErrNotFound
	}
	return t.cfg.Store.Conversation(ctx, phone, name)
}

// Prepare implements [webhook.Preparer]: it stores what live messages, statuses and echoes tell of
// people and messages in one step, if the Store is a [BatchStore]. Other events go the usual way.
// If the step fails, its halves are tried, and so on: the one event that cannot be stored keeps no
// other from it, and goes the usual way, where it fails by itself.
//
// A handler behind the tracker can find more than the current event: messages of the same
// conversation that came after it, and were prepared with it.
func (t *Tracker) Prepare(ctx context.Context, batch []webhook.Preparation) {
	store, ok := t.cfg.Store.(BatchStore)
	if !ok {
		t.slow.Do(func() {
			t.cfg.Logger.InfoContext(ctx, "the store has no method UpdateBatch, so each event is a transaction of its "+
				"own; with coexistence.BatchStore many events would share one")
		})
		return
	}
	step := prepareStep{t: t, store: store, states: states{t: t}}
	var taken []preparing
	for i := range batch {
		ev := batch[i].Event
		f, ok := preparable(ev)
		if !ok || t.prepared(batch[i].Context, ev) {
			continue
		}
		if stranger, err := t.isStranger(ctx, ev.Info().PhoneNumberID); err != nil || stranger {
			continue // Handle passes it over, or meets the error again
		}
		taken = append(taken, t.preparing(ctx, &batch[i], f))
	}
	// Each halving of the batch takes two tries, if one event is what it fails for. If several are,
	// or if it is the database, it is no use to go on.
	step.tries = 1 + 2*bits.Len(uint(len(taken)))
	if err := step.run(ctx, taken); err != nil {
		t.cfg.Logger.WarnContext(ctx, "events could not be stored together; each is stored by itself",
			"events", step.left, "of", len(taken), "err", err)
	}
}

// A preparing is an event that is being prepared, with what it changes.
type preparing struct {
	*webhook.Preparation

	contacts []ContactChange
	messages []MessageChange
}

func (t *Tracker) preparing(ctx context.Context, p *webhook.Preparation, f facts) preparing {
	phone := p.Event.Info().PhoneNumberID
	var contacts []ContactChange
	if aliases := f.contact.aliases(); len(aliases) > 0 {
		contacts = []ContactChange{{phone, aliases, func(c *Contact) { c.merge(f.contact) }}}
	}
	var messages []MessageChange
	for _, m := range t.identified(ctx, phone, f.messages) {
		messages = append(messages, MessageChange{phone, m.id, func(stored *Message) { stored.merge(m) }})
	}
	return preparing{p, contacts, messages}
}

// A prepareStep is one call of Prepare.
type prepareStep struct {
	t      *Tracker
	store  BatchStore
	states states
	tries  int // that are left
	left   int // events that were not stored
}

// run stores events together, or else those of each half that can be. It returns the last error.
func (s *prepareStep) run(ctx context.Context, events []preparing) error {
	if len(events) == 0 {
		return nil
	}
	var contacts []ContactChange
	var messages []MessageChange
	for _, ev := range events {
		contacts, messages = append(contacts, ev.contacts...), append(messages, ev.messages...)
	}
	s.tries--
	_, conversations, err := s.store.UpdateBatch(ctx, contacts, messages)
	if err == nil {
		s.mark(ctx, events, conversations)
		return nil
	}
	half := len(events) / 2
	if half == 0 {
		s.left++
		return err
	}
	for _, part := range [][]preparing{events[:half], events[half:]} {
		if s.tries <= 0 || ctx.Err() != nil {
			s.left += len(part)
		} else if failed := s.run(ctx, part); failed != nil {
			err = failed
		}
	}
	return err
}

// mark notes in the contexts of events that they are stored, with the conversation of the last
// message of each. There is a conversation for each message of the events, in their order.
func (s *prepareStep) mark(ctx context.Context, events []preparing, conversations []Conversation) {
	for _, ev := range events {
		done := preparedEvent{event: ev.Event}
		if n := len(ev.messages); n > 0 {
			done.conversation, conversations = conversations[n-1], conversations[n:]
		}
		if echo, ok := ev.Event.(*webhook.BusinessAppEcho); ok && s.states.apply(ctx, echo) != nil {
			continue // Handle meets the error again, and returns it
		}
		ev.Context = context.WithValue(ev.Context, preparedKey{s.t}, done)
	}
}

// preparable returns what an event tells, and whether it is one of those that come by the thousand
// and tell only of people and messages. What panics is left for Handle.
func preparable(ev webhook.Event) (f facts, ok bool) {
	switch ev.(type) {
	case *webhook.IncomingMessage, *webhook.UnavailableMessage, *webhook.MessageStatus, *webhook.BusinessAppEcho:
	default:
		return facts{}, false
	}
	defer func() {
		if recover() != nil {
			ok = false
		}
	}()
	return factsOf(ev), true
}

// states are the states of numbers as the echoes of a batch find them. An echo rarely changes one,
// so each is read once for a batch.
type states struct {
	t      *Tracker
	byID   map[graph.PhoneNumberID]Number
	readAt time.Time
}

// apply stores the state after an echo, if that is another one.
func (s *states) apply(ctx context.Context, echo *webhook.BusinessAppEcho) error {
	phone := echo.PhoneNumberID
	if s.byID == nil {
		s.byID, s.readAt = map[graph.PhoneNumberID]Number{}, time.Now().UTC()
	}
	have, ok := s.byID[phone]
	if !ok {
		var err error
		if have, err = s.t.cfg.Store.Number(ctx, phone); err == nil {
			s.byID[phone] = have
			ok = true
		}
	}
	if ok && reflect.DeepEqual(have.Clone().Apply(echo).applyArrival(echo, s.readAt), have) {
		return nil
	}
	delete(s.byID, phone)
	return s.t.updateNumber(ctx, echo, func(n Number) Number { return n.Apply(echo) })
}
