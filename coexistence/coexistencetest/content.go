package coexistencetest

import (
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/phonenumber"
)

// A Content is what a message consists of. [Text], [Image] and their like make one.
type Content struct {
	// Type is the type that Meta gives such a message: "text", "image", "video", "audio",
	// "document", "sticker", "location", "contacts", "reaction", "order", and "interactive" or
	// "button" for what is tapped.
	Type string

	// Text is the text, the caption, the name of a place or a person, or the emoji of a reaction.
	Text string

	// ReplyTo is the message that is quoted, or that a reaction is for.
	ReplyTo graph.MessageID

	// MIMEType, Filename and Voice describe media.
	MIMEType, Filename string
	Voice              bool

	// Latitude, Longitude and Address describe a place.
	Latitude, Longitude float64
	Address             string

	// PhoneNumber is the phone number of a shared contact.
	PhoneNumber string

	// raw is the member named after the type where no field above tells it, referral and product
	// are the members of the message and of its context: JSON, or empty.
	raw, referral, product string
}

// Text is written text. It can be edited.
func Text(body string) Content { return Content{Type: "text", Text: body} }

// Image is a picture. The caption may be empty, and can be edited. The bytes are a real JPEG file,
// one of eight.
func Image(caption string) Content {
	return Content{Type: "image", Text: caption, MIMEType: "image/jpeg"}
}

// Video is a film. The caption may be empty. The bytes are made up, as are those of the other
// files.
func Video(caption string) Content {
	return Content{Type: "video", Text: caption, MIMEType: "video/mp4"}
}

// Voice is a voice message that was recorded in the chat. It has no caption.
func Voice() Content {
	return Content{Type: "audio", MIMEType: "audio/ogg; codecs=opus", Voice: true}
}

// Document is a PDF file. The name is the sender's choice, so a host must not use it as a path.
func Document(filename, caption string) Content {
	return Content{Type: "document", Text: caption, Filename: filename, MIMEType: "application/pdf"}
}

// Sticker is a sticker that does not move.
func Sticker() Content { return Content{Type: "sticker", MIMEType: "image/webp"} }

// Location is a place on the map, with a name and an address, which may be empty.
func Location(name, address string, latitude, longitude float64) Content {
	return Content{Type: "location", Text: name, Address: address, Latitude: latitude, Longitude: longitude}
}

// ContactCard is a contact that is shared in the chat. Nothing is added to an address book.
func ContactCard(name, number string) Content {
	return Content{Type: "contacts", Text: name, PhoneNumber: number}
}

// Reaction is an emoji under an earlier message. An empty one takes the reaction back.
func Reaction(to graph.MessageID, emoji string) Content {
	return Content{Type: "reaction", Text: emoji, ReplyTo: to}
}

// Quoting returns the content as an answer to an earlier message, which webhooks name as its
// context.
func (c Content) Quoting(id graph.MessageID) Content {
	c.ReplyTo = id
	return c
}

// editable reports whether there are words to change: a text, or a file that can have a caption.
func (c Content) editable() bool {
	switch c.Type {
	case "text", "image", "video", "document":
		return true
	}
	return false
}

// isMedia reports whether the content is a file.
func (c Content) isMedia() bool { return c.MIMEType != "" }

// wire returns the member that is named after the type, which every message has in live webhooks,
// echoes and history alike. The parameters are those of a file; other content ignores them.
func (c Content) wire(media graph.MediaID, sha256, url string) member {
	if c.raw != "" {
		return sub(c.Type, []byte(c.raw))
	}
	switch c.Type {
	case "text":
		return sub("text", object(sub("body", quote(c.Text))))
	case "location":
		return sub("location", object(
			float("latitude", c.Latitude), float("longitude", c.Longitude),
			str("name", c.Text), str("address", c.Address)))
	case "contacts":
		card := object(
			sub("name", object(str("formatted_name", c.Text), str("first_name", c.Text))),
			sub("phones", list(object(
				str("phone", c.PhoneNumber), str("wa_id", phonenumber.Digits(c.PhoneNumber)), str("type", "MOBILE")))))
		return sub("contacts", list(card))
	case "reaction":
		return sub("reaction", object(str("message_id", c.ReplyTo), str("emoji", c.Text)))
	}
	return sub(c.Type, object(
		str("caption", c.Text), str("filename", c.Filename), str("mime_type", c.MIMEType), str("sha256", sha256),
		str("id", media),
		str("url", url), yes("voice", c.Voice)))
}
