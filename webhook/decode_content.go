package webhook

import (
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/wire"
)

// hasObject reports whether the object of a type has a Go type.
func hasObject(t MessageType) bool {
	switch t {
	case TypeText, TypeImage, TypeVideo, TypeAudio, TypeDocument, TypeSticker, TypeLocation, TypeContacts, TypeReaction,
		TypeButton, TypeInteractive, TypeOrder, TypeSystem, TypeUnsupported, TypeEdit, TypeRevoke:
		return true
	}
	return false
}

// messageType returns b as a type. Common types take no memory.
func messageType(b []byte) MessageType {
	switch string(b) {
	case "text":
		return TypeText
	case "image":
		return TypeImage
	case "media_placeholder":
		return TypeMediaPlaceholder
	case "audio":
		return TypeAudio
	case "video":
		return TypeVideo
	case "document":
		return TypeDocument
	case "reaction":
		return TypeReaction
	case "unsupported":
		return TypeUnsupported
	case "sticker":
		return TypeSticker
	case "location":
		return TypeLocation
	case "interactive":
		return TypeInteractive
	case "button":
		return TypeButton
	case "edit":
		return TypeEdit
	case "revoke":
		return TypeRevoke
	}
	return MessageType(b)
}

// bareContent returns the content of types that need no object, nil for all others.
func bareContent(t MessageType) Content {
	switch t {
	case TypeUnsupported:
		return new(UnsupportedContent)
	case TypeRequestWelcome:
		return new(RequestWelcome)
	case TypeMediaPlaceholder:
		return new(MediaPlaceholder)
	}
	return nil
}

// readContent reads the object of a known type. It skips others and returns nil.
func readContent(s *wire.Scanner, t MessageType) Content {
	switch t {
	case TypeText:
		return read(s, textDecoder)
	case TypeImage:
		return read(s, imageDecoder)
	case TypeVideo:
		return read(s, videoDecoder)
	case TypeAudio:
		return read(s, audioDecoder)
	case TypeDocument:
		return read(s, documentDecoder)
	case TypeSticker:
		return read(s, stickerDecoder)
	case TypeLocation:
		return read(s, locationDecoder)
	case TypeContacts:
		return &Contacts{Cards: cardDecoder.List(s)}
	case TypeReaction:
		return read(s, reactionDecoder)
	case TypeButton:
		return read(s, buttonDecoder)
	case TypeInteractive:
		return readInteractive(s)
	case TypeOrder:
		return read(s, orderDecoder)
	case TypeSystem:
		return read(s, systemDecoder)
	case TypeUnsupported:
		return read(s, unsupportedDecoder)
	case TypeEdit:
		return readEdit(s)
	case TypeRevoke:
		return read(s, revokeDecoder)
	}
	s.Skip()
	return nil
}

// read reads the next value into a new T, which is empty for null.
func read[T any](s *wire.Scanner, decoder wire.Decoder[T]) *T {
	v := new(T)
	decoder.Decode(s, v)
	return v
}

var (
	textDecoder        = wire.For[Text]()
	imageDecoder       = wire.For[Image]()
	videoDecoder       = wire.For[Video]()
	audioDecoder       = wire.For[Audio]()
	documentDecoder    = wire.For[Document]()
	stickerDecoder     = wire.For[Sticker]()
	locationDecoder    = wire.For[Location]()
	cardDecoder        = wire.For[graph.ContactCard]()
	reactionDecoder    = wire.For[Reaction]()
	buttonDecoder      = wire.For[Button]()
	orderDecoder       = wire.For[Order]()
	systemDecoder      = wire.For[SystemMessage]()
	unsupportedDecoder = wire.For[UnsupportedContent]()
	revokeDecoder      = wire.For[Revoke]()
)

// readEdit reads an edit, whose new content has the shape of a message.
func readEdit(s *wire.Scanner) *Edit {
	e := &Edit{Content: new(UnknownContent)}
	if !s.Object() {
		return e
	}
	for s.NextMember() {
		switch string(s.Name()) {
		case "original_message_id":
			e.OriginalMessageID = graph.MessageID(s.Text())
		case "message":
			e.readMessage(s)
		default:
			s.Unknown()
		}
	}
	return e
}

