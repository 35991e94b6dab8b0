package wire

import (
	"fmt"
	"strconv"
	"unicode/utf8"
)

// A Member is a member of the JSON that has no place in the Go type: its path and its raw value.
type Member struct {
	Path  string // from the current item, such as "text.format" or "errors[0].hint"
	Value []byte // the raw value; it aliases the data
}

// A SyntaxError says where a text stops being JSON. It does not quote the text, which may hold
// what people wrote.
type SyntaxError struct {
	Offset int    // in bytes from the beginning of the text
	What   string // such as "want a comma"
}

// Error names the place.
func (e *SyntaxError) Error() string {
	return "not JSON at byte " + strconv.Itoa(e.Offset) + ": " + e.What
}

// fail ends the text at the current position. The first failure counts.
func (s *Scanner) fail(what string) {
	if s.err == nil {
		s.err = &SyntaxError{s.pos, what}
	}
}

// Unknown reads the next value and reports it as a member that has no place.
func (s *Scanner) Unknown() {
	raw := s.Raw()
	if s.err == nil {
		s.unknown = append(s.unknown, Member{s.path(), raw})
	}
}

// Mismatch reads the next value and reports that it is not of the kind that was wanted. The first
// mismatch of an item is kept.
func (s *Scanner) Mismatch(want Kind) {
	got := s.Kind()
	s.Skip()
	if s.err == nil {
		s.report(fmt.Sprintf("want %v, got %v", want, got))
	}
}

// Refuse reports that the current value, or the one just read, is not acceptable, and says why
// without quoting it.
func (s *Scanner) Refuse(why string) {
	if s.err == nil {
		s.report(why)
	}
}

// wrong reports that the value just read, which began at start, does not hold what was wanted.
func (s *Scanner) wrong(start int, want string) {
	s.report(fmt.Sprintf("want %s, got %v that is none", want, kinds[s.data[start]]))
}

// report notes a mismatch at the current path. The first one of an item counts: those after it are
// often its consequence.
func (s *Scanner) report(what string) {
	if s.mismatch == nil {
		s.mismatch = &MismatchError{s.path(), what}
	}
}

// A MismatchError says that a value is not of the kind that its place takes. It does not quote the
// value.
type MismatchError struct {
	Path string // from the item; empty for the item itself
	What string // such as "want a string, got an array"
}

// Error names the place.
func (e *MismatchError) Error() string {
	if e.Path == "" {
		return e.What
	}
	return e.Path + ": " + e.What
}

// An Item is a part of the text whose reports are kept apart, such as one message of a list. Items
// nest. It remembers the state of the item around it, which EndItem restores.
type Item struct {
	start, base, unknown int
	mismatch             error
}

// BeginItem begins an item with the next value.
func (s *Scanner) BeginItem() Item {
	it := Item{s.Mark(), s.base, len(s.unknown), s.mismatch}
	s.base = s.depth
	s.mismatch = nil
	return it
}

// EndItem ends an item after its value was read. It returns the item's raw bytes, which alias the
// data, the members that no reader took, and the first mismatch.
func (s *Scanner) EndItem(it Item) (raw []byte, unknown []Member, err error) {
	if s.err != nil {
		return nil, nil, s.err
	}
	raw = s.data[it.start:s.pos:s.pos]
	if len(s.unknown) > it.unknown {
		unknown = append(unknown, s.unknown[it.unknown:]...)
		clear(s.unknown[it.unknown:])
		s.unknown = s.unknown[:it.unknown]
	}
	err = s.mismatch
	s.base, s.mismatch = it.base, it.mismatch
	return raw, unknown, err
}

// maxName is how much of a member's name a path shows. Names come from outside.
const maxName = 64

// Short cuts a name for a path, between two characters.
func Short(name string) string {
	if len(name) <= maxName {
		return name
	}
	end := maxName
	for end > 0 && !utf8.RuneStart(name[end]) {
		end--
	}
	return name[:end] + "…"
}

// path leads from the current item to the current value.
func (s *Scanner) path() string {
	var b []byte
	for d := s.base + 1; d <= s.depth; d++ {
		st := s.steps[d]
		if st.start < 0 {
			b = append(b, '[')
			b = strconv.AppendInt(b, int64(st.end), 10)
			b = append(b, ']')
			continue
		}
		if len(b) > 0 {
			b = append(b, '.')
		}
		name := unescape(nil, s.data[st.start:st.end])
		b = append(b, Short(string(name))...)
	}
	return string(b)
}

// Unplaced reports a member of the object that was just read to its end, which was decoded and for
// which the Go type then had no place. It counts as unknown.
func (s *Scanner) Unplaced(name string, raw []byte) {
	if s.err != nil {
		return
	}
	path := s.path()
	if path != "" {
		path += "."
	}
	s.unknown = append(s.unknown, Member{path + Short(name), raw})
}

// UnknownSince reports the value just read, which began at mark, as a member that has no place.
func (s *Scanner) UnknownSince(mark int) {
	if s.err == nil {
		s.unknown = append(s.unknown, Member{s.path(), s.Since(mark)})
	}
}
