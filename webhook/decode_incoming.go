package webhook

import (
	"fmt"
	"slices"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// incoming makes the event of a message that a customer wrote.
func (v *value) incoming(m *message, info *EventInfo) Event {
	c, left := v.join(&m.from)
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
		ev.Unknown = append(m.unplaced("referral", "group_id"), left...)
		if m.typ != "" && m.typ != TypeUnsupported {
			ev.Unknown = append(ev.Unknown, UnknownMember{"type", quoted(string(m.typ))})
		}
		return ev
	}
	// Filled where it lies: a literal would be made elsewhere and copied.
	ev := new(IncomingMessage)
	m.fill(&ev.EventInfo, info)
	ev.ID, ev.From, ev.ContactWAID, ev.LogicalID, ev.GroupID = m.id, m.from, contactWAID(c, m.from), m.logical, m.group
	ev.Type, ev.Content, ev.Context, ev.Referral = m.typ, m.content, m.context, m.referral
	ev.Identity, ev.Errors = m.identity, m.errors
	if c != nil {
		ev.ProfileName, ev.ProfileCountry, ev.IdentityHash = c.name, c.country, c.identityHash
	}
	ev.Unknown = append(m.unplaced("referral", "identity", "group_id", "from_logical_id"), left...)
	return ev
}

// unavailable reports whether m is a placeholder for a message that stays on the business's phone.
// Meta leaves types out: what counts is the code, beside nothing that the customer could have
// written.
func unavailable(m *message) bool {
	switch content := m.content.(type) {
	case *UnsupportedContent:
	case *UnknownContent:
		if content.Raw != nil {
			return false
		}
	default:
		return false
	}
	return slices.ContainsFunc(m.errors, func(e Error) bool { return e.Code == graph.CodeMessageUnavailable })
}

// echo makes the event of a message that the business wrote on its phone.
func (v *value) echo(m *message, info *EventInfo) Event {
	c, left := v.join(&m.to)
	ev := new(BusinessAppEcho)
	m.fill(&ev.EventInfo, info)
	ev.ID, ev.From, ev.To, ev.Type, ev.Content, ev.Context, ev.Errors = m.id, m.from.WAID, m.to, m.typ, m.content, m.context, m.errors
	ev.Unknown = append(m.unplaced(), left...)
	ev.ProfileName = v.placeContact(c, m.to, &ev.EventInfo)
	return ev
}

// historyMedia makes the event of media that follows its placeholder.
func (v *value) historyMedia(m *message, info *EventInfo, outbound bool) Event {
	customer := &m.from
	if outbound {
		customer = &m.to
	}
	c, left := v.join(customer)
	ev := &HistoryMedia{
		EventInfo: m.info(info), ID: m.id, Outbound: outbound, From: m.from, To: m.to, Type: m.typ, Content: m.content,
		Context: m.context, Errors: m.errors,
	}
	ev.Unknown = append(m.unplaced("to", "to_user_id", "to_parent_user_id", "from_user_id", "from_parent_user_id"), left...)
	ev.ProfileName = v.placeContact(c, *customer, &ev.EventInfo)
	return ev
}

// placeContact returns the name in c and reports what else is in it and has no place in events
// about the business's own messages.
func (v *value) placeContact(c *contact, id graph.Identity, info *EventInfo) (name string) {
	if c == nil {
		return ""
	}
	leave := func(member, text string) {
		if text != "" {
			path := fmt.Sprintf("value.contacts[%d].%s", c.at, member)
			info.Unknown = append(info.Unknown, UnknownMember{path, quoted(text)})
		}
	}
	leave("profile.country_code", c.country)
	leave("wa_id", contactWAID(c, id))
	leave("identity_key_hash", c.identityHash)
	return c.name
}
