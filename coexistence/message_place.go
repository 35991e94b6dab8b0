package coexistence

import (
	"bytes"
	"cmp"
	"strings"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// A place is where and when a message was said, by whom.
type place struct {
	source   source
	origin   Origin
	outbound bool
	at       time.Time
	person   string
	customer graph.Identity
	group    graph.GroupID
}

// put moves the message to p unless what is known is better. Among equals the choice is arbitrary
// but always the same, so that it does not depend on the order of arrival.
func (m *Message) put(p place) {
	if c := cmp.Compare(p.source, m.Provenance.place); c > 0 || c == 0 && p.before(m) {
		m.Provenance.place = p.source
		m.Origin, m.Outbound, m.At = p.origin, p.outbound, p.at
	}
	if p.person == "" {
		return
	}
	c := cmp.Compare(p.source, m.Provenance.person)
	if c == 0 {
		c = -cmp.Or(cmp.Compare(p.person, m.Person), compareIdentities(p.customer, m.Customer))
	}
	if c > 0 || m.Person == "" {
		m.Provenance.person = p.source
		m.Person, m.Customer, m.GroupID = p.person, p.customer, p.group
	}
}

func (p place) before(m *Message) bool {
	if p.at.IsZero() != m.At.IsZero() {
		return m.At.IsZero()
	}
	c := cmp.Or(p.at.Compare(m.At), strings.Compare(string(p.origin), string(m.Origin)))
	return c < 0 || c == 0 && p.outbound && !m.Outbound
}

// say sets the content as it was first sent, unless what is known is better: content beats
// placeholders, then the source counts. It reports whether b was taken.
func (m *Message) say(src source, b Content) bool {
	have := m.first()
	c := 0
	switch {
	case have.Type == "":
		c = 1
	case b.Placeholder() != have.Placeholder():
		if c = -1; have.Placeholder() {
			c = 1
		}
	default:
		c = cmp.Or(cmp.Compare(src, m.Provenance.content), b.compare(*have))
	}
	if c <= 0 {
		return false
	}
	*have = b
	m.Provenance.content = src
	return true
}

func (b Content) compare(o Content) int {
	var bm, om Media
	if b.Media != nil {
		bm = *b.Media
	}
	if o.Media != nil {
		om = *o.Media
	}
	return cmp.Or(
		cmp.Compare(b.Type, o.Type), cmp.Compare(b.Text, o.Text), cmp.Compare(bm.ID, om.ID),
		cmp.Compare(bm.SHA256, om.SHA256), bytes.Compare(b.Raw, o.Raw),
	)
}

func compareIdentities(a, b graph.Identity) int {
	return cmp.Or(
		cmp.Compare(a.UserID, b.UserID), cmp.Compare(a.WAID, b.WAID),
		cmp.Compare(a.ParentUserID, b.ParentUserID), cmp.Compare(a.Username, b.Username),
	)
}
