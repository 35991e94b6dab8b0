package coexistence

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

// kindUnknown stands for a type that Meta left out.
const kindUnknown webhook.MessageType = "unknown"

// bodyOf tells content in the words of a [Body]. raw is the JSON that holds it; it is copied where it is kept.
func bodyOf(content webhook.Content, raw []byte) Body {
	if content == nil {
		return Body{Kind: kindUnknown, Raw: slices.Clone(raw)}
	}
	b := Body{Kind: content.Type()}
	if b.Kind == "" {
		b.Kind = kindUnknown
	}
	switch c := content.(type) {
	case *webhook.Text:
		b.Text = c.Body
		return b
	case *webhook.Image:
		b.Text, b.Media = c.Caption, media(c.Media)
		return b
	case *webhook.Video:
		b.Text, b.Media = c.Caption, media(c.Media)
		return b
	case *webhook.Audio:
		b.Media = media(c.Media)
		b.Media.Voice = c.Voice
		return b
	case *webhook.Document:
		b.Text, b.Media = c.Caption, media(c.Media)
		b.Media.Filename = c.Filename
		return b
	case *webhook.Sticker:
		b.Media = media(c.Media)
		b.Media.Animated = c.Animated
		return b
	case *webhook.MediaPlaceholder, *webhook.RequestWelcome:
		return b
	case *webhook.Button:
		b.Text = c.Text
	case *webhook.Interactive:
		b.Text = replyText(c.Reply)
	case *webhook.Location:
		b.Text = c.Name
		if b.Text == "" {
			b.Text = c.Address
		}
	case *webhook.Contacts:
		b.Text = cardNames(c.Cards)
	case *webhook.Order:
		b.Text = c.Text
	case *webhook.System:
		b.Text = c.Body
	default:
	}
	b.Raw = slices.Clone(raw)
	return b
}

func media(m webhook.Media) *Media {
	return &Media{ID: m.ID, MIMEType: m.MIMEType, SHA256: m.SHA256}
}

func replyText(r webhook.InteractiveReply) string {
	switch r := r.(type) {
	case *webhook.ButtonReply:
		return r.Title
	case *webhook.ListReply:
		return r.Title
	case *webhook.FlowReply:
		return r.Body
	case *webhook.CallPermissionReply:
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

// sentBody tells content that was sent through the API. What Text and Media do not tell in full is kept as JSON.
func sentBody(content cloudapi.Content) Body {
	if content == nil {
		return Body{Kind: kindUnknown}
	}
	b := Body{Kind: webhook.MessageType(content.MessageType()), Text: content.Summary()}
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
