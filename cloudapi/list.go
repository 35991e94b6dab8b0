package cloudapi

import (
	"context"
	"encoding/json"
	"iter"
	"net/url"
)

// list walks through a paged answer. A next page is asked for with the cursor alone: the URL that Meta offers holds the
// access token, and whoever can write it could choose where the token goes.
func list[T any](ctx context.Context, c *Client, r request) iter.Seq2[*T, error] {
	return func(yield func(*T, error) bool) {
		r, after := r, ""
		for {
			p, err := call[page[T]](ctx, c, r)
			if err != nil {
				yield(nil, err)
				return
			}
			for _, item := range p.Data {
				if item == nil {
					continue
				}
				if m, ok := any(item).(interface{ setMeta(ResponseMeta) }); ok {
					m.setMeta(p.meta)
				}
				if !yield(item, nil) {
					return
				}
			}
			// A page may be empty and not the last; the last one is the one without next.
			if !p.Paging.More {
				return
			}
			if p.Paging.After == "" || p.Paging.After == after {
				yield(nil, r.lost(p.meta))
				return
			}
			after = p.Paging.After
			r.query = url.Values{"after": {after}} // beside the options, which stay
		}
	}
}

// lost is a listing that has a next page and no way to it. Ending quietly would look like a complete one.
func (r request) lost(m ResponseMeta) *Error {
	return &Error{
		Method: r.method, PathTemplate: r.path, StatusCode: m.Status, TraceID: m.TraceID, Meta: m, Outcome: OutcomeUnknown,
		problem: "the answer has a next page and no cursor that leads to it",
	}
}

type page[T any] struct {
	Data   []*T   `json:"data"`
	Paging paging `json:"paging"`
	meta   ResponseMeta
}

func (p *page[T]) setMeta(m ResponseMeta) { p.meta = m }

func (p *page[T]) incomplete() string {
	if p.Data == nil {
		return "the answer has no data"
	}
	return ""
}

// A paging is what an answer says about the next page. Of its URL it remembers that there is one.
type paging struct {
	After string
	More  bool
}

func (p *paging) UnmarshalJSON(b []byte) error {
	if b[0] != '{' { // Meta's servers write an empty object as [] at times
		return nil
	}
	var v struct {
		Cursors json.RawMessage `json:"cursors"`
		Next    loose           `json:"next"`
	}
	if err := json.Unmarshal(b, &v); err != nil {
		return err
	}
	var cursors struct {
		After loose `json:"after"`
	}
	if len(v.Cursors) > 0 && v.Cursors[0] == '{' {
		if err := json.Unmarshal(v.Cursors, &cursors); err != nil {
			return err
		}
	}
	p.After, p.More = string(cursors.After), v.Next != ""
	return nil
}
