package webhook

import (
	"encoding/json"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// A StandbyMessage arrives when a customer writes in a conversation that another responder owns: a
// partner, or Meta's agent; see [MessagingHandover]. It comes instead of an [IncomingMessage], and
// it is not for you to answer, even where the customer presses a button of a message of yours. Keep
// it: when the conversation is passed to you, nothing that was said before comes with it.
//
// An answer is refused with [graph.CodeThreadOwnedByOther] on numbers with conversation routing,
// and takes the conversation over on others (Meta's pages contradict each other, November 2026).
// Templates need no ownership.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/standby
type StandbyMessage struct {
	EventInfo

	// Message is the message of the customer. Its own EventInfo is that of this event. A message
	// that stays on the business's phone is here too, as [*UnsupportedContent] with its error; see
	// [StandbyMessage.MessageDedupKey]. Never nil.
	Message *IncomingMessage

	unavailable bool
}

// MessageDedupKey returns, for a message that stays on the business's phone, the key that the
// complete message has, should it follow or have come before. It is empty for all others: their own
// key is [EventInfo.DedupKey]. See [UnavailableMessage.MessageDedupKey].
func (m *StandbyMessage) MessageDedupKey() string {
	if !m.unavailable {
		return ""
	}
	return keyWithID("standby_message", string(m.PhoneNumberID), string(m.Message.ID))
}

// Customer returns who wrote.
func (m *StandbyMessage) Customer() graph.Identity { return m.Message.From }

// A StandbyEcho arrives when the owner of a conversation that is not yours sends a message.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/standby
type StandbyEcho struct {
	EventInfo `json:"-"`

	// ID names the message.
	ID graph.MessageID `json:"id"`

	// To is the customer. Empty for a message to a group.
	To graph.Identity

	// ProfileName is the name that the customer shows, where Meta sends it.
	ProfileName string

	// GroupID is set for a message to a group.
	GroupID graph.GroupID

	// Type is the message's type.
	Type MessageType

	// Message is the body with which the message was sent: what a call to Cloud API takes, not what
	// arrives. It aliases the delivery's body.
	Message json.RawMessage `json:"message"`

	// Template and Flow say more where the message is one. They alias the delivery's body.
	Template json.RawMessage `json:"template"`
	Flow     json.RawMessage `json:"flow"`
}

// Customer returns whom the owner wrote to.
func (e *StandbyEcho) Customer() graph.Identity { return e.To }

// A StandbyStatus arrives when something happens to a message that the owner of a conversation
// sent. It is no [MessageStatus], because you know nothing of the message, and the owner pays for
// it.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/standby
type StandbyStatus struct {
	EventInfo

	// Status is the status. Its own EventInfo is that of this event. Never nil.
	Status *MessageStatus
}

// Customer returns who the message went to.
func (s *StandbyStatus) Customer() graph.Identity { return s.Status.Customer() }
