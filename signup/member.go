package signup

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"slices"
	"strings"
	"time"
)

// An UnknownMember is a part of a message as it arrived, for whom the typed members do not suffice.
// It may hold what is secret or personal: do not log it.
type UnknownMember struct {
	// Path is its place in the message, such as "data.waac_id".
	Path string

	// Value is its value.
	Value json.RawMessage

	// Reason says why the value has no typed member. Empty for a name that this package does not
	// know.
	Reason string
}

// Reasons for which a value of a known name stays raw.
const (
	reasonNumber = "an id must be a string: a browser rounds large numbers"
	reasonID     = "not an id: ids are 1 to 32 digits"
	reasonForm   = "not the documented form"
	reasonSecond = "another member says something else" // of two names for one thing
)

// maxMessage limits what is read, in bytes. The largest message known has less than 1 KiB.
const maxMessage = 64 << 10

// An object takes the members of a JSON object one by one. What was not taken, and what could not
// be read, becomes an [UnknownMember]: nothing of a message is lost. A nested object adds to the
// list of the one around it.
type object struct {
	path    string                     // of its members, such as "data."
	members map[string]json.RawMessage // that were not taken yet
	unknown *[]UnknownMember
}

var errNoObject = errors.New("not a JSON object")

// parseObject reads an object, or a JSON string that holds one, encoded up to three times: window
// messages are strings of JSON, and some pages encode them again on the way to the server.
func parseObject(b []byte) (object, error) {
	if len(b) > maxMessage {
		return object{}, errNoObject
	}
	for range 4 {
		b = bytes.TrimSpace(b)
		if len(b) == 0 {
			break
		}
		if b[0] == '"' {
			var s string
			if json.Unmarshal(b, &s) != nil {
				break
			}
			b = []byte(s)
			continue
		}
		var m map[string]json.RawMessage
		if json.Unmarshal(b, &m) != nil || m == nil {
			break
		}
		return object{members: m, unknown: new([]UnknownMember)}, nil
	}
	return object{}, errNoObject
}

// take returns the value of a name and removes it. It reports false for what is absent or null.
func (o object) take(name string) (json.RawMessage, bool) {
	v, ok := o.members[name], o.has(name)
	delete(o.members, name)
	return v, ok
}

// has reports whether a name is there, and not null.
func (o object) has(name string) bool {
	v, ok := o.members[name]
	return ok && string(v) != "null"
}

// addUnknown keeps a value raw that has no typed member, or not the form of one.
func (o object) addUnknown(name string, v json.RawMessage, reason string) {
	*o.unknown = append(*o.unknown, UnknownMember{o.path + name, bytes.Clone(v), reason})
}

// object takes a nested object. It is empty if there is none.
func (o object) object(name string) object {
	inner := object{path: o.path + name + ".", unknown: o.unknown}
	if v, ok := o.take(name); ok && json.Unmarshal(v, &inner.members) != nil {
		inner.members = nil
		o.addUnknown(name, v, reasonForm)
	}
	return inner
}

// string takes a string. It is empty if there is none, or something else.
func (o object) string(name string) string {
	v, ok := o.take(name)
	if !ok {
		return ""
	}
	var s string
	if json.Unmarshal(v, &s) != nil {
		o.addUnknown(name, v, reasonForm)
		return ""
	}
	return s
}

// text takes a string, or a number in its own spelling.
func (o object) text(name string) string {
	if v, ok := o.members[name]; ok && isNumber(v) {
		delete(o.members, name)
		return string(v)
	}
	return o.string(name)
}

// bool takes a boolean, which is false if there is none.
func (o object) bool(name string) bool {
	v, ok := o.take(name)
	var b bool
	if ok && json.Unmarshal(v, &b) != nil {
		o.addUnknown(name, v, reasonForm)
	}
	return b
}

// takeSeconds takes a duration, a whole number of seconds.
func takeSeconds(o object, name string) time.Duration {
	v, ok := o.take(name)
	if !ok {
		return 0
	}
	var n int64
	if json.Unmarshal(v, &n) != nil || n < 0 || n > int64(math.MaxInt64/time.Second) {
		o.addUnknown(name, v, reasonForm)
		return 0
	}
	return time.Duration(n) * time.Second
}

// unknownMembers returns what was not taken, of the inner objects as well, in order of path.
func (o object) unknownMembers(inner ...object) []UnknownMember {
	for _, o := range append(inner, o) {
		for name, v := range o.members {
			o.addUnknown(name, v, "")
		}
	}
	slices.SortFunc(*o.unknown, func(a, b UnknownMember) int { return strings.Compare(a.Path, b.Path) })
	return *o.unknown
}

// takeID takes an id. A function, since a method cannot have type parameters.
func takeID[T ~string](o object, name string) T {
	v, ok := o.take(name)
	if !ok {
		return ""
	}
	id, reason := parseID[T](v)
	if reason != "" {
		o.addUnknown(name, v, reason)
	}
	return id
}

// takeIDs takes a list of ids. If one of them is bad, the list stays raw as well.
func takeIDs[T ~string](o object, name string) []T {
	v, ok := o.take(name)
	if !ok {
		return nil
	}
	var elems []json.RawMessage
	if json.Unmarshal(v, &elems) != nil {
		o.addUnknown(name, v, reasonForm)
		return nil
	}
	var ids []T
	var bad string
	for _, e := range elems {
		id, reason := parseID[T](e)
		if reason != "" {
			bad = reason
			continue
		}
		ids = append(ids, id)
	}
	if bad != "" {
		o.addUnknown(name, v, bad)
	}
	return ids
}

// parseID returns an id, or why v is none.
func parseID[T ~string](v json.RawMessage) (id T, reason string) {
	var s string
	switch {
	case isNumber(v):
		return "", reasonNumber
	case json.Unmarshal(v, &s) != nil:
		return "", reasonForm
	case !isID(s):
		return "", reasonID
	}
	return T(s), ""
}

// isID reports whether s can be an id of Meta's: digits only, so that it changes nothing but its
// own place in a path.
func isID[T ~string](s T) bool {
	if len(s) < 1 || len(s) > 32 {
		return false
	}
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

func isNumber(v json.RawMessage) bool {
	return len(v) > 0 && (v[0] == '-' || v[0] >= '0' && v[0] <= '9')
}
