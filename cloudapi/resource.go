package cloudapi

import (
	"bytes"
	"encoding/json"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/wire"
)

// A Resource is a part of each object that Meta returns: its raw JSON, and the response that it
// came in.
type Resource struct {
	// Raw is the object as Meta wrote it, for members that have no place here. Nil if there was
	// none.
	Raw json.RawMessage `json:"-"`

	// Response is the status, trace ids and usage of the response.
	Response Response `json:"-"`
}

func (a *Resource) setMeta(m Response) { a.Response = m }

func (a *Resource) setRaw(b []byte) { a.Raw = bytes.Clone(b) }

// An answer is a value that a response is decoded into, with the behaviour that its type may have.
// All of it is optional: types implement the methods they need, and hosts' own types none.
type answer interface {
	// setRaw keeps the JSON of the value. It is called after decoding, which may empty the value.
	setRaw(b []byte)

	// setMeta keeps the response, when the call has ended.
	setMeta(m Response)

	// incomplete says what a response of status 200 lacks to be what its documentation promises. It
	// is empty if nothing is missing, and never quotes values.
	incomplete() string
}

// answerOf returns the answer that v points to. Methods that its type lacks do nothing.
func answerOf(v any) answer { return anyAnswer{v} }

// anyAnswer is the [answer] of any type.
type anyAnswer struct{ v any }

func (a anyAnswer) setRaw(b []byte) {
	if v, ok := a.v.(interface{ setRaw([]byte) }); ok {
		v.setRaw(b)
	}
}

func (a anyAnswer) setMeta(m Response) {
	if v, ok := a.v.(interface{ setMeta(Response) }); ok {
		v.setMeta(m)
	}
}

func (a anyAnswer) incomplete() string {
	if v, ok := a.v.(interface{ incomplete() string }); ok {
		return v.incomplete()
	}
	return ""
}

// decodeAnswer decodes the JSON of one object of Meta's into v. Types that embed a [Resource] are
// read as webhooks are, with strings for numbers and the other way round, unless they have an
// UnmarshalJSON of their own. All others are read by encoding/json: their scalars that Meta writes
// in two ways have the types of scalar.go.
func decodeAnswer[T any](b []byte, v *T) error {
	_, tolerant := any(v).(interface{ setRaw([]byte) })
	_, own := any(v).(json.Unmarshaler)
	var err error
	if tolerant && !own {
		err = readTolerant(b, v)
	} else {
		err = json.Unmarshal(b, v)
	}
	if err != nil {
		return err
	}
	answerOf(v).setRaw(b)
	return nil
}

// readTolerant reads a struct by its json tags. It fails for JSON that is broken or of another
// shape.
func readTolerant[T any](b []byte, v *T) error {
	var s wire.Scanner
	s.Reset(b)
	item := s.BeginItem()
	wire.For[T]().Decode(&s, v)
	_, _, mismatch := s.EndItem(item)
	s.End()
	if err := s.Err(); err != nil {
		return err
	}
	return mismatch
}
