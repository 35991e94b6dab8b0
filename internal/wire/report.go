package wire

import (
	"fmt"
	"strconv"
	"unicode/utf8"
)

// A Member is a member that nobody read.
type Member struct {
	Path  string // from the current item, such as "text.format" or "errors[0].hint"
	Value []byte // the raw value; it aliases the data
}

// A SyntaxError says where a text stops being JSON. It does not quote the text.
type SyntaxError struct {
	Offset int
	What   string
}

// Error names the place.
func (e *SyntaxError) Error() string {
	return "not JSON at byte " + strconv.Itoa(e.Offset) + ": " + e.What
}

func (s *Scanner) fail(what string) {
	if s.err == nil {
		s.err = &SyntaxError{s.pos, what}
	}
}

// Unknown reads the next value and reports it as a member that nobody reads.
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

func (s *Scanner) report(what string) {
	if s.mismatch == nil {
		s.mismatch = &MismatchError{s.path(), what}
	}
}

// A MismatchError says that a value is not of the kind its place wants. It does not quote the
// value.
type MismatchError struct {
	Path string // from the item; empty for the item itself
	What string
}

// Error names the place.
func (e *MismatchError) Error() string {
	if e.Path == "" {
		return e.What
	}
	return e.Path + ": " + e.What
}

// An Item is a part of the text whose reports are kept apart.
type Item struct {
	start, base, unknown int
	mismatch             error
}

// BeginItem begins an item with the next value.
func (s *Scanner) BeginItem() Item {
	it := Item{s.mark(), s.base, len(s.unknown), s.mismatch}
	s.base = s.depth
	s.mismatch = nil
	return it
}

// EndItem ends an item after its value was read. It returns the item's raw bytes, which alias the
// data, the members that nobody read, and the first mismatch.
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

// Mark returns where the next value begins, for [Scanner.Since].
func (s *Scanner) Mark() int { return s.mark() }

// Since returns the bytes from a mark to the end of the value just read. They alias the data.
func (s *Scanner) Since(mark int) []byte {
	if s.err != nil {
		return nil
	}
	return s.data[mark:s.pos:s.pos]
}

// Leave reports a member of the object that was just read to its end as unknown after all.
func (s *Scanner) Leave(name string, raw []byte) {
	if s.err != nil {
		return
	}
	path := s.path()
	if path != "" {
		path += "."
	}
	s.unknown = append(s.unknown, Member{path + Short(name), raw})
}

// UnknownSince reports the value just read, from mark on, as unknown after all.
func (s *Scanner) UnknownSince(mark int) {
	if s.err == nil {
		s.unknown = append(s.unknown, Member{s.path(), s.Since(mark)})
	}
}
