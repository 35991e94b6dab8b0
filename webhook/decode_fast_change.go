package webhook

import (
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/wire"
)

// The fast shape of a change: one text with its contact, one echo of a text, or one status, written
// as Meta writes them. decode.go says what fast shapes are for and which tests hold them equal to
// the slow path.

// A matcher compares the bytes of a value with a fast shape. It reads nothing from the scanner:
// once a byte differs it has failed, all its methods return nothing, and the slow path reads the
// value.
type matcher struct {
	s      *wire.Scanner
	data   []byte // from the value on
	pos    int    // how much of it has matched
	failed bool
}

// has moves behind text if it comes next, and reports whether it does.
func (m *matcher) has(text string) bool {
	if m.failed || len(m.data)-m.pos < len(text) || string(m.data[m.pos:m.pos+len(text)]) != text {
		return false
	}
	m.pos += len(text)
	return true
}

// expect fails if text does not come next.
func (m *matcher) expect(text string) {
	if !m.has(text) {
		m.failed = true
	}
}

// plain returns a string up to its closing quote. It fails for the empty string and for strings
// with escapes or more than ASCII, whose bytes are not their text.
func (m *matcher) plain() []byte {
	if m.failed {
		return nil
	}
	start := m.pos
	end := wire.Plain(m.data, start)
	if end == start || end >= len(m.data) || m.data[end] != '"' {
		m.failed = true
		return nil
	}
	m.pos = end
	return m.data[start:end]
}

// id returns a plain string.
func (m *matcher) id() string { return m.s.Keep(m.plain()) }

// phone returns a plain string that looks like a phone number. known, which may be empty, takes no
// memory if it is equal.
func (m *matcher) phone(known string) string {
	text := m.oneOf(known)
	if !likePhone(text) {
		m.failed = true
	}
	return text
}

// likePhone reports whether text begins with a digit. Anything else in place of a phone number can
// be a user id, which the slow path puts into its own place.
func likePhone[T string | []byte](text T) bool {
	return len(text) > 0 && text[0] >= '0' && text[0] <= '9'
}

// oneOf returns a plain string. One of the known texts takes no memory.
func (m *matcher) oneOf(known ...string) string {
	text := m.plain()
	for _, k := range known {
		if string(text) == k {
			return k
		}
	}
	return m.s.Keep(text)
}

// text returns any string, decoded.
func (m *matcher) text() string {
	if m.failed {
		return ""
	}
	text, end, ok := m.s.StringAt(m.data, m.pos)
	if !ok {
		m.failed = true
		return ""
	}
	m.pos = end
	return m.s.Keep(text)
}

// seconds returns a time of ten digits.
func (m *matcher) seconds() time.Time {
	if m.failed || !wire.TenDigits(m.data, m.pos) {
		m.failed = true
		return time.Time{}
	}
	m.pos += 10
	return wire.Seconds(m.data, m.pos-10)
}

// fastChange reads the next change and emits its event if the change has the fast shape. It returns
// false for every other change, of which it reads nothing.
//
// Such a change has one item and no member without a place, so that nothing has to be put by,
// joined or left over.
func (d *decoder) fastChange() bool {
	m := matcher{s: &d.s, data: d.s.Rest()}
	var c fastChange
	m.expect(`{"value":{"messaging_product":"whatsapp","metadata":{"display_phone_number":"`)
	c.displayPhone = m.id()
	m.expect(`","phone_number_id":"`)
	c.phone = graph.PhoneNumberID(m.id())
	var matched bool
	switch {
	case m.has(`"},"contacts":[`):
		matched = d.fastText(&m, &c)
	case m.has(`"},"statuses":[`):
		matched = d.fastStatus(&m, &c)
	case m.has(`"},"message_echoes":[`):
		matched = d.fastEcho(&m, &c)
	}
	if matched {
		d.s.Advance(m.pos)
	}
	return matched
}

// A fastChange is a change of the fast shape, as far as it has matched.
type fastChange struct {
	phone        graph.PhoneNumberID
	displayPhone string
	start        int // where its item begins in the matcher's data
}

