package cloudapi

import (
	"bytes"
	"context"
	"encoding/json"
	"iter"
	"maps"
	"net/url"
)

// list walks through a paged listing, with one request for each page, made when the loop gets
// there. The first error is yielded alone and ends the walk. Each walk over the result begins with
// the first page.
func list[T any](ctx context.Context, c *Client, r request) iter.Seq2[*T, error] {
	return func(yield func(*T, error) bool) {
		r := r
		passed := map[string]bool{} // cursors that a page was asked with
		for {
			p, err := call[page](ctx, c, r)
			if err != nil {
				yield(nil, err)
				return
			}
			if !yieldPage(r, p, yield) {
				return
			}
			// A page may be empty and not the last; the last one is the one without next.
			if !p.Paging.More {
				return
			}
			if r, err = r.after(p, passed); err != nil {
				yield(nil, err)
				return
			}
		}
	}
}

// yieldPage decodes the objects of a page one by one and reports whether the walk continues. An
// object that does not decode ends it with an error. A null in the list is ignored.
func yieldPage[T any](r request, p *page, yield func(*T, error) bool) bool {
	for _, raw := range p.Data {
		if bytes.Equal(raw, []byte("null")) {
			continue
		}
		item := new(T)
		if err := decodeAnswer(raw, item); err != nil {
			yield(nil, r.broken(p.meta, unreadable(raw, err)))
			return false
		}
		answerOf(item).setMeta(p.meta)
		if !yield(item, nil) {
			return false
		}
	}
	return true
}

// after returns the request for the page that follows p. It asks with the cursor only: the URL that
// Meta offers holds the access token, and its author would choose where the token goes. A cursor
// that is missing, or that was passed before, is an error, or the walk would never end.
func (r request) after(p *page, passed map[string]bool) (request, error) {
	cursor := p.Paging.After
	switch {
	case cursor == "":
		return r, r.broken(p.meta, "the answer has a next page and no cursor that leads to it")
	case passed[cursor] || cursor == r.query.Get("after"):
		return r, r.broken(p.meta, "the answer's next page is one that was read before")
	}
	passed[cursor] = true
	q := maps.Clone(r.query) // it may be the caller's
	if q == nil {
		q = url.Values{}
	}
	q.Set("after", cursor)
	r.query = q
	return r, nil
}

// broken is the error of a listing that cannot continue: an object does not decode, or a next page
// has no cursor. To end quietly would make a part of the list look like the whole.
func (r request) broken(m Response, problem string) *Error {
	return &Error{
		Method: r.method, PathTemplate: r.path, StatusCode: m.Status, TraceID: m.TraceID, Response: m,
		Outcome: OutcomeUnknown,
		problem: problem,
	}
}

// A page is one answer of a listing, its objects not decoded yet.
type page struct {
	Data   []json.RawMessage
	Paging paging
	meta   Response
}

// UnmarshalJSON reads a page. Data is a list everywhere but in the listing of groups, which has an
// object around it.
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

// paging is the cursor block of a list response. It records whether there is a next page, never its
// URL, which holds the access token.
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
