package webhook

import "github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"

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
	// Payload is what the template gave the button. Authentication templates use
	// "DID_NOT_REQUEST_CODE".
	Payload string `json:"payload"`

	// Text is the button's label.
	Text string `json:"text"`
}
