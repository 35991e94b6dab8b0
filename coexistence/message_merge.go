package coexistence

import (
	"cmp"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

// A source is a kind of event that tells about a message. Greater ones are believed before lesser
// ones.
type source uint8

const (
	sourceNone         source = iota
	sourceHint                // a status, an edit, a revocation, a reaction: it speaks about the message
	sourceHistoryMedia        // Meta gives it another sender and time than the placeholder that it belongs to
	sourceHistory             // a chunk of history
	sourceOther               // a copy of what was said to another responder, or by one
	sourceUnavailable         // live, without its content
	sourceLive                // live: the customer or the app
	sourceAPI                 // the answer to our own call
)

// A MessageProvenance says which kinds of events a [Message] rests on, so that a later event of a
// lesser kind changes nothing, and where it stands within its second. It is opaque and survives
// JSON.
type MessageProvenance struct {
	origin  source // of Origin, Outbound, At
	person  source // of Person, Customer, GroupID
	content source // of the content before edits

	position int64 // within the second of At, see Message.Compare; 0 if unknown
}

// MarshalText implements [encoding.TextMarshaler]. It is a digit for each source, then the position
// if there is one: an object would have to be read in a pass of its own, for every message.
func (p MessageProvenance) MarshalText() ([]byte, error) {
	b := append(make([]byte, 0, 24), '0'+byte(p.origin), '0'+byte(p.person), '0'+byte(p.content))
	if p.position != 0 {
		b = strconv.AppendInt(append(b, ' '), p.position, 10)
	}
	return b, nil
}

// UnmarshalText implements [encoding.TextUnmarshaler].
func (p *MessageProvenance) UnmarshalText(b []byte) error {
	sources, position, told := strings.Cut(string(b), " ")
	n, err := int64(0), error(nil)
	if told {
		n, err = strconv.ParseInt(position, 10, 64)
	}
	if len(sources) != 3 || strings.Trim(sources, "0123456789") != "" || err != nil {
		return errors.New("coexistence: the provenance of a message is not three digits and a position")
	}
	*p = MessageProvenance{
		origin: source(b[0] - '0'), person: source(b[1] - '0'), content: source(b[2] - '0'), position: n,
	}
	return nil
}

// merge adds a fact to the message. It is commutative and idempotent: the same facts, in any order
// and any number of repeats, make the same message. Each part below keeps that by taking the
// greater of what is known and what is new, in an order that compares any two values; where neither
// is better, the choice is arbitrary but always the same.
//
// Nothing of f is shared with the message, since a store may call again with the same fact.
func (m *Message) merge(f messageFact) {
	m.mergeAttribution(f.attribution)
	m.mergePosition(f.position)
	m.AppActivityAt = later(m.AppActivityAt, f.appActivityAt)
	if f.content != nil {
		m.mergeContent(f.source, *f.content)
	}
	m.ReplyTo = max(m.ReplyTo, f.replyTo)
	m.Forwarded = m.Forwarded || f.forwarded
	m.mergeReferral(f.referral)
	if f.edit != nil {
		m.mergeEdit(*f.edit)
	}
	if f.revoked {
		m.mergeRevocation(f.at)
	}
	if f.reaction != nil {
		m.mergeReaction(*f.reaction)
	}
	m.mergeStatus(f.status)
	if f.receipt != nil {
		m.mergeReceipt(*f.receipt)
	}
	if f.failure != nil {
		m.mergeFailure(*f.failure)
	}
	m.CallbackData = max(m.CallbackData, f.callbackData)
	m.ByPerson = m.ByPerson || f.byPerson
}

// mergeAttribution takes the sender and the time of the greater source, and of an equal one the
// earlier. Person, customer and group are checked apart from them: a hint tells whose the message
// is and not who wrote it, and a live message can lack what its status names.
func (m *Message) mergeAttribution(a attribution) {
	if c := cmp.Compare(a.source, m.Provenance.origin); c > 0 || c == 0 && a.before(m) {
		m.Provenance.origin = a.source
		m.Origin, m.Outbound, m.At = a.origin, a.outbound, a.at
	}
	if a.person == "" {
		return
	}
	c := cmp.Compare(a.source, m.Provenance.person)
	if c == 0 {
		c = -cmp.Or(cmp.Compare(a.person, m.Person), compareIdentities(a.customer, m.Customer))
	}
	if c > 0 || m.Person == "" {
		m.Provenance.person = a.source
		m.Person, m.Customer, m.GroupID = a.person, a.customer, a.group
	}
}

// before reports whether a is to be taken for m's sender and time, of two from one source: the
// earlier one, and any time before none.
func (a attribution) before(m *Message) bool {
	if a.at.IsZero() != m.At.IsZero() {
		return m.At.IsZero()
	}
	c := cmp.Or(a.at.Compare(m.At), strings.Compare(string(a.origin), string(m.Origin)))
	return c < 0 || c == 0 && a.outbound && !m.Outbound
}

// mergeContent sets the content as it was first sent, unless what is known is better: content beats
// placeholders, then the source counts. A message that was edited keeps it as Original.
func (m *Message) mergeContent(src source, b Content) {
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
	if c > 0 {
		*have = b.clone()
		m.Provenance.content = src
	}
}

// mergeEdit shows the latest edit and keeps what was there before the first one as Original, which
// is empty if the edit arrives before the message.
func (m *Message) mergeEdit(e edit) {
	if e.id == "" {
		e.id = "-" // still an edit
	}
	last := edit{m.EditID, m.EditedAt, m.Content}
	if m.EditID != "" && e.compare(last) <= 0 {
		return
	}
	if m.Original == nil {
		m.Original = new(m.Content)
	}
	m.Content, m.EditedAt, m.EditID = e.content.clone(), e.at, e.id
}

func (e edit) compare(o edit) int {
	return cmp.Or(e.at.Compare(o.at), cmp.Compare(e.id, o.id), e.content.compare(o.content))
}

// mergeRevocation keeps the earliest time at which the message was deleted.
func (m *Message) mergeRevocation(at time.Time) {
	if at.IsZero() {
		at = time.Unix(0, 0).UTC() // deleted at a time unknown
	}
	if m.RevokedAt.IsZero() || at.Before(m.RevokedAt) {
		m.RevokedAt = at
	}
}

// mergeReaction keeps the latest reaction of each side, in groups of each person. One that was
// taken away stays with an empty emoji, or an earlier one that arrives late would come back.
func (m *Message) mergeReaction(r Reaction) {
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

// mergeReferral keeps one advertisement. Meta names it once, so two differ in repeats of a broken
// delivery only.
func (m *Message) mergeReferral(r *webhook.Referral) {
	if r == nil {
		return
	}
	if have := m.Referral; have != nil &&
		cmp.Or(cmp.Compare(r.ClickID, have.ClickID), cmp.Compare(r.SourceID, have.SourceID)) <= 0 {
		return
	}
	m.Referral = Message{Referral: r}.Clone().Referral
}

// statusOrder is the order in which a delivery proceeds; the same as
// [webhook.DeliveryStatus.Supersedes], completed so that any two statuses compare and the order of
// arrival does not matter.
var statusOrder = []webhook.DeliveryStatus{
	webhook.StatusSent, webhook.StatusWarning, webhook.StatusDelivered, webhook.StatusFailed, webhook.StatusRead,
	webhook.StatusPlayed, webhook.StatusDeleted,
}

// mergeStatus moves the status forward, never back. What is unknown counts as earlier than what is
// known.
func (m *Message) mergeStatus(s webhook.DeliveryStatus) {
	rank := func(s webhook.DeliveryStatus) int { return slices.Index(statusOrder, s) }
	if s != "" && (m.Status == "" || cmp.Or(cmp.Compare(rank(s), rank(m.Status)), cmp.Compare(s, m.Status)) > 0) {
		m.Status = s
	}
}

// mergeReceipt keeps the earliest report of each status, in groups of each participant, in the
// order of their times.
func (m *Message) mergeReceipt(r Receipt) {
	i := slices.IndexFunc(m.Receipts, func(o Receipt) bool { return o.Status == r.Status && o.Person == r.Person })
	switch {
	case i < 0:
		m.Receipts = append(m.Receipts, r)
	case m.Receipts[i].At.IsZero() || !r.At.IsZero() && r.At.Before(m.Receipts[i].At):
		m.Receipts[i].At = r.At
	}
	slices.SortFunc(m.Receipts, func(a, b Receipt) int {
		return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Status, b.Status), cmp.Compare(a.Person, b.Person))
	})
}

// mergeFailure keeps one reason, the lowest code of several.
func (m *Message) mergeFailure(f DeliveryFailure) {
	if m.Failure == nil || cmp.Or(cmp.Compare(f.Code, m.Failure.Code), cmp.Compare(f.Title, m.Failure.Title)) < 0 {
		m.Failure = &f
	}
}
