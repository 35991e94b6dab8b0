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

// messageType returns b as a type. Common types cost no memory.
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

// readContent reads the object of a known type.
func readContent(s *wire.Scanner, t MessageType) Content {
	switch t {
	case TypeText:
		return readText(s, new(Text))
	case TypeImage:
		return read(s, readImage)
	case TypeVideo:
		return read(s, readVideo)
	case TypeAudio:
		return read(s, readAudio)
	case TypeDocument:
		return read(s, readDocument)
	case TypeSticker:
		return read(s, readSticker)
	case TypeLocation:
		return read(s, readLocation)
	case TypeContacts:
		return &Contacts{Cards: cardDecoder.List(s)}
	case TypeReaction:
		return read(s, readReaction)
	case TypeButton:
		return read(s, buttonDecoder.Decode)
	case TypeInteractive:
		return readInteractive(s)
	case TypeOrder:
		return read(s, orderDecoder.Decode)
	case TypeSystem:
		return read(s, systemDecoder.Decode)
	case TypeUnsupported:
		return read(s, unsupportedDecoder.Decode)
	case TypeEdit:
		return readEdit(s)
	case TypeRevoke:
		return read(s, revokeDecoder.Decode)
	}
	s.Skip()
	return nil
}

var (
	cardDecoder        = wire.For[graph.ContactCard]()
	buttonDecoder      = wire.For[Button]()
	orderDecoder       = wire.For[Order]()
	systemDecoder      = wire.For[SystemMessage]()
	unsupportedDecoder = wire.For[UnsupportedContent]()
	revokeDecoder      = wire.For[Revoke]()
)

func readText(s *wire.Scanner, t *Text) *Text {
	if s.Object() {
		for s.NextMember() {
			if string(s.Name()) == "body" {
				t.Body = s.Text()
			} else {
				s.Unknown()
			}
		}
	}
	return t
}

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

func (e *Edit) readMessage(s *wire.Scanner) {
	e.Type, e.Context = "", nil
	var parts parts
	if s.Object() {
		for s.NextMember() {
			switch string(s.Name()) {
			case "type":
				e.Type = messageType(s.TextBytes())
			case "context":
				e.Context = readNew(s, readMessageContext)
			default:
				parts.read(s)
			}
		}
	}
	e.Content = parts.choose(s, e.Type)
}

// readInteractive reads an answer. The object that its type names is decoded where it stands; its
// position does not matter.
func readInteractive(s *wire.Scanner) *Interactive {
	r := new(Interactive)
	if !s.Object() {
		r.Reply = new(UnknownReply)
		return r
	}
	// There is one reply, nearly always: the first has its place, and only what comes besides needs
	// lists.
	var (
		first foundReply
		more  []foundReply
		left  []wire.Member
	)
	for s.NextMember() {
		switch string(s.Name()) {
		case "type":
			r.Kind = replyName(s.TextBytes())
		case "timestamp":
			r.At = s.Time()
		default:
			name := replyName(s.Name())
			mark := s.Mark()
			known := readReply(s, name)
			raw := s.Since(mark)
			switch {
			case string(raw) == "null":
			case known == nil:
				left = append(left, wire.Member{Path: name, Value: raw})
			case first.reply == nil:
				first = foundReply{name, known, raw}
			default:
				more = append(more, foundReply{name, known, raw})
			}
		}
	}
	if first.reply != nil {
		r.Reply = chooseReply(s, r.Kind, append([]foundReply{first}, more...), left)
	}
	for _, l := range left {
		if r.Reply == nil && l.Path == r.Kind {
			r.Reply = &UnknownReply{Raw: l.Value}
		} else {
			s.Leave(l.Path, l.Value)
		}
	}
	if r.Reply == nil {
		r.Reply = new(UnknownReply)
	}
	return r
}

// A foundReply is a reply as it was found.
type foundReply struct {
	name  string
	reply InteractiveReply
	raw   []byte
}

