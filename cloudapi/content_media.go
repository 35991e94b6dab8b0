package cloudapi

import (
	"encoding/json"
	"net/url"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// A MediaSource locates a media file: uploaded before, or on a server from which Meta fetches it.
// Exactly one of the two is set.
type MediaSource struct {
	// ID is an uploaded file's, see [MediaService.Upload].
	ID graph.MediaID `json:"id,omitzero"`

	// Link is an http or https URL that answers with the file's own Content-Type. Meta keeps what
	// it fetched for about ten minutes.
	Link string `json:"link,omitzero"`
}

func (m MediaSource) check(p *problems, where string) {
	switch {
	case m.ID == "" && m.Link == "":
		p.missing("%s has neither ID nor Link", where)
	case m.ID != "" && m.Link != "":
		p.add("%s has both ID and Link; set one", where)
	case m.Link != "":
		p.webURL(where+".Link", m.Link)
	}
}

func (m MediaSource) sensitive() []string { return []string{m.Link} }

// webURL reports what is not an http or https URL.
func (p *problems) webURL(what, link string) {
	u, err := url.Parse(link)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		p.limit("%s is not an http or https URL", what)
	}
}

// maxCaption is how many characters a caption may have.
const maxCaption = 1024

// An Image is a JPEG or PNG of at most 5 MB. It needs an open customer service window, as all media
// do.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/image-messages
type Image struct {
	MediaSource

	// Caption has at most 1024 characters.
	Caption string `json:"caption,omitzero"`
}

// MarshalJSON writes the member "image" of a message.
func (i *Image) MarshalJSON() ([]byte, error) {
	type plain Image
	return json.Marshal((*plain)(i))
}

// MessageType is "image".
func (*Image) MessageType() string { return "image" }

// Summary is the caption.
func (i *Image) Summary() string { return i.Caption }

func (i *Image) check(p *problems) {
	if i == nil {
		p.missing("the Image is nil")
		return
	}
	i.MediaSource.check(p, "Image")
	p.atMost("Image.Caption", i.Caption, maxCaption)
}

func (i *Image) sensitive() []string { return []string{i.Link, i.Caption} }

// A Video is an MP4 or 3GPP file of at most 16 MB, with H.264 pictures and one AAC audio stream or
// none.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/video-messages
type Video struct {
	MediaSource

	// Caption has at most 1024 characters.
	Caption string `json:"caption,omitzero"`
}

// MarshalJSON writes the member "video" of a message.
func (v *Video) MarshalJSON() ([]byte, error) {
	type plain Video
	return json.Marshal((*plain)(v))
}

// MessageType is "video".
func (*Video) MessageType() string { return "video" }

// Summary is the caption.
func (v *Video) Summary() string { return v.Caption }

func (v *Video) check(p *problems) {
	if v == nil {
		p.missing("the Video is nil")
		return
	}
	v.MediaSource.check(p, "Video")
	p.atMost("Video.Caption", v.Caption, maxCaption)
}

func (v *Video) sensitive() []string { return []string{v.Link, v.Caption} }

// An Audio is a sound file of at most 16 MB: AAC, AMR, MP3, M4A, or OGG with the Opus codec.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/audio-messages
type Audio struct {
	MediaSource

	// Voice shows it as a voice message, which must be OGG with Opus, one channel. Up to 512 KB can
	// be played without a download. If nil, it is an audio file.
	Voice *bool `json:"voice,omitzero"`
}

// MarshalJSON writes the member "audio" of a message.
func (a *Audio) MarshalJSON() ([]byte, error) {
	type plain Audio
	return json.Marshal((*plain)(a))
}

// MessageType is "audio".
func (*Audio) MessageType() string { return "audio" }

// Summary is empty.
func (*Audio) Summary() string { return "" }

func (a *Audio) check(p *problems) {
	if a == nil {
		p.missing("the Audio is nil")
		return
	}
	a.MediaSource.check(p, "Audio")
}

// A Document is a file of at most 100 MB: text, PDF or Microsoft Office. Meta takes other types too
// and promises nothing about them.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/document-messages
type Document struct {
	MediaSource

	// Caption has at most 1024 characters.
	Caption string `json:"caption,omitzero"`

	// Filename is shown to people, with its extension. If empty, WhatsApp makes one up.
	Filename string `json:"filename,omitzero"`
}

// MarshalJSON writes the member "document" of a message.
func (d *Document) MarshalJSON() ([]byte, error) {
	type plain Document
	return json.Marshal((*plain)(d))
}

// MessageType is "document".
func (*Document) MessageType() string { return "document" }

// Summary is the caption.
func (d *Document) Summary() string { return d.Caption }

func (d *Document) check(p *problems) {
	if d == nil {
		p.missing("the Document is nil")
		return
	}
	d.MediaSource.check(p, "Document")
	p.atMost("Document.Caption", d.Caption, maxCaption)
	p.utf8("Document.Filename", d.Filename)
}

func (d *Document) sensitive() []string { return []string{d.Link, d.Caption, d.Filename} }

// A Sticker is a WebP picture of 512 by 512 pixels, at most 100 KB, or 500 KB if it moves.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/sticker-messages
type Sticker struct{ MediaSource }

// MarshalJSON writes the member "sticker" of a message.
func (s *Sticker) MarshalJSON() ([]byte, error) { return json.Marshal(s.MediaSource) }

// MessageType is "sticker".
func (*Sticker) MessageType() string { return "sticker" }

// Summary is empty.
func (*Sticker) Summary() string { return "" }

func (s *Sticker) check(p *problems) {
	if s == nil {
		p.missing("the Sticker is nil")
		return
	}
	s.MediaSource.check(p, "Sticker")
}
