package coexistence

import (
	"cmp"
	"slices"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

// A patch is what one event says about one message. Applying patches in any order, and more than
// once, makes the same message.
type patch struct {
	id    graph.MessageID
	apply func(*Message)
}

// A saying is somebody doing something in a conversation, in the terms that live messages, echoes
// and history share.
type saying struct {
	id       graph.MessageID
	place    place
	content  webhook.Content
	context  *webhook.MessageContext
	referral *webhook.Referral
	status   webhook.DeliveryStatus
	raw      []byte
}

// patch returns what s says about which message: an edit, a revocation and a reaction speak about
// another one.
func (s saying) patch() patch {
	switch c := s.content.(type) {
	case *webhook.Edit:
		body := bodyOf(c.Content, s.raw)
		return patch{c.OriginalMessageID, func(m *Message) {
			m.put(s.hint(true))
			m.touch(s)
			m.edit(s.id, s.place.at, body)
		}}
	case *webhook.Revoke:
		return patch{c.OriginalMessageID, func(m *Message) {
			m.put(s.hint(true))
			m.touch(s)
			m.revoke(s.place.at)
		}}
	case *webhook.Reaction:
		return patch{c.MessageID, func(m *Message) {
			m.put(s.hint(false))
			m.touch(s)
			m.react(Reaction{Outbound: s.place.outbound, Person: s.member(), Emoji: c.Emoji, At: s.place.at, ID: s.id})
		}}
	default: // said in a message of its own
	}
	body := bodyOf(s.content, s.raw)
	return patch{s.id, func(m *Message) {
		m.put(s.place)
		m.say(s.place.source, body.clone())
		m.raise(s.status)
		if c := s.context; c != nil {
			m.ReplyTo = max(m.ReplyTo, c.ID)
			m.Forwarded = m.Forwarded || c.Forwarded || c.FrequentlyForwarded
		}
		m.refer(s.referral)
	}}
}

// hint is where the message belongs that s speaks about. Who edits or deletes a message has written
// it; who reacts has not.
func (s saying) hint(author bool) place {
	p := place{source: sourceHint, person: s.place.person, customer: s.place.customer, group: s.place.group}
	if author {
		p.outbound, p.at = s.place.outbound, s.place.at
	}
	return p
}

// member tells the members of a group apart. In a conversation of two the side is enough.
func (s saying) member() string {
	if s.place.group == "" || s.place.outbound {
		return ""
	}
	return alias(s.place.customer)
}

func (m *Message) touch(s saying) {
	if s.place.origin == OriginApp {
		m.AppActivityAt = later(m.AppActivityAt, s.place.at)
	}
}

func (m *Message) edit(id graph.MessageID, at time.Time, b Content) {
	if id == "" {
		id = "-" // still an edit
	}
	if m.EditID != "" && cmp.Or(at.Compare(m.EditedAt), cmp.Compare(id, m.EditID), b.compare(m.Content)) <= 0 {
		return
	}
	if m.Original == nil {
		m.Original = new(m.Content)
	}
	m.Content, m.EditedAt, m.EditID = b.clone(), at, id
}

func (m *Message) revoke(at time.Time) {
	if at.IsZero() {
		at = time.Unix(0, 0).UTC() // deleted at a time unknown
	}
	if m.RevokedAt.IsZero() || at.Before(m.RevokedAt) {
		m.RevokedAt = at
	}
}

func (m *Message) react(r Reaction) {
	for i, have := range m.Reactions {
		if have.Outbound != r.Outbound || have.Person != r.Person {
			continue
		}
		if cmp.Or(r.At.Compare(have.At), cmp.Compare(r.ID, have.ID), cmp.Compare(r.Emoji, have.Emoji)) > 0 {
			m.Reactions[i] = r
		}
		return
	}
	m.Reactions = append(m.Reactions, r)
	slices.SortFunc(m.Reactions, func(a, b Reaction) int {
		if a.Outbound != b.Outbound {
			if a.Outbound {
				return 1
			}
			return -1
		}
		return cmp.Compare(a.Person, b.Person)
	})
}

func (m *Message) refer(r *webhook.Referral) {
	if r == nil {
		return
	}
	if have := m.Referral; have != nil && cmp.Or(cmp.Compare(r.ClickID, have.ClickID), cmp.Compare(r.SourceID, have.SourceID)) <= 0 {
		return
	}
	m.Referral = Message{Referral: r}.Clone().Referral
}

// statusOrder is the order in which a delivery proceeds; the same as
// [webhook.DeliveryStatus.Supersedes], completed so that any two statuses compare and the order of
// arrival does not matter.
var statusOrder = []webhook.DeliveryStatus{
	webhook.StatusSent, webhook.StatusWarning, webhook.StatusDelivered, webhook.StatusFailed, webhook.StatusRead, webhook.StatusPlayed,
	webhook.StatusDeleted,
}

// raise moves the status forward, never back. What is unknown counts as earlier than what is known.
func (m *Message) raise(s webhook.DeliveryStatus) {
	rank := func(s webhook.DeliveryStatus) int { return slices.Index(statusOrder, s) }
	if s != "" && (m.Status == "" || cmp.Or(cmp.Compare(rank(s), rank(m.Status)), cmp.Compare(s, m.Status)) > 0) {
		m.Status = s
	}
}

func (m *Message) receipt(r Receipt) {
	for i, have := range m.Receipts {
		if have.Status == r.Status && have.Person == r.Person {
			if have.At.IsZero() || !r.At.IsZero() && r.At.Before(have.At) {
				m.Receipts[i].At = r.At
			}
			m.sortReceipts()
			return
		}
	}
	m.Receipts = append(m.Receipts, r)
	m.sortReceipts()
}

func (m *Message) sortReceipts() {
	slices.SortFunc(m.Receipts, func(a, b Receipt) int {
		return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Status, b.Status), cmp.Compare(a.Person, b.Person))
	})
}

// statusPatch returns what a status says about its message.
func statusPatch(ev *webhook.MessageStatus, own string) patch {
	customer := notOwn(ev.Recipient, own)
	p := place{source: sourceHint, outbound: true, at: ev.At, customer: customer, person: alias(customer)}
	r := Receipt{Status: ev.Status, At: ev.At}
	if ev.GroupID != "" || ev.RecipientType == "group" {
		p.group, p.person = ev.GroupID, groupPerson(ev.GroupID)
		p.customer = graph.Identity{}
		r.Person = alias(ev.Participant)
	}
	return patch{ev.ID, func(m *Message) {
		m.put(p)
		m.raise(ev.Status)
		m.receipt(r)
		m.CallbackData = max(m.CallbackData, ev.CallbackData)
		if len(ev.Errors) > 0 {
			m.fail(DeliveryFailure{Code: ev.Errors[0].Code, Title: ev.Errors[0].Title})
		}
	}}
}

func (m *Message) fail(f DeliveryFailure) {
	if m.Failure == nil || cmp.Or(cmp.Compare(f.Code, m.Failure.Code), cmp.Compare(f.Title, m.Failure.Title)) < 0 {
		m.Failure = &f
	}
}
