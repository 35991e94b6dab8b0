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

// special returns a mask whose lowest set bit is in the first of eight bytes that is a quote, a backslash, a control
// character or not ASCII; 0 if none is. Borrows reach only bytes above the first hit, which therefore is exact.
func special(x uint64) uint64 {
	return (x | (x - ones*0x20) | ((x ^ ones*'"') - ones) | ((x ^ ones*'\\') - ones)) & highs
}

// plain returns the position of the first special byte at or after i, or len(d).
func plain(d []byte, i int) int {
	for i+8 <= len(d) {
		if m := special(binary.LittleEndian.Uint64(d[i:])); m != 0 {
			return i + bits.TrailingZeros64(m)/8
		}
		i += 8
	}
	for i < len(d) && d[i] != '"' && d[i] != '\\' && d[i] >= 0x20 && d[i] < 0x80 {
		i++
	}
	return i
}

// skipString reads the string that begins at pos and returns where its closing quote is. It is simple if it holds neither
// escapes nor anything but ASCII, so that its bytes are its text.
func (s *Scanner) skipString() (end int, simple bool) {
	d, i := s.data, s.pos+1
	simple = true
	for {
		i = plain(d, i)
		if i == len(d) {
			s.pos = i
			s.fail("a string without end")
			return 0, false
		}
		switch c := d[i]; {
		case c == '"':
			s.pos = i + 1
			return i, simple
		case c == '\\':
			simple = false
			n := escapeLen(d[i:])
			if n == 0 {
				s.pos = i
				s.fail("a bad escape")
				return 0, false
			}
			i += n
		case c < 0x20:
			s.pos = i
			s.fail("a control character in a string")
			return 0, false
		default:
			simple = false
			for i++; i < len(d) && d[i] >= 0x80; i++ {
			}
		}
	}
}

// readString reads the string that begins at pos and returns its text, which is part of the data or of strBuf. It
// checks and decodes in one go.
func (s *Scanner) readString() []byte {
	d, start := s.data, s.pos+1
	i := plain(d, start)
	if i < len(d) && d[i] == '"' {
		s.pos = i + 1
		return d[start:i]
	}
	dst := append(s.strBuf[:0], d[start:i]...)
	for i < len(d) {
		switch c := d[i]; {
		case c == '"':
			s.pos = i + 1
			s.strBuf = dst
			return dst
		case c == '\\':
			n := escapeLen(d[i:])
			if n == 0 {
				s.pos = i
				s.fail("a bad escape")
				return nil
			}
			dst, n = appendEscape(dst, d[i:])
			i += n
		case c < 0x20:
			s.pos = i
			s.fail("a control character in a string")
			return nil
		default:
			r, n := utf8.DecodeRune(d[i:])
			if r == utf8.RuneError && n == 1 {
				dst = utf8.AppendRune(dst, utf8.RuneError)
			} else {
				dst = append(dst, d[i:i+n]...)
			}
			i += n
		}
		j := plain(d, i)
		dst = append(dst, d[i:j]...)
		i = j
	}
	s.pos = i
	s.fail("a string without end")
	return nil
}

// escapeLen returns the length of the escape that d begins with, 0 if it is none.
func escapeLen(d []byte) int {
	if len(d) < 2 {
		return 0
	}
	switch d[1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return 2
	case 'u':
		if len(d) >= 6 && hex4(d[2:6]) >= 0 {
			return 6
		}
	}
	return 0
}

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
		j := plain(src, i)
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

// appendEscape appends what the checked escape at the start of src stands for and returns its length. A surrogate pair
// is one escape, of which the second half is checked here; a surrogate without its other half is U+FFFD.
func appendEscape(dst, src []byte) ([]byte, int) {
	switch c := src[1]; c {
	case 'b':
		return append(dst, '\b'), 2
	case 'f':
		return append(dst, '\f'), 2
	case 'n':
		return append(dst, '\n'), 2
	case 'r':
		return append(dst, '\r'), 2
	case 't':
		return append(dst, '\t'), 2
	case 'u':
	default:
		return append(dst, c), 2
	}
	r := hex4(src[2:6])
	switch {
	case r < 0xd800 || r > 0xdfff:
		return utf8.AppendRune(dst, r), 6
	case r < 0xdc00 && len(src) >= 12 && src[6] == '\\' && src[7] == 'u':
		if low := hex4(src[8:12]); low >= 0xdc00 && low <= 0xdfff {
			return utf8.AppendRune(dst, 0x10000+(r-0xd800)<<10+(low-0xdc00)), 12
		}
	}
	return utf8.AppendRune(dst, utf8.RuneError), 6
}
