package wire

import (
	"bytes"
	"encoding/binary"
	"math"
	"strconv"
	"strings"
	"time"
)

// Text reads a string, or a number as it is written. null is "".
func (s *Scanner) Text() string {
	if s.err == nil && s.pos < len(s.data) && s.data[s.pos] == '"' {
		return s.Keep(s.readString()) // readString returns nothing after a failure
	}
	b, ok := s.text()
	if !ok {
		return ""
	}
	return s.Keep(b)
}

// TextLike is Text, but returns one of the known texts, which takes no memory, if it is equal.
func (s *Scanner) TextLike(known ...string) string {
	b, _ := s.text()
	for _, k := range known {
		if string(b) == k {
			return k
		}
	}
	return s.Keep(b)
}

// TextBytes is Text without a copy, for comparisons. The result is valid until the next call.
func (s *Scanner) TextBytes() []byte {
	b, _ := s.text()
	return b
}

// text reads a string or a number. It returns false for null, and for everything else, which it
// reports as a mismatch.
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

// Int reads an integer, also one in a string. null and "" are 0.
func (s *Scanner) Int() int64 {
	start := s.Mark()
	n, ok := s.integer()
	if !ok {
		s.wrong(start, "a whole number")
	}
	return n
}

// IntOrUnknown is Int for members that must not spoil what they stand beside: a text that is no
// integer is 0 and reported as an unknown member instead of a mismatch.
func (s *Scanner) IntOrUnknown() int64 {
	start := s.Mark()
	n, ok := s.integer()
	if !ok {
		s.UnknownSince(start)
	}
	return n
}

// integer reads an integer. It returns false for a text that is none. A value that is no text is 0
// and has been reported as a mismatch.
func (s *Scanner) integer() (n int64, ok bool) {
	b, ok := s.text()
	if !ok || len(b) == 0 {
		return 0, true
	}
	return ParseInt(b)
}

// Float reads a number, also one in a string. null and "" are 0.
func (s *Scanner) Float() float64 {
	start := s.Mark()
	b, ok := s.text()
	if !ok || len(b) == 0 {
		return 0
	}
	f, ok := ParseFloat(b)
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
	start := s.Mark()
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
	if !ok || len(b) == 0 {
		return false
	}
	yes, ok := ParseBool(b)
	if !ok {
		s.wrong(start, "true or false")
	}
	return yes
}

// Time reads a time as Meta writes it, see [ParseTime]. A text that is no time is the zero time and
// reported as an unknown member, because an odd date must not spoil what it stands beside.
func (s *Scanner) Time() time.Time {
	if n := s.tenDigits(); n != 0 {
		return time.Unix(n, 0).UTC()
	}
	start := s.Mark()
	b, ok := s.text()
	if !ok || len(b) == 0 {
		return time.Time{}
	}
	if n, ok := parseDigits(b); ok {
		if t := unix(n); !t.IsZero() {
			return t
		}
	}
	t := ParseTime(string(b))
	if t.IsZero() && string(b) != "0" {
		s.UnknownSince(start)
	}
	return t
}

