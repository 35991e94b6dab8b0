package cloudapi

import (
	"bytes"
	"encoding/json"
	"strings"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// errorJSON is the member "error" of an answer, in every form that was seen. Only its being an
// object is insisted on.
type errorJSON struct {
	Message     flexString `json:"message"`
	Type        flexString `json:"type"`
	Code        maybeInt   `json:"code"`
	Subcode     maybeInt   `json:"error_subcode"`
	Transient   flexBool   `json:"is_transient"`
	Data        errorData  `json:"error_data"`
	UserTitle   flexString `json:"error_user_title"`
	UserMessage flexString `json:"error_user_msg"`
	TraceID     flexString `json:"fbtrace_id"`
}

// A maybeInt is an integer, in a string or not, that knows whether it was there: 0 is a code of
// Meta's.
type maybeInt struct {
	n  int
	ok bool
}

func (m *maybeInt) UnmarshalJSON(b []byte) (err error) {
	m.n, m.ok, err = parseInt(b)
	return err
}

// errorData is an object on Cloud API's own calls, a string on others, and sometimes an object
// inside a string.
type errorData struct{ details string }

func (d *errorData) UnmarshalJSON(b []byte) error {
	var s flexString
	if err := s.UnmarshalJSON(b); err != nil {
		return err
	}
	d.details = string(s)
	object := b
	if inner := strings.TrimSpace(d.details); strings.HasPrefix(inner, "{") && json.Valid([]byte(inner)) {
		d.details, object = "", []byte(inner)
	}
	if object = bytes.TrimSpace(object); len(object) > 0 && object[0] == '{' {
		var v struct {
			Details flexString `json:"details"`
		}
		if err := json.Unmarshal(object, &v); err != nil {
			return err
		}
		d.details = string(v.Details)
	}
	return nil
}

// decodeError fills e from an answer that holds an error, and reports whether it does.
func (e *Error) decodeError(body []byte) bool {
	var envelope struct {
		Error json.RawMessage `json:"error"`
	}
	if json.Unmarshal(body, &envelope) != nil {
		return false
	}
	raw := bytes.TrimSpace(envelope.Error)
	if len(raw) == 0 || raw[0] != '{' {
		return false
	}
	var v errorJSON
	if json.Unmarshal(raw, &v) != nil {
		return false
	}
	e.Message, e.Type, e.Details = string(v.Message), string(v.Type), v.Data.details
	e.UserTitle, e.UserMessage = string(v.UserTitle), string(v.UserMessage)
	e.TraceID, e.Transient = string(v.TraceID), bool(v.Transient)
	e.Code, e.Subcode = graph.Code(v.Code.n), v.Subcode.n
	e.coded = v.Code.ok || v.Subcode.n != 0
	return true
}

// describe says what kind of thing a body is that was to be JSON, without quoting it.
func describe(body []byte) string {
	b := bytes.TrimSpace(body)
	switch {
	case len(b) == 0:
		return "empty"
	case b[0] == '<':
		return "a page of HTML or XML, which comes from a proxy or an edge server"
	case !json.Valid(b):
		return "not JSON"
	}
	return "JSON without an error of Meta's"
}
