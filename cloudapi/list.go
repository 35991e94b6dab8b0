package cloudapi

import (
	"bytes"
	"context"
	"encoding/json"
	"iter"
	"maps"
	"net/url"
)

// list walks through a paged answer. A next page is asked for with the cursor alone: the URL that
// Meta offers holds the access token, and whoever can write it could choose where the token goes.
func list[T any](ctx context.Context, c *Client, r request) iter.Seq2[*T, error] {
	return func(yield func(*T, error) bool) {
		r, after := r, ""
		for {
			p, err := call[page](ctx, c, r)
			if err != nil {
				yield(nil, err)
				return
			}
			for _, raw := range p.Data {
				if bytes.Equal(raw, []byte("null")) {
					continue
				}
				item := new(T)
				if err := decodeAnswer(raw, item); err != nil {
					yield(nil, r.broken(p.meta, unreadable(raw, err)))
					return
				}
				answerOf(item).setMeta(p.meta)
				if !yield(item, nil) {
					return
				}
			}
			// A page may be empty and not the last; the last one is the one without next.
			if !p.Paging.More {
				return
			}
			if p.Paging.After == "" || p.Paging.After == after {
				yield(nil, r.broken(p.meta, "the answer has a next page and no cursor that leads to it"))
				return
			}
			after = p.Paging.After
			r.query = maps.Clone(r.query) // beside the options, which stay
			if r.query == nil {
				r.query = url.Values{}
			}
			r.query.Set("after", after)
		}
	}
}

// broken is a listing that cannot go on: it has an object that cannot be read, or a next page and
// no way to it. Ending quietly would look like a complete one.
func (r request) broken(m Response, problem string) *Error {
	return &Error{
		Method: r.method, PathTemplate: r.path, StatusCode: m.Status, TraceID: m.TraceID, Response: m,
		Outcome: OutcomeUnknown,
		problem: problem,
	}
}

type page struct {
	Data   []json.RawMessage
	Paging paging
	meta   Response
}

// UnmarshalJSON reads a page. The groups of a number lie in an object where all others are a list.
func (p *page) UnmarshalJSON(b []byte) error {
	var v struct {
		Data   json.RawMessage `json:"data"`
		Paging paging          `json:"paging"`
	}
	if err := json.Unmarshal(b, &v); err != nil {
		return err
	}
	p.Paging = v.Paging
	if len(v.Data) > 0 && v.Data[0] == '{' {
		var groups struct {
			Groups []json.RawMessage `json:"groups"`
		}
		if err := json.Unmarshal(v.Data, &groups); err != nil {
			return err
		}
		p.Data = groups.Groups
		return nil
	}
	if v.Data == nil {
		return nil
	}
	return json.Unmarshal(v.Data, &p.Data)
}

func (p *page) setMeta(m Response) { p.meta = m }

func (p *page) incomplete() string {
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
		Next    flexString      `json:"next"`
	}
	if err := json.Unmarshal(b, &v); err != nil {
		return err
	}
	var cursors struct {
		After flexString `json:"after"`
	}
	if len(v.Cursors) > 0 && v.Cursors[0] == '{' {
		if err := json.Unmarshal(v.Cursors, &cursors); err != nil {
			return err
		}
	}
	p.After, p.More = string(cursors.After), v.Next != ""
	return nil
}
