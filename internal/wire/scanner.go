package wire

// MaxDepth is how deep objects and arrays may nest.
const MaxDepth = 64

// A Scanner reads one JSON text from front to back. Enter a container, walk all of it, and read or
// skip every value:
//
//	if s.Object() {
//		for s.NextMember() {
//			switch string(s.Name()) {
//			case "id":
//				m.ID = s.Text()
//			default:
//				s.Unknown()
//			}
//		}
//	}
//	if s.End(); s.Err() != nil { … }
//
// After a syntax error every method returns at once with a zero result, so that only the end has to
// look at [Scanner.Err]. The zero Scanner is ready for Reset.
type Scanner struct {
	data  []byte
	pos   int
	depth int
	fresh bool // a container was entered and nothing in it was read: no comma comes next
	err   error

	nameStart, nameEnd int    // of the current member
	escaped            bool   // the name has escapes or more than ASCII; its text is in nameBuf
	nameBuf            []byte // backs escaped names
	strBuf             []byte // backs strings with escapes
	arena              arena  // backs the strings that are returned

	steps [MaxDepth + 1]step

	base     int // depth of the current item: paths begin below it
	unknown  []Member
	mismatch error
}

// A step is one level of the path from the top to the current value: a member's name,
// as a span of the data, or an element's index.
type step struct {
	start, end int // start is -1 for an element, end its index
}

// Reset makes s read data. Strings that were returned stay valid; results of [Scanner.Raw] alias
// data.
func (s *Scanner) Reset(data []byte) {
	clear(s.unknown)
	s.data, s.pos, s.depth, s.fresh, s.err = data, 0, 0, false, nil
	s.nameStart, s.nameEnd, s.escaped = 0, 0, false
	s.arena.reset()
	s.base, s.unknown, s.mismatch = 0, s.unknown[:0], nil
	if cap(s.strBuf) > maxBuf {
		s.strBuf = nil
	}
	if cap(s.nameBuf) > maxBuf {
		s.nameBuf = nil
	}
}

// maxBuf is the size up to which the buffers for escaped strings are kept from text to text: one
// large string must not stay in memory with a pooled Scanner.
const maxBuf = 64 << 10

// Err returns the first syntax error.
func (s *Scanner) Err() error { return s.err }

// End checks that nothing but white space is left.
func (s *Scanner) End() {
	if s.err != nil {
		return
	}
	if s.peek(); s.pos < len(s.data) {
		s.fail("more after the end of the value")
	}
}

// A Kind is the kind of a JSON value.
type Kind uint8

// The kinds of values. KindNone stands for what is no JSON.
const (
	KindNone Kind = iota
	KindNull
	KindBool
	KindNumber
	KindString
	KindArray
	KindObject
)

// String names the kind with its article, as error messages want it.
func (k Kind) String() string {
	return [...]string{"no value", "null", "a bool", "a number", "a string", "an array", "an object"}[k]
}

// kinds maps the first byte of a value to its kind.
var kinds = [256]Kind{
	'n': KindNull, 't': KindBool, 'f': KindBool, '"': KindString, '[': KindArray, '{': KindObject, '-': KindNumber,
	'0': KindNumber, '1': KindNumber, '2': KindNumber, '3': KindNumber, '4': KindNumber,
	'5': KindNumber, '6': KindNumber, '7': KindNumber, '8': KindNumber, '9': KindNumber,
}

// Kind returns the kind of the next value without reading it.
func (s *Scanner) Kind() Kind {
	if s.err != nil {
		return KindNone
	}
	return kinds[s.peek()]
}

// Null reads the next value if it is null, and reports whether it was.
func (s *Scanner) Null() bool {
	if s.err != nil || s.peek() != 'n' {
		return false
	}
	s.literal("null")
	return true
}

// peek skips white space and returns the next byte, or 0 at the end.
func (s *Scanner) peek() byte {
	for s.pos < len(s.data) {
		c := s.data[s.pos]
		if c > ' ' || !isSpace(c) {
			return c
		}
		s.pos++
	}
	return 0
}

// isSpace reports whether JSON counts c as white space. Unicode knows more, which are no JSON.
func isSpace(c byte) bool { return c == ' ' || c == '\n' || c == '\t' || c == '\r' }

// Empty reads the next value if it is an object without members or white space, and reports whether
// it was.
func (s *Scanner) Empty() bool {
	if s.err == nil && len(s.data)-s.pos > 1 && s.data[s.pos] == '{' && s.data[s.pos+1] == '}' {
		s.pos += 2
		return true
	}
	return false
}

