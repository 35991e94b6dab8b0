package webhook

import (
	"fmt"
	"strings"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/phonenumber"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/wire"
)

// A contact is an element of a change's contacts: what Meta knows of a person beside the ids in the
// item itself.
type contact struct {
	id           graph.Identity
	name         string
	country      string
	identityHash string

	joined  bool
	at      int // in the list, once it is joined
	raw     []byte
	unknown []wire.Member
	err     error
}

func (c *contact) read(s *wire.Scanner) {
	if c.readAhead(lookAhead(s)) {
		return
	}
	it := s.BeginItem()
	if s.Object() {
		for s.NextMember() {
			switch string(s.Name()) {
			case "wa_id":
				c.id.WAID = s.Text()
			case "user_id":
				c.id.UserID = graph.UserID(s.Text())
			case "parent_user_id":
				c.id.ParentUserID = graph.UserID(s.Text())
			case "identity_key_hash":
				c.identityHash = s.Text()
			case "profile":
				c.readProfile(s)
			default:
				s.Unknown()
			}
		}
		if left := splitIdentity(&c.id); left != "" {
			s.Leave("wa_id", quoted(left))
		}
	}
	c.raw, c.unknown, c.err = s.EndItem(it)
}

func (c *contact) readAhead(a ahead) bool {
	name, id := a.contact()
	raw := a.read()
	if raw == nil {
		return false
	}
	c.name, c.id, c.raw = name, id, raw
	return true
}

// contact understands a person with a name and a number.
func (a *ahead) contact() (name string, id graph.Identity) {
	a.want(`{"profile":{"name":"`)
	name = a.text()
	a.want(`"},"wa_id":"`)
	id.WAID = a.phone()
	if a.word(`","user_id":"`) {
		id.UserID = graph.UserID(a.kept())
	}
	a.want(`"}`)
	return name, id
}

func (c *contact) readProfile(s *wire.Scanner) {
	c.name, c.country, c.id.Username = "", "", ""
	if !s.Object() {
		return
	}
	for s.NextMember() {
		switch string(s.Name()) {
		case "name":
			c.name = s.Text()
		case "country_code":
			c.country = s.Text()
		case "username":
			c.id.Username = username(s.Text())
		default:
			s.Unknown()
		}
	}
}

// username strips the @ that Meta's samples had until spring 2026.
func username(s string) string { return strings.TrimPrefix(s, "@") }

// join finds the contact of a person, takes over what it adds to the identity, and returns it
// together with what has no place: ids that contradict those in the item itself.
func (v *value) join(id *graph.Identity) (c *contact, left []UnknownMember) {
	i := v.find(*id)
	if i < 0 {
		return nil, nil
	}
	c = &v.contacts[i]
	c.joined, c.at = true, i
	leave := func(name string, value []byte) {
		left = append(left, UnknownMember{fmt.Sprintf("value.contacts[%d].%s", i, name), value})
	}
	for _, m := range c.unknown {
		leave(m.Path, m.Value)
	}
	take := func(name string, own *graph.UserID, theirs graph.UserID) {
		switch {
		case *own == "":
			*own = theirs
		case theirs != "" && theirs != *own:
			leave(name, quoted(string(theirs)))
		}
	}
	take("user_id", &id.UserID, c.id.UserID)
	take("parent_user_id", &id.ParentUserID, c.id.ParentUserID)
	switch {
	case id.Username == "":
		id.Username = c.id.Username
	case c.id.Username != "" && c.id.Username != id.Username:
		leave("profile.username", quoted(c.id.Username))
	}
	if id.WAID == "" {
		id.WAID = c.id.WAID
	}
	return c, left
}

// find returns the index of the contact that is the person, -1 if none is. The order of the list
// says nothing.
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
	// A lone contact is the person if there is nobody else whom it could be.
	if c := &v.contacts[0]; len(v.contacts) == 1 && v.persons <= 1 && usable(c) && !contradicts(c.id, id) && !isOwn(c.id.WAID, v.displayPhone) {
		return 0
	}
	return -1
}

// isOwn reports whether a number is the business's own, whose display number can be formatted or
// lack a digit.
func isOwn(waid, display string) bool {
	return waid != "" && display != "" && graph.EquivalenceKey(waid) == graph.EquivalenceKey(phonenumber.Digits(display))
}

// contradicts reports whether two identities cannot be one person's, where nothing that both have
// is alike: numbers are. User ids alone have been misprinted.
func contradicts(a, b graph.Identity) bool { return a.WAID != "" && b.WAID != "" }

// contactWAID returns the number of c if it is spelt otherwise than the one in the item.
func contactWAID(c *contact, id graph.Identity) string {
	if c == nil || c.id.WAID == id.WAID {
		return ""
	}
	return c.id.WAID
}

// manyContacts is how many contacts are looked through one by one. Meta sends one, mostly.
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
