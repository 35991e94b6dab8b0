package coexistence

import (
	"cmp"
	"context"
	"iter"
	"slices"
	"strings"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// UpdateMessages implements [MessageStore]. It holds the lock while fn runs, so fn must not use the
// store.
func (s *MemStore) UpdateMessages(
	ctx context.Context, phone graph.PhoneNumberID, ids []graph.MessageID, fn func(*Message),
) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	n := s.number(phone)
	changed := make([]*Message, len(ids)) // stored only after fn is done with all of them, should it panic
	for i, id := range ids {
		m := &Message{ID: id, PhoneNumberID: phone}
		if old := n.messages[id]; old != nil {
			*m = old.Clone()
		}
		fn(m)
		m.ID, m.PhoneNumberID, m.ConversationID = id, phone, ""
		changed[i] = m
	}
	for _, m := range changed {
		n.put(m)
	}
	return nil
}

// put stores a message and files it under its person, which may be another one than before. The
// caller must hold MemStore.mu.
func (n *memNumber) put(m *Message) {
	if old := n.messages[m.ID]; old != nil && old.Person != m.Person {
		delete(n.persons[old.Person], m.ID)
		if len(n.persons[old.Person]) == 0 {
			delete(n.persons, old.Person)
		}
	}
	n.messages[m.ID] = m
	byID := n.persons[m.Person]
	if byID == nil {
		byID = map[graph.MessageID]*Message{}
		n.persons[m.Person] = byID
	}
	byID[m.ID] = m
}

// Message implements [MessageStore].
func (s *MemStore) Message(ctx context.Context, phone graph.PhoneNumberID, id graph.MessageID) (Message, error) {
	if err := ctx.Err(); err != nil {
		return Message{}, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	if n := s.numbers[phone]; n != nil {
		if m := n.messages[id]; m != nil {
			c := m.Clone()
			c.ConversationID = n.keyOf(m.Person)
			return c, nil
		}
	}
	return Message{}, ErrNotFound
}

// keyOf returns the conversation that a person's messages belong to. The caller must hold
// MemStore.mu.
func (n *memNumber) keyOf(person string) string {
	if c := n.contacts[person]; c != nil {
		return c.Key
	}
	return person
}

// Conversations implements [MessageStore].
func (s *MemStore) Conversations(ctx context.Context, phone graph.PhoneNumberID) iter.Seq2[Conversation, error] {
	return func(yield func(Conversation, error) bool) {
		if err := ctx.Err(); err != nil {
			yield(Conversation{}, err)
			return
		}
		for _, c := range s.conversations(phone) {
			if !yield(c, nil) {
				return
			}
		}
	}
}

// conversations adds up what is stored under each person, and joins the persons that are aliases of
// one contact. They are of one moment: the lock is held until all are added up.
func (s *MemStore) conversations(phone graph.PhoneNumberID) []Conversation {
	s.mu.RLock()
	defer s.mu.RUnlock()
	n := s.numbers[phone]
	if n == nil {
		return nil
	}
	byKey := map[string]*Conversation{}
	for person, messages := range n.persons {
		if person == "" {
			continue
		}
		key := n.keyOf(person)
		c := byKey[key]
		if c == nil {
			c = new(n.conversation(phone, key))
			byKey[key] = c
		}
		for _, m := range messages {
			c.Add(*m)
		}
	}
	var list []Conversation
	for _, c := range byKey {
		if c.MessageCount > 0 {
			list = append(list, *c)
		}
	}
	slices.SortFunc(list, func(a, b Conversation) int {
		return cmp.Or(b.LastAt.Compare(a.LastAt), strings.Compare(a.ID, b.ID))
	})
	return list
}

// conversation returns an empty conversation of that key. The caller must hold MemStore.mu.
func (n *memNumber) conversation(phone graph.PhoneNumberID, key string) Conversation {
	c := Conversation{
		PhoneNumberID: phone, ID: key, Contact: Contact{PhoneNumberID: phone, Key: key, Aliases: []string{key}},
	}
	if who := n.contacts[key]; who != nil {
		c.Contact = who.Clone()
	}
	return c
}

// Conversation implements [MessageStore].
func (s *MemStore) Conversation(ctx context.Context, phone graph.PhoneNumberID, key string) (Conversation, error) {
	if err := ctx.Err(); err != nil {
		return Conversation{}, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	n := s.numbers[phone]
	if n == nil || key == "" {
		return Conversation{}, ErrNotFound
	}
	c := n.conversation(phone, n.keyOf(Alias(key)))
	for _, person := range c.Contact.Aliases {
		for _, m := range n.persons[person] {
			c.Add(*m)
		}
	}
	if c.MessageCount == 0 {
		return Conversation{}, ErrNotFound
	}
	return c, nil
}

// Messages implements [MessageStore].
func (s *MemStore) Messages(
	ctx context.Context, phone graph.PhoneNumberID, conversation string,
) iter.Seq2[Message, error] {
	return func(yield func(Message, error) bool) {
		if err := ctx.Err(); err != nil {
			yield(Message{}, err)
			return
		}
		list, key := s.messagesOf(phone, conversation)
		for _, m := range list {
			if err := ctx.Err(); err != nil {
				yield(Message{}, err)
				return
			}
			c := m.Clone()
			c.ConversationID = key
			if !yield(c, nil) {
				return
			}
		}
	}
}

// messagesOf returns what is to be shown of a conversation, in order, and the conversation's ID.
func (s *MemStore) messagesOf(phone graph.PhoneNumberID, key string) ([]*Message, string) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	n := s.numbers[phone]
	if n == nil || key == "" {
		return nil, key
	}
	c := n.conversation(phone, n.keyOf(Alias(key)))
	var list []*Message
	for _, person := range c.Contact.Aliases {
		for _, m := range n.persons[person] {
			if m.Visible() {
				list = append(list, m)
			}
		}
	}
	slices.SortFunc(list, func(a, b *Message) int {
		return cmp.Or(a.At.Compare(b.At), strings.Compare(string(a.ID), string(b.ID)))
	})
	return list, c.ID
}
