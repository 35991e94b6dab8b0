package cloudapitest

import (
	"cmp"
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

// A paging is the cursor block of a page. Only the last page has no Next, the first no Previous.
type paging struct {
	Cursors struct {
		Before string `json:"before"`
		After  string `json:"after"`
	} `json:"cursors"`
	Previous string `json:"previous,omitzero"`
	Next     string `json:"next,omitzero"`
}

// A list is a page of objects.
type list struct {
	Data   []node  `json:"data"`
	Paging *paging `json:"paging,omitzero"`
}

// window returns the part of n objects that limit, after and before ask for.
func window(c *call, n int) (start, end int, problem *graphError) {
	limit := defaultLimit
	if q := c.get("limit"); q != "" {
		asked, err := strconv.Atoi(q)
		if err != nil || asked < 1 {
			return 0, 0, invalid("limit must be a positive number")
		}
		limit = min(asked, maxLimit)
	}
	after, before := c.get("after"), c.get("before")
	position, ok := parseCursor(cmp.Or(after, before))
	switch {
	case after == "" && before == "":
		return 0, min(limit, n), nil
	case !ok || position > n:
		return 0, 0, &graphError{Code: graph.CodeInvalidCursor}
	case after == "":
		return max(0, position-limit), position, nil
	}
	return position, min(position+limit, n), nil
}

// page answers with the part of a list that a read asks for.
func (s *Server) page(c *call, nodes []node) reply {
	start, end, err := window(c, len(nodes))
	if err != nil {
		return refuse(err)
	}
	l := list{Data: nodes[start:end]}
	if len(l.Data) == 0 {
		l.Data = []node{}
		return ok(l)
	}
	l.Paging = new(paging)
	l.Paging.Cursors.Before, l.Paging.Cursors.After = cursor(start), cursor(end)
	if start > 0 {
		l.Paging.Previous = s.pageURL(c, "before", start, end-start)
	}
	if end < len(nodes) {
		l.Paging.Next = s.pageURL(c, "after", end, end-start)
	}
	return ok(l)
}

// pageURL is the URL of a neighbouring page: the request as it was, with a cursor. Like Meta's, it
// carries the access token, so that it can be followed as it is, and a log of it leaks the token.
// An appsecret_proof is not in it; assumed.
func (s *Server) pageURL(c *call, direction string, position, limit int) string {
	q := url.Values{}
	for name := range c.members() {
		q.Set(name, c.get(name))
	}
	q.Del("after")
	q.Del("before")
	q.Set("access_token", c.token.Value.Reveal())
	q.Set("pretty", "0")
	q.Set("limit", cmp.Or(c.get("limit"), strconv.Itoa(limit)))
	q.Set(direction, cursor(position))
	if fields := c.get("fields"); fields != "" {
		q.Set("fields", fields)
	}
	return s.URL + "/" + c.version + "/" + c.path + "?" + q.Encode()
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
