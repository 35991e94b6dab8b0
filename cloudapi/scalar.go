package cloudapi

import (
	"bytes"
	"encoding/json"
	"math"
	"strconv"
	"strings"
)

// Meta writes some scalars as strings in one answer and as numbers or booleans in the next. The
// types here read either, and take what is neither for absent: one odd member must not spoil an
// answer.

// A loose is a string that may be written as a number or a boolean, whose digits it then keeps.
type loose string

func (s *loose) UnmarshalJSON(b []byte) error {
	*s = ""
	switch b = bytes.TrimSpace(b); {
	case len(b) == 0, b[0] == '{', b[0] == '[', bytes.Equal(b, []byte("null")):
	case b[0] == '"':
		return json.Unmarshal(b, (*string)(s))
	default:
		*s = loose(b)
	}
	return nil
}

// A flexBool is a boolean that may be written as a string or as 0 and 1.
type flexBool bool

func (f *flexBool) UnmarshalJSON(b []byte) error {
	var s loose
	if err := s.UnmarshalJSON(b); err != nil {
		return err
	}
	v, err := strconv.ParseBool(strings.ToLower(string(s)))
	*f = flexBool(err == nil && v)
	return nil
}

// A flexInt is an integer that may be written as a string. What has a fraction or does not fit is 0.
type flexInt int

func (f *flexInt) UnmarshalJSON(b []byte) error {
	n, _, err := parseInt(b)
	*f = flexInt(n)
	return err
}

// parseInt reads an integer from a JSON scalar and reports whether there was one.
func parseInt(b []byte) (int, bool, error) {
	var s loose
	if err := s.UnmarshalJSON(b); err != nil {
		return 0, false, err
	}
	text := strings.TrimSpace(string(s))
	if n, err := strconv.Atoi(text); err == nil {
		return n, true, nil
	}
	if f, err := strconv.ParseFloat(text, 64); err == nil && f == math.Trunc(f) && math.Abs(f) < 1<<53 {
		return int(f), true, nil
	}
	return 0, false, nil
}
