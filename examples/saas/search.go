package main

import (
	"context"
	"errors"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence"
)

// shownFound is how many people, and how many messages, a page of a search has.
const shownFound = 20

// A search is what was found in the conversations of a number: people by the beginnings of their
// names and numbers, messages by their words.
type search struct {
	Text     string
	People   []coexistence.Conversation // on the first page
	Messages []foundMessage             // the latest first
	Next     coexistence.Cursor         // behind the last message, if there are more
}

// A foundMessage is a message, and the person in whose conversation it is.
type foundMessage struct {
	coexistence.Message

	Person string
}

// search finds people and messages by indexes of the database, and reads one row for the name in
// each conversation with a found message.
func (a *app) search(
	ctx context.Context, phone graph.PhoneNumberID, text string, after coexistence.Cursor,
) (*search, error) {
	s := &search{Text: text}
	var err1 error
	if after == "" {
		s.People, err1 = a.tracker.Store().FindPeople(ctx, phone, text, shownFound)
	}
	list, next, err2 := a.tracker.Store().SearchMessages(ctx, phone, text, after, shownFound)
	if err := errors.Join(err1, err2); err != nil {
		return nil, err
	}
	s.Next = next
	names := map[string]string{}
	for _, m := range list {
		name, known := names[m.ConversationID]
		if !known {
			c, err := a.tracker.Store().Conversation(ctx, phone, m.ConversationID)
			if err != nil && !errors.Is(err, coexistence.ErrNotFound) { // it may have been forgotten meanwhile
				return nil, err
			}
			name = c.Contact.DisplayName()
			names[m.ConversationID] = name
		}
		s.Messages = append(s.Messages, foundMessage{m, name})
	}
	return s, nil
}
