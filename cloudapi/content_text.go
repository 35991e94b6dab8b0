package cloudapi

import "encoding/json"

// A Text is a text message. It needs an open customer service window.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/text-messages
type Text struct {
	// Body is the text, 1 to 4096 characters.
	Body string `json:"body"`

	// PreviewURL shows a preview of the first http or https link in Body. If nil, Meta shows none.
	PreviewURL *bool `json:"preview_url,omitzero"`
}

// MarshalJSON writes the member "text" of a message.
func (t *Text) MarshalJSON() ([]byte, error) {
	type plain Text
	return json.Marshal((*plain)(t))
}

// MessageType is "text".
func (*Text) MessageType() string { return "text" }

// Summary is the body.
func (t *Text) Summary() string { return t.Body }

func (t *Text) check(p *problems) {
	if t == nil {
		p.missing("the Text is nil")
		return
	}
	p.text("Text.Body", t.Body, 4096)
}

func (t *Text) sensitive() []string { return []string{t.Body} }
