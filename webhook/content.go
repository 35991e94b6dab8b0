package webhook

import (
	"encoding/json"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// A Content is the content of a message. The set of implementations is closed; each is a pointer.
//
//sumtype:decl
type Content interface {
	// MessageType is the type under which Meta sends such content.
	MessageType() MessageType

	content()
}

// A MessageType names a kind of content. Meta adds values: expect unknown ones.
type MessageType string

// The types of content that has a Go type.
const (
	TypeText             MessageType = "text"
	TypeImage            MessageType = "image"
	TypeVideo            MessageType = "video"
	TypeAudio            MessageType = "audio"
	TypeDocument         MessageType = "document"
	TypeSticker          MessageType = "sticker"
	TypeLocation         MessageType = "location"
	TypeContacts         MessageType = "contacts"
	TypeReaction         MessageType = "reaction"
	TypeButton           MessageType = "button"
	TypeInteractive      MessageType = "interactive"
	TypeOrder            MessageType = "order"
	TypeSystem           MessageType = "system"
	TypeUnsupported      MessageType = "unsupported"
	TypeEdit             MessageType = "edit"
	TypeRevoke           MessageType = "revoke"
	TypeRequestWelcome   MessageType = "request_welcome"
	TypeMediaPlaceholder MessageType = "media_placeholder"
)

// MessageType returns the constant of the content's Go type; for unknown content, the type as Meta
// wrote it.
func (*Text) MessageType() MessageType               { return TypeText }
func (*Image) MessageType() MessageType              { return TypeImage }
func (*Video) MessageType() MessageType              { return TypeVideo }
func (*Audio) MessageType() MessageType              { return TypeAudio }
func (*Document) MessageType() MessageType           { return TypeDocument }
func (*Sticker) MessageType() MessageType            { return TypeSticker }
func (*Location) MessageType() MessageType           { return TypeLocation }
func (*Contacts) MessageType() MessageType           { return TypeContacts }
func (*Reaction) MessageType() MessageType           { return TypeReaction }
func (*Button) MessageType() MessageType             { return TypeButton }
func (*Interactive) MessageType() MessageType        { return TypeInteractive }
func (*Order) MessageType() MessageType              { return TypeOrder }
func (*SystemMessage) MessageType() MessageType      { return TypeSystem }
func (*UnsupportedContent) MessageType() MessageType { return TypeUnsupported }
func (*Edit) MessageType() MessageType               { return TypeEdit }
func (*Revoke) MessageType() MessageType             { return TypeRevoke }
func (*RequestWelcome) MessageType() MessageType     { return TypeRequestWelcome }
func (*MediaPlaceholder) MessageType() MessageType   { return TypeMediaPlaceholder }
func (c *UnknownContent) MessageType() MessageType   { return c.Name }

func (*Text) content()               {}
func (*Image) content()              {}
func (*Video) content()              {}
func (*Audio) content()              {}
func (*Document) content()           {}
func (*Sticker) content()            {}
func (*Location) content()           {}
func (*Contacts) content()           {}
func (*Reaction) content()           {}
func (*Button) content()             {}
func (*Interactive) content()        {}
func (*Order) content()              {}
func (*SystemMessage) content()      {}
func (*UnsupportedContent) content() {}
func (*Edit) content()               {}
func (*Revoke) content()             {}
func (*RequestWelcome) content()     {}
func (*MediaPlaceholder) content()   {}
func (*UnknownContent) content()     {}

// Text is written text.
type Text struct {
	Body string `json:"body"`
}

// An Edit replaces the content of an earlier message. It can arrive before the message it edits, or
// without it.
type Edit struct {
	// OriginalMessageID is the message that was edited.
	OriginalMessageID graph.MessageID

	// Type is the new content's type as Meta wrote it. Content tells the same by its Go type.
	Type MessageType

	// Content is the complete new content. Never nil.
	Content Content

	// Context is the message that the edited one refers to.
	Context *MessageContext
}

// A Revoke deletes an earlier message for everyone. It can arrive before the message it deletes, or
// without it.
type Revoke struct {
	// OriginalMessageID is the message that was deleted.
	OriginalMessageID graph.MessageID `json:"original_message_id"`
}

// RequestWelcome says that a customer opened the chat for the first time, on numbers with welcome
// messages on. Meta removed these on 2026-03-27; older deliveries have it.
type RequestWelcome struct{}

// A MediaPlaceholder stands in history for media that was not sent along.
type MediaPlaceholder struct{}

// An UnknownContent has a type that this package does not know, no type at all, or a type whose
// object is missing.
type UnknownContent struct {
	// Name is the type as Meta wrote it. It may be empty.
	Name MessageType

	// Raw is the object of that name, or nil. It aliases the delivery's body.
	Raw json.RawMessage
}

// Contacts holds the contact cards that were shared.
type Contacts struct {
	Cards []graph.ContactCard
}

// A Location is a place on the map. Only the coordinates are always there.
type Location struct {
	Latitude  float64 `json:"latitude"`
	Longitude float64 `json:"longitude"`
	Name      string  `json:"name"`
	Address   string  `json:"address"`
	URL       string  `json:"url"`
}

// An Order is a cart that a customer sent.
type Order struct {
	CatalogID string      `json:"catalog_id"`
	Text      string      `json:"text"`
	Items     []OrderItem `json:"product_items"`
}

// An OrderItem is one line of an [Order].
type OrderItem struct {
	RetailerID string `json:"product_retailer_id"`
	Quantity   int    `json:"quantity"`

	// Price is the price of one piece, digit for digit as Meta wrote it, such as "7.99". It is a
	// string so that no money is rounded on the way.
	Price    string `json:"item_price"`
	Currency string `json:"currency"`
}

// A Reaction puts an emoji on an earlier message, or takes it away.
type Reaction struct {
	// MessageID is the message that was reacted to. It may be one that you never saw.
	MessageID graph.MessageID `json:"message_id"`

	// Emoji is empty if the reaction was taken away.
	Emoji string `json:"emoji"`
}

// Removed reports whether the reaction was taken away.
func (r *Reaction) Removed() bool { return r.Emoji == "" }

// A Button is the press of a quick-reply button of a template.
type Button struct {
	// Payload is the payload of the button, from its template. Authentication templates use
	// "DID_NOT_REQUEST_CODE".
	Payload string `json:"payload"`

	// Text is the button's label.
	Text string `json:"text"`
}

// UnsupportedContent stands for a message that Cloud API cannot show: a poll, a pin, a group
// invitation. The event's errors say why: code 131051. A message that merely stays on the
// business's phone (131060) arrives as [UnavailableMessage] instead; in history, in echoes and
// under standby it has this content too. The type of such a message, as Meta wrote it, can be
// "unsupported", "unknown", "errors" or empty.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/messages/unsupported
type UnsupportedContent struct {
	// Type is the type that Meta named, such as "poll_creation", "edit" or "unknown". It may be
	// empty.
	Type string `json:"type"`

	// RawType was seen once, beside "unknown".
	RawType string `json:"raw_type"`
}
