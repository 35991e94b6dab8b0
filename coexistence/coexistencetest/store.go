package coexistencetest

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

// TestStore checks that a [coexistence.Store] keeps its promises, and returns everything that is
// wrong, or nil. Use it in the tests of a store of your own:
//
//	open := func(ctx context.Context) (coexistence.Store, error) { return newStore(ctx, t) }
//	if err := coexistencetest.TestStore(t.Context(), open); err != nil {
//		t.Fatal(err)
//	}
//
// open is called once for each check. It may return the same store again and again, also one with
// data in it: each check uses numbers and accounts of its own. Run it with -race. A store that is a
// [coexistence.BatchStore] or a [coexistence.Forgetter] is checked as that, too.
func TestStore(ctx context.Context, open func(context.Context) (coexistence.Store, error)) error {
	// The promises are those of the interfaces' comments, in the order of numbers, messages,
	// contacts. What a check finds is reported with its promise, and does not stop the others.
	checks := []struct {
		promise string
		run     func(*storeCheck) error
	}{
		{"an unknown state is ErrNotFound", (*storeCheck).unknownState},
		{"a state comes back as it was stored", (*storeCheck).stateRoundTrip},
		{"Version counts changes, and an unchanged state is none", (*storeCheck).stateVersion},
		{"an error of fn stores nothing", (*storeCheck).stateError},
		{"all numbers are listed, in order", (*storeCheck).numbers},
		{"states are found by each of their accounts, in order", (*storeCheck).statesByWABA},
		{"concurrent changes of a state are not lost", (*storeCheck).stateConcurrency},
		{"an unknown message is ErrNotFound", (*storeCheck).unknownMessage},
		{"a message comes back as it was stored", (*storeCheck).messageRoundTrip},
		{"messages change in place, in the order of the ids", (*storeCheck).messageUpdate},
		{"concurrent changes of messages are not lost", (*storeCheck).messageConcurrency},
		{"messages come oldest first, without what is not shown", (*storeCheck).messageOrder},
		{"messages of one second come in the order in which they were told", (*storeCheck).secondOrder},
		{"conversations come most recent first, with their numbers", (*storeCheck).conversationOrder},
		{"messages of one contact make one conversation under every alias", (*storeCheck).conversationMerge},
		{"a conversation keeps its ID, and finds it under those that were merged", (*storeCheck).stableID},
		{"a conversation is the sum of its messages, whatever happens", (*storeCheck).summaries},
		{"pages of a conversation meet, and bad cursors, limits and IDs are errors", (*storeCheck).messageLists},
		{"pages of conversations meet, also of unread ones", (*storeCheck).conversationLists},
		{"what is unread is counted up to a limit", (*storeCheck).manyUnread},
		{"what was read stays read", (*storeCheck).readMarks},
		{"people are found by the beginnings of their names and numbers", (*storeCheck).people},
		{"messages are found by words", (*storeCheck).search},
		{"a list with a context that has ended is an error", (*storeCheck).endedLists},
		{"a message moves when it turns out whose it is", (*storeCheck).messageMoves},
		{"an unknown contact is ErrNotFound", (*storeCheck).unknownContact},
		{"a contact comes back as it was stored", (*storeCheck).contactRoundTrip},
		{"contacts under common aliases become one", (*storeCheck).contactMerge},
		{"concurrent changes of contacts are not lost", (*storeCheck).contactConcurrency},
		{"records of threads come back as they were stored", (*storeCheck).threadRoundTrip},
		{"concurrent changes of a thread are not lost", (*storeCheck).threadConcurrency},
		{"a batch is changed in the order of its lists", (*storeCheck).batchOrder},
		{"a batch is stored as a whole or not at all", (*storeCheck).batchAtomic},
		{"people of a batch become one as they do one by one", (*storeCheck).batchMerge},
		{"concurrent changes of batches are not lost", (*storeCheck).batchConcurrency},
		{"a person is forgotten, and stays so until it writes again", (*storeCheck).forgottenPerson},
		{"a number is forgotten, and stays so until it is signed up again", (*storeCheck).forgottenNumber},
		{"what is old is forgotten, and does not come back", (*storeCheck).forgottenTime},
		{"a stop is forgotten with the person, and never for its age", (*storeCheck).forgottenStop},
		{"a person is forgotten in groups", (*storeCheck).forgottenInGroup},
		{"what is written meanwhile does not escape being forgotten", (*storeCheck).forgettingConcurrency},
		{"a request that is not valid forgets nothing", (*storeCheck).refusedForgetting},
		{"numbers are strangers to each other", (*storeCheck).isolation},
		{"what is returned is the caller's", (*storeCheck).copies},
		{"iteration can stop early", (*storeCheck).earlyStop},
		{"an ended context changes nothing", (*storeCheck).endedContext},
	}
	var errs []error
	for _, check := range checks {
		// Ids of their own let the checks run on a store that is in use.
		run := rand.Text()[:10]
		c := &storeCheck{ctx: ctx, run: run, phone: graph.PhoneNumberID("phone-" + run),
			waba: graph.WABAID("waba-" + run)}
		// The provenance is made in memory, even if ctx has ended: it is part of the check and not
		// of the store.
		s, err := open(ctx)
		if err == nil {
			c.s = s
			c.provenance, err = provenanceOf(context.WithoutCancel(ctx), c.phone)
		}
		if err == nil {
			err = check.run(c)
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("coexistencetest: %s: %w", check.promise, err))
		}
	}
	return errors.Join(errs...)
}

