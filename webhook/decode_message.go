package webhook

import (
	"slices"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/wire"
)

// A message is an element of messages or message_echoes. The two share almost all members, and
// which event it becomes is known only later.
type message struct {
	id       graph.MessageID
	from, to graph.Identity
	at       time.Time
	typ      MessageType
	content  Content
	context  *MessageContext
	referral *Referral
	identity *IdentityChange
	group    graph.GroupID
	logical  string
	errors   []Error

	optional []wire.Member // decoded members for which not every event has a place
	raw      []byte
	unknown  []UnknownMember
	err      error
}

// A messageList says in which list a message was found.
type messageList uint8

const (
	inMessages messageList = iota
	inEchoes
)

// read reads an element of messages or message_echoes.
func (m *message) read(s *wire.Scanner, where messageList) {
	it := s.BeginItem()
	if s.Object() {
		m.members(s, where)
	}
	var unknown []wire.Member
	m.raw, unknown, m.err = s.EndItem(it)
	m.unknown = members(unknown)
}

// members reads the members of a message. It puts the JSON of those by for which the event may have
// no place: customers' messages have no "to", the sender of an echo has no user id, and few events
// have a referral.
func (m *message) members(s *wire.Scanner, where messageList) {
	var contents contents
	for s.NextMember() {
		mark := s.Mark()
		optional := ""
		switch string(s.Name()) {
		case "id":
			m.id = graph.MessageID(s.Text())
		case "from":
			m.from.WAID = s.Text()
		case "from_user_id":
			m.from.UserID = graph.UserID(s.Text())
			optional = pick(where == inEchoes, "from_user_id")
		case "from_parent_user_id":
			m.from.ParentUserID = graph.UserID(s.Text())
			optional = pick(where == inEchoes, "from_parent_user_id")
		case "to":
			m.to.WAID = s.Text()
			optional = pick(where == inMessages, "to")
		case "to_user_id":
			m.to.UserID = graph.UserID(s.Text())
			optional = pick(where == inMessages, "to_user_id")
		case "to_parent_user_id":
			m.to.ParentUserID = graph.UserID(s.Text())
			optional = pick(where == inMessages, "to_parent_user_id")
		case "timestamp":
			m.at = s.Time()
		case "type":
			m.typ = messageType(s.TextBytes())
		case "context":
			m.context = contextDecoder.New(s)
		case "errors":
			m.errors = readErrors(s)
		case "referral":
			m.referral = referralDecoder.New(s)
			optional = "referral"
		case "identity":
			m.identity = identityDecoder.New(s)
			optional = "identity"
		case "group_id":
			m.group = graph.GroupID(s.Text())
			optional = "group_id"
		case "from_logical_id":
			m.logical = s.Text()
			optional = "from_logical_id"
		default:
			contents.read(s)
			continue
		}
		if optional != "" {
			if raw := s.Since(mark); string(raw) != "null" {
				m.optional = append(m.optional, wire.Member{Path: optional, Value: raw})
			}
		}
	}
	m.content = withoutContent(contents.choose(s, m.typ), m.errors)
	m.splitIdentities(s, where)
}

// pick returns name if yes is true, and "" if not.
func pick(yes bool, name string) string {
	if yes {
		return name
	}
	return ""
}

// splitIdentities puts user ids that stand where phone numbers belong into their own place. The
// sender of an echo is the business.
func (m *message) splitIdentities(s *wire.Scanner, where messageList) {
	if where != inEchoes {
		splitAndReport(s, "from", &m.from)
	}
	splitAndReport(s, "to", &m.to)
}

// splitAndReport is splitIdentity, and reports an id without a place under that name.
func splitAndReport(s *wire.Scanner, name string, id *graph.Identity) {
	if unplaced := splitIdentity(id); unplaced != "" {
		s.Unplaced(name, quoted(unplaced))
	}
}

// splitIdentity moves a user id out of WAID, where production bodies have held one. It returns an
// id that has no place because there is another one.
func splitIdentity(id *graph.Identity) (unplaced string) {
	if !graph.IsUserID(id.WAID) {
		return ""
	}
	switch id.UserID {
	case "":
		id.UserID = graph.UserID(id.WAID)
	case graph.UserID(id.WAID):
	default:
		unplaced = id.WAID
	}
	id.WAID = ""
	return unplaced
}

// unknownBut returns the members that have no place in an event, given the names of the optional
// members for which it has one.
func (m *message) unknownBut(placed ...string) []UnknownMember {
	unknown := m.unknown
	for _, o := range m.optional {
		if !slices.Contains(placed, o.Path) {
			unknown = append(unknown, UnknownMember{o.Path, o.Value})
		}
	}
	return unknown
}

// info returns the EventInfo of the message's event.
func (m *message) info(around *EventInfo) EventInfo {
	var info EventInfo
	m.fill(&info, around)
	return info
}

