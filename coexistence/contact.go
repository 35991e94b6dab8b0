package coexistence

import (
	"cmp"
	"encoding/json"
	"slices"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/phonenumber"
)

// A Contact is one person as one number of a business knows it: under which ids it was seen, what
// it calls itself, and what the business calls it. Ids that were seen together, or that Meta says
// replaced each other, belong to one Contact, so that a conversation that began under a phone
// number and goes on under a user id stays one.
//
// Numbers are the same person if [graph.EquivalenceKey] says so. Like the app itself, a Contact
// follows the number: if a number gets another owner, the new owner's messages join the old
// conversation.
//
// A Contact survives JSON. Whatever the order of events, the same events make the same Contact.
type Contact struct {
	// PhoneNumberID is the business's number.
	PhoneNumberID graph.PhoneNumberID `json:"phone_number_id"`

	// Key names the person and its conversation: the first of Aliases. It changes when more is
	// learnt about the person; every earlier key stays one of Aliases and keeps finding it.
	Key     string   `json:"key"`
	Aliases []string `json:"aliases"`

	// Identity is the latest of everything. Send to this.
	Identity graph.Identity `json:"identity"`

	// Name and FirstName are the business's own label from its address book, private to the
	// business. Empty if the person is not in the address book (any more).
	Name      string `json:"name,omitzero"`
	FirstName string `json:"first_name,omitzero"`

	// ProfileName is the name in the person's own profile, as of ProfileAt.
	ProfileName string    `json:"profile_name,omitzero"`
	ProfileAt   time.Time `json:"profile_at,omitzero"`

	// ForgottenAt is when the person was forgotten, if it was and has written or been written to
	// since. Nothing older is believed. A [Forgetter] sets it in a new contact: see [Tombstones].
	ForgottenAt time.Time `json:"forgotten_at,omitzero"`

	// Provenance is bookkeeping, which later events need. Store it with the rest.
	Provenance ContactProvenance `json:"provenance,omitzero"`

	// before is the time of the number's tombstone, in a new contact.
	before time.Time
}

// A ContactProvenance is the data from which a [Contact] is derived: the identities under which the
// person was seen, and the entries of the address book. It is opaque and survives JSON.
type ContactProvenance struct {
	seen    []sighting
	entries []bookEntry
}

// contactProvenance is the JSON of a ContactProvenance.
type contactProvenance struct {
	Seen    []sighting  `json:"seen,omitempty"`
	Entries []bookEntry `json:"entries,omitempty"`
}

// MarshalJSON implements [json.Marshaler].
func (p ContactProvenance) MarshalJSON() ([]byte, error) {
	return json.Marshal(contactProvenance{Seen: p.seen, Entries: p.entries})
}

// UnmarshalJSON implements [json.Unmarshaler].
func (p *ContactProvenance) UnmarshalJSON(b []byte) error {
	var v contactProvenance
	if err := json.Unmarshal(b, &v); err != nil {
		return err
	}
	*p = ContactProvenance{seen: v.Seen, entries: v.Entries}
	return nil
}

// A sighting is an identity under which a person was seen.
type sighting struct {
	Identity graph.Identity `json:"identity"`

	// At is when it was first seen. Zero for what is known from hearsay only, such as an id that
	// was given up.
	At time.Time `json:"at,omitzero"`

	// MovedAt is when Meta last said that the person moved to this identity.
	MovedAt time.Time `json:"moved_at,omitzero"`

	// FromAddressBook is set if only the address book knows it. Numbers there are spelt in many
	// ways; one seen in a message is better.
	FromAddressBook bool `json:"from_address_book,omitzero"`
}

// A bookEntry is the latest word about one entry of the address book. A business can keep several
// for one person.
type bookEntry struct {
	PhoneNumber string       `json:"phone_number,omitzero"` // digits
	UserID      graph.UserID `json:"user_id,omitzero"`
	FullName    string       `json:"full_name,omitzero"`
	FirstName   string       `json:"first_name,omitzero"`
	At          time.Time    `json:"at,omitzero"`
	Removed     bool         `json:"removed,omitzero"`
}

// DisplayName returns the best name to show: the business's own, the person's own, the username,
// the number, the key.
func (c Contact) DisplayName() string {
	username := c.Identity.Username
	if username != "" {
		username = "@" + username
	}
	number := c.Identity.WAID
	if number != "" {
		number = "+" + number
	}
	return cmp.Or(c.Name, c.FirstName, c.ProfileName, username, number, c.Key)
}

