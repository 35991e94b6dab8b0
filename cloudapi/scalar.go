package cloudapi

import (
	"errors"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/wire"
)

// Meta writes some scalars as strings in one answer and as numbers or booleans in the next. The
// types here read either by the rules of internal/wire, as webhooks are read, and take what is
// neither for absent: one odd member must not spoil an answer.

// errNotJSON is never seen by hosts: encoding/json hands valid JSON to an Unmarshaler.
var errNotJSON = errors.New("cloudapi: a scalar is not JSON")

// A flexString is a string that may be written as a number or a boolean, whose digits it then
// keeps. Objects and arrays are "".
type flexString string

// UnmarshalJSON reads any JSON value.
func (s *flexString) UnmarshalJSON(b []byte) error {
	text, kind := wire.Scalar(b)
	if kind == wire.KindNone {
		return errNotJSON
	}
	*s = flexString(text)
	return nil
}

// A flexBool is a boolean that may be written as a string or as 0 and 1.
type flexBool bool

// UnmarshalJSON reads any JSON value. What is no boolean is false.
func (f *flexBool) UnmarshalJSON(b []byte) error {
	var s flexString
	if err := s.UnmarshalJSON(b); err != nil {
		return err
	}
	yes, _ := wire.ParseBool([]byte(s))
	*f = flexBool(yes)
	return nil
}

// A flexInt is an integer that may be written as a string. A number with a fraction and one that
// does not fit are 0.
type flexInt int

// UnmarshalJSON reads any JSON value. What is no integer is 0.
func (f *flexInt) UnmarshalJSON(b []byte) error {
	n, _, err := parseInt(b)
	*f = flexInt(n)
	return err
}

// parseInt reads an integer from a JSON value and reports whether there was one.
func parseInt(b []byte) (n int, ok bool, err error) {
	var s flexString
	if err := s.UnmarshalJSON(b); err != nil {
		return 0, false, err
	}
	wide, ok := wire.ParseInt([]byte(s))
	if n = int(wide); int64(n) != wide {
		return 0, false, nil
	}
	return n, ok, nil
}
