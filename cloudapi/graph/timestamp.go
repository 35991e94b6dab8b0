package graph

import (
	"encoding/json"
	"errors"
	"reflect"
	"strconv"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/wire"
)

// A Timestamp is a moment as Meta writes it: Unix seconds, in a string or as a number. It also
// reads the form with a date ("2023-08-22T19:05:53+0000") that some nodes use, and an English long
// date ("January 31, 2021"), which is the beginning of that day in UTC. The zero Timestamp means
// that there was none, or none that could be read; reading never fails for the content of a string,
// so that one odd date spoils nothing else.
type Timestamp struct{ time.Time }

// NewTimestamp returns t as a Timestamp in UTC.
func NewTimestamp(t time.Time) Timestamp { return Timestamp{t.UTC()} }

// ParseTimestamp reads Unix seconds, an ISO 8601 date or an English long date, to the second and in
// UTC. The result is zero if s is none of these, and for 0, which Meta writes for "never" and
// "unknown".
func ParseTimestamp(s string) Timestamp { return Timestamp{wire.ParseTime(s)} }

// UnmarshalJSON accepts a string, a number or null. It refuses only what is none of these.
func (t *Timestamp) UnmarshalJSON(b []byte) error {
	text, kind := wire.Scalar(b)
	switch kind {
	case wire.KindString, wire.KindNumber, wire.KindNull:
		*t = ParseTimestamp(text)
		return nil
	case wire.KindNone:
		return errors.New("graph: a timestamp is not JSON")
	default:
		return &json.UnmarshalTypeError{Value: kind.String(), Type: reflect.TypeFor[Timestamp]()}
	}
}

// MarshalJSON writes Unix seconds in a string, as most webhooks have it, and null for the zero
// Timestamp. It shadows the method of time.Time, which would write a date that Meta does not.
func (t Timestamp) MarshalJSON() ([]byte, error) {
	if t.IsZero() {
		return []byte("null"), nil
	}
	return []byte(`"` + strconv.FormatInt(t.Unix(), 10) + `"`), nil
}