// Mark returns where the next value begins, for [Scanner.Since] and [Scanner.UnknownSince].
func (s *Scanner) Mark() int {
	if s.err == nil {
		s.peek()
	}
	return s.pos
}

// Since returns the bytes from a mark to the end of the value just read. They alias the data.
func (s *Scanner) Since(mark int) []byte {
	if s.err != nil {
		return nil
	}
	return s.data[mark:s.pos:s.pos]
}

// Object enters the next value if it is an object. Otherwise it reads the value, reports it as a
// mismatch unless it is null, and returns false.
func (s *Scanner) Object() bool { return s.enter('{', KindObject) }

// Array enters the next value if it is an array. Otherwise it reads the value, reports it as a
// mismatch unless it is null, and returns false.
func (s *Scanner) Array() bool { return s.enter('[', KindArray) }

// enter enters a container that begins with open. White space before it does not count. The levels
// are counted before anything in the container is read, so that a body of brackets alone fails at
// the 65th.
func (s *Scanner) enter(open byte, want Kind) bool {
	if s.err != nil {
		return false
	}
	if s.peek() != open {
		if s.Kind() == KindNull {
			s.Skip()
		} else {
			s.Mismatch(want)
		}
		return false
	}
	if s.depth == MaxDepth {
		s.fail("nested too deep")
		return false
	}
	s.pos++
	s.depth++
	s.steps[s.depth] = step{-1, -1}
	s.fresh = true
	return true
}

// NextMember moves to the next member of the object and reads its name. It returns false at the
// object's end.
func (s *Scanner) NextMember() bool {
	// Fast path: `,"name":` without white space and escapes, as Meta writes nearly all names.
	if s.err == nil {
		d, i := s.data, s.pos
		if !s.fresh && i < len(d) && d[i] == ',' {
			i++
		}
		if len(d)-i > 1 && d[i] == '"' && (s.fresh || i > s.pos) {
			i++
			if end := Plain(d, i); len(d)-end > 1 && d[end] == '"' && d[end+1] == ':' {
				s.nameStart, s.nameEnd, s.escaped = i, end, false
				s.steps[s.depth] = step{i, end}
				s.fresh = false
				s.pos = end + 2
				return true
			}
		}
	}
	return s.nextMemberSlow()
}

// nextMemberSlow is NextMember for every way to write JSON.
func (s *Scanner) nextMemberSlow() bool {
	if !s.next('}') {
		return false
	}
	if s.peek() != '"' {
		s.fail("want a member name")
		return false
	}
	start := s.pos + 1
	end, simple := s.skipString()
	if s.err != nil {
		return false
	}
	s.nameStart, s.nameEnd, s.escaped = start, end, !simple
	if !simple {
		s.nameBuf = unescape(s.nameBuf[:0], s.data[start:end])
	}
	s.steps[s.depth] = step{start, end}
	if s.peek() != ':' {
		s.fail("want a colon")
		return false
	}
	s.pos++
	return true
}

// Name returns the current member's name, without escapes. It is valid until the next member at any
// depth.
func (s *Scanner) Name() []byte {
	if s.escaped {
		return s.nameBuf
	}
	return s.data[s.nameStart:s.nameEnd]
}

// NextElement moves to the next element of the array. It returns false at the array's end.
func (s *Scanner) NextElement() bool {
	if !s.next(']') {
		return false
	}
	s.steps[s.depth].end++
	return true
}

// next reads the comma before a further member or element, or the end of the container, of which
// closing is the last byte. It returns false at the end.
func (s *Scanner) next(closing byte) bool {
	if s.err != nil {
		return false
	}
	c := s.peek()
	if c == closing {
		s.pos++
		s.depth--
		s.fresh = false
		return false
	}
	if s.fresh {
		s.fresh = false
		return true
	}
	if c != ',' {
		s.fail("want a comma")
		return false
	}
	s.pos++
	if s.peek() == closing {
		s.fail("a comma too many")
		return false
	}
	return true
}

// Rest returns the data from the next value on, for a matcher of a fast shape. It aliases the data.
func (s *Scanner) Rest() []byte {
	if s.err != nil {
		return nil
	}
	s.peek()
	return s.data[s.pos:]
}

// Advance moves behind the next value without reading it. The caller must have checked that it is
// valid JSON of n bytes.
func (s *Scanner) Advance(n int) { s.pos += n }