// end matches the rest of a change behind its item, and returns the bytes of the item; nil if the
// change does not end there or has another label.
func (c *fastChange) end(m *matcher, label Field) (item []byte) {
	end := m.pos
	m.expect(`]},"field":"`)
	m.expect(string(label))
	m.expect(`"}`)
	if m.failed {
		return nil
	}
	return m.data[c.start:end:end]
}

// fill fills the zero info.
func (c *fastChange) fill(info *EventInfo, label Field, at time.Time, item []byte) {
	info.PhoneNumberID, info.DisplayPhoneNumber = c.phone, c.displayPhone
	info.Field, info.At, info.Raw = label, at, item
}

// emitFirst appends an event. Most deliveries have one: the list of events is then in room, which
// is part of the event's memory.
func (d *decoder) emitFirst(ev Event, room *[1]Event) {
	if d.events == nil {
		d.events = room[:0]
	}
	d.events = append(d.events, ev)
}

// fastText matches a text and the contact of its sender, and emits it. It fails if the two name
// different people.
func (d *decoder) fastText(m *matcher, c *fastChange) bool {
	name, person := m.contact()
	m.expect(`],"messages":[`)
	c.start = m.pos
	head := m.messageHead(`","from_user_id":"`, person)
	user := graph.UserID(head.second)
	if head.from != person.WAID || user != "" && person.UserID != "" && user != person.UserID {
		return false
	}
	body := m.messageText()
	item := c.end(m, FieldMessages)
	if item == nil {
		return false
	}
	all := new(struct {
		event IncomingMessage
		text  Text
		list  [1]Event
	})
	all.text.Body = body
	ev := &all.event
	c.fill(&ev.EventInfo, FieldMessages, head.at, item)
	ev.ID, ev.From.WAID, ev.From.UserID, ev.ProfileName = head.id, head.from, user, name
	ev.Type, ev.Content = TypeText, &all.text
	if user == "" {
		ev.From.UserID = person.UserID
	}
	d.emitFirst(ev, &all.list)
	return true
}

// fastEcho matches an echo of a text, and emits it.
func (d *decoder) fastEcho(m *matcher, c *fastChange) bool {
	c.start = m.pos
	head := m.messageHead(`","to":"`, graph.Identity{})
	if head.second != "" && !likePhone(head.second) {
		return false
	}
	body := m.messageText()
	item := c.end(m, FieldSMBMessageEchoes)
	if item == nil {
		return false
	}
	all := new(struct {
		event BusinessAppEcho
		text  Text
		list  [1]Event
	})
	all.text.Body = body
	ev := &all.event
	c.fill(&ev.EventInfo, FieldSMBMessageEchoes, head.at, item)
	ev.ID, ev.From, ev.To.WAID, ev.Type, ev.Content = head.id, head.from, head.second, TypeText, &all.text
	d.emitFirst(ev, &all.list)
	return true
}

// contact matches a person with a name, a number and perhaps a user id.
func (m *matcher) contact() (name string, id graph.Identity) {
	m.expect(`{"profile":{"name":"`)
	name = m.text()
	m.expect(`"},"wa_id":"`)
	id.WAID = m.phone("")
	if m.has(`","user_id":"`) {
		id.UserID = graph.UserID(m.id())
	}
	m.expect(`"}`)
	return name, id
}

// A fastHead is the beginning of a text of the fast shape.
type fastHead struct {
	from   string
	second string // the value of the member behind "from", if it is there
	id     graph.MessageID
	at     time.Time
}

// messageHead matches the members of a text up to its type. second is what stands between the phone
// number of the sender and the value of the member that may follow it. known is who the sender
// probably is, whose ids then take no memory.
func (m *matcher) messageHead(second string, known graph.Identity) (h fastHead) {
	m.expect(`{"from":"`)
	h.from = m.phone(known.WAID)
	if m.has(second) {
		h.second = m.oneOf(string(known.UserID))
	}
	m.expect(`","id":"`)
	h.id = graph.MessageID(m.id())
	m.expect(`","timestamp":"`)
	h.at = m.seconds()
	m.expect(`","type":"text"`)
	return h
}

