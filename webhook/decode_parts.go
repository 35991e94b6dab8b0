package webhook

import "github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/wire"

// A part is the content object of one name.
type part struct {
	name    MessageType
	content Content // nil if the object was null
	raw     []byte
}

// parts are the members of a message that may be its content. There is one, mostly; the type that
// says which one counts can stand before or after them, be missing or be wrong.
type parts struct {
	first part
	more  []part
	left  []wire.Member // of names that this package does not know
	texts *textSlab     // memory for texts; nil for an allocation of its own
}

// read reads the current member, whose name is not one that all messages share.
func (p *parts) read(s *wire.Scanner) {
	name := messageType(s.Name())
	if !hasObject(name) {
		p.left = append(p.left, wire.Member{Path: string(name), Value: s.Raw()})
		return
	}
	mark := s.Mark()
	var next part
	if s.Null() {
		next = part{name: name}
	} else {
		var content Content
		if name == TypeText {
			content = p.text(s)
		} else {
			content = readContent(s, name)
		}
		next = part{name, content, s.Since(mark)}
	}
	if p.first.name == "" || p.first.name == name {
		p.first = next
		return
	}
	for i := range p.more {
		if p.more[i].name == name {
			p.more[i] = next
			return
		}
	}
	p.more = append(p.more, next)
}

// choose returns what the message consists of and reports everything else as unknown. The type
// decides if there is an object of its name, or if it needs none; otherwise the first object does.
func (p *parts) choose(s *wire.Scanner, typ MessageType) Content {
	if p.first.content != nil && p.more == nil && p.left == nil && (typ == p.first.name || typ == "") {
		return p.first.content
	}
	all := append([]part{p.first}, p.more...)
	content := named(all, typ)
	if content == nil {
		content = bareContent(typ)
	}
	if content == nil {
		content = p.unknown(typ)
	}
	if content == nil {
		content = named(all, "")
	}
	for _, part := range all {
		if part.content != nil && part.content != content {
			s.Leave(string(part.name), part.raw)
		}
	}
	for _, l := range p.left {
		s.Leave(l.Path, l.Value)
	}
	if content == nil {
		content = &UnknownContent{Name: typ}
	}
	return content
}

// named returns the content of that name, or the first at all if name is empty.
func named(all []part, name MessageType) Content {
	for _, p := range all {
		if p.content != nil && (p.name == name || name == "") {
			return p.content
		}
	}
	return nil
}

// unknown takes the object of an unknown type.
func (p *parts) unknown(typ MessageType) Content {
	for i, l := range p.left {
		if l.Path == string(typ) {
			p.left = append(p.left[:i:i], p.left[i+1:]...)
			return &UnknownContent{Name: typ, Raw: l.Value}
		}
	}
	return nil
}

// text reads a text.
func (p *parts) text(s *wire.Scanner) *Text {
	if p.texts == nil {
		return readText(s, new(Text))
	}
	return readText(s, p.texts.next())
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
