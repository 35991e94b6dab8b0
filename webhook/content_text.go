package webhook

import (
	"cmp"
	"strings"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// ContentText returns the words of any content, for people to read: the text, a caption, the label
// of a pressed button, the title of a chosen row, the name of a place (or its address), the names
// on contact cards, the sentence of a [*SystemMessage]. It is empty if there are none, and for an
// [*Edit]: what that says is no new message, and is the text of [Edit.Content].
func ContentText(c Content) string {
	switch c := c.(type) {
	case *Text:
		return c.Body
	case *Image:
		return c.Caption
	case *Video:
		return c.Caption
	case *Document:
		return c.Caption
	case *Button:
		return c.Text
	case *Interactive:
		return replyText(c.Reply)
	case *Location:
		return cmp.Or(c.Name, c.Address)
	case *Contacts:
		return cardNames(c.Cards)
	case *Order:
		return c.Text
	case *SystemMessage:
		return c.Body
	default:
		return ""
	}
}

func replyText(r InteractiveReply) string {
	switch r := r.(type) {
	case *ButtonReply:
		return r.Title
	case *ListReply:
		return r.Title
	case *FlowReply:
		return r.Body
	case *CallPermissionReply:
		return r.Response
	default:
		return ""
	}
}

func cardNames(cards []graph.ContactCard) string {
	var names []string
	for _, c := range cards {
		if name := c.Name.Formatted; name != "" {
			names = append(names, name)
		}
	}
	return strings.Join(names, ", ")
}

// Text returns the words of the message: see [ContentText]. It is empty if there are none, as in a
// reaction or an edit.
func (m *IncomingMessage) Text() string { return ContentText(m.Content) }

// Text returns the words of the message: see [ContentText].
func (e *BusinessAppEcho) Text() string { return ContentText(e.Content) }

// Text returns the words of the message: see [ContentText].
func (e *OtherAppEcho) Text() string { return ContentText(e.Content) }

// Text returns the words of the message: see [ContentText].
func (m *HistoryMessage) Text() string { return ContentText(m.Content) }

// Text returns the caption of the media, if it has one.
func (m *HistoryMedia) Text() string { return ContentText(m.Content) }
