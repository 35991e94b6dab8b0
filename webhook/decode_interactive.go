package webhook

import (
	"slices"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/wire"
)

// readInteractive reads an answer. Its type says which of the objects is the reply, and can stand
// behind it: each is decoded where it stands, and one is chosen at the end. There is nearly always
// one: only further ones take lists.
func readInteractive(s *wire.Scanner) *Interactive {
	r := new(Interactive)
	if !s.Object() {
		r.Reply = new(UnknownReply)
		return r
	}
	var (
		first   namedReply
		more    []namedReply
		unknown []wire.Member // objects of names that this package does not know
	)
	for s.NextMember() {
		switch string(s.Name()) {
		case "type":
			r.Kind = replyName(s.TextBytes())
		case "timestamp":
			r.At.Time = s.Time()
		default:
			name := replyName(s.Name())
			mark := s.Mark()
			known := readReply(s, name)
			raw := s.Since(mark)
			switch {
			case string(raw) == "null":
			case known == nil:
				unknown = append(unknown, wire.Member{Path: name, Value: raw})
			case first.reply == nil:
				first = namedReply{name, known, raw}
			default:
				more = append(more, namedReply{name, known, raw})
			}
		}
	}
	if first.reply != nil {
		r.Reply = chooseReply(s, r.Kind, append([]namedReply{first}, more...), unknown)
	}
	for _, m := range unknown {
		if r.Reply == nil && m.Path == r.Kind {
			r.Reply = &UnknownReply{Raw: m.Value}
		} else {
			s.Unplaced(m.Path, m.Value)
		}
	}
	if r.Reply == nil {
		r.Reply = new(UnknownReply)
	}
	return r
}

// A namedReply is the reply object of one name.
type namedReply struct {
	name  string
	reply InteractiveReply
	raw   []byte
}

// chooseReply returns the reply of that kind, and reports the others as unplaced. One of Meta's
// samples says "interactive" where it should name the reply: without an object of that name, the
// first reply counts.
func chooseReply(s *wire.Scanner, kind string, replies []namedReply, unknown []wire.Member) (reply InteractiveReply) {
	chosen := -1
	for i, p := range replies {
		if p.name == kind || chosen < 0 && !hasPath(unknown, kind) {
			chosen = i
		}
	}
	for i, p := range replies {
		if i == chosen {
			reply = p.reply
		} else {
			s.Unplaced(p.name, p.raw)
		}
	}
	return reply
}

// readFlowReply reads the answer to a Flow. Its response is JSON in a string. An object in its place
// is as good, and a form that is worth reporting.
func readFlowReply(s *wire.Scanner) *FlowReply {
	v := new(FlowReply)
	if !s.Object() {
		return v
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
			mark := s.Mark()
			v.Response = string(s.Raw())
			s.UnknownSince(mark)
		default:
			s.Unknown()
		}
	}
	return v
}

// replyName returns b as the name of a reply. Common names take no memory.
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

// hasPath reports whether one of the members has that path.
func hasPath(list []wire.Member, path string) bool {
	return slices.ContainsFunc(list, func(m wire.Member) bool { return m.Path == path })
}

// readReply reads the object of a known kind of reply. It skips others and returns nil.
func readReply(s *wire.Scanner, name string) InteractiveReply {
	switch name {
	case "button_reply":
		return read(s, buttonReplyDecoder)
	case "list_reply":
		return read(s, listReplyDecoder)
	case "nfm_reply":
		return readFlowReply(s)
	case "call_permission_reply":
		return read(s, callPermissionDecoder)
	case "payment_method":
		return read(s, paymentMethodDecoder)
	}
	s.Skip()
	return nil
}

var (
	buttonReplyDecoder    = wire.For[ButtonReply]()
	listReplyDecoder      = wire.For[ListReply]()
	callPermissionDecoder = wire.For[CallPermissionReply]()
	paymentMethodDecoder  = wire.For[PaymentMethodReply]()
)
