package webhook

import (
	"slices"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/wire"
)

// readInteractive reads an answer. Its type says which of the objects is the reply, and can stand
// behind it: each is decoded where it stands, and one is chosen at the end.
func readInteractive(s *wire.Scanner) *Interactive {
	r := new(Interactive)
	if !s.Object() {
		r.Reply = new(UnknownReply)
		return r
	}
	var replies replies
	for s.NextMember() {
		switch string(s.Name()) {
		case "type":
			r.Kind = replyName(s.TextBytes())
		case "timestamp":
			r.At.Time = s.Time()
		default:
			replies.read(s)
		}
	}
	r.Reply = replies.choose(s, r.Kind)
	return r
}

// A namedReply is the reply object of one name.
type namedReply struct {
	name  string
	reply InteractiveReply // nil if the object was null
	raw   []byte
}

// replies are the members of an interactive object that may be its reply. There is nearly always
// one: only further ones take memory.
type replies struct {
	first    namedReply
	more     []namedReply
	replaced []wire.Member // replies before a later one of the same name
	unknown  []wire.Member // objects of names that this package does not know
}

// read reads the current member, which replaces an earlier one of the same name.
func (r *replies) read(s *wire.Scanner) {
	next := namedReply{name: replyName(s.Name())}
	mark := s.Mark()
	if !s.Null() {
		next.reply = readReply(s, next.name)
		next.raw = s.Since(mark)
		if next.reply == nil {
			r.unknown = append(r.unknown, wire.Member{Path: next.name, Value: next.raw})
			return
		}
	}
	if r.first.name == "" {
		r.first = next
		return
	}
	same := &r.first
	if same.name != next.name {
		i := slices.IndexFunc(r.more, func(n namedReply) bool { return n.name == next.name })
		if i < 0 {
			r.more = append(r.more, next)
			return
		}
		same = &r.more[i]
	}
	if same.reply != nil {
		r.replaced = append(r.replaced, wire.Member{Path: same.name, Value: same.raw})
	}
	*same = next
}

// choose returns the reply of that kind and reports all others as unplaced. One of Meta's samples
// says "interactive" where it should name the reply: without an object of that name, the first
// reply counts.
func (r *replies) choose(s *wire.Scanner, kind string) (reply InteractiveReply) {
	all := append([]namedReply{r.first}, r.more...)
	index := slices.IndexFunc(all, func(n namedReply) bool { return n.reply != nil && n.name == kind })
	if index < 0 && !slices.ContainsFunc(r.unknown, func(m wire.Member) bool { return m.Path == kind }) {
		index = slices.IndexFunc(all, func(n namedReply) bool { return n.reply != nil })
	}
	for i, n := range all {
		if i == index {
			reply = n.reply
		} else if n.reply != nil {
			s.Unplaced(n.name, n.raw)
		}
	}
	for _, m := range r.replaced {
		s.Unplaced(m.Path, m.Value)
	}
	for _, m := range r.unknown {
		if reply == nil && m.Path == kind {
			reply = &UnknownReply{Raw: m.Value}
		} else {
			s.Unplaced(m.Path, m.Value)
		}
	}
	if reply == nil {
		reply = new(UnknownReply)
	}
	return reply
}

// readFlowReply reads the answer to a Flow. Its response is JSON in a string. An object in its
// place is as good, and a form that is worth reporting.
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
