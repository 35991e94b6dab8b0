package webhook

import (
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/wire"
)

// parties are the identities of the messages before. A conversation has two sides, so that most
// messages share them.
type parties struct {
	recent [3]party
	oldest int
}

// A party is an identity, and usual if a message that is written as usual can name it: by a number
// and perhaps a user id, whose bytes in JSON are their text. A text with a quote in it would be
// found where two members begin with it.
type party struct {
	id    *graph.Identity
	usual bool
}

// share returns an identity that is equal to id.
func (p *parties) share(id graph.Identity) *graph.Identity {
	for _, r := range p.recent {
		if r.id != nil && *r.id == id {
			return r.id
		}
	}
	usual := id == graph.Identity{WAID: id.WAID, UserID: id.UserID} && id.WAID != "" && isPlain(id.WAID) && isPlain(string(id.UserID))
	r := party{new(id), usual}
	p.recent[p.oldest] = r
	p.oldest = (p.oldest + 1) % len(p.recent)
	return r.id
}

func isPlain(text string) bool { return wire.Plain([]byte(text), 0) == len(text) }

// read returns the identity whose phone number begins at start of d, and where it ends: at the
// quote behind the number or behind the user id that follows if hasUser says so.
func (p *parties) read(s *wire.Scanner, d []byte, start int, hasUser func([]byte, int) bool, sizeUser int) (id *graph.Identity, end int, ok bool) {
	for i := range p.recent {
		if !p.recent[i].usual {
			continue
		}
		r := p.recent[i].id
		end = start + len(r.WAID)
		if end >= len(d) || d[end] != '"' || string(d[start:end]) != r.WAID {
			continue
		}
		if !hasUser(d, end) {
			if r.UserID == "" {
				return r, end, true
			}
			continue
		}
		user := end + sizeUser
		end = user + len(r.UserID)
		if r.UserID != "" && end < len(d) && d[end] == '"' && string(d[user:end]) == string(r.UserID) {
			return r, end, true
		}
	}
	return p.readNew(s, d, start, hasUser, sizeUser)
}

// readNew is read for an identity that was not among the messages before.
func (p *parties) readNew(s *wire.Scanner, d []byte, start int, hasUser func([]byte, int) bool, sizeUser int) (id *graph.Identity, end int, ok bool) {
	// What does not begin like a number can be a user id in its place.
	if end, ok = plainEnd(d, start); !ok || d[start] < '0' || d[start] > '9' {
		return nil, 0, false
	}
	var user []byte
	number := d[start:end]
	if hasUser(d, end) {
		start = end + sizeUser
		if end, ok = plainEnd(d, start); !ok {
			return nil, 0, false
		}
		user = d[start:end]
	}
	return p.share(graph.Identity{WAID: s.Keep(number), UserID: graph.UserID(s.Keep(user))}), end, true
}
