package wire

import (
	"encoding/binary"
	"math/bits"
	"unicode/utf8"
)

const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
)

// The scanner looks at strings in words of eight bytes, which takes a fraction of the time of a
// loop over bytes: most of a webhook is strings. A word times ones repeats a byte in all eight
// places.

// special returns a mask whose lowest set bit is in the first of eight bytes that is a quote, a
// backslash, a control character or not ASCII; 0 if none is. Borrows reach only bytes above the
// first hit, which therefore is exact.
//
// A quote is 0x22. With bit 1 the other way round, quotes and control characters are what is below
// 0x21.
func special(x uint64) uint64 {
	return (x | ((x ^ ones*2) - ones*0x21) | ((x ^ ones*'\\') - ones)) & highs
}

// Plain returns where the plain part of a string ends whose text begins at i: the position of its
// closing quote, or of the first byte that is an escape, a control character or not ASCII; or
// len(d).
//
// It looks at sixteen bytes at once and finds the position among them without a branch: how long a
// string is can never be guessed, and a wrong guess costs more than reading sixteen bytes.
func Plain(d []byte, i int) int {
	for len(d)-i >= 16 {
		b := d[i : i+16 : i+16]
		low, high := special(binary.LittleEndian.Uint64(b)), special(binary.LittleEndian.Uint64(b[8:]))
		if low|high != 0 {
			if low == 0 {
				low, i = high, i+8
			}
			return i + bits.TrailingZeros64(low)>>3
		}
		i += 16
	}
	for i < len(d) && d[i] != '"' && d[i] != '\\' && d[i] >= 0x20 && d[i] < 0x80 {
		i++
	}
	return i
}

// skipString reads the string that begins at pos and returns where its closing quote is. It is
// simple if it holds neither escapes nor anything but ASCII, so that its bytes are its text.
func (s *Scanner) skipString() (end int, simple bool) {
	end, problem := stringEnd(s.data, s.pos+1)
	if problem != "" {
		s.pos = end
		s.fail(problem)
		return 0, false
	}
	simple = Plain(s.data, s.pos+1) == end
	s.pos = end + 1
	return end, simple
}

// stringEnd returns where the string ends whose text begins at i: the position of its closing
// quote, or of what is wrong with it and what that is.
func stringEnd(d []byte, i int) (end int, problem string) {
	for {
		if i = Plain(d, i); i == len(d) {
			return i, noEnd
		}
		switch c := d[i]; {
		case c == '"':
			return i, ""
		case c == '\\':
			for i < len(d) && d[i] == '\\' {
				if e := d[i:]; len(e) >= 6 && e[1] == 'u' && hex4(e[2:6]) >= 0 {
					i += 6
				} else if len(e) >= 2 && unescaped[e[1]] != 0 {
					i += 2
				} else {
					return i, badEscape
				}
			}
		case c < 0x20:
			return i, controlCharacter
		default:
			for i++; i < len(d) && d[i] >= 0x80; i++ {
			}
		}
	}
}

// readString reads the string that begins at pos and returns its text, which is part of the data or
// of strBuf.
func (s *Scanner) readString() []byte {
	text, end, problem := s.stringAt(s.data, s.pos+1)
	if problem != "" {
		s.pos = end
		s.fail(problem)
		return nil
	}
	s.pos = end + 1
	return text
}

// StringAt returns the text of the string that begins at i of d, behind its quote, and the position
// of its closing quote. It is not ok if anything is wrong with it. The text is valid until the next
// string is read.
func (s *Scanner) StringAt(d []byte, i int) (text []byte, end int, ok bool) {
	text, end, problem := s.stringAt(d, i)
	return text, end, problem == ""
}

// stringAt is StringAt, but says what is wrong instead of that something is; end then is where.
func (s *Scanner) stringAt(d []byte, start int) (text []byte, end int, problem string) {
	i := Plain(d, start)
	if i < len(d) && d[i] == '"' {
		return d[start:i], i, ""
	}
	return s.decodeString(d, start, i)
}