// tenDigits reads a string of ten digits, the first of which is not 0: every moment from 2001 to
// 2286 is written so. It reads nothing else and returns 0 then.
func (s *Scanner) tenDigits() int64 {
	if s.err != nil || len(s.data)-s.pos < 12 || s.data[s.pos] != '"' || s.data[s.pos+11] != '"' ||
		!TenDigits(s.data, s.pos+1) {
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

// Seconds reads the ten digits at i as Unix seconds. The caller must have checked them with
// [TenDigits].
func Seconds(d []byte, i int) time.Time { return time.Unix(tenDigits(d, i), 0).UTC() }

// eightDigits reports whether the eight bytes of x are digits: the upper half of a digit is 3, and
// stays so when 6 is added.
func eightDigits(x uint64) bool {
	return (x&(ones*0xf0))|((x+ones*6)&(ones*0xf0))>>4 == ones*0x33
}

// tenDigits returns the number that the ten digits at i write. It adds the first eight up in pairs,
// then fours, then all eight at once, which takes three multiplications instead of eight.
func tenDigits(d []byte, i int) int64 {
	x := binary.LittleEndian.Uint64(d[i:]) & (ones * 0x0f)
	x = x*10 + x>>8
	x = (x&0x00ff00ff00ff00ff)*100 + (x>>16)&0x00ff00ff00ff00ff
	x = (x&0x0000ffff0000ffff)*10000 + (x>>32)&0x0000ffff0000ffff
	return int64(x&0xffffffff)*100 + int64(d[i+8]-'0')*10 + int64(d[i+9]-'0')
}

// Scalar returns the text of data, which holds one JSON value, and the kind of that value. The text
// of a string is what it says, that of a number or a bool is how it is written; null has none.
// Objects and arrays have none either and are not read at all. The kind is KindNone if data is no
// JSON value.
func Scalar(data []byte) (text string, kind Kind) {
	var s Scanner
	s.Reset(data)
	kind = s.Kind()
	var b []byte
	switch kind {
	case KindObject, KindArray:
		return "", kind
	case KindBool:
		b = s.Raw()
	default:
		b, _ = s.text()
	}
	if s.End(); s.err != nil {
		return "", KindNone
	}
	return string(b), kind
}

// ParseInt reads an integer from the text of a scalar. White space around it does not count; "5.0"
// and "1e3" are integers. It returns false for fractions, for what does not fit, and for floats of
// 2⁵³ and more, which no longer are exact.
func ParseInt(b []byte) (int64, bool) {
	if n, ok := parseDigits(b); ok {
		return n, true
	}
	b = bytes.TrimSpace(b)
	if n, err := strconv.ParseInt(string(b), 10, 64); err == nil {
		return n, true
	}
	f, ok := ParseFloat(b)
	if !ok || f != math.Trunc(f) || math.Abs(f) >= 1<<53 {
		return 0, false
	}
	return int64(f), true
}

// parseDigits reads up to 18 digits, which always fit.
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

// ParseFloat reads a number by JSON's grammar from the text of a scalar. strconv alone would take
// "Inf", "0x1p-2" and "1_000".
func ParseFloat(b []byte) (float64, bool) {
	if len(b) == 0 || b[0] != '-' && !isDigit(b[0]) {
		return 0, false
	}
	if end, ok := numberEnd(b, 0); !ok || end != len(b) {
		return 0, false
	}
	f, err := strconv.ParseFloat(string(b), 64)
	return f, err == nil
}

// ParseBool reads true or false, 1 or 0, t or f, in small letters or capitals, from the text of a
// scalar.
func ParseBool(b []byte) (yes, ok bool) {
	switch string(b) {
	case "true":
		return true, true
	case "false":
		return false, true
	}
	yes, err := strconv.ParseBool(strings.ToLower(string(b)))
	return yes, err == nil
}

// ParseTime reads Unix seconds or an ISO 8601 date, to the second and in UTC. The result is zero if
// s is neither, and for 0, which Meta writes for "never" and "unknown".
func ParseTime(s string) time.Time {
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		return unix(n)
	}
	// ParseFloat reads Go's literals as well, hexadecimal or with underscores, which no timestamp
	// is.
	if f, err := strconv.ParseFloat(s, 64); err == nil && math.Abs(f) < 1<<53 && !strings.ContainsAny(s, "xX_") {
		return unix(int64(f))
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05-0700", "January 2, 2006"} {
		if t, err := time.Parse(layout, s); err == nil {
			return unix(t.Unix())
		}
	}
	return time.Time{}
}

// unix returns n seconds after 1970. 0 means that there is no time. Years outside 1 to 9999 are no
// dates either: time.Time could not write them as JSON.
func unix(n int64) time.Time {
	if n == 0 || n > 253402300799 || n < -62135596800 {
		return time.Time{}
	}
	return time.Unix(n, 0).UTC()
}