// chooseReply returns the reply of that kind, and leaves the others. One of Meta's samples says
// "interactive" where it should name the reply: a single reply speaks for itself.
func chooseReply(s *wire.Scanner, kind string, replies []foundReply, left []wire.Member) (reply InteractiveReply) {
	chosen := -1
	for i, p := range replies {
		if p.name == kind || chosen < 0 && !leftHas(left, kind) {
			chosen = i
		}
	}
	for i, p := range replies {
		if i == chosen {
			reply = p.reply
		} else {
			s.Leave(p.name, p.raw)
		}
	}
	return reply
}

func readFlowReply(s *wire.Scanner, v *FlowReply) {
	*v = FlowReply{}
	if !s.Object() {
		return
	}
	for s.NextMember() {
		switch string(s.Name()) {
		case "name":
			v.Name = s.Text()
		case "body":
			v.Body = s.Text()
		case "response_json":
			if k := s.Kind(); k != wire.KindObject && k != wire.KindArray {
				v.Response = s.Text()
				break
			}
			// Its JSON is as good as a string that holds it, and a form that is worth reporting.
			mark := s.Mark()
			v.Response = string(s.Raw())
			s.UnknownSince(mark)
		default:
			s.Unknown()
		}
	}
}

// replyName returns b as the name of a reply. Common ones cost no memory.
func replyName(b []byte) string {
	switch string(b) {
	case "button_reply":
		return "button_reply"
	case "list_reply":
		return "list_reply"
	case "nfm_reply":
		return "nfm_reply"
	}
	return string(b)
}

func leftHas(left []wire.Member, name string) bool {
	for _, l := range left {
		if l.Path == name {
			return true
		}
	}
	return false
}

// readReply reads the object of a known kind of reply. It skips others and returns nil.
func readReply(s *wire.Scanner, name string) InteractiveReply {
	switch name {
	case "button_reply":
		return read(s, readButtonReply)
	case "list_reply":
		return read(s, readListReply)
	case "nfm_reply":
		return read(s, readFlowReply)
	case "call_permission_reply":
		return read(s, callPermissionDecoder.Decode)
	case "payment_method":
		return read(s, paymentMethodDecoder.Decode)
	}
	s.Skip()
	return nil
}

var (
	callPermissionDecoder = wire.For[CallPermissionReply]()
	paymentMethodDecoder  = wire.For[PaymentMethodReply]()
)

// readErrors reads a list of errors.
func readErrors(s *wire.Scanner) []Error {
	var list []Error
	if s.Array() {
		for s.NextElement() {
			if s.Null() {
				continue
			}
			if len(list) == maxErrors {
				s.Refuse(tooMany)
				s.Skip()
				continue
			}
			list = append(list, readError(s))
		}
	}
	return list
}

func readError(s *wire.Scanner) Error {
	var e Error
	if !s.Object() {
		return e
	}
	// The details as they stood before v16, and as they stand in error_data: their JSON, nil if
	// absent, and their text.
	var old, details []byte
	var oldText string
	for s.NextMember() {
		switch string(s.Name()) {
		case "code":
			e.Code = graph.Code(s.IntIfAny())
		case "title":
			e.Title = s.Text()
		case "message":
			e.Message = s.Text()
		case "href":
			e.Href = s.Text()
		case "details":
			mark := s.Mark()
			oldText = s.Text()
			old = s.Since(mark)
		case "error_data":
			e.Details, details = "", nil
			if !s.Object() {
				continue
			}
			for s.NextMember() {
				if string(s.Name()) == "details" {
					mark := s.Mark()
					e.Details = s.Text()
					details = s.Since(mark)
				} else {
					s.Unknown()
				}
			}
		default:
			s.Unknown()
		}
	}
	switch {
	case details == nil:
		e.Details = oldText
	case old != nil && string(old) != string(details):
		s.Leave("details", old)
	}
	return e
}
