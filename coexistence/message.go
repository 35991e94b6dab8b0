package coexistence

import (
	"slices"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

// MediaWindow is how far back history comes with media. What is older stays a placeholder forever.
const MediaWindow = 14 * 24 * time.Hour

// An Origin is the writer of a message, as far as known.
type Origin string

const (
	OriginUnknown  Origin = ""         // only its status, an edit or the like was seen so far
	OriginCustomer Origin = "customer" // the customer wrote, live
	OriginApp      Origin = "app"      // a person at the business wrote in the WhatsApp Business app, live
	OriginAPI      Origin = "api"      // sent through Cloud API and registered with Tracker.RecordSent
	OriginHistory  Origin = "history"  // imported; either side wrote it before

	// OriginOther marks what another responder is in: what a customer wrote to it, and, if Outbound
	// is true, what it or another app answered. It is neither ours to answer nor ours to pay for.
	OriginOther Origin = "other"
)

// A Message is one message of a conversation in its latest form, whichever way it came: from the
// customer, through the API, as an echo of the app or out of history. There is one Message per id.
// Edits, revocations, reactions and statuses are no messages; they change the one that they are
// about, even if they arrive before it.
//
// Whatever the order in which events arrive, and however often, the same events make the same
// Message. It survives JSON.
type Message struct {
	// ID and PhoneNumberID name the message: its id, and the business's number.
	ID            graph.MessageID     `json:"id"`
	PhoneNumberID graph.PhoneNumberID `json:"phone_number_id"`

	// ConversationID is the ID of the conversation. The store fills it in when a message is read,
	// because two people can turn out to be one. Empty as long as it is not known who the message
	// is from or for.
	ConversationID string `json:"-"`

	// Person is the name under which the message is filed: an alias of the customer, or "group:"
	// and the id of a group. It never changes because of other messages.
	Person string `json:"person,omitzero"`

	// Customer is the other side as this message's own event names it. It is never the business.
	// [Contact] knows more.
	Customer graph.Identity `json:"customer,omitzero"`

	// GroupID is set for a message in a group; Customer then wrote it, or is empty.
	GroupID graph.GroupID `json:"group_id,omitzero"`

	// Origin is the writer. Outbound is true if the business wrote it, in whichever way.
	Origin   Origin `json:"origin,omitzero"`
	Outbound bool   `json:"outbound,omitzero"`

	// At is when it was written, in whole seconds: by Meta's clock, for what was sent through the
	// API by the host's. Zero if Meta gave no time. [Message.Compare] tells messages of one second
	// apart.
	At time.Time `json:"at,omitzero"`

	// ByPerson is true if it was sent through the API and a person at the business wrote it
	// ([cloudapi.Message].ByPerson).
	ByPerson bool `json:"by_person,omitzero"`

	// Content is the latest one. Its Type is empty if the message itself was never seen.
	Content

	// Original is the content before the first edit, nil if there was no edit. Its Type is empty if
	// it was never seen.
	Original *Content `json:"original,omitempty"`

	// EditedAt is when the latest edit was made, EditID that edit's own id.
	EditedAt time.Time       `json:"edited_at,omitzero"`
	EditID   graph.MessageID `json:"edit_id,omitzero"`

	// RevokedAt is when it was deleted for everyone. The content stays: show what your own rules
	// allow.
	RevokedAt time.Time `json:"revoked_at,omitzero"`

	// ReplyTo is the message that this one quotes, which may be one that no event has brought.
	ReplyTo graph.MessageID `json:"reply_to,omitzero"`

	// Forwarded is true if it was forwarded to this conversation, once or many times.
	Forwarded bool `json:"forwarded,omitzero"`

	// Referral is the advertisement that brought the customer.
	Referral *webhook.Referral `json:"referral,omitempty"`

	// Reactions holds one for each side (in groups, for each person), those that were taken away
	// included.
	Reactions []Reaction `json:"reactions,omitempty"`

	// Status is the furthest of the delivery. It never moves back. For a message of the customer
	// out of history it is what the business's own phone did with it.
	Status webhook.DeliveryStatus `json:"status,omitzero"`

	// Receipts lists when each status was reported, in groups for each participant.
	Receipts []Receipt `json:"receipts,omitempty"`

	// Failure is why it could not be delivered, as far as a status said so.
	Failure *DeliveryFailure `json:"failure,omitempty"`

	// CallbackData is the reference given by the call that sent the message.
	CallbackData string `json:"callback_data,omitzero"`

	// AppActivityAt is when a person at the business last edited, deleted or reacted to it in the
	// app.
	AppActivityAt time.Time `json:"app_activity_at,omitzero"`

	// Provenance is bookkeeping, which later events need. Store it with the rest.
	Provenance MessageProvenance `json:"provenance,omitzero"`
}

// MediaDownload returns what [cloudapi.MediaService.Download] needs to fetch the file of the
// message and to check that it is the right one. It is zero if the message has no file. Set
// MaxBytes to less than the default where less will do.
func (m Message) MediaDownload() cloudapi.MediaDownload {
	if m.Media == nil || m.Media.ID == "" {
		return cloudapi.MediaDownload{}
	}
	return cloudapi.MediaDownload{ID: m.Media.ID, PhoneNumberID: m.PhoneNumberID, SHA256: m.Media.SHA256}
}

// A Reaction is an emoji that someone put on a message.
type Reaction struct {
	// Outbound is true if the business reacted. Person tells the members of a group apart and is
	// empty elsewhere.
	Outbound bool   `json:"outbound,omitzero"`
	Person   string `json:"person,omitzero"`

	// Emoji is empty if the reaction was taken away.
	Emoji string `json:"emoji,omitzero"`

	// At is when that happened, ID the reaction's own id, not that of the message.
	At time.Time       `json:"at,omitzero"`
	ID graph.MessageID `json:"id,omitzero"`
}

// A Receipt says when a status was reported. Person is empty except in groups, where it is the
// alias of the participant. There is one for each status and person, with the earliest time.
type Receipt struct {
	Status webhook.DeliveryStatus `json:"status"`
	Person string                 `json:"person,omitzero"`
	At     time.Time              `json:"at,omitzero"`
}

// A DeliveryFailure is why a message was not delivered. [graph.Lookup] says what a Code means and
// what to do; Title is Meta's own word for it, in English.
type DeliveryFailure struct {
	Code  graph.Code `json:"code"`
	Title string     `json:"title,omitzero"`
}

// Imported reports whether the message is known from history only. It is not new: no notification,
// no answer, no ticket.
func (m Message) Imported() bool { return m.Origin == OriginHistory }

// Edited reports whether the message was edited at least once.
func (m Message) Edited() bool { return m.EditID != "" }

// Revoked reports whether the message was deleted for everyone.
func (m Message) Revoked() bool { return !m.RevokedAt.IsZero() }

// Visible reports whether the message belongs into a conversation's view: someone is known to have
// said something. What is not shown waits for the message that it is about.
func (m Message) Visible() bool { return m.Person != "" && m.Type != "" }

// Answerable reports whether a bot may answer: the customer wrote it, live, with content of its own
// that is still there. It is false for whatever the business wrote, for history, for placeholders
// and unsupported messages (a person has to look at the phone), for system notices, welcome
// requests and answers to requests to call, and for types that this package does not know. Edits,
// revocations and reactions are no messages, so they are never answerable: see [Answerable] for
// events. What is written in a group is not either: an answer to Customer would go to that person
// alone, and Cloud API has no groups on coexistence numbers.
//
// It says nothing about time. A delivery can be a week late; compare At before answering.
func (m Message) Answerable() bool {
	return m.Origin == OriginCustomer && !m.Outbound && m.GroupID == "" && !m.Revoked() &&
		m.Provenance.content == sourceLive && answerableType(m.first().Type)
}

// MediaExpected reports whether the message is a placeholder whose media may still come: it is less
// than 14 days old.
func (m Message) MediaExpected(now time.Time) bool {
	return m.Type == webhook.TypeMediaPlaceholder && now.Sub(m.At) < MediaWindow
}

// Received reports whether the customer wrote the message, live, and it is shown: it opens the
// service window, and counts as unread until it was read. History was read on the phone, and the
// answer to a call permission request opens no window.
func (m Message) Received() bool {
	return m.Visible() && m.Origin == OriginCustomer && !m.Outbound && m.first().Type != TypeCallPermission
}

// WrittenByPerson reports whether a person at the business wrote the message, live, in the app or
// through the API, and it is shown. Anyone who answers has read what is above the answer.
func (m Message) WrittenByPerson() bool {
	return m.Visible() && m.Outbound && (m.Origin == OriginApp || m.ByPerson)
}

// HumanAt is when a person at the business last did something about the message: wrote it in the
// app or through the API, edited it, deleted it, reacted to it. Messages of the business out of
// history count, since only the app can have written them. Zero if there was none, and as long as
// it is not known whose conversation it is in.
func (m Message) HumanAt() time.Time {
	if m.Person == "" {
		return time.Time{}
	}
	if m.Outbound && (m.Origin == OriginApp || m.Origin == OriginHistory || m.ByPerson) {
		return later(m.AppActivityAt, m.At)
	}
	return m.AppActivityAt
}

// Clone returns a copy that shares nothing that can be changed. Stores hand out clones.
func (m Message) Clone() Message {
	m.Content = m.Content.clone()
	if m.Original != nil {
		m.Original = new(m.Original.clone())
	}
	if m.Referral != nil {
		r := *m.Referral
		if r.Welcome != nil {
			r.Welcome = new(*r.Welcome)
		}
		m.Referral = &r
	}
	m.Reactions = slices.Clone(m.Reactions)
	m.Receipts = slices.Clone(m.Receipts)
	if m.Failure != nil {
		m.Failure = new(*m.Failure)
	}
	return m
}

// first returns the content as it was before edits, to be changed: what the message's own events
// tell is about that.
func (m *Message) first() *Content {
	if m.Original != nil {
		return m.Original
	}
	return &m.Content
}

// Answerable reports whether ev is a message that a bot may answer, by the rules of
// [Message.Answerable]. It looks at the event only: whether the same delivery came before, and
// whether a person is already in the conversation ([Conversation.HumanActive]), is for the caller
// to find out. Ask it first: what is answerable, and has been through the tracker, is in the
// conversation of its From, while a reaction may be about a message that no store has.
func Answerable(ev webhook.Event) bool {
	m, ok := ev.(*webhook.IncomingMessage)
	return ok && m.GroupID == "" && m.Content != nil && answerableType(contentType(m.Content))
}
