package coexistence

import (
	"context"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// UpdateBatch implements [BatchStore]. It holds the lock while the changes run, so they must not
// use the store. Nothing is stored before all of them have returned: one that panics leaves
// everything as it was.
func (s *MemStore) UpdateBatch(
	ctx context.Context, contacts []ContactChange, messages []MessageChange,
) ([]Contact, []Conversation, error) {
	if err := ctx.Err(); err != nil {
		return nil, nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	people := memPeople{forgotten: &s.forgotten}
	changed := make([]*memPerson, len(contacts))
	for i, change := range contacts {
		changed[i] = people.apply(s.number(change.PhoneNumberID), change)
	}
	list, byKey := s.changeMessages(messages)
	s.storePeople(people)
	for _, m := range list {
		s.keep(m)
	}
	stored := make([]Contact, len(contacts))
	for i, one := range changed {
		stored[i] = one.last().contact.Clone()
	}
	conversations := make([]Conversation, len(messages))
	summed := map[*memConversation]Conversation{}
	for i, change := range messages {
		n := s.number(change.PhoneNumberID)
		c := n.aliases[byKey[memMessage{change.PhoneNumberID, change.ID}].Person]
		if c == nil {
			continue
		}
		if _, ok := summed[c]; !ok {
			sum := c.summary(change.PhoneNumberID)
			sum.Last = nil
			summed[c] = sum
		}
		conversations[i] = summed[c]
	}
	return stored, conversations, nil
}

// A memMessage names a message.
type memMessage struct {
	phone graph.PhoneNumberID
	id    graph.MessageID
}

// changeMessages returns what the changes make of messages, each once, in the order of the changes.
// It stores nothing. The caller must hold s.mu.
func (s *MemStore) changeMessages(changes []MessageChange) (list []*Message, byKey map[memMessage]*Message) {
	byKey = map[memMessage]*Message{}
	for _, change := range changes {
		k := memMessage{change.PhoneNumberID, change.ID}
		m := byKey[k]
		if m == nil {
			m = &Message{ID: k.id, PhoneNumberID: k.phone}
			if old := s.number(k.phone).messages[k.id]; old != nil {
				*m = old.Clone()
			}
			byKey[k] = m
			list = append(list, m)
		}
		change.Change(m)
		m.ID, m.PhoneNumberID, m.ConversationID = k.id, k.phone, ""
	}
	return list, byKey
}
