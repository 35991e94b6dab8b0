package webhook

import (
	"encoding/json"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// A Content is what a message consists of. The set of implementations is closed; each is a pointer.
//
//sumtype:decl
type Content interface {
	// Type is the type under which Meta sends such content.
	Type() MessageType

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

func (*Text) Type() MessageType             { return TypeText }
func (*Image) Type() MessageType            { return TypeImage }
func (*Video) Type() MessageType            { return TypeVideo }
func (*Audio) Type() MessageType            { return TypeAudio }
func (*Document) Type() MessageType         { return TypeDocument }
func (*Sticker) Type() MessageType          { return TypeSticker }
func (*Location) Type() MessageType         { return TypeLocation }
func (*Contacts) Type() MessageType         { return TypeContacts }
func (*Reaction) Type() MessageType         { return TypeReaction }
func (*Button) Type() MessageType           { return TypeButton }
func (*Interactive) Type() MessageType      { return TypeInteractive }
func (*Order) Type() MessageType            { return TypeOrder }
func (*System) Type() MessageType           { return TypeSystem }
func (*Unsupported) Type() MessageType      { return TypeUnsupported }
func (*Edit) Type() MessageType             { return TypeEdit }
func (*Revoke) Type() MessageType           { return TypeRevoke }
func (*RequestWelcome) Type() MessageType   { return TypeRequestWelcome }
func (*MediaPlaceholder) Type() MessageType { return TypeMediaPlaceholder }
func (c *UnknownContent) Type() MessageType { return c.Name }

func (*Text) content()             {}
func (*Image) content()            {}
func (*Video) content()            {}
func (*Audio) content()            {}
func (*Document) content()         {}
func (*Sticker) content()          {}
func (*Location) content()         {}
func (*Contacts) content()         {}
func (*Reaction) content()         {}
func (*Button) content()           {}
func (*Interactive) content()      {}
func (*Order) content()            {}
func (*System) content()           {}
func (*Unsupported) content()      {}
func (*Edit) content()             {}
func (*Revoke) content()           {}
func (*RequestWelcome) content()   {}
func (*MediaPlaceholder) content() {}
func (*UnknownContent) content()   {}

// Text is written text.
type Text struct {
	Body string `json:"body"`
}

// An Edit replaces the content of an earlier message. It can arrive before the message it edits, or without it.
type Edit struct {
	// Original is the message that was edited.
	Original graph.MessageID

	// Kind is the new content's type as Meta wrote it. Content tells the same by its Go type.
	Kind MessageType

	// Content is the complete new content. Never nil.
	Content Content

	// Context is what the edited message refers to.
	Context *MessageContext
}

// A Revoke deletes an earlier message for everyone. It can arrive before the message it deletes, or without it.
type Revoke struct {
	// Original is the message that was deleted.
	Original graph.MessageID `json:"original_message_id"`
}

// RequestWelcome says that a customer opened the chat for the first time, on numbers with welcome messages on.
type RequestWelcome struct{}

// A MediaPlaceholder stands in history for media that was not sent along.
type MediaPlaceholder struct{}

// An UnknownContent has a type that this package does not know, no type at all, or a type whose object is missing.
type UnknownContent struct {
	// Name is the type as Meta wrote it. It may be empty.
	Name MessageType

	// Raw is the object of that name, or nil. It aliases the delivery's body.
	Raw json.RawMessage
}
