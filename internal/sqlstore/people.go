package sqlstore

import (
	"cmp"
	"slices"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence"
)

// An aliasKey names an alias of a number, both as the database keeps them.
type aliasKey struct{ phone, alias string }

func (k aliasKey) compare(o aliasKey) int {
	return cmp.Or(cmp.Compare(k.phone, o.phone), cmp.Compare(k.alias, o.alias))
}

func keyOf(phone graph.PhoneNumberID, alias string) aliasKey {
	return aliasKey{text(phone), text(alias)}
}

// A person is a contact within a batch: its rows, and its current value. A new person has no rows.
type person struct {
	phone   graph.PhoneNumberID
	rows    []storedContact
	contact coexistence.Contact
	merged  *person // the person it was merged into; nil if none

	conversation int64 // once it is stored; 0 if it is not known
}

// stays reports whether the person is stored under the same aliases: then storing it changes one
// row, without the lock of the number.
func (p *person) stays() bool {
	if p.merged != nil {
		return true // its rows are those of another person
	}
	return len(p.rows) == 1 && p.rows[0].doc != "" && slices.Equal(p.rows[0].contact.Aliases, p.contact.Aliases)
}

// people are the contacts of a batch. Changes are applied one after the other, each to the result
// of those before, as if each had been stored.
type people struct {
	list    []*person
	byAlias map[aliasKey]*person
	read    map[aliasKey]bool // aliases that were looked for: one without a person is free
	changed []*person         // by change

	forgotten *forgotten // the tombstones of people without a contact
}

// knows reports whether there is a contact for a change.
func (p *people) knows(c coexistence.ContactChange) bool {
	return slices.ContainsFunc(c.Aliases, func(a string) bool {
		one := p.byAlias[keyOf(c.PhoneNumberID, a)]
		return one != nil && len(one.contact.Aliases) > 0
	})
}

// conversations returns the known conversations of aliases that were read or stored.
func (p *people) conversations() map[aliasKey]int64 {
	known := make(map[aliasKey]int64, len(p.byAlias))
	for k, one := range p.byAlias {
		if one.merged == nil && one.conversation != 0 {
			known[k] = one.conversation
		}
	}
	return known
}

// apply applies a change to the people that it finds, and merges them.
func (p *people) apply(c coexistence.ContactChange) {
	var one *person
	for _, a := range c.Aliases {
		found := p.byAlias[keyOf(c.PhoneNumberID, a)]
		switch {
		case found == nil || found == one:
		case one == nil:
			one = found
		default:
			p.merge(one, found)
		}
	}
	if one == nil {
		one = new(person)
		p.list = append(p.list, one)
	}
	if len(one.contact.Aliases) == 0 { // no contact is known
		one.contact = p.forgotten.of(suspect{c.PhoneNumberID, c.Aliases}).NewContact(c.PhoneNumberID)
	}
	one.phone = c.PhoneNumberID
	before := slices.Clone(one.contact.Aliases)
	c.Change(&one.contact)
	for _, a := range before {
		if k := keyOf(c.PhoneNumberID, a); p.byAlias[k] == one && !slices.Contains(one.contact.Aliases, a) {
			delete(p.byAlias, k)
		}
	}
	for _, a := range one.contact.Aliases {
		p.byAlias[keyOf(c.PhoneNumberID, a)] = one
	}
	p.changed = append(p.changed, one)
}

// merge merges two people.
func (p *people) merge(one, other *person) {
	switch {
	case len(other.contact.Aliases) == 0: // a conversation without a known contact
	case len(one.contact.Aliases) == 0:
		one.contact = other.contact
	default:
		one.contact = one.contact.Merge(other.contact)
	}
	one.rows = append(one.rows, other.rows...)
	other.merged, other.rows = one, nil
	for k, found := range p.byAlias {
		if found == other {
			p.byAlias[k] = one
		}
	}
}

// adds reports whether a person can be inserted together with others in one statement: a person
// without rows, whose aliases are free and not taken by another person of the batch.
func (p *people) adds(k *person) bool {
	if len(k.rows) > 0 || len(k.contact.Aliases) == 0 || k.contact.Key != k.contact.Aliases[0] {
		return false
	}
	for i, a := range k.contact.Aliases {
		key := keyOf(k.phone, a)
		if !p.read[key] || p.byAlias[key] != k || slices.Contains(k.contact.Aliases[:i], a) {
			return false
		}
	}
	return true
}

// results returns the resulting contact of each change.
func (p *people) results() []coexistence.Contact {
	list := make([]coexistence.Contact, len(p.changed))
	for i, k := range p.changed {
		for k.merged != nil {
			k = k.merged
		}
		list[i] = k.contact.Clone()
	}
	return list
}
