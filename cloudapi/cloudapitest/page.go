package cloudapitest

import (
	"encoding/base64"
	"net/url"
	"strconv"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// defaultLimit is how many objects a page has, maxLimit how many at most.
const (
	defaultLimit = 25
	maxLimit     = 100
)

// A paging is the cursor block of a page. Only the last page has no Next.
type paging struct {
	Cursors struct {
		Before string `json:"before"`
		After  string `json:"after"`
	} `json:"cursors"`
	Next string `json:"next,omitzero"`
}

// A list is a page of objects.
type list struct {
	Data   []node  `json:"data"`
	Paging *paging `json:"paging,omitzero"`
}

// page answers with the part of a list that limit and after ask for. Like Meta's, the URL of the
// next page carries the access token, and following or logging it leaks the token.
func (s *Server) page(c *call, nodes []node) reply {
	limit, start := defaultLimit, 0
	if q := c.query.Get("limit"); q != "" {
		n, err := strconv.Atoi(q)
		if err != nil || n < 1 {
			return refuse(invalid("limit must be a positive number"))
		}
		limit = min(n, maxLimit)
	}
	if after := c.query.Get("after"); after != "" {
		n, ok := parseCursor(after)
		if !ok || n > len(nodes) {
			return refuse(&graphError{Code: graph.CodeInvalidCursor})
		}
		start = n
	}
	end := min(start+limit, len(nodes))
	l := list{Data: nodes[start:end]}
	if l.Data == nil {
		l.Data = []node{}
	}
	if len(l.Data) > 0 {
		l.Paging = new(paging)
		l.Paging.Cursors.Before, l.Paging.Cursors.After = cursor(start), cursor(end)
		if end < len(nodes) {
			q := url.Values{
				"access_token": {c.token.Value.Reveal()}, "limit": {strconv.Itoa(limit)}, "after": {cursor(end)},
			}
			if fields := c.query.Get("fields"); fields != "" {
				q.Set("fields", fields)
			}
			l.Paging.Next = s.URL + "/" + c.version + "/" + c.path + "?" + q.Encode()
		}
	}
	return ok(l)
}

// A cursor is opaque to callers.
func cursor(position int) string {
	return base64.RawURLEncoding.EncodeToString([]byte("made-up:" + strconv.Itoa(position)))
}

// parseCursor reads what cursor writes.
func parseCursor(s string) (int, bool) {
	b, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil || len(b) < 8 || string(b[:8]) != "made-up:" {
		return 0, false
	}
	n, err := strconv.Atoi(string(b[8:]))
	return n, err == nil && n >= 0
}
