package coexistence

import (
	"context"
	"crypto/rand"
	"maps"
	"slices"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/tombstone"
)

// memTombstones are the times up to which numbers and people were forgotten, by their marks.
type memTombstones struct {
	key   tombstone.Key
	until map[string]time.Time
}

// put leaves a tombstone, or moves one forward.
func (t *memTombstones) put(mark string, until time.Time) {
	if t.until == nil {
		t.until = map[string]time.Time{}
	}
	t.until[mark] = later(t.until[mark], until)
}

// of returns the tombstones of a number, and of a person by any of its names.
func (t *memTombstones) of(phone graph.PhoneNumberID, names []string) Tombstones {
	if len(t.until) == 0 {
		return Tombstones{}
	}
	found := Tombstones{Number: t.until[t.key.Number(phone)]}
	for _, name := range names {
		found.Person = later(found.Person, t.until[t.key.Person(phone, name)])
	}
	return found
}

// sweep drops tombstones that are too old to be of use.
func (t *memTombstones) sweep(now time.Time) {
	maps.DeleteFunc(t.until, func(_ string, until time.Time) bool { return now.Sub(until) > TombstoneTTL })
}

// Forget implements [Forgetter]. It holds the lock until all is done.
func (s *MemStore) Forget(ctx context.Context, r ForgetRequest) error {
	if err := r.Validate(); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now().UTC()
	if s.forgotten.key == nil {
		s.forgotten.key = tombstone.Key(rand.Text())
	}
	s.forgotten.sweep(now)
	n := s.numbers[r.PhoneNumberID]
	switch {
	case r.Everything():
		s.forgotten.put(s.forgotten.key.Number(r.PhoneNumberID), Always)
		delete(s.numbers, r.PhoneNumberID)
	case r.Person != "":
		names := []string{Alias(r.Person)}
		if n != nil {
			names = n.forgetPerson(r.Person)
		}
		for _, name := range names {
			s.forgotten.put(s.forgotten.key.Person(r.PhoneNumberID, name), now)
		}
	default:
		s.forgotten.put(s.forgotten.key.Number(r.PhoneNumberID), r.Before.Add(-time.Microsecond).UTC())
		if n != nil {
			n.forgetBefore(r.Before)
		}
	}
	return nil
}

// FinishForgetting implements [Forgetter]. Nothing outlives the process.
func (s *MemStore) FinishForgetting(ctx context.Context) error { return ctx.Err() }

// forgetPerson deletes the conversation of a person with all that is in it, and what the person
// said and did in groups. It returns the person's names. The caller must hold MemStore.mu.
func (n *memNumber) forgetPerson(person string) (names []string) {
	c := n.find(person)
	if c == nil {
		names = []string{Alias(person)}
	} else {
		if c.contact != nil {
			names = slices.Clone(c.contact.Aliases)
		}
		for alias, of := range n.aliases {
			if of == c && !slices.Contains(names, alias) {
				names = append(names, alias)
			}
		}
		for _, m := range c.messages {
			delete(n.messages, m.ID)
		}
		n.dropConversation(c)
	}
	for _, name := range names {
		delete(n.threads, name)
	}
	for _, m := range slices.Collect(maps.Values(n.messages)) {
		if m.GroupID == "" {
			continue
		}
		rest, ok := m.WithoutPerson(names)
		group := n.aliases[m.Person]
		if n.drop(m); ok && group != nil {
			n.messages[rest.ID] = &rest
			group.put(&rest)
		}
	}
	return names
}

// forgetBefore deletes what was written before a moment, and the conversations with people of whom
// nothing is left. The caller must hold MemStore.mu.
func (n *memNumber) forgetBefore(before time.Time) {
	maps.DeleteFunc(n.threads, func(_ string, r ThreadRecord) bool { return r.OlderThan(before) })
	for _, m := range slices.Collect(maps.Values(n.messages)) {
		if m.At.Before(before) {
			n.drop(m)
		}
	}
	for id, c := range maps.Clone(n.conversations) {
		stays := c.contact != nil && (c.contact.InAddressBook() || !c.contact.SeenAt().Before(before))
		if id == c.id() && len(c.messages) == 0 && !stays {
			n.dropConversation(c)
		}
	}
}

// drop deletes a message. The caller must hold MemStore.mu.
func (n *memNumber) drop(m *Message) {
	delete(n.messages, m.ID)
	if c := n.aliases[m.Person]; c != nil {
		c.drop(m)
	}
}

// dropConversation has nothing find a conversation any more, under no ID and no alias. The caller
// must hold MemStore.mu.
func (n *memNumber) dropConversation(c *memConversation) {
	is := func(_ string, of *memConversation) bool { return of == c }
	maps.DeleteFunc(n.conversations, is)
	maps.DeleteFunc(n.aliases, is)
}
