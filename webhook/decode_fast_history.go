package webhook

import (
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/wire"
)

// The fast shape of a message of a history: a text or a placeholder of media, written with these
// members, in this order, without white space:
//
//	{"from":"…","to":"…","id":"…","timestamp":"…",
//	 "type":"text","text":{"body":"…"},"history_context":{"status":"…"}}
//
// A chunk has thousands of them. decode.go says what fast shapes are for and which tests hold them
// equal to the slow path.

// fastMessageSize returns the size of the message that data begins with if it has the fast shape,
// and whether it is a text. The size is 0 for any other message. It checks as much as
// [wire.Scanner.Skip] does, for which it stands in while a chunk is checked.
func fastMessageSize(d []byte) (size int, text bool) {
	i, ok := 0, false
	if !hasFrom(d) {
		return 0, false
	}
	if i, ok = plainEnd(d, sizeFrom); !ok {
		return 0, false
	}
	if hasFromUser(d, i) {
		if i, ok = plainEnd(d, i+sizeFromUser); !ok {
			return 0, false
		}
	}
	if hasTo(d, i) {
		if i, ok = plainEnd(d, i+sizeTo); !ok {
			return 0, false
		}
	}
	if hasToUser(d, i) {
		if i, ok = plainEnd(d, i+sizeToUser); !ok {
			return 0, false
		}
	}
	if !hasID(d, i) {
		return 0, false
	}
	if i, ok = plainEnd(d, i+sizeID); !ok || !hasTime(d, i) || !wire.TenDigits(d, i+sizeTime) {
		return 0, false
	}
	switch i += sizeTime + 10; {
	case hasText(d, i):
		if i, ok = wire.StringEnd(d, i+sizeText); !ok || !hasStatus(d, i) {
			return 0, false
		}
		i += sizeStatus
		text = true
	case hasMedia(d, i):
		i += sizeMedia
	default:
		return 0, false
	}
	if i, ok = plainEnd(d, i); !ok || !hasEnd(d, i) {
		return 0, false
	}
	return i + sizeEnd, text
}

// fastMessage fills the zero m with the message that d begins with if it has the fast shape, and
// returns its size. It returns 0 for any other message; then m holds what has matched, and must be
// emptied. d is what the scanner reads next.
func (w *historyWalker) fastMessage(s *wire.Scanner, m *HistoryMessage, t *HistoryThread, d []byte) (size int) {
	i, ok := 0, false
	if !hasFrom(d) {
		return 0
	}
	if m.From, i, ok = w.identities.match(s, d, sizeFrom, senderShape); !ok {
		return 0
	}
	if hasTo(d, i) {
		if m.To, i, ok = w.identities.match(s, d, i+sizeTo, recipientShape); !ok {
			return 0
		}
	}
	if !hasID(d, i) {
		return 0
	}
	id := i + sizeID
	if i, ok = plainEnd(d, id); !ok || !hasTime(d, i) || !wire.TenDigits(d, i+sizeTime) {
		return 0
	}
	at := i + sizeTime
	switch i = at + 10; {
	case hasText(d, i):
		body, end, ok := s.StringAt(d, i+sizeText)
		if !ok || !hasStatus(d, end) {
			return 0
		}
		text := w.texts.next()
		text.Body = s.Keep(body)
		m.Type, m.Content = TypeText, text
		i = end + sizeStatus
	case hasMedia(d, i):
		m.Type, m.Content = TypeMediaPlaceholder, new(MediaPlaceholder)
		i += sizeMedia
	default:
		return 0
	}
	end, ok := plainEnd(d, i)
	if !ok || !hasEnd(d, end) {
		return 0
	}
	m.ID = graph.MessageID(s.Keep(d[id : at-sizeTime]))
	m.At = wire.Seconds(d, at)
	m.Status = historyStatus(d[i:end])
	m.Outbound = outbound(m, t)
	size = end + sizeEnd
	m.Raw = d[:size:size]
	return size
}

// plainEnd returns where the text ends that begins at start, unless it is empty, has escapes or
// more than ASCII.
func plainEnd(d []byte, start int) (end int, ok bool) {
	end = wire.Plain(d, start)
	return end, end < len(d) && d[end] == '"' && end > start
}

// identityCache holds the identities of the messages before. A conversation has two sides, so that
// most messages share them, and comparing with a known one is faster than reading it.
type identityCache struct {
	recent [3]cachedIdentity
	oldest int // which of them is replaced next
}

// A cachedIdentity is an identity of a message before. It is fast if a message of the fast shape
// can name it: by a number and perhaps a user id, whose bytes in JSON are their text. A text with a
// quote in it would be found where two members begin with it.
type cachedIdentity struct {
	id   *graph.Identity
	fast bool
}

