package cloudapi

import (
	"bytes"
	"encoding/json"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/wire"
)

// An Answer is what an object of Meta's has beside its typed members.
type Answer struct {
	// Raw is the object as Meta wrote it, for members that have no place here. Nil if there was none.
	Raw json.RawMessage `json:"-"`

	// Meta is what the answer said beside its body.
	Meta ResponseMeta `json:"-"`
}

func (a *Answer) setMeta(m ResponseMeta) { a.Meta = m }

func (a *Answer) setRaw(b []byte) { a.Raw = bytes.Clone(b) }

// decodeAnswer reads an object of Meta's. Types that embed an [Answer] take strings for numbers and the other way round:
// Meta writes either.
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

// readLoosely reads a struct by its json tags.
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
