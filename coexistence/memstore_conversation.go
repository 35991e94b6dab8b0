package coexistence

import (
	"cmp"
	"slices"
	"strconv"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// A memConversation is everything that is filed under the aliases of one person, or under the name
// of a group. The fields are guarded by MemStore.mu.
type memConversation struct {
	serial int64
	name   string   // the alias that it was made for
	former []string // ids that lead here since a merge

	contact  *Contact   // nil if none is known
	messages []*Message // in the phone's order, with those that are not shown
	read     Place      // everything up to here was read
}

// conversationPrefix begins the ids of conversations. No alias looks like that.
const conversationPrefix = "conv_"

func (c *memConversation) id() string { return conversationPrefix + strconv.FormatInt(c.serial, 10) }

// newConversation makes a conversation. Ids are never used again. The caller must hold s.mu.
func (s *MemStore) newConversation(n *memNumber, name string) *memConversation {
	s.lastID++
	c := &memConversation{serial: s.lastID, name: name}
	n.conversations[c.id()] = c
	return c
}

// find returns the conversation of an id or of whatever [Alias] makes an alias of, or nil. The
// caller must hold MemStore.mu.
func (n *memNumber) find(name string) *memConversation {
	if n == nil || name == "" {
		return nil
	}
	if c := n.conversations[name]; c != nil {
		return c
	}
	return n.aliases[Alias(name)]
}

// idOf returns the ID of the conversation that a person's messages are in. The caller must hold
// MemStore.mu.
func (n *memNumber) idOf(person string) string {
	if c := n.aliases[person]; c != nil {
		return c.id()
	}
	return ""
}

// summary adds the conversation up. The caller must hold MemStore.mu.
func (c *memConversation) summary(phone graph.PhoneNumberID) Conversation {
	sum := Conversation{
		PhoneNumberID: phone, ID: c.id(), FormerIDs: slices.Clone(c.former),
		Contact: Contact{PhoneNumberID: phone, Key: c.name, Aliases: []string{c.name}},
	}
	if c.contact != nil {
		sum.Contact = c.contact.Clone()
	}
	sum.Summarize(c.messages, c.read)
	return sum
}

func compareMessages(a, b *Message) int { return a.Compare(*b) }

// put adds a message at its place. The caller must hold MemStore.mu.
func (c *memConversation) put(m *Message) {
	i, _ := slices.BinarySearchFunc(c.messages, m, compareMessages)
	c.messages = slices.Insert(c.messages, i, m)
}

// drop takes a message out. The caller must hold MemStore.mu.
func (c *memConversation) drop(m *Message) {
	if i, found := slices.BinarySearchFunc(c.messages, m, compareMessages); found {
		c.messages = slices.Delete(c.messages, i, i+1)
	}
}

// merge moves everything of another conversation into this one, whose ID leads here from now on.
// What was not read of either stays unread, at the price that a part of the other may be unread
// again. The caller must hold MemStore.mu.
func (n *memNumber) merge(c, other *memConversation) {
	read := c.read
	if other.read.Compare(read) > 0 {
		read = other.read
	}
	for _, one := range []*memConversation{c, other} {
		if first, ok := one.firstUnread(); ok && read.Compare(first) >= 0 {
			read = first.Before()
		}
	}
	c.read = read
	for _, m := range other.messages {
		c.put(m)
	}
	for a, of := range n.aliases {
		if of == other {
			n.aliases[a] = c
		}
	}
	c.former = append(append(c.former, other.id()), other.former...)
	slices.Sort(c.former)
	for _, id := range c.former {
		n.conversations[id] = c
	}
}

// firstUnread returns the place of the oldest message that counts as unread. The caller must hold
// MemStore.mu.
func (c *memConversation) firstUnread() (place Place, found bool) {
	for _, m := range slices.Backward(c.messages) {
		if m.WrittenByPerson() || m.Place().Compare(c.read) <= 0 {
			break
		}
		if m.Received() {
			place, found = m.Place(), true
		}
	}
	return place, found
}

// A memPerson is a contact in the middle of a change: the conversations that it was found in, and
// what it is by now.
type memPerson struct {
	number  *memNumber
	from    []*memConversation
	contact Contact
	into    *memPerson // whom it turned out to be; nil if it is itself
}

// memPeople are the contacts of a batch. Changes are applied to them one after the other, each to
// what those before have made; nothing is stored before all of them are done.
type memPeople struct {
	list    []*memPerson
	byAlias map[memAlias]*memPerson
	byFrom  map[*memConversation]*memPerson

	forgotten *memTombstones
}

// A memAlias is an alias of a number.
type memAlias struct {
	number *memNumber
	alias  string
}

// apply applies a change to the people that it finds, who become one. The caller must hold
// MemStore.mu.
func (p *memPeople) apply(n *memNumber, change ContactChange) *memPerson {
	var one *memPerson
	for _, a := range change.Aliases {
		found := p.find(n, a)
		switch {
		case found == nil || found == one:
		case one == nil:
			one = found
		default:
			one.take(found)
		}
	}
	if one == nil {
		one = &memPerson{number: n}
		p.list = append(p.list, one)
	}
	if len(one.contact.Aliases) == 0 { // no contact is known
		one.contact = p.forgotten.of(change.PhoneNumberID, change.Aliases).NewContact(change.PhoneNumberID)
	}
	change.Change(&one.contact)
	if p.byAlias == nil {
		p.byAlias = map[memAlias]*memPerson{}
	}
	for _, a := range one.contact.Aliases {
		p.byAlias[memAlias{n, a}] = one
	}
	return one
}

// take makes one person of two.
func (p *memPerson) take(other *memPerson) {
	switch {
	case len(other.contact.Aliases) == 0: // a conversation of which no contact is known
	case len(p.contact.Aliases) == 0:
		p.contact = other.contact
	default:
		p.contact = p.contact.Merge(other.contact)
	}
	p.from = append(p.from, other.from...)
	other.into, other.from = p, nil
}

// find returns the person that an alias finds by now, or nil.
func (p *memPeople) find(n *memNumber, alias string) *memPerson {
	one := p.byAlias[memAlias{n, alias}]
	c := n.aliases[alias]
	if one == nil && c != nil {
		if one = p.byFrom[c]; one == nil {
			one = &memPerson{number: n, from: []*memConversation{c}}
			if one.contact.PhoneNumberID = n.phone; c.contact != nil {
				one.contact = c.contact.Clone()
			}
			if p.byFrom == nil {
				p.byFrom = map[*memConversation]*memPerson{}
			}
			p.byFrom[c] = one
			p.list = append(p.list, one)
		}
	}
	return one.last()
}

// last is whom the person has become.
func (p *memPerson) last() *memPerson {
	for p != nil && p.into != nil {
		p = p.into
	}
	return p
}

// storePeople stores what changes have made of contacts. The caller must hold s.mu.
func (s *MemStore) storePeople(p memPeople) {
	for _, one := range p.list {
		if one.into == nil {
			s.storePerson(one)
		}
	}
}

// storePerson stores a contact in place of those that it was made of. Their conversations become
// the one with the most messages. The caller must hold s.mu.
func (s *MemStore) storePerson(p *memPerson) {
	n, c := p.number, p.contact.Clone()
	from := slices.Clone(p.from)
	slices.SortFunc(from, func(a, b *memConversation) int {
		return cmp.Or(cmp.Compare(len(b.messages), len(a.messages)), cmp.Compare(a.serial, b.serial))
	})
	if len(c.Aliases) == 0 { // nothing would ever find it
		for _, old := range from {
			old.contact = nil
		}
		return
	}
	if len(from) == 0 {
		from = append(from, s.newConversation(n, c.Key))
	}
	keep := from[0]
	for _, other := range from[1:] {
		n.merge(keep, other)
	}
	keep.contact = &c
	for _, a := range c.Aliases {
		owner := n.aliases[a]
		n.aliases[a] = keep
		if owner != nil && owner != keep && (owner.contact == nil || !n.named(owner)) {
			n.merge(keep, owner)
		}
	}
}

// named reports whether an alias leads to the conversation. The caller must hold MemStore.mu.
func (n *memNumber) named(c *memConversation) bool {
	for _, of := range n.aliases {
		if of == c {
			return true
		}
	}
	return false
}