// fill fills the zero info with what is known around the message and of it.
func (m *message) fill(info, around *EventInfo) {
	info.Field = around.Field
	info.PhoneNumberID, info.DisplayPhoneNumber = around.PhoneNumberID, around.DisplayPhoneNumber
	info.At, info.Raw = m.at, m.raw
}

// undecodable makes the event of a message that does not fit its type.
func (m *message) undecodable(info *EventInfo) Event {
	ev := &UndecodableEvent{m.info(info), itemError(m.err)}
	ev.Unknown = m.unknown
	return ev
}

// incoming makes the event of a message that a customer wrote: an IncomingMessage, or an
// UnavailableMessage for a placeholder.
func (v *value) incoming(m *message, info *EventInfo) Event {
	c, unplaced := v.join(&m.from)
	if unavailable(m) {
		ev := &UnavailableMessage{
			EventInfo: m.info(info), ID: m.id, From: m.from, ContactWAID: contactWAID(c, m.from), GroupID: m.group,
			Context: m.context, Referral: m.referral, Errors: m.errors,
		}
		if content, ok := m.content.(*UnsupportedContent); ok {
			ev.Unsupported = *content
		}
		if c != nil {
			ev.ProfileName, ev.ProfileCountry, ev.IdentityHash = c.name, c.country, c.identityHash
		}
		ev.Unknown = append(m.unknownBut("referral", "group_id"), unplaced...)
		if m.typ != "" && m.typ != TypeUnsupported {
			ev.Unknown = append(ev.Unknown, UnknownMember{"type", quoted(string(m.typ))})
		}
		return ev
	}
	// The event is filled in place: a literal would be made elsewhere and copied.
	ev := new(IncomingMessage)
	m.fill(&ev.EventInfo, info)
	ev.ID, ev.From, ev.ContactWAID, ev.LogicalID, ev.GroupID = m.id, m.from, contactWAID(c, m.from), m.logical, m.group
	ev.Type, ev.Content, ev.Context, ev.Referral = m.typ, m.content, m.context, m.referral
	ev.Identity, ev.Errors = m.identity, m.errors
	if c != nil {
		ev.ProfileName, ev.ProfileCountry, ev.IdentityHash = c.name, c.country, c.identityHash
	}
	ev.Unknown = append(m.unknownBut("referral", "identity", "group_id", "from_logical_id"), unplaced...)
	return ev
}

// withoutContent returns UnsupportedContent for a message that has no content and an error that
// says so. Meta leaves the type of such a message out at times, or writes "unknown" or "errors":
// what counts is the code, beside nothing that a person could have written.
func withoutContent(content Content, errs []Error) Content {
	if c, ok := content.(*UnknownContent); ok && c.Raw == nil && slices.ContainsFunc(errs, func(e Error) bool {
		return e.Code == graph.CodeMessageUnavailable || e.Code == graph.CodeUnsupportedMessageType
	}) {
		return new(UnsupportedContent)
	}
	return content
}

// unavailable reports whether m is a placeholder for a message that stays on the business's phone.
func unavailable(m *message) bool {
	_, ok := m.content.(*UnsupportedContent)
	return ok && slices.ContainsFunc(m.errors, func(e Error) bool { return e.Code == graph.CodeMessageUnavailable })
}

// echo makes the event of a message that the business wrote on its phone.
func (v *value) echo(m *message, info *EventInfo) Event {
	c, unplaced := v.join(&m.to)
	ev := new(BusinessAppEcho)
	m.fill(&ev.EventInfo, info)
	ev.ID, ev.From, ev.To = m.id, m.from.WAID, m.to
	ev.Type, ev.Content, ev.Context, ev.Errors = m.typ, m.content, m.context, m.errors
	ev.Unknown = append(m.unknownBut(), unplaced...)
	ev.ProfileName = c.onlyName(m.to, &ev.EventInfo)
	return ev
}

// historyMedia makes the event of media that follows its placeholder.
func (v *value) historyMedia(m *message, info *EventInfo, outbound bool) Event {
	customer := &m.from
	if outbound {
		customer = &m.to
	}
	c, unplaced := v.join(customer)
	ev := &HistoryMedia{
		EventInfo: m.info(info), ID: m.id, Outbound: outbound, From: m.from, To: m.to, Type: m.typ, Content: m.content,
		Context: m.context, Errors: m.errors,
	}
	unknown := m.unknownBut("to", "to_user_id", "to_parent_user_id", "from_user_id", "from_parent_user_id")
	ev.Unknown = append(unknown, unplaced...)
	ev.ProfileName = c.onlyName(*customer, &ev.EventInfo)
	return ev
}

var (
	referralDecoder = wire.For[Referral]()
	identityDecoder = wire.For[IdentityChange]()
	contextDecoder  = wire.For[MessageContext]()
)
