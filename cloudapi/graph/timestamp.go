package graph

import (
	"bytes"
	"encoding/json"
	"math"
	"strconv"
	"time"
)

// A Timestamp is a moment as Meta writes it: Unix seconds, in a string or as a number. It also reads the form with a date
// ("2023-08-22T19:05:53+0000") that some nodes use. The zero Timestamp means that there was none, or none that could be
// read; reading never fails for the content of a string, so that one odd date spoils nothing else.
type Timestamp struct{ time.Time }

// At returns t as a Timestamp in UTC.
func At(t time.Time) Timestamp { return Timestamp{t.UTC()} }

// ParseTimestamp reads Unix seconds or an ISO 8601 date. The result is zero if s is neither.
func ParseTimestamp(s string) Timestamp {
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		return unix(n)
	}
	if f, err := strconv.ParseFloat(s, 64); err == nil && math.Abs(f) < 1<<53 {
		return unix(int64(f))
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05-0700"} {
		if t, err := time.Parse(layout, s); err == nil {
			return Timestamp{t.UTC()}
		}
	}
	return Timestamp{}
}

// unix keeps 0 apart: Meta writes it for "never" and "unknown", not for 1970. Years that time.Time cannot print are not
// dates either.
func unix(n int64) Timestamp {
	if n == 0 || n > 253402300799 || n < -62135596800 {
		return Timestamp{}
	}
	return Timestamp{time.Unix(n, 0).UTC()}
}

// UnmarshalJSON accepts a string, a number or null. It refuses only what is none of these.
func (t *Timestamp) UnmarshalJSON(b []byte) error {
	b = bytes.TrimSpace(b)
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

// MarshalJSON writes Unix seconds in a string, as most webhooks have it, and null for the zero Timestamp.
func (t Timestamp) MarshalJSON() ([]byte, error) {
	if t.IsZero() {
		return []byte("null"), nil
	}
	return []byte(`"` + strconv.FormatInt(t.Unix(), 10) + `"`), nil
}