// InAddressBook reports whether the business has the person in its address book.
func (c Contact) InAddressBook() bool {
	return slices.ContainsFunc(c.Provenance.entries, func(e bookEntry) bool { return c.lists(e) })
}

// SeenAt returns when the person was last seen, as far as known: zero for one who is known from
// history or an address book alone.
func (c Contact) SeenAt() time.Time {
	at := c.ProfileAt
	for _, s := range c.Provenance.seen {
		at = later(at, s.since())
	}
	return at
}

// Identities returns every identity under which the person was seen, in the order of time.
func (c Contact) Identities() []graph.Identity {
	list := make([]graph.Identity, len(c.Provenance.seen))
	for i, s := range c.Provenance.seen {
		list[i] = s.Identity
	}
	return list
}

// Merge returns everything that c and o know, as one person. It does not matter which is which.
func (c Contact) Merge(o Contact) Contact {
	c = c.Clone()
	c.PhoneNumberID = cmp.Or(c.PhoneNumberID, o.PhoneNumberID)
	forgotten := later(c.ForgottenAt, o.ForgottenAt)
	c.ForgottenAt = time.Time{} // both are stored: neither takes anything from the other
	c.merge(contactFact{
		sightings: o.Provenance.seen, entries: o.Provenance.entries,
		profileName: o.ProfileName, profileAt: o.ProfileAt,
	})
	c.ForgottenAt = forgotten
	return c
}

// Clone returns a copy that shares nothing that can be changed. Stores hand out clones.
func (c Contact) Clone() Contact {
	c.Aliases = slices.Clone(c.Aliases)
	c.Provenance = ContactProvenance{seen: slices.Clone(c.Provenance.seen), entries: slices.Clone(c.Provenance.entries)}
	return c
}

// merge adds a fact to the contact, unless it is about what was forgotten. Like [Message].merge it
// is commutative and idempotent.
func (c *Contact) merge(f contactFact) {
	if c.refuses(f) {
		return
	}
	c.before = time.Time{}
	for _, s := range f.sightings {
		c.mergeSighting(s)
	}
	for _, e := range f.entries {
		c.mergeEntry(e)
	}
	c.mergeProfile(f.profileName, f.profileAt)
	c.derive()
}

// mergeSighting keeps the first time at which the person was seen under an identity, and the last
// at which it moved there. The caller calls derive.
func (c *Contact) mergeSighting(s sighting) {
	s.Identity = normalizeIdentity(s.Identity)
	s.At, s.MovedAt = s.At.UTC(), s.MovedAt.UTC()
	for i, have := range c.Provenance.seen {
		if have.Identity != s.Identity || have.FromAddressBook != s.FromAddressBook {
			continue
		}
		if have.At.IsZero() || !s.At.IsZero() && s.At.Before(have.At) {
			c.Provenance.seen[i].At = s.At
		}
		c.Provenance.seen[i].MovedAt = later(have.MovedAt, s.MovedAt)
		return
	}
	c.Provenance.seen = append(c.Provenance.seen, s)
}

// mergeEntry records an entry of the address book: the latest word about it wins, and of two of the
// same time the one that keeps the person. The caller calls derive.
func (c *Contact) mergeEntry(e bookEntry) {
	e.PhoneNumber, e.At = phonenumber.Digits(e.PhoneNumber), e.At.UTC()
	for i, have := range c.Provenance.entries {
		if have.PhoneNumber != e.PhoneNumber || e.PhoneNumber == "" && have.UserID != e.UserID {
			continue
		}
		if e.compare(have) > 0 {
			c.Provenance.entries[i] = e
		}
		return
	}
	c.Provenance.entries = append(c.Provenance.entries, e)
}

// compare decides between two words about one entry. What follows the time and the removal makes
// the choice among equals the same on every machine.
func (e bookEntry) compare(o bookEntry) int {
	kept := func(e bookEntry) int {
		if e.Removed {
			return 0
		}
		return 1
	}
	return cmp.Or(
		e.At.Compare(o.At), cmp.Compare(kept(e), kept(o)), cmp.Compare(e.FullName, o.FullName),
		cmp.Compare(e.FirstName, o.FirstName), cmp.Compare(e.UserID, o.UserID),
	)
}