// messageText matches the rest of a text.
func (m *matcher) messageText() string {
	m.expect(`,"text":{"body":"`)
	body := m.text()
	m.expect(`"}}`)
	return body
}

// fastStatus matches a status, perhaps with a conversation and a pricing, and emits it. The pricing
// shares the memory of the event.
func (d *decoder) fastStatus(m *matcher, c *fastChange) bool {
	c.start = m.pos
	var (
		conversation BillingConversation
		pricing      Pricing
		billable     bool
		head         = m.statusHead()
	)
	hasConversation := m.has(`,"conversation":`)
	if hasConversation {
		conversation = m.conversation()
	}
	hasPricing := m.has(`,"pricing":`)
	if hasPricing {
		pricing, billable = m.pricing()
	}
	m.expect(`}`)
	item := c.end(m, FieldMessages)
	if item == nil {
		return false
	}
	type alone struct {
		event MessageStatus
		list  [1]Event
	}
	var all *alone
	if hasPricing {
		priced := new(struct {
			alone
			pricing  Pricing
			billable bool
		})
		priced.pricing, priced.billable = pricing, billable
		priced.pricing.Billable = &priced.billable
		all = &priced.alone
		all.event.Pricing = &priced.pricing
	} else {
		all = new(alone)
	}
	ev := &all.event
	c.fill(&ev.EventInfo, FieldMessages, head.at, item)
	ev.ID, ev.Status, ev.Recipient.WAID, ev.Recipient.UserID = head.id, head.status, head.recipient, head.user
	if hasConversation {
		ev.Conversation = new(conversation)
	}
	d.emitFirst(ev, &all.list)
	return true
}

// A fastStatusHead is the beginning of a status of the fast shape.
type fastStatusHead struct {
	id        graph.MessageID
	status    DeliveryStatus
	at        time.Time
	recipient string
	user      graph.UserID
}

// statusHead matches the members of a status that all of them have.
func (m *matcher) statusHead() (h fastStatusHead) {
	m.expect(`{"id":"`)
	h.id = graph.MessageID(m.id())
	m.expect(`","status":"`)
	h.status = statusCode(m.plain())
	m.expect(`","timestamp":"`)
	h.at = m.seconds()
	m.expect(`","recipient_id":"`)
	h.recipient = m.phone("")
	if m.has(`","recipient_user_id":"`) {
		h.user = graph.UserID(m.id())
	}
	m.expect(`"`)
	return h
}

// conversation matches a conversation.
func (m *matcher) conversation() (c BillingConversation) {
	m.expect(`{"id":"`)
	c.ID = m.id()
	if m.has(`","expiration_timestamp":"`) {
		c.ExpiresAt.Time = m.seconds()
	}
	m.expect(`","origin":{"type":"`)
	c.Origin.Type = m.oneOf("service", "utility", "marketing", "authentication")
	m.expect(`"}}`)
	return c
}

// pricing matches a pricing, with type and category in either order. A repeat of one replaces it,
// as any duplicate does. billable is returned apart, because the caller has memory for it.
func (m *matcher) pricing() (p Pricing, billable bool) {
	if billable = m.has(`{"billable":true`); !billable {
		m.expect(`{"billable":false`)
	}
	m.expect(`,"pricing_model":"`)
	p.Model = m.oneOf("PMP", "CBP")
	m.expect(`"`)
	for !m.failed && !m.has(`}`) {
		switch {
		case m.has(`,"type":"`):
			p.Type = PricingType(m.oneOf("regular", "free_customer_service", "free_entry_point"))
		case m.has(`,"category":"`):
			p.Category = PricingCategory(m.oneOf("service", "utility", "marketing", "authentication"))
		default:
			m.failed = true
		}
		m.expect(`"`)
	}
	return p, billable
}
