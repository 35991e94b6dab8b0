package coexistencetest

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"image"
	"image/color"
	"image/jpeg"
	"strconv"
	"sync"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/cloudapitest"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// A file is what a message of a kind holds: pictures in a few colours, and one file for every other
// kind. sha256 is in base64, as webhooks have it.
type file struct {
	mimeType string
	bytes    []byte
	sha256   string // in base64, as webhooks have it
}

// mediaFiles are the files by the type of content. They are real enough for a viewer in the case of
// pictures, and carry the right first bytes in the rest, for a host that looks at them. They are
// made once for all worlds.
var mediaFiles = sync.OnceValue(func() map[string][]file {
	files := map[string][]file{}
	add := func(kind, mimeType string, b []byte) {
		sum := sha256.Sum256(b)
		files[kind] = append(files[kind], file{mimeType, b, base64.StdEncoding.EncodeToString(sum[:])})
	}
	for i := range uint8(8) {
		img := image.NewRGBA(image.Rect(0, 0, 64, 48))
		for x := range 64 {
			for y := range 48 {
				img.Set(x, y, color.RGBA{R: 30 * i, G: uint8(4 * x), B: uint8(5 * y), A: 255})
			}
		}
		var b bytes.Buffer
		if err := jpeg.Encode(&b, img, nil); err != nil {
			panic(err) // a buffer takes everything
		}
		add("image", "image/jpeg", b.Bytes())
	}
	// The other kinds have the first bytes by which programs know them, and nothing behind.
	add("document", "application/pdf", []byte("%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 "+
		"obj<</Type/Pages/Kids[]/Count 0>>endobj\n"+
		"trailer<</Root 1 0 R>>\n%%EOF\n"))
	add("video", "video/mp4", []byte("\x00\x00\x00\x18ftypisom\x00\x00\x00\x00isommp42 made-up film"))
	add("audio", "audio/ogg; codecs=opus", []byte("OggS\x00\x02 made-up voice message"))
	add("sticker", "image/webp", []byte("RIFF\x1c\x00\x00\x00WEBPVP8 made-up sticker"))
	return files
})

// fileOf returns the file of a message. The id decides which, so that a file that is downloaded
// twice is the same and matches the hash of the webhook.
func fileOf(kind string, id graph.MediaID) file {
	files := mediaFiles()[kind]
	if len(files) == 0 {
		return file{mimeType: "application/octet-stream"}
	}
	n, _ := strconv.Atoi(string(id))
	return files[n%len(files)]
}

// MediaFile returns a file that a host has uploaded or that a person has sent, unless its message
// was deleted. It needs no token and has no end: it is for a page that shows chats.
func (w *World) MediaFile(id graph.MediaID) (mimeType string, body []byte, found bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, p := range w.phones {
		for _, m := range p.byID {
			if m.media == id {
				f := fileOf(m.content.Type, id)
				return f.mimeType, f.bytes, f.bytes != nil && !m.revoked
			}
		}
	}
	m, ok := w.graph.Media(id)
	return m.MIMEType, m.Body, ok
}

// mediaURL returns where the file of a message is for the next five minutes. From then on the Graph
// API knows the file, so that a host can fetch it by its id, too. The caller must hold the world's
// mu.
func (m *message) mediaURL() string {
	p := m.chat.customer.phone
	w := p.world
	w.relied.on(relyMediaURL)
	if _, known := w.graph.Media(m.media); !known {
		w.graph.AddMedia(cloudapitest.Media{
			ID: m.media, PhoneNumberID: p.id, MIMEType: m.content.MIMEType, Filename: m.content.Filename,
			Body: fileOf(m.content.Type, m.media).bytes,
		})
	}
	return w.graph.MediaURL(m.media)
}
