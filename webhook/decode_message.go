package webhook

import (
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/wire"
)

// A message is an element of messages or message_echoes. The two share almost all members, and
// which event it becomes is known only later.
type message struct {
	id       graph.MessageID
	from, to graph.Identity
	at       graph.Timestamp
	typ      MessageType
	content  Content
	context  *MessageContext
	referral *Referral
	identity *IdentityChange
	group    graph.GroupID
	logical  string
	errors   []Error

	rare    []rareMember // members that not every event has a place for
	raw     []byte
	unknown []UnknownMember
	err     error
}

// A rareMember is the JSON of a member that was decoded, should the event turn out to have no place
// for it.
type rareMember struct {
	name string
	raw  []byte
}

// A place is where a message was found.
type place uint8

const (
	inMessages place = iota
	inEchoes
)

func (m *message) read(s *wire.Scanner, where place) {
	a := lookAhead(s)
	if m.readAhead(&a, where) {
		return
	}
	it := s.BeginItem()
	if a.inside("") || s.Object() {
		m.members(s, where)
	}
	var unknown []wire.Member
	m.raw, unknown, m.err = s.EndItem(it)
	m.unknown = members(unknown)
}

// readAhead reads a text. It returns false for everything else; then a may know the head of the
// message, which m holds.
func (m *message) readAhead(a *ahead, where place) bool {
	var h messageHead
	a.messageHead(&h, where, &graph.Identity{})
	if a.lost {
		return false
	}
	m.from, m.to, m.id, m.at, m.typ = h.from, h.to, h.id, h.at, h.typ
	if h.typ != TypeText {
		return false
	}
	whole := *a
	body := whole.messageText()
	raw := whole.read()
	if raw == nil {
		return false
	}
	m.content, m.raw = &Text{Body: body}, raw
	return true
}

// A messageHead is what all messages begin with.
type messageHead struct {
	from, to graph.Identity
	id       graph.MessageID
	at       graph.Timestamp
	typ      MessageType
}

// messageHead understands a head, into the zero h. The sender is probably the person who is known.
func (a *ahead) messageHead(h *messageHead, where place, known *graph.Identity) {
	a.want(`{"from":"`)
	h.from.WAID = a.phoneLike(known.WAID)
	switch where {
	case inMessages:
		if a.word(`","from_user_id":"`) {
			h.from.UserID = graph.UserID(a.like(string(known.UserID)))
		}
	case inEchoes:
		if a.word(`","to":"`) {
			h.to.WAID = a.phone()
		}
	}
	a.want(`","id":"`)
	h.id = graph.MessageID(a.kept())
	a.want(`","timestamp":"`)
	h.at = a.seconds()
	a.want(`","type":"`)
	h.typ = messageType(a.plain())
	a.want(`"`)
}

// messageText understands the rest of a text.
func (a *ahead) messageText() string {
	a.want(`,"text":{"body":"`)
	body := a.text()
	a.want(`"}}`)
	return body
}

func (m *message) members(s *wire.Scanner, where place) {
	var parts parts
	for s.NextMember() {
		mark := s.Mark()
		rare := ""
		switch string(s.Name()) {
		case "id":
			m.id = graph.MessageID(s.Text())
		case "from":
			m.from.WAID = s.Text()
		case "from_user_id":
			m.from.UserID = graph.UserID(s.Text())
			rare = pick(where == inEchoes, "from_user_id")
		case "from_parent_user_id":
			m.from.ParentUserID = graph.UserID(s.Text())
			rare = pick(where == inEchoes, "from_parent_user_id")
		case "to":
			m.to.WAID = s.Text()
			rare = pick(where == inMessages, "to")
		case "to_user_id":
			m.to.UserID = graph.UserID(s.Text())
			rare = pick(where == inMessages, "to_user_id")
		case "to_parent_user_id":
			m.to.ParentUserID = graph.UserID(s.Text())
			rare = pick(where == inMessages, "to_parent_user_id")
		case "timestamp":
			m.at = s.Time()
		case "type":
			m.typ = messageType(s.TextBytes())
		case "context":
			m.context = readNew(s, readMessageContext)
		case "errors":
			m.errors = readErrors(s)
		case "referral":
			m.referral = referralDecoder.New(s)
			rare = "referral"
		case "identity":
			m.identity = identityDecoder.New(s)
			rare = "identity"
		case "group_id":
			m.group = graph.GroupID(s.Text())
			rare = "group_id"
		case "from_logical_id":
			m.logical = s.Text()
			rare = "from_logical_id"
		default:
			parts.read(s)
			continue
		}
		if rare != "" {
			if raw := s.Since(mark); string(raw) != "null" {
				m.rare = append(m.rare, rareMember{rare, raw})
			}
		}
	}
	m.content = parts.choose(s, m.typ)
	m.splitIdentities(s, where)
}

func pick(yes bool, name string) string {
	if yes {
		return name
	}
	return ""
}

// splitIdentities puts user ids that stand where phone numbers belong into their own place. The
// sender of an echo is the business.
func (m *message) splitIdentities(s *wire.Scanner, where place) {
	if where != inEchoes {
		leaveSplit(s, "from", &m.from)
	}
	leaveSplit(s, "to", &m.to)
}

// leaveSplit moves a user id out of WAID, and reports it under that name if it has no place.
func leaveSplit(s *wire.Scanner, name string, id *graph.Identity) {
	if left := splitIdentity(id); left != "" {
		s.Leave(name, quoted(left))
	}
}

// splitIdentity moves a user id out of WAID, where production bodies have held one. It returns an
// id that has no place because there is another one.
func splitIdentity(id *graph.Identity) (left string) {
	if !graph.IsUserID(id.WAID) {
		return ""
	}
	switch id.UserID {
	case "":
		id.UserID = graph.UserID(id.WAID)
	case graph.UserID(id.WAID):
	default:
		left = id.WAID
	}
	id.WAID = ""
	return left
}

// unplaced returns the rare members for which an event has no place, given the names for which it
// has one.
func (m *message) unplaced(places ...string) []UnknownMember {
	unknown := m.unknown
	if m.rare == nil {
		return unknown
	}
next:
	for _, r := range m.rare {
		for _, p := range places {
			if r.name == p {
				continue next
			}
		}
		unknown = append(unknown, UnknownMember{r.name, r.raw})
	}
	return unknown
}

func (m *message) info(around *EventInfo) EventInfo {
	var info EventInfo
	m.fill(&info, around)
	return info
}

// fill fills the zero info with what is known around the message and of it.
func (m *message) fill(info, around *EventInfo) {
	info.Field, info.PhoneNumberID, info.DisplayPhoneNumber = around.Field, around.PhoneNumberID, around.DisplayPhoneNumber
	info.At, info.Raw = m.at.Time, m.raw
}

func (m *message) undecodable(info *EventInfo) Event {
	ev := &UndecodableEvent{m.info(info), itemError(m.err)}
	ev.Unknown = m.unknown
	return ev
}

var (
	referralDecoder = wire.For[Referral]()
	identityDecoder = wire.For[IdentityChange]()
)