// decodeString reads a string that is plain from start to i only, and returns what stringAt does.
//
// It checks and decodes in one go. Plain bytes are copied sixteen at a time, of which some may be
// too many: dst always has room for them behind n, the end of what counts. The result is part of
// strBuf, which the next string overwrites.
func (s *Scanner) decodeString(d []byte, start, i int) (text []byte, end int, problem string) {
	dst, n := s.strBuf[:cap(s.strBuf)], i-start
	if len(dst) < n+room {
		dst = make([]byte, 2*n+4*room)
	}
	copy(dst, d[start:i])
	for i < len(d) {
		if len(dst)-n < room {
			dst = append(dst, make([]byte, len(dst))...)
		}
		switch c := d[i]; {
		case c == '"':
			s.strBuf = dst
			return dst[:n], i, ""
		case c == '\\':
			var size int
			if e := d[i:]; len(e) >= 6 && e[1] == 'u' {
				r := hex4(e[2:6])
				if r < 0 {
					return nil, i, badEscape
				}
				if size = 6; r&^0x7ff == 0xd800 {
					r, size = escapedRune(e)
				}
				switch w := dst[n : n+4 : n+4]; {
				case r < 0x80:
					w[0] = byte(r)
					n++
				case r < 0x800:
					w[0], w[1] = 0xc0|byte(r>>6), 0x80|byte(r)&0x3f
					n += 2
				case r < 0x10000:
					w[0], w[1], w[2] = 0xe0|byte(r>>12), 0x80|byte(r>>6)&0x3f, 0x80|byte(r)&0x3f
					n += 3
				default:
					w[0], w[1] = 0xf0|byte(r>>18), 0x80|byte(r>>12)&0x3f
					w[2], w[3] = 0x80|byte(r>>6)&0x3f, 0x80|byte(r)&0x3f
					n += 4
				}
			} else {
				if size = 2; len(e) < 2 || unescaped[e[1]] == 0 {
					return nil, i, badEscape
				}
				dst[n] = unescaped[e[1]]
				n++
			}
			if i += size; i < len(d) && d[i] == '\\' {
				continue
			}
		case c < 0x20:
			return nil, i, controlCharacter
		case c >= 0x80:
			r, size := utf8.DecodeRune(d[i:])
			n += utf8.EncodeRune(dst[n:n+utf8.UTFMax], r)
			if i += size; i < len(d) && d[i] >= 0x80 {
				continue
			}
		}
		for len(d)-i >= room && len(dst)-n >= room {
			from, to := d[i:i+room:i+room], dst[n:n+room:n+room]
			x, y := binary.LittleEndian.Uint64(from), binary.LittleEndian.Uint64(from[8:])
			binary.LittleEndian.PutUint64(to, x)
			binary.LittleEndian.PutUint64(to[8:], y)
			low, high := special(x), special(y)
			if low|high != 0 {
				k := 0
				if low == 0 {
					low, k = high, 8
				}
				k += bits.TrailingZeros64(low) >> 3
				i, n = i+k, n+k
				break
			}
			i, n = i+room, n+room
		}
		if len(d)-i < room {
			for i < len(d) && len(dst)-n >= room && Plain(d[i:i+1], 0) == 1 {
				dst[n] = d[i]
				i, n = i+1, n+1
			}
		}
	}
	return nil, i, noEnd
}

// The problems that a string can have.
const (
	badEscape        = "a bad escape"
	controlCharacter = "a control character in a string"
	noEnd            = "a string without end"
)

// room is how much one step of decodeString may write.
const room = 16

// hexValue holds the value of each hex digit and 0xff for every other byte.
var hexValue = func() (t [256]uint8) {
	for i := range t {
		t[i] = 0xff
	}
	for i := range 10 {
		t['0'+i] = uint8(i)
	}
	for i := range 6 {
		t['a'+i], t['A'+i] = uint8(10+i), uint8(10+i)
	}
	return t
}()

// hex4 returns the value of four hex digits, -1 if they are none.
func hex4(d []byte) rune {
	_ = d[3]
	a, b, c, e := hexValue[d[0]], hexValue[d[1]], hexValue[d[2]], hexValue[d[3]]
	if a|b|c|e == 0xff {
		return -1
	}
	return rune(a)<<12 | rune(b)<<8 | rune(c)<<4 | rune(e)
}

// unescape appends the text of a checked string, given without its quotes, to dst.
func unescape(dst, src []byte) []byte {
	for i := 0; i < len(src); {
		j := Plain(src, i)
		dst = append(dst, src[i:j]...)
		if j == len(src) {
			break
		}
		i = j
		if src[i] != '\\' {
			r, n := utf8.DecodeRune(src[i:])
			if r == utf8.RuneError && n == 1 {
				dst = utf8.AppendRune(dst, utf8.RuneError)
			} else {
				dst = append(dst, src[i:i+n]...)
			}
			i += n
			continue
		}
		var n int
		dst, n = appendEscape(dst, src[i:])
		i += n
	}
	return dst
}

// appendEscape appends what the checked escape at the start of src stands for and returns its
// length.
func appendEscape(dst, src []byte) ([]byte, int) {
	if src[1] != 'u' {
		return append(dst, unescaped[src[1]]), 2
	}
	r, n := escapedRune(src)
	return utf8.AppendRune(dst, r), n
}

// unescaped holds what the short escapes stand for, and 0 for what is none.
var unescaped = [256]byte{
	'"': '"', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t',
}

// Meta escapes everything above ASCII, so that an emoji comes as two escapes; and it cuts names
// after a number of UTF-16 units, which can leave the first of the two alone.

// escapedRune returns what the checked \u at the start of src stands for, and its length. A
// surrogate pair is one escape, of which the second half is checked here; a surrogate without its
// other half is U+FFFD.
func escapedRune(src []byte) (rune, int) {
	r := hex4(src[2:6])
	switch {
	case r < 0xd800 || r > 0xdfff:
		return r, 6
	case r < 0xdc00 && len(src) >= 12 && src[6] == '\\' && src[7] == 'u':
		if low := hex4(src[8:12]); low >= 0xdc00 && low <= 0xdfff {
			return 0x10000 + (r-0xd800)<<10 + (low - 0xdc00), 12
		}
	}
	return utf8.RuneError, 6
}

// StringEnd returns the position of the closing quote of the string whose text begins at i. It is
// not ok if anything is wrong with it.
func StringEnd(d []byte, i int) (end int, ok bool) {
	end, problem := stringEnd(d, i)
	return end, problem == ""
}