// A storeCheck is one check on one store, with ids that no other check uses: a store may hold the
// data of others, and the checks may run side by side.
type storeCheck struct {
	ctx   context.Context
	s     coexistence.Store
	run   string
	phone graph.PhoneNumberID
	waba  graph.WABAID

	// provenance is one that a tracker has made, for messages that have every member set.
	provenance coexistence.MessageProvenance
}

// messages reads a whole conversation, and stops at the first error.
func (c *storeCheck) messages(phone graph.PhoneNumberID, conversation string) ([]coexistence.Message, error) {
	var list []coexistence.Message
	for m, err := range c.s.Messages(c.ctx, phone, conversation) {
		if err != nil {
			return nil, err
		}
		list = append(list, m)
	}
	return list, nil
}

// conversations reads all conversations of a number, and stops at the first error.
func (c *storeCheck) conversations(phone graph.PhoneNumberID) ([]coexistence.Conversation, error) {
	var list []coexistence.Conversation
	for conv, err := range c.s.Conversations(c.ctx, phone) {
		if err != nil {
			return nil, err
		}
		list = append(list, conv)
	}
	return list, nil
}

// contacts reads all contacts of a number, and stops at the first error.
func (c *storeCheck) contacts(phone graph.PhoneNumberID) ([]coexistence.Contact, error) {
	var list []coexistence.Contact
	for contact, err := range c.s.Contacts(c.ctx, phone) {
		if err != nil {
			return nil, err
		}
		list = append(list, contact)
	}
	return list, nil
}

// put stores messages in one call, as a tracker stores those of one event or batch.
func (c *storeCheck) put(phone graph.PhoneNumberID, list ...coexistence.Message) error {
	// The contract wants ids in ascending order.
	slices.SortFunc(list, func(a, b coexistence.Message) int {
		if a.ID < b.ID {
			return -1
		}
		return 1
	})
	ids := make([]graph.MessageID, len(list))
	byID := map[graph.MessageID]coexistence.Message{}
	for i, m := range list {
		ids[i], byID[m.ID] = m.ID, m
	}
	return c.s.UpdateMessages(c.ctx, phone, ids, func(m *coexistence.Message) { *m = byID[m.ID].Clone() })
}

// seePerson stores that a person was seen, as a tracker does. The change is made by Contact.Merge,
// since only a tracker can make the bookkeeping of a contact.
func (c *storeCheck) seePerson(phone graph.PhoneNumberID, who graph.Identity) (coexistence.Contact, error) {
	seen, err := contactOf(c.ctx, phone, incoming(phone, who, storeTime))
	if err != nil {
		return coexistence.Contact{}, err
	}
	return c.s.UpdateContact(c.ctx, phone, coexistence.Aliases(who), func(contact *coexistence.Contact) {
		*contact = contact.Merge(seen)
	})
}

// tell hands events to a tracker over a store.
func tell(ctx context.Context, s coexistence.Store, events ...webhook.Event) error {
	tracker, err := coexistence.NewTracker(coexistence.Config{Store: s})
	if err != nil {
		return err
	}
	for _, ev := range events {
		if err := tracker.Handle(ctx, ev); err != nil {
			return err
		}
	}
	return nil
}

// contactOf returns the person that a tracker makes of events, which are about one.
func contactOf(ctx context.Context, phone graph.PhoneNumberID, events ...webhook.Event) (coexistence.Contact, error) {
	store := new(coexistence.MemStore)
	if err := tell(ctx, store, events...); err != nil {
		return coexistence.Contact{}, err
	}
	// The first one: the events are about one person.
	for contact, err := range store.Contacts(ctx, phone) {
		return contact, err
	}
	return coexistence.Contact{}, coexistence.ErrNotFound
}

// provenanceOf returns the provenance of a message of which its status, its media out of history
// and a placeholder have told, so that each part of it is another one. Only a tracker makes one,
// and a store has to keep it.
func provenanceOf(ctx context.Context, phone graph.PhoneNumberID) (coexistence.MessageProvenance, error) {
	const id = "wamid.1"
	info := webhook.EventInfo{PhoneNumberID: phone, At: storeTime}
	store := new(coexistence.MemStore)
	err := tell(ctx, store,
		&webhook.MessageStatus{EventInfo: info, ID: id, Status: webhook.StatusSent, Recipient: ada},
		&webhook.HistoryMedia{EventInfo: info, ID: id, Outbound: true, Content: &webhook.Image{}},
		&webhook.UnavailableMessage{EventInfo: info, ID: id},
	)
	if err != nil {
		return coexistence.MessageProvenance{}, err
	}
	m, err := store.Message(ctx, phone, id)
	return m.Provenance, err
}

// incoming is a message that a person writes, which tells a tracker of the person.
func incoming(phone graph.PhoneNumberID, from graph.Identity, at time.Time) *webhook.IncomingMessage {
	return &webhook.IncomingMessage{
		EventInfo: webhook.EventInfo{PhoneNumberID: phone, At: at}, ID: "wamid.0", From: from,
		Content: &webhook.Text{Body: "Hi"},
	}
}

// notFound checks that an error is [coexistence.ErrNotFound], which stands for a thing that is not
// stored; anything else, also no error, breaks the promise.
func notFound(err error) error {
	if errors.Is(err, coexistence.ErrNotFound) {
		return nil
	}
	return fmt.Errorf("want coexistence.ErrNotFound, got: %w", err)
}
