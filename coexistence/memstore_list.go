package coexistence

import (
	"cmp"
	"context"
	"slices"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// ListConversations implements [MessageStore]. It adds up all conversations of the number.
func (s *MemStore) ListConversations(
	ctx context.Context, phone graph.PhoneNumberID, opts ConversationListOptions,
) ([]Conversation, error) {
	below, err := opts.Bounds()
	if err = cmp.Or(ctx.Err(), err); err != nil {
		return nil, err
	}
	var list []Conversation
	for _, c := range s.conversations(phone) {
		if len(list) < opts.Limit && c.Last.Place().Compare(below) < 0 && (!opts.Unread || c.UnreadCount > 0) {
			list = append(list, c)
		}
	}
	return list, nil
}

// ListMessages implements [MessageStore].
func (s *MemStore) ListMessages(
	ctx context.Context, phone graph.PhoneNumberID, conversation string, opts MessageListOptions,
) ([]Message, error) {
	ranges, err := opts.Ranges()
	if err = cmp.Or(ctx.Err(), err); err != nil {
		return nil, err
	}
	all, id := s.messagesOf(phone, conversation)
	if id == "" {
		return nil, ErrNotFound
	}
	var list []Message
	for _, r := range ranges {
		for _, m := range r.of(all) {
			c := m.Clone()
			c.ConversationID = id
			list = append(list, c)
		}
	}
	return list, nil
}

// of returns those of a conversation's messages that are in the range.
func (r MessageRange) of(messages []*Message) []*Message {
	from, found := slices.BinarySearchFunc(messages, r.Above, func(m *Message, p Place) int {
		return m.Place().Compare(p)
	})
	if found && !r.Inclusive {
		from++
	}
	to, _ := slices.BinarySearchFunc(messages, r.Below, func(m *Message, p Place) int { return m.Place().Compare(p) })
	switch {
	case from >= to:
		return nil
	case r.Ascending:
		return messages[from:min(to, from+r.Limit)]
	default:
		return messages[max(from, to-r.Limit):to]
	}
}

// MarkRead implements [MessageStore].
func (s *MemStore) MarkRead(
	ctx context.Context, phone graph.PhoneNumberID, conversation string, upTo Cursor,
) error {
	place, err := upTo.Place()
	if err = cmp.Or(ctx.Err(), err); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.numbers[phone].find(conversation)
	if c == nil {
		return ErrNotFound
	}
	c.read = greatest(c.read, place)
	return nil
}

// CountUnread implements [MessageStore].
func (s *MemStore) CountUnread(ctx context.Context, phone graph.PhoneNumberID) (UnreadCount, error) {
	var n UnreadCount
	if err := ctx.Err(); err != nil {
		return n, err
	}
	for _, c := range s.conversations(phone) {
		if c.UnreadCount > 0 && n.Conversations < MaxListLimit {
			n.Messages += c.UnreadCount
			n.Conversations++
		}
	}
	return n, nil
}

// FindPeople implements [MessageStore]. It looks at all people of the number.
func (s *MemStore) FindPeople(
	ctx context.Context, phone graph.PhoneNumberID, text string, limit int,
) ([]Conversation, error) {
	if err := cmp.Or(ctx.Err(), checkLimit(limit)); err != nil {
		return nil, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	n := s.numbers[phone]
	beginnings := PeopleWords(text)
	if n == nil || len(beginnings) == 0 {
		return nil, nil
	}
	type person struct {
		word string // that was found
		of   *memConversation
	}
	var found []person
	for id, c := range n.conversations {
		if id != c.id() || c.contact == nil {
			continue
		}
		words := c.contact.Words()
		slices.Sort(words)
		if matchPeople(words, beginnings) {
			i, _ := slices.BinarySearch(words, beginnings[0])
			found = append(found, person{words[i], c})
		}
	}
	slices.SortFunc(found, func(a, b person) int {
		return cmp.Or(cmp.Compare(a.word, b.word), cmp.Compare(a.of.serial, b.of.serial))
	})
	var list []Conversation
	for _, p := range found[:min(limit, len(found))] {
		list = append(list, p.of.summary(phone))
	}
	return list, nil
}

// SearchMessages implements [MessageStore]. It looks at all messages of the number.
func (s *MemStore) SearchMessages(
	ctx context.Context, phone graph.PhoneNumberID, words string, after Cursor, limit int,
) ([]Message, Cursor, error) {
	below, err := ConversationListOptions{After: after, Limit: limit}.Bounds()
	if err = cmp.Or(ctx.Err(), err); err != nil {
		return nil, "", err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	n, wanted := s.numbers[phone], Words(words)
	if n == nil || len(wanted) == 0 {
		return nil, "", nil
	}
	var found []*Message
	for _, m := range n.messages {
		if m.Place().Compare(below) < 0 && matchWords(m.SearchWords(), wanted) {
			found = append(found, m)
		}
	}
	slices.SortFunc(found, func(a, b *Message) int { return b.Compare(*a) })
	var next Cursor
	if len(found) > limit {
		found = found[:limit]
		next = found[limit-1].Cursor()
	}
	list := make([]Message, len(found))
	for i, m := range found {
		list[i] = m.Clone()
		list[i].ConversationID = n.idOf(m.Person)
	}
	return list, next, nil
}