// readMessage reads the new content of an edit.
func (e *Edit) readMessage(s *wire.Scanner) {
	e.Type, e.Context = "", nil
	var contents contents
	if s.Object() {
		for s.NextMember() {
			switch string(s.Name()) {
			case "type":
				e.Type = messageType(s.TextBytes())
			case "context":
				e.Context = contextDecoder.New(s)
			default:
				contents.read(s)
			}
		}
	}
	e.Content = contents.choose(s, e.Type)
}

// A namedContent is the content object of one name.
type namedContent struct {
	name    MessageType
	content Content // nil if the object was null
	raw     []byte
}

// contents are the members of a message that may be its content. There is one, mostly; the type
// that says which one counts can stand before or after them, be missing or be wrong. All are
// therefore read where they stand, and one is chosen at the end of the message.
type contents struct {
	first   namedContent
	more    []namedContent
	unknown []wire.Member // objects of names that this package does not know
	texts   *textSlab     // memory for texts; nil for an allocation of its own
}

// read reads the current member, whose name is not one that all messages share.
func (c *contents) read(s *wire.Scanner) {
	name := messageType(s.Name())
	if !hasObject(name) {
		c.unknown = append(c.unknown, wire.Member{Path: string(name), Value: s.Raw()})
		return
	}
	mark := s.Mark()
	var next namedContent
	if s.Null() {
		next = namedContent{name: name}
	} else {
		var content Content
		if name == TypeText {
			content = c.text(s)
		} else {
			content = readContent(s, name)
		}
		next = namedContent{name, content, s.Since(mark)}
	}
	if c.first.name == "" || c.first.name == name {
		c.first = next
		return
	}
	for i := range c.more {
		if c.more[i].name == name {
			c.more[i] = next
			return
		}
	}
	c.more = append(c.more, next)
}

// choose returns what the message consists of and reports everything else as unknown. The type
// decides if there is an object of its name, or if it needs none; otherwise the first object does.
func (c *contents) choose(s *wire.Scanner, typ MessageType) Content {
	if c.first.content != nil && c.more == nil && c.unknown == nil && (typ == c.first.name || typ == "") {
		return c.first.content
	}
	all := append([]namedContent{c.first}, c.more...)
	content := named(all, typ)
	if content == nil {
		content = bareContent(typ)
	}
	if content == nil {
		content = c.ofUnknownType(typ)
	}
	if content == nil {
		content = named(all, "")
	}
	for _, other := range all {
		if other.content != nil && other.content != content {
			s.Unplaced(string(other.name), other.raw)
		}
	}
	for _, m := range c.unknown {
		s.Unplaced(m.Path, m.Value)
	}
	if content == nil {
		content = &UnknownContent{Name: typ}
	}
	return content
}

// named returns the content of that name, or the first at all if name is empty.
func named(all []namedContent, name MessageType) Content {
	for _, p := range all {
		if p.content != nil && (p.name == name || name == "") {
			return p.content
		}
	}
	return nil
}

// ofUnknownType takes the object of an unknown type.
func (c *contents) ofUnknownType(typ MessageType) Content {
	for i, m := range c.unknown {
		if m.Path == string(typ) {
			c.unknown = append(c.unknown[:i:i], c.unknown[i+1:]...)
			return &UnknownContent{Name: typ, Raw: m.Value}
		}
	}
	return nil
}

// text reads a text.
func (c *contents) text(s *wire.Scanner) *Text {
	if c.texts == nil {
		return read(s, textDecoder)
	}
	text := c.texts.next()
	textDecoder.Decode(s, text)
	return text
}

// A textSlab is memory for texts, so many to an allocation.
type textSlab struct {
	free []Text
	size int
}

// next returns an empty text.
func (l *textSlab) next() *Text {
	if len(l.free) == 0 {
		l.free = make([]Text, l.size)
	}
	t := &l.free[0]
	l.free = l.free[1:]
	return t
}