// lists reports whether an entry is in the address book: it was not removed, nor was it by its
// other id, which is all that some removals name.
func (c Contact) lists(e bookEntry) bool {
	if e.Removed {
		return false
	}
	return !slices.ContainsFunc(c.Provenance.entries, func(o bookEntry) bool {
		return o.Removed && (o.PhoneNumber == "" || e.PhoneNumber == "") && o.UserID != "" && o.UserID == e.UserID &&
			o.At.After(e.At)
	})
}

// mergeProfile records what the person calls itself, as of a moment. An empty name says nothing,
// and an older one changes nothing.
func (c *Contact) mergeProfile(name string, at time.Time) {
	if name == "" {
		return
	}
	at = at.UTC()
	if c.ProfileName == "" || cmp.Or(at.Compare(c.ProfileAt), cmp.Compare(name, c.ProfileName)) > 0 {
		c.ProfileName, c.ProfileAt = name, at
	}
}

// derive recomputes Identity, Key, Aliases, Name and FirstName from the sightings and the entries,
// which it sorts. Nothing else sets them, so they do not depend on the order in which facts came.
//
// Address-book sightings go first, because a later sighting overrides an earlier one and a number
// that was seen in a message is spelt better than one that a person typed.
func (c *Contact) derive() {
	slices.SortFunc(c.Provenance.seen, func(a, b sighting) int {
		if a.FromAddressBook != b.FromAddressBook {
			if a.FromAddressBook {
				return -1
			}
			return 1
		}
		return cmp.Or(a.since().Compare(b.since()), compareIdentities(a.Identity, b.Identity))
	})
	slices.SortFunc(c.Provenance.entries, func(a, b bookEntry) int {
		return cmp.Or(cmp.Compare(a.PhoneNumber, b.PhoneNumber), cmp.Compare(a.UserID, b.UserID))
	})
	c.Identity = graph.Identity{}
	for _, s := range c.Provenance.seen {
		c.Identity = succeed(c.Identity, s.Identity)
	}
	c.deriveAliases()
	var best bookEntry
	for _, e := range c.Provenance.entries {
		if c.lists(e) && (best == bookEntry{} || e.compare(best) > 0) {
			best = e
		}
	}
	c.Name, c.FirstName = best.FullName, best.FirstName
}

// deriveAliases lists the aliases of all sightings by their rank, and the first of them as Key: a
// user id found later becomes the key, and no alias is ever lost.
func (c *Contact) deriveAliases() {
	byRank := [4][]string{}
	for _, s := range c.Provenance.seen {
		for _, a := range Aliases(s.Identity) {
			r := rank(a, s.Identity)
			if !slices.Contains(byRank[r], a) {
				byRank[r] = append(byRank[r], a)
			}
		}
	}
	c.Aliases = c.Aliases[:0:0]
	for _, list := range byRank {
		slices.Sort(list)
		c.Aliases = append(c.Aliases, list...)
	}
	c.Key = ""
	if len(c.Aliases) > 0 {
		c.Key = c.Aliases[0]
	}
}

// since is when the identity came into use, as far as known.
func (s sighting) since() time.Time { return later(s.At, s.MovedAt) }

// succeed returns what is known after id was seen. A user id goes with a number: a person with
// another of one has given up the other, even if it was not named.
func succeed(prev, id graph.Identity) graph.Identity {
	otherUser := id.UserID != "" && prev.UserID != "" && id.UserID != prev.UserID
	otherNumber := id.WAID != "" && prev.WAID != "" && graph.EquivalenceKey(id.WAID) != graph.EquivalenceKey(prev.WAID)
	if otherUser || otherNumber {
		return id
	}
	return graph.Identity{
		UserID: cmp.Or(id.UserID, prev.UserID), ParentUserID: cmp.Or(id.ParentUserID, prev.ParentUserID),
		WAID: cmp.Or(id.WAID, prev.WAID), Username: cmp.Or(id.Username, prev.Username),
	}
}

// rank returns an alias's place in [Contact].Aliases: user ids, numbers, parent ids, usernames.
func rank(alias string, id graph.Identity) int {
	switch {
	case alias == Alias(string(id.UserID)):
		return 0
	case alias == Alias(string(id.ParentUserID)):
		return 2
	case alias[0] == '@':
		return 3
	}
	return 1
}
