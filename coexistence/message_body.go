package coexistence

import (
	"encoding/json"
	"slices"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

// kindUnknown stands for a type that Meta left out.
const kindUnknown webhook.MessageType = "unknown"

// bodyOf tells content in the words of a [Content]. raw is the JSON that holds it; it is copied
// where it is kept.
func bodyOf(content webhook.Content, raw []byte) Content {
	if content == nil {
		return Content{Type: kindUnknown, Raw: slices.Clone(raw)}
	}
	b := Content{Type: content.MessageType(), Text: webhook.ContentText(content)}
	if b.Type == "" {
		b.Type = kindUnknown
	}
	switch c := content.(type) {
	case *webhook.Text, *webhook.MediaPlaceholder, *webhook.RequestWelcome:
		return b
	case *webhook.Image:
		b.Media = media(c.Media)
		return b
	case *webhook.Video:
		b.Media = media(c.Media)
		return b
	case *webhook.Audio:
		b.Media = media(c.Media)
		b.Media.Voice = c.Voice
		return b
	case *webhook.Document:
		b.Media = media(c.Media)
		b.Media.Filename = c.Filename
		return b
	case *webhook.Sticker:
		b.Media = media(c.Media)
		b.Media.Animated = c.Animated
		return b
	default:
	}
	b.Raw = slices.Clone(raw)
	return b
}

func media(m webhook.Media) *Media {
	return &Media{ID: m.ID, MIMEType: m.MIMEType, SHA256: m.SHA256}
}

// sentBody tells content that was sent through the API. What Text and Media do not tell in full is
// kept as JSON.
func sentBody(content cloudapi.Content) Content {
	if content == nil {
		return Content{Type: kindUnknown}
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
