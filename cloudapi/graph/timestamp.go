package graph

import (
	"bytes"
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"time"
)

// A Timestamp is a moment as Meta writes it: Unix seconds, in a string or as a number. It also
// reads the form with a date ("2023-08-22T19:05:53+0000") that some nodes use. The zero Timestamp
// means that there was none, or none that could be read; reading never fails for the content of a
// string, so that one odd date spoils nothing else.
type Timestamp struct{ time.Time }

// NewTimestamp returns t as a Timestamp in UTC.
func NewTimestamp(t time.Time) Timestamp { return Timestamp{t.UTC()} }

// ParseTimestamp reads Unix seconds or an ISO 8601 date, to the second and in UTC. The result is
// zero if s is neither, and for 0, which Meta writes for "never" and "unknown".
func ParseTimestamp(s string) Timestamp {
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		return unix(n)
	}
	// ParseFloat reads Go's literals as well, hexadecimal or with underscores, which no timestamp
	// is.
	if f, err := strconv.ParseFloat(s, 64); err == nil && math.Abs(f) < 1<<53 && !strings.ContainsAny(s, "xX_") {
		return unix(int64(f))
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05-0700"} {
		if t, err := time.Parse(layout, s); err == nil {
			return unix(t.Unix())
		}
	}
	return Timestamp{}
}

// unix keeps 0 apart, which is not 1970. Years outside 1 to 9999 are no dates either: time.Time
// could not write them.
func unix(n int64) Timestamp {
	if n == 0 || n > 253402300799 || n < -62135596800 {
		return Timestamp{}
	}
	return Timestamp{time.Unix(n, 0).UTC()}
}

// UnmarshalJSON accepts a string, a number or null. It refuses only what is none of these.
func (t *Timestamp) UnmarshalJSON(b []byte) error {
	b = bytes.Trim(b, jsonSpace)
	if bytes.Equal(b, []byte("null")) {
		*t = Timestamp{}
		return nil
	}
	if len(b) > 0 && b[0] != '"' {
		var n json.Number
		if err := json.Unmarshal(b, &n); err != nil {
			return err
		}
		*t = ParseTimestamp(n.String())
		return nil
	}
	var s string
	if err := json.Unmarshal(b, &s); err != nil {
		return err
	}
	*t = ParseTimestamp(s)
	return nil
}

// MarshalJSON writes Unix seconds in a string, as most webhooks have it, and null for the zero
// Timestamp. It shadows the method of time.Time, which would write a date that Meta does not.
func (t Timestamp) MarshalJSON() ([]byte, error) {
	if t.IsZero() {
		return []byte("null"), nil
	}
	return []byte(`"` + strconv.FormatInt(t.Unix(), 10) + `"`), nil
}
