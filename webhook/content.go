package webhook

import (
	"encoding/json"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// A Content is what a message consists of. The set of implementations is closed; each is a pointer.
//
//sumtype:decl
type Content interface {
	// MessageType is the type under which Meta sends such content.
	MessageType() MessageType

	content()
}

// A MessageType names a kind of content. Meta adds values: expect unknown ones.
type MessageType string

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

	// Context is what the edited message refers to.
	Context *MessageContext
}

// A Revoke deletes an earlier message for everyone. It can arrive before the message it deletes, or
// without it.
type Revoke struct {
	// OriginalMessageID is the message that was deleted.
	OriginalMessageID graph.MessageID `json:"original_message_id"`
}

// RequestWelcome says that a customer opened the chat for the first time, on numbers with welcome
// messages on.
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
