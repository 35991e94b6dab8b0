package webhook

import (
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// A BusinessAppEcho arrives when someone at the business writes, edits ([*Edit]) or deletes
// ([*Revoke]) a message in the WhatsApp Business app or on a linked device.
//
// Nothing was sent through Cloud API and nothing has to be answered: a person is in the
// conversation. Automations do well to fall silent for this customer for a while. An echo opens no
// service window and counts as nothing that the customer said.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/smb_message_echoes
type BusinessAppEcho struct {
	EventInfo

	// ID names the message. An edit or a deletion has an id of its own; the original's is in the
	// content.
	ID graph.MessageID

	// From is the business's own number. It is never the customer.
	From string

	// To is the customer. The phone number may be absent.
	To graph.Identity

	// ProfileName is the name that the customer shows. Meta has not been seen sending it here.
	ProfileName string

	// Type is the type as Meta wrote it.
	Type MessageType

	// Content is the content. It is never nil.
	Content Content

	// Context is set if the message answers another.
	Context *MessageContext

	// Errors come beside [*UnsupportedContent].
	Errors []Error
}

// Customer returns the customer whom the business wrote to.
func (e *BusinessAppEcho) Customer() graph.Identity { return e.To }

// An OtherAppEcho arrives when something other than your app sent a message from the number through
// Cloud API: another app, or an agent of Meta's. No person wrote it on the phone; that is a
// [BusinessAppEcho].
//
// Meta names the field since June 2026 but has not published a body: the shape is that of a
// BusinessAppEcho, by analogy.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/override
type OtherAppEcho struct {
	EventInfo

	// ID names the message.
	ID graph.MessageID

	// From is the business's own number. It is never the customer.
	From string

	// To is the customer. The phone number may be absent.
	To graph.Identity

	// ProfileName is the name that the customer shows. It may be empty.
	ProfileName string

	// Type is the type as Meta wrote it.
	Type MessageType

	// Content is the content. It is never nil.
	Content Content

	// Context is set if the message answers another.
	Context *MessageContext

	// Errors come beside [*UnsupportedContent].
	Errors []Error
}

// Customer returns the customer whom the other app wrote to.
func (e *OtherAppEcho) Customer() graph.Identity { return e.To }
