package coexistence

import (
	"context"
	"iter"
	"slices"

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
	changes := make([]MessageChange, len(ids))
	for i, id := range ids {
		changes[i] = MessageChange{phone, id, fn}
	}
	changed, _ := s.changeMessages(changes) // stored only after fn is done with all of them, should it panic
	for _, m := range changed {
		s.keep(m)
	}
	return nil
}

// keep stores a message, unless it is new, or new to its person, and was forgotten. The caller must
// hold s.mu.
func (s *MemStore) keep(m *Message) {
	old := s.number(m.PhoneNumberID).messages[m.ID]
	if old != nil && old.Person == m.Person && old.Customer == m.Customer ||
		s.forgotten.of(m.PhoneNumberID, TombstoneNames(*m)).KeepMessage(*m) {
		s.put(m)
	}
}

// put stores a message in the conversation of its person, which may be a different one than before.
// The caller must hold s.mu.
func (s *MemStore) put(m *Message) {
	n := s.number(m.PhoneNumberID)
	if old := n.messages[m.ID]; old != nil {
		n.drop(old)
	}
	n.messages[m.ID] = m
	if m.Person == "" {
		return
	}
	c := n.aliases[m.Person]
	if c == nil {
		c = s.newConversation(n, m.Person)
		n.aliases[m.Person] = c
	}
	c.put(m)
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
			c.ConversationID = n.idOf(m.Person)
			return c, nil
		}
	}
	return Message{}, ErrNotFound
}

// Conversations implements [MessageStore]. The conversations are of one moment: the lock is held
// until all are added up.
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

// conversations adds up all conversations of a number, the latest first.
func (s *MemStore) conversations(phone graph.PhoneNumberID) []Conversation {
	s.mu.RLock()
	defer s.mu.RUnlock()
	n := s.numbers[phone]
	if n == nil {
		return nil
	}
	var list []Conversation
	for id, c := range n.conversations {
		if id != c.id() { // a former one
			continue
		}
		if sum := c.summary(phone); sum.Last != nil {
			list = append(list, sum)
		}
	}
	slices.SortFunc(list, func(a, b Conversation) int { return b.Last.Compare(*a.Last) })
	return list
}

// Conversation implements [MessageStore].
func (s *MemStore) Conversation(ctx context.Context, phone graph.PhoneNumberID, name string) (Conversation, error) {
	if err := ctx.Err(); err != nil {
		return Conversation{}, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	if c := s.numbers[phone].find(name); c != nil {
		if sum := c.summary(phone); sum.Last != nil {
			return sum, nil
		}
	}
	return Conversation{}, ErrNotFound
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
		list, id := s.messagesOf(phone, conversation)
		for _, m := range list {
			if err := ctx.Err(); err != nil {
				yield(Message{}, err)
				return
			}
			c := m.Clone()
			c.ConversationID = id
			if !yield(c, nil) {
				return
			}
		}
	}
}

// messagesOf returns what is to be shown of a conversation, in order, and the conversation's ID.
func (s *MemStore) messagesOf(phone graph.PhoneNumberID, name string) ([]*Message, string) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	c := s.numbers[phone].find(name)
	if c == nil {
		return nil, ""
	}
	var list []*Message
	for _, m := range c.messages {
		if m.Visible() {
			list = append(list, m)
		}
	}
	return list, c.id()
}
