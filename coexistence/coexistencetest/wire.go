package coexistencetest

import (
	"strconv"
	"unicode/utf16"
)

// Webhook bodies are composed here by hand, never through the types of package webhook: a member
// that the decoder does not know would be missing on both sides, and no test would notice.

// A member is one member of a JSON object. A nil value leaves it out: Meta writes no null and no
// empty string for what it does not tell.
type member struct {
	name  string
	value []byte
}

// object writes a JSON object of the members that have a value, in their order.
func object(members ...member) []byte {
	b := []byte{'{'}
	for _, m := range members {
		if m.value == nil {
			continue
		}
		if len(b) > 1 {
			b = append(b, ',')
		}
		b = append(b, quote(m.name)...)
		b = append(b, ':')
		b = append(b, m.value...)
	}
	return append(b, '}')
}

// list writes a JSON array.
func list(items ...[]byte) []byte {
	b := []byte{'['}
	for i, item := range items {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, item...)
	}
	return append(b, ']')
}

// str is left out if value is empty.
func str[T ~string](name string, value T) member {
	if value == "" {
		return member{}
	}
	return member{name, quote(string(value))}
}

// num is a number. Zero is written, unlike an empty string.
func num[T ~int | ~int64](name string, value T) member {
	return member{name, strconv.AppendInt(nil, int64(value), 10)}
}

// float is a number with as many digits as it takes to read it back.
func float(name string, value float64) member {
	return member{name, strconv.AppendFloat(nil, value, 'f', -1, 64)}
}

// yes is left out if value is false.
func yes(name string, value bool) member {
	if !value {
		return member{}
	}
	return member{name, []byte("true")}
}

// sub is a member whose value is JSON already. Nil leaves it out.
func sub(name string, value []byte) member { return member{name, value} }

// hexDigits are lower-case, as in Meta's escapes. A host that signs what it has encoded itself gets
// upper-case ones from some libraries.
const hexDigits = "0123456789abcdef"

// quote writes a string as Meta does: everything outside of ASCII as \u with lower-case hexadecimal
// digits, and a backslash before a slash. The signature covers these bytes. A host that decodes the
// body and encodes it again before it verifies gets other bytes, and fails here as in production.
func quote(s string) []byte {
	b := make([]byte, 0, len(s)+2)
	b = append(b, '"')
	unit := func(u uint16) {
		b = append(b, '\\', 'u', hexDigits[u>>12], hexDigits[u>>8&15], hexDigits[u>>4&15], hexDigits[u&15])
	}
	for _, r := range s {
		// The short forms first; then what has to be escaped as one or two units of UTF-16, and the
		// rest as it is.
		switch {
		case r == '"' || r == '\\' || r == '/':
			b = append(b, '\\', byte(r))
		case r == '\n':
			b = append(b, '\\', 'n')
		case r == '\r':
			b = append(b, '\\', 'r')
		case r == '\t':
			b = append(b, '\\', 't')
		case r < 0x20 || r == 0x7f || r >= 0x80 && r <= 0xffff:
			unit(uint16(r))
		case r > 0xffff:
			high, low := utf16.EncodeRune(r)
			unit(uint16(high))
			unit(uint16(low))
		default:
			b = append(b, byte(r))
		}
	}
	return append(b, '"')
}
