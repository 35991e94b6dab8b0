package webhook

import (
	"fmt"
	"strings"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/phonenumber"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/wire"
)

// A contact is an element of a change's contacts: the profile of a person whom an item names by
// their ids only.
type contact struct {
	id           graph.Identity
	name         string
	country      string
	identityHash string

	joined  bool // an item has found it
	index   int  // in the list, once it is joined
	raw     []byte
	unknown []wire.Member
	err     error
}

// A contactBody is a contact as Meta writes it.
type contactBody struct {
	personBody
	IdentityHash string `json:"identity_key_hash"`
	Profile      struct {
		Name     string `json:"name"`
		Country  string `json:"country_code"`
		Username string `json:"username"`
	} `json:"profile"`
}

var contactDecoder = wire.For[contactBody]()

// read reads an element of contacts.
func (c *contact) read(s *wire.Scanner) {
	it := s.BeginItem()
	var b contactBody
	contactDecoder.Decode(s, &b)
	c.name, c.country, c.identityHash = b.Profile.Name, b.Profile.Country, b.IdentityHash
	c.id = graph.Identity{
		WAID: b.WAID, UserID: b.UserID, ParentUserID: b.ParentUserID, Username: username(b.Profile.Username),
	}
	splitAndReport(s, "wa_id", &c.id)
	c.raw, c.unknown, c.err = s.EndItem(it)
}

// username strips the @ that Meta's samples had until spring 2026.
func username(s string) string { return strings.TrimPrefix(s, "@") }

// join finds the contact of a person, completes the identity by it, and returns it together with
// the members that have no place: unknown ones, and ids that contradict those in the item itself.
// The contact is nil if there is none.
func (v *value) join(id *graph.Identity) (c *contact, unplaced []UnknownMember) {
	i := v.find(*id)
	if i < 0 {
		return nil, nil
	}
	c = &v.contacts[i]
	c.joined, c.index = true, i
	unplaced = under(fmt.Sprintf("value.contacts[%d].", i), c.unknown)
	report := func(name, text string) { unplaced = append(unplaced, c.member(name, text)) }
	take := func(name string, own *graph.UserID, theirs graph.UserID) {
		switch {
		case *own == "":
			*own = theirs
		case theirs != "" && theirs != *own:
			report(name, string(theirs))
		}
	}
	take("user_id", &id.UserID, c.id.UserID)
	take("parent_user_id", &id.ParentUserID, c.id.ParentUserID)
	switch {
	case id.Username == "":
		id.Username = c.id.Username
	case c.id.Username != "" && c.id.Username != id.Username:
		report("profile.username", c.id.Username)
	}
	if id.WAID == "" {
		id.WAID = c.id.WAID
	}
	return c, unplaced
}

// member returns a member of a joined contact as one that has no place.
func (c *contact) member(name, text string) UnknownMember {
	return UnknownMember{fmt.Sprintf("value.contacts[%d].%s", c.index, name), quoted(text)}
}

// joinName joins the contact of a person, completes the identity by it, and returns the name of the
// profile. Everything else in the contact has no place in the event, and goes into info.
func (v *value) joinName(id *graph.Identity, info *EventInfo) (name string) {
	c, unplaced := v.join(id)
	info.Unknown = append(info.Unknown, unplaced...)
	return c.onlyName(*id, info)
}

// onlyName returns the name in c, which may be nil, and reports in info the other members: events
// about the business's own messages and about people who wrote nothing have no place for them.
func (c *contact) onlyName(id graph.Identity, info *EventInfo) (name string) {
	if c == nil {
		return ""
	}
	report := func(member, text string) {
		if text != "" {
			info.Unknown = append(info.Unknown, c.member(member, text))
		}
	}
	report("profile.country_code", c.country)
	report("wa_id", contactWAID(c, id))
	report("identity_key_hash", c.identityHash)
	return c.name
}

// find returns the index of the contact that is the person, -1 if none is: the same number, else
// the same user id, else another spelling of the number. The order of the list says nothing.
func (v *value) find(id graph.Identity) int {
	switch n := len(v.contacts); {
	case n == 0:
		return -1
	case n > manyContacts:
		return v.findAmongMany(id)
	}
	usable := func(c *contact) bool { return c.err == nil }
	for i := range v.contacts {
		if c := &v.contacts[i]; usable(c) && id.WAID != "" && c.id.WAID == id.WAID {
			return i
		}
	}
	for i := range v.contacts {
		if c := &v.contacts[i]; usable(c) && id.UserID != "" && c.id.UserID == id.UserID {
			return i
		}
	}
	for i := range v.contacts {
		if c := &v.contacts[i]; usable(c) && id.WAID != "" && c.id.WAID != "" &&
			graph.EquivalenceKey(c.id.WAID) == graph.EquivalenceKey(id.WAID) {
			return i
		}
	}
	// A lone contact is the person if it can be no other one.
	if c := &v.contacts[0]; len(v.contacts) == 1 && v.persons <= 1 && usable(c) &&
		!contradicts(c.id, id) && !isOwn(c.id.WAID, v.displayPhone) {
		return 0
	}
	return -1
}

// isOwn reports whether a number is the business's own, whose display number can be formatted or
// lack a digit.
func isOwn(waid, display string) bool {
	return waid != "" && display != "" &&
		graph.EquivalenceKey(waid) == graph.EquivalenceKey(phonenumber.Digits(display))
}

// contradicts reports whether two identities, of which no id is equal, are two people: both have a
// number. Different user ids alone prove nothing, because Meta has misprinted them.
func contradicts(a, b graph.Identity) bool { return a.WAID != "" && b.WAID != "" }

// contactWAID returns the number of c if it is spelt otherwise than the one in the item.
func contactWAID(c *contact, id graph.Identity) string {
	if c == nil || c.id.WAID == id.WAID {
		return ""
	}
	return c.id.WAID
}

// manyContacts is the number of contacts up to which they are compared one by one. Meta sends one,
// mostly.
const manyContacts = 16

// findAmongMany is find with an index, so that the time does not grow with the square of a body.
func (v *value) findAmongMany(id graph.Identity) int {
	if v.contactIndex == nil {
		v.contactIndex = make(map[string]int, 3*len(v.contacts))
		for i := range v.contacts {
			c := &v.contacts[i]
			if c.err != nil {
				continue
			}
			for _, key := range contactKeys(c.id) {
				if _, taken := v.contactIndex[key]; !taken && key != "" {
					v.contactIndex[key] = i
				}
			}
		}
	}
	for _, key := range contactKeys(id) {
		if i, ok := v.contactIndex[key]; ok {
			return i
		}
	}
	return -1
}

// contactKeys returns what to look a person up by, best first.
func contactKeys(id graph.Identity) (keys [3]string) {
	if id.WAID != "" {
		keys[0], keys[2] = "number "+id.WAID, "like "+graph.EquivalenceKey(id.WAID)
	}
	if id.UserID != "" {
		keys[1] = "user " + string(id.UserID)
	}
	return keys
}