// share returns an identity that is equal to id.
func (c *identityCache) share(id graph.Identity) *graph.Identity {
	for _, r := range c.recent {
		if r.id != nil && *r.id == id {
			return r.id
		}
	}
	fast := id == graph.Identity{WAID: id.WAID, UserID: id.UserID} && id.WAID != "" &&
		isPlain(id.WAID) && isPlain(string(id.UserID))
	r := cachedIdentity{new(id), fast}
	c.recent[c.oldest] = r
	c.oldest = (c.oldest + 1) % len(c.recent)
	return r.id
}

func isPlain(text string) bool { return wire.Plain([]byte(text), 0) == len(text) }

// An identityShape is how the user id of one side stands behind its phone number: what comes
// between the two.
type identityShape struct {
	hasUser  func(d []byte, i int) bool
	sizeUser int
}

// The two sides of a message.
var (
	senderShape    = identityShape{hasFromUser, sizeFromUser}
	recipientShape = identityShape{hasToUser, sizeToUser}
)

// match returns the identity whose phone number begins at start of d, and where it ends: at the
// quote behind the number, or behind the user id if one follows. It is not ok for an identity that
// is not written in the fast shape.
func (c *identityCache) match(
	s *wire.Scanner, d []byte, start int, shape identityShape,
) (id *graph.Identity, end int, ok bool) {
	for i := range c.recent {
		if !c.recent[i].fast {
			continue
		}
		r := c.recent[i].id
		end = start + len(r.WAID)
		if end >= len(d) || d[end] != '"' || string(d[start:end]) != r.WAID {
			continue
		}
		if !shape.hasUser(d, end) {
			if r.UserID == "" {
				return r, end, true
			}
			continue
		}
		user := end + shape.sizeUser
		end = user + len(r.UserID)
		if r.UserID != "" && end < len(d) && d[end] == '"' && string(d[user:end]) == string(r.UserID) {
			return r, end, true
		}
	}
	return c.matchNew(s, d, start, shape)
}

// matchNew is match for an identity that is not in the cache.
func (c *identityCache) matchNew(
	s *wire.Scanner, d []byte, start int, shape identityShape,
) (id *graph.Identity, end int, ok bool) {
	if end, ok = plainEnd(d, start); !ok || !likePhone(d[start:end]) {
		return nil, 0, false
	}
	var user []byte
	number := d[start:end]
	if shape.hasUser(d, end) {
		start = end + shape.sizeUser
		if end, ok = plainEnd(d, start); !ok {
			return nil, 0, false
		}
		user = d[start:end]
	}
	return c.share(graph.Identity{WAID: s.Keep(number), UserID: graph.UserID(s.Keep(user))}), end, true
}

// What stands between the values of the shape. The functions below compare in pieces of up to 16
// bytes, because the compiler turns a comparison with a constant of that size into two
// instructions.
const (
	sizeFrom     = len(`{"from":"`)
	sizeFromUser = len(`","from_user_id":"`)
	sizeTo       = len(`","to":"`)
	sizeToUser   = len(`","to_user_id":"`)
	sizeID       = len(`","id":"`)
	sizeTime     = len(`","timestamp":"`)
	sizeText     = len(`","type":"text","text":{"body":"`)
	sizeMedia    = len(`","type":"media_placeholder","history_context":{"status":"`)
	sizeStatus   = len(`"},"history_context":{"status":"`)
	sizeEnd      = len(`"}}`)
)

func hasFrom(d []byte) bool { return len(d) >= sizeFrom && string(d[:sizeFrom]) == `{"from":"` }

func hasFromUser(d []byte, i int) bool {
	return len(d)-i >= sizeFromUser && string(d[i:i+8]) == `","from_` && string(d[i+8:i+18]) == `user_id":"`
}

func hasTo(d []byte, i int) bool { return len(d)-i >= sizeTo && string(d[i:i+8]) == `","to":"` }

func hasToUser(d []byte, i int) bool {
	return len(d)-i >= sizeToUser && string(d[i:i+16]) == `","to_user_id":"`
}

func hasID(d []byte, i int) bool { return len(d)-i >= sizeID && string(d[i:i+8]) == `","id":"` }

func hasTime(d []byte, i int) bool {
	return len(d)-i >= sizeTime && string(d[i:i+15]) == `","timestamp":"`
}

func hasText(d []byte, i int) bool {
	return len(d)-i >= sizeText && string(d[i:i+16]) == `","type":"text",` && string(d[i+16:i+32]) == `"text":{"body":"`
}

func hasMedia(d []byte, i int) bool {
	return len(d)-i >= sizeMedia && string(d[i:i+16]) == `","type":"media_` && string(d[i+16:i+28]) == `placeholder"` &&
		string(d[i+28:i+44]) == `,"history_contex` && string(d[i+44:i+58]) == `t":{"status":"`
}

func hasStatus(d []byte, i int) bool {
	return len(d)-i >= sizeStatus &&
		string(d[i:i+16]) == `"},"history_cont` && string(d[i+16:i+32]) == `ext":{"status":"`
}

func hasEnd(d []byte, i int) bool { return len(d)-i >= sizeEnd && string(d[i:i+3]) == `"}}` }
