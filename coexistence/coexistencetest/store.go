package coexistencetest

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence"
)

// TestStore checks that a [coexistence.Store] keeps its promises, and returns everything that is wrong, or nil. Use it in the
// tests of a store of your own:
//
//	err := coexistencetest.TestStore(t.Context(), func(ctx context.Context) (coexistence.Store, error) {
//		return newStore(ctx, t)
//	})
//	if err != nil {
//		t.Fatal(err)
//	}
//
// open is called once for each check. It may return the same store again and again, also one with data in it: each check uses
// numbers and accounts of its own. Run it with -race.
func TestStore(ctx context.Context, open func(context.Context) (coexistence.Store, error)) error {
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
		{"conversations come most recent first, with their numbers", (*storeCheck).conversationOrder},
		{"messages of one contact make one conversation under every alias", (*storeCheck).conversationMerge},
		{"a message moves when it turns out whose it is", (*storeCheck).messageMoves},
		{"an unknown contact is ErrNotFound", (*storeCheck).unknownContact},
		{"a contact comes back as it was stored", (*storeCheck).contactRoundTrip},
		{"contacts under common aliases become one", (*storeCheck).contactMerge},
		{"concurrent changes of contacts are not lost", (*storeCheck).contactConcurrency},
		{"numbers are strangers to each other", (*storeCheck).isolation},
		{"what is returned is the caller's", (*storeCheck).copies},
		{"iteration can stop early", (*storeCheck).earlyStop},
		{"an ended context changes nothing", (*storeCheck).endedContext},
	}
	var errs []error
	for _, check := range checks {
		s, err := open(ctx)
		if err == nil {
			run := rand.Text()[:10]
			err = check.run(&storeCheck{
				ctx: ctx, s: s, run: run, phone: graph.PhoneNumberID("phone-" + run), waba: graph.WABAID("waba-" + run),
			})
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("coexistencetest: %s: %w", check.promise, err))
		}
	}
	return errors.Join(errs...)
}

// A storeCheck is one check on one store, with ids that no other check uses.
type storeCheck struct {
	ctx   context.Context
	s     coexistence.Store
	run   string
	phone graph.PhoneNumberID
	waba  graph.WABAID
}

// messages reads a whole conversation.
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

// put stores messages, each as one call would.
func (c *storeCheck) put(phone graph.PhoneNumberID, list ...coexistence.Message) error {
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

// know stores a person under the aliases of the identities.
func (c *storeCheck) know(phone graph.PhoneNumberID, ids ...graph.Identity) (coexistence.Contact, error) {
	var aliases []string
	for _, id := range ids {
		aliases = append(aliases, coexistence.Aliases(id)...)
	}
	slices.Sort(aliases)
	return c.s.UpdateContact(c.ctx, phone, slices.Compact(aliases), func(contact *coexistence.Contact) {
		for _, id := range ids {
			contact.See(coexistence.Sighting{Identity: id, At: storeTime})
		}
	})
}

func notFound(err error) error {
	if errors.Is(err, coexistence.ErrNotFound) {
		return nil
	}
	return fmt.Errorf("want coexistence.ErrNotFound, got: %w", err)
}
