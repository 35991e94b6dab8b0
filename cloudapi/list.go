package cloudapi

import (
	"bytes"
	"context"
	"iter"
	"maps"
	"net/url"
)

// list walks through a paged answer. A next page is asked for with the cursor alone: the URL that Meta offers holds the
// access token, and whoever can write it could choose where the token goes.
func list[T any](ctx context.Context, c *Client, r request) iter.Seq2[*T, error] {
	return func(yield func(*T, error) bool) {
		r := r
		r.query = maps.Clone(r.query)
		if r.query == nil {
			r.query = url.Values{}
		}
		var after string
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
			next := string(p.Paging.Cursors.After)
			if !bool(p.Paging.Next) || next == "" || next == after {
				return
			}
			after = next
			r.query.Set("after", after)
		}
	}
}

type page[T any] struct {
	Data   []*T `json:"data"`
	Paging struct {
		Cursors struct {
			After loose `json:"after"`
		} `json:"cursors"`
		Next present `json:"next"`
	} `json:"paging"`
	meta ResponseMeta
}

func (p *page[T]) setMeta(m ResponseMeta) { p.meta = m }

func (p *page[T]) incomplete() string {
	if p.Data == nil {
		return "the answer has no data"
	}
	return ""
}

// A present remembers that something was there, and not what.
type present bool

func (p *present) UnmarshalJSON(b []byte) error {
	*p = present(!bytes.Equal(b, []byte("null")) && !bytes.Equal(b, []byte(`""`)))
	return nil
}
