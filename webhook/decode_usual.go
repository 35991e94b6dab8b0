package webhook

import (
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/wire"
)

// Nearly all messages of a history are a text or a placeholder of media, written with these
// members, in this order, without white space:
//
//	{"from":"…","to":"…","id":"…","timestamp":"…","type":"text","text":{"body":"…"},"history_context":{"status":"…"}}
//
// There are thousands of them, and to know what comes next saves most of the work of finding out.
// Whatever looks different in any way is left to [historyWalker.message] and [wire.Scanner.Skip]; a
// test compares what they make of the same message.

// usualSize returns the size of the message that d begins with if it is a usual one, or else 0, and
// whether it is a text. It checks as much as [wire.Scanner.Skip] does.
func usualSize(d []byte) (size int, text bool) {
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

// usual fills the zero m with the usual message that d begins with, and returns its size. It
// returns 0 for any other message, and the size of the head that it has understood, which m then
// holds: the two sides, id, time and type.
func (w *historyWalker) usual(s *wire.Scanner, m *HistoryMessage, t *HistoryThread, d []byte) (size, head int) {
	if !hasFrom(d) {
		return 0, 0
	}
	i, ok := 0, false
	if m.From, i, ok = w.parties.read(s, d, sizeFrom, hasFromUser, sizeFromUser); !ok {
		return 0, 0
	}
	if hasTo(d, i) {
		if m.To, i, ok = w.parties.read(s, d, i+sizeTo, hasToUser, sizeToUser); !ok {
			return 0, 0
		}
	}
	if !hasID(d, i) {
		return 0, 0
	}
	id := i + sizeID
	if i, ok = plainEnd(d, id); !ok || !hasTime(d, i) || !wire.TenDigits(d, i+sizeTime) {
		return 0, 0
	}
	m.ID = graph.MessageID(s.Keep(d[id:i]))
	m.At = wire.Seconds(d, i+sizeTime).Time
	switch i += sizeTime + 10; {
	case hasText(d, i):
		m.Type = TypeText
		head = i + len(`","type":"text"`)
		body, end, ok := s.StringAt(d, i+sizeText)
		if !ok || !hasStatus(d, end) {
			return 0, head
		}
		text := w.texts.next()
		text.Body = s.Keep(body)
		m.Content = text
		i = end + sizeStatus
	case hasMedia(d, i):
		m.Type, m.Content = TypeMediaPlaceholder, new(MediaPlaceholder)
		head = i + len(`","type":"media_placeholder"`)
		i += sizeMedia
	case hasType(d, i):
		i += sizeType
		end, ok := plainEnd(d, i)
		if !ok {
			return 0, 0
		}
		m.Type = messageType(d[i:end])
		return 0, end + 1
	default:
		return 0, 0
	}
	end, ok := plainEnd(d, i)
	if !ok || !hasEnd(d, end) {
		return 0, head
	}
	m.Status = historyStatus(d[i:end])
	m.Outbound = outbound(m, t)
	size = end + sizeEnd
	m.Raw = d[:size:size]
	return size, 0
}

// plainEnd returns where the text ends that begins at start, unless it is empty, has escapes or
// more than ASCII.
func plainEnd(d []byte, start int) (end int, ok bool) {
	end = wire.Plain(d, start)
	return end, end < len(d) && d[end] == '"' && end > start
}

// What stands between the values. A comparison with a constant of up to 16 bytes takes two
// instructions.

const (
	sizeFrom     = len(`{"from":"`)
	sizeFromUser = len(`","from_user_id":"`)
	sizeTo       = len(`","to":"`)
	sizeToUser   = len(`","to_user_id":"`)
	sizeID       = len(`","id":"`)
	sizeTime     = len(`","timestamp":"`)
	sizeType     = len(`","type":"`)
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

func hasType(d []byte, i int) bool { return len(d)-i >= sizeType && string(d[i:i+10]) == `","type":"` }

func hasText(d []byte, i int) bool {
	return len(d)-i >= sizeText && string(d[i:i+16]) == `","type":"text",` && string(d[i+16:i+32]) == `"text":{"body":"`
}

func hasMedia(d []byte, i int) bool {
	return len(d)-i >= sizeMedia && string(d[i:i+16]) == `","type":"media_` && string(d[i+16:i+28]) == `placeholder"` &&
		string(d[i+28:i+44]) == `,"history_contex` && string(d[i+44:i+58]) == `t":{"status":"`
}

func hasStatus(d []byte, i int) bool {
	return len(d)-i >= sizeStatus && string(d[i:i+16]) == `"},"history_cont` && string(d[i+16:i+32]) == `ext":{"status":"`
}

func hasEnd(d []byte, i int) bool { return len(d)-i >= sizeEnd && string(d[i:i+3]) == `"}}` }
