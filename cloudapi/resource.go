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

// decodeAnswer reads an object of Meta's. Types that embed a [Resource] take strings for numbers
// and the other way round: Meta writes either.
func decodeAnswer[T any](b []byte, v *T) error {
	a, ok := any(v).(interface{ setRaw([]byte) })
	if !ok {
		return json.Unmarshal(b, v)
	}
	if own, ok := any(v).(json.Unmarshaler); ok {
		if err := own.UnmarshalJSON(b); err != nil {
			return err
		}
	} else if err := readLoosely(b, v); err != nil {
		return err
	}
	a.setRaw(b)
	return nil
}

// readLoosely reads a struct by its json tags, with the reader of webhooks, which takes scalars in
// any spelling.
func readLoosely[T any](b []byte, v *T) error {
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
