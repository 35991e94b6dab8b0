package wire

import (
	"encoding/binary"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// Text reads a string, or a number as it is written. null is "".
func (s *Scanner) Text() string {
	if s.err == nil && s.pos < len(s.data) && s.data[s.pos] == '"' {
		return s.keep(s.readString()) // readString returns nothing after a failure
	}
	b, ok := s.text()
	if !ok {
		return ""
	}
	return s.keep(b)
}

// TextLike is Text, but returns one of the known texts, which costs no memory, if it is equal.
func (s *Scanner) TextLike(known ...string) string {
	b, _ := s.text()
	for _, k := range known {
		if string(b) == k {
			return k
		}
	}
	return s.keep(b)
}

// TextBytes is Text without a copy, for comparisons. The result is valid until the next call.
func (s *Scanner) TextBytes() []byte {
	b, _ := s.text()
	return b
}

// text reads a string or a number. It returns false for null and after reporting anything else.
func (s *Scanner) text() (b []byte, ok bool) {
	if s.err != nil {
		return nil, false
	}
	switch kinds[s.peek()] {
	case KindString:
		b = s.readString()
		return b, s.err == nil
	case KindNumber:
		start := s.pos
		s.skipNumber()
		if s.err != nil {
			return nil, false
		}
		return s.data[start:s.pos], true
	case KindNull:
		s.literal("null")
	default:
		s.Mismatch(KindString)
	}
	return nil, false
}

// chunk is how much memory strings share unless Share says otherwise. One kept string keeps its
// chunk.
const chunk = 4 << 10

// Share sets how many bytes strings share until the next Reset.
func (s *Scanner) Share(size int) { s.chunk = size }

// keep copies b into memory that the strings of one text share, which saves an allocation for each.
func (s *Scanner) keep(b []byte) string {
	if len(b) == 0 {
		return ""
	}
	if len(b) > s.chunk/2 {
		return string(b)
	}
	if s.arena.Cap()-s.arena.Len() < len(b) {
		s.arena = strings.Builder{}
		s.arena.Grow(max(len(b), min(s.chunk, (len(s.data)-s.pos+len(b))/2)))
	}
	start := s.arena.Len()
	s.arena.Write(b)
	return s.arena.String()[start:]
}

// Int reads a whole number, also one in a string. null and "" are 0.
func (s *Scanner) Int() int64 {
	start := s.mark()
	n, ok := s.whole()
	if !ok {
		s.wrong(start, "a whole number")
	}
	return n
}

// IntIfAny is Int, but a text that is no whole number is 0 and reported as an unknown member: for
// what must not spoil what it stands beside.
func (s *Scanner) IntIfAny() int64 {
	start := s.mark()
	n, ok := s.whole()
	if !ok {
		s.unknown = append(s.unknown, Member{s.path(), s.data[start:s.pos:s.pos]})
	}
	return n
}

// whole reads a whole number. It returns false for a text that is none; what is no text has been
// reported.
func (s *Scanner) whole() (n int64, ok bool) {
	b, ok := s.text()
	if !ok || len(b) == 0 {
		return 0, true
	}
	return parseInt(b)
}

// Float reads a number, also one in a string. null and "" are 0.
func (s *Scanner) Float() float64 {
	start := s.mark()
	b, ok := s.text()
	if !ok || len(b) == 0 {
		return 0
	}
	f, ok := parseFloat(b)
	if !ok {
		s.wrong(start, "a number")
		return 0
	}
	return f
}

// Bool reads true or false, also in a string, and 1 or 0. null and "" are false.
func (s *Scanner) Bool() bool {
	if s.err != nil {
		return false
	}
	start := s.mark()
	switch kinds[s.peek()] {
	case KindBool:
		yes := s.data[s.pos] == 't'
		s.Skip()
		return yes
	case KindArray, KindObject:
		s.Mismatch(KindBool)
		return false
	}
	b, ok := s.text()
	switch {
	case !ok:
		return false
	case string(b) == "true" || string(b) == "1":
		return true
	case string(b) == "false" || string(b) == "0" || len(b) == 0:
		return false
	}
	s.wrong(start, "true or false")
	return false
}

// Time reads a time as Meta writes it, see [graph.Timestamp]. What cannot be read is the zero time
// and reported as an unknown member, because an odd date must not spoil what it stands beside.
func (s *Scanner) Time() graph.Timestamp {
	if n := s.tenDigits(); n != 0 {
		return graph.NewTimestamp(time.Unix(n, 0))
	}
	start := s.mark()
	b, ok := s.text()
	if !ok || len(b) == 0 {
		return graph.Timestamp{}
	}
	if n, ok := parseDigits(b); ok && n != 0 && n < 253402300800 {
		return graph.NewTimestamp(time.Unix(n, 0))
	}
	t := graph.ParseTimestamp(string(b))
	if t.IsZero() && string(b) != "0" {
		s.unknown = append(s.unknown, Member{s.path(), s.data[start:s.pos:s.pos]})
	}
	return t
}

// tenDigits reads a string of ten digits, the first of which is not 0, as which every moment from
// 2001 to 2286 is written. It reads nothing else and returns 0 then.
func (s *Scanner) tenDigits() int64 {
	if s.err != nil || len(s.data)-s.pos < 12 || s.data[s.pos] != '"' || s.data[s.pos+11] != '"' || !TenDigits(s.data, s.pos+1) {
		return 0
	}
	s.pos += 12
	return tenDigits(s.data, s.pos-11)
}

// TenDigits reports whether ten digits stand at i, the first of which is not 0.
func TenDigits(d []byte, i int) bool {
	if len(d)-i < 10 || d[i] == '0' {
		return false
	}
	d = d[i : i+10 : i+10]
	return eightDigits(binary.LittleEndian.Uint64(d)) && isDigit(d[8]) && isDigit(d[9])
}

// Seconds reads the ten digits at i, which were checked with [TenDigits], as Unix seconds.
func Seconds(d []byte, i int) graph.Timestamp {
	return graph.NewTimestamp(time.Unix(tenDigits(d, i), 0))
}

// eightDigits reports whether the eight bytes of x are digits: their upper halves are 3, and stay
// so when 6 is added.
func eightDigits(x uint64) bool {
	return (x&(ones*0xf0))|((x+ones*6)&(ones*0xf0))>>4 == ones*0x33
}

// tenDigits returns the number that ten digits at i write, added up in pairs, fours and eights.
func tenDigits(d []byte, i int) int64 {
	x := binary.LittleEndian.Uint64(d[i:]) & (ones * 0x0f)
	x = x*10 + x>>8
	x = (x&0x00ff00ff00ff00ff)*100 + (x>>16)&0x00ff00ff00ff00ff
	x = (x&0x0000ffff0000ffff)*10000 + (x>>32)&0x0000ffff0000ffff
	return int64(x&0xffffffff)*100 + int64(d[i+8]-'0')*10 + int64(d[i+9]-'0')
}

// mark returns where the next value begins.
func (s *Scanner) mark() int {
	if s.err == nil {
		s.peek()
	}
	return s.pos
}

// parseDigits reads up to 18 digits.
func parseDigits(b []byte) (n int64, ok bool) {
	if len(b) == 0 || len(b) > 18 {
		return 0, false
	}
	for _, c := range b {
		if !isDigit(c) {
			return 0, false
		}
		n = n*10 + int64(c-'0')
	}
	return n, true
}

func parseInt(b []byte) (int64, bool) {
	if n, ok := parseDigits(b); ok {
		return n, true
	}
	if n, err := strconv.ParseInt(string(b), 10, 64); err == nil {
		return n, true
	}
	f, ok := parseFloat(b)
	if !ok || f != math.Trunc(f) || math.Abs(f) >= 1<<53 {
		return 0, false
	}
	return int64(f), true
}

// parseFloat reads a number by JSON's grammar. strconv alone would take "Inf", "0x1p-2" and
// "1_000".
func parseFloat(b []byte) (float64, bool) {
	if len(b) == 0 || b[0] != '-' && !isDigit(b[0]) {
		return 0, false
	}
	if end, ok := numberEnd(b, 0); !ok || end != len(b) {
		return 0, false
	}
	f, err := strconv.ParseFloat(string(b), 64)
	return f, err == nil
}
