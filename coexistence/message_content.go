package coexistence

import (
	"bytes"
	"cmp"
	"encoding/json"
	"slices"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

// typeUnknown stands for a type that Meta left out.
const typeUnknown webhook.MessageType = "unknown"

// TypeCallPermission is the type of [Content] for the answer to a request to call, which Meta
// writes as interactive. The customer says something about calls and waits for no answer.
const TypeCallPermission webhook.MessageType = "call_permission_reply"

// A Content is the content of a message.
type Content struct {
	// Type is the type of content as Meta names it, or [TypeCallPermission]. A media_placeholder
	// and an unsupported stand for something that is not known (yet).
	Type webhook.MessageType `json:"type,omitzero"`

	// Text is the text to show: the text, a caption, the label of a pressed button, the name of a
	// place. See [webhook.ContentText].
	Text string `json:"text,omitzero"`

	// Media is the file, for kinds that have one.
	Media *Media `json:"media,omitempty"`

	// Raw is Meta's JSON of the message (or the edit), kept for kinds that Text and Media do not
	// tell in full, such as location, contacts, order and types that are not known yet.
	Raw json.RawMessage `json:"raw,omitempty"`
}

// Placeholder reports whether the content stands for another one that is not there.
func (c Content) Placeholder() bool {
	return c.Type == "" || c.Type == webhook.TypeMediaPlaceholder || c.Type == webhook.TypeUnsupported
}

// Media is a file. Fetch it soon, the id expires within days: see [Message.MediaDownload].
type Media struct {
	// ID is the id to download by. Empty for a file that was sent by its link.
	ID graph.MediaID `json:"id,omitzero"`

	// MIMEType and SHA256 are as Meta gave them, the hash in base64. Both are empty for what was
	// sent through the API.
	MIMEType string `json:"mime_type,omitzero"`
	SHA256   string `json:"sha256,omitzero"`

	// Filename is a stranger's choice: never use it as a path.
	Filename string `json:"filename,omitzero"`

	Voice    bool `json:"voice,omitzero"`    // recorded in the chat
	Animated bool `json:"animated,omitzero"` // a moving sticker
}

// clone returns a copy that shares nothing that can be changed.
func (c Content) clone() Content {
	if c.Media != nil {
		c.Media = new(*c.Media)
	}
	c.Raw = slices.Clone(c.Raw)
	return c
}

// compare orders contents of one source. The order means nothing; it makes choices among equals the
// same on every machine.
func (c Content) compare(o Content) int {
	var cm, om Media
	if c.Media != nil {
		cm = *c.Media
	}
	if o.Media != nil {
		om = *o.Media
	}
	return cmp.Or(
		cmp.Compare(c.Type, o.Type), cmp.Compare(c.Text, o.Text), cmp.Compare(cm.ID, om.ID),
		cmp.Compare(cm.SHA256, om.SHA256), bytes.Compare(c.Raw, o.Raw),
	)
}

// answerableType reports whether a bot can answer content of a type: a customer composed it, and it
// is there. Types that are not known yet are left to people.
func answerableType(k webhook.MessageType) bool {
	switch k {
	case webhook.TypeText, webhook.TypeImage, webhook.TypeVideo, webhook.TypeAudio, webhook.TypeDocument,
		webhook.TypeSticker,
		webhook.TypeLocation, webhook.TypeContacts, webhook.TypeButton, webhook.TypeInteractive, webhook.TypeOrder:
		return true
	}
	return false
}

// contentType returns the type that [Content] has for the content of a webhook.
func contentType(content webhook.Content) webhook.MessageType {
	if i, ok := content.(*webhook.Interactive); ok {
		if _, ok := i.Reply.(*webhook.CallPermissionReply); ok {
			return TypeCallPermission
		}
	}
	return cmp.Or(content.MessageType(), typeUnknown)
}

// contentOf translates the content of a webhook. raw is the JSON that holds it; it is copied where
// it is kept, because it aliases the delivery's body.
func contentOf(content webhook.Content, raw []byte) Content {
	if content == nil {
		return Content{Type: typeUnknown, Raw: slices.Clone(raw)}
	}
	b := Content{Type: contentType(content), Text: webhook.ContentText(content)}
	if m := webhook.ContentMedia(content); m != nil {
		b.Media = &Media{ID: m.ID, MIMEType: m.MIMEType, SHA256: m.SHA256}
	}
	switch c := content.(type) {
	case *webhook.Text, *webhook.Image, *webhook.Video, *webhook.MediaPlaceholder, *webhook.RequestWelcome:
	case *webhook.Audio:
		b.Media.Voice = c.Voice
	case *webhook.Document:
		b.Media.Filename = c.Filename
	case *webhook.Sticker:
		b.Media.Animated = c.Animated
	default:
		b.Raw = slices.Clone(raw)
	}
	return b
}

// sentContent translates content that was sent through the API. What Text and Media do not tell in
// full is kept as JSON.
func sentContent(content cloudapi.Content) Content {
	if content == nil {
		return Content{Type: typeUnknown}
	}
	b := Content{Type: webhook.MessageType(content.MessageType()), Text: content.Summary()}
	switch c := content.(type) {
	case *cloudapi.Text:
		return b
	case *cloudapi.Image:
		b.Media = &Media{ID: c.ID}
	case *cloudapi.Video:
		b.Media = &Media{ID: c.ID}
	case *cloudapi.Audio:
		b.Media = &Media{ID: c.ID, Voice: c.Voice != nil && *c.Voice}
	case *cloudapi.Document:
		b.Media = &Media{ID: c.ID, Filename: c.Filename}
	case *cloudapi.Sticker:
		b.Media = &Media{ID: c.ID}
	default:
	}
	if b.Media == nil || b.Media.ID == "" { // a linked file is known by its link alone
		b.Raw = sentJSON(content)
	}
	return b
}

// sentJSON returns what was sent. It was encoded once before, or it would not have been sent.
func sentJSON(content cloudapi.Content) json.RawMessage {
	raw, err := content.MarshalJSON()
	if err != nil {
		return nil
	}
	return slices.Clone(raw)
}
