package cloudapi

import (
	"encoding/json"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// A Reaction puts an emoji on a message, or takes it away. It needs an open customer service
// window. A message that is deleted, older than 30 days or itself a reaction takes none: a status
// webhook then says so, with code 131009. Of the statuses only "sent" comes.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/reaction-messages
type Reaction struct {
	// MessageID is the message to react to.
	MessageID graph.MessageID `json:"message_id"`

	// Emoji is one emoji. Empty takes an earlier reaction away.
	Emoji string `json:"emoji"`
}

// MarshalJSON writes the member "reaction" of a message.
func (r *Reaction) MarshalJSON() ([]byte, error) {
	type plain Reaction
	return json.Marshal((*plain)(r))
}

// MessageType is "reaction".
func (*Reaction) MessageType() string { return "reaction" }

// Summary is the emoji.
func (r *Reaction) Summary() string { return r.Emoji }

// An emoji can take many runes: England's flag has 7, a family of four with skin tones 11.
const maxEmojiRunes = 16

// check reports what cannot be a single emoji. It knows no list of emoji, which grows every year:
// it requires a character outside of ASCII, no letters, spaces or controls, and no more runes than
// the longest emoji has.
func (r *Reaction) check(p *problems) {
	if r == nil {
		p.missing("the Reaction is nil")
		return
	}
	p.needs("Reaction.MessageID", string(r.MessageID))
	if !utf8.ValidString(r.Emoji) {
		p.add("Reaction.Emoji is not valid UTF-8")
		return
	}
	if r.Emoji == "" {
		return
	}
	if strings.IndexFunc(r.Emoji, func(c rune) bool { return c > unicode.MaxASCII }) < 0 {
		p.limit("Reaction.Emoji is not an emoji")
		return
	}
	for _, c := range r.Emoji {
		if unicode.IsLetter(c) || unicode.IsSpace(c) || unicode.IsControl(c) {
			p.limit("Reaction.Emoji holds more than an emoji")
			return
		}
	}
	if utf8.RuneCountInString(r.Emoji) > maxEmojiRunes {
		p.limit("Reaction.Emoji holds more than one emoji")
	}
}

func (*Reaction) sensitive() []string { return nil }
