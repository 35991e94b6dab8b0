package webhook

import "github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"

// Media is a file that a message refers to. Fetch it with the media service of cloudapi, soon: a
// received media id lives 7 days, and 1 hour on numbers without storage.
type Media struct {
	ID       graph.MediaID `json:"id"`
	MIMEType string        `json:"mime_type"` // may have parameters, as in "audio/ogg; codecs=opus"
	SHA256   string        `json:"sha256"`    // of the file, in base64

	// URL is the address of the file, which needs the access token, for about 5 minutes. It may be
	// empty: ask for it by ID.
	URL string `json:"url"`
}

// An Image is a picture.
type Image struct {
	Media
	Caption string `json:"caption"`
}

// A Video is a film.
type Video struct {
	Media
	Caption string `json:"caption"`
}

// An Audio is a sound file or a voice message.
type Audio struct {
	Media

	// Voice is set for a voice message that was recorded in the chat.
	Voice bool `json:"voice"`
}

// A Document is a file of any other kind. Its name comes from a stranger: never use it as a path.
type Document struct {
	Media
	Filename string `json:"filename"`
	Caption  string `json:"caption"`
}

// A Sticker is a small WebP picture.
type Sticker struct {
	Media
	Animated bool `json:"animated"`
}

// ContentMedia returns the file of any content: that of an [*Image], a [*Video], an [*Audio], a
// [*Document] or a [*Sticker]. It is nil for everything else, also for a [*MediaPlaceholder], which
// stands for a file that is told of later or never, and for an [*Edit]: ask for that of
// [Edit].Content. The words are [ContentText].
func ContentMedia(c Content) *Media {
	switch c := c.(type) {
	case *Image:
		return &c.Media
	case *Video:
		return &c.Media
	case *Audio:
		return &c.Media
	case *Document:
		return &c.Media
	case *Sticker:
		return &c.Media
	default:
		return nil
	}
}
