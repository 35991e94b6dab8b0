package webhook

import (
	"fmt"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/wire"
)

// A historyItem is an element of history: a chunk, or the reason why there is none. Its threads are
// only checked here.
type historyItem struct {
	chunk   HistoryChunk
	isChunk bool
	errors  []Error
	raw     []byte
	unknown []UnknownMember
	threads bool // there is a list of threads
	some    bool // there is something in it
	err     error
}

func (h *historyItem) read(s *wire.Scanner) {
	it := s.BeginItem()
	if s.Object() {
		for s.NextMember() {
			switch string(s.Name()) {
			case "metadata":
				h.readMetadata(s)
			case "threads":
				h.checkThreads(s)
			case "errors":
				h.errors = readErrors(s)
			default:
				s.Unknown()
			}
		}
	}
	var unknown []wire.Member
	h.raw, unknown, h.err = s.EndItem(it)
	h.unknown = members(unknown)
}

// readMetadata reads what only sorts and counts: an odd value must not take thousands of messages
// with it.
func (h *historyItem) readMetadata(s *wire.Scanner) {
	h.chunk.Phase, h.chunk.Order, h.chunk.Progress = 0, 0, 0
	if !s.Object() {
		return
	}
	h.isChunk = true
	for s.NextMember() {
		switch string(s.Name()) {
		case "phase":
			h.chunk.Phase = HistoryPhase(s.IntIfAny())
		case "chunk_order":
			h.chunk.Order = int(s.IntIfAny())
		case "progress":
			h.chunk.Progress = int(s.IntIfAny())
		default:
			s.Unknown()
		}
	}
}

// checkThreads walks over the threads without decoding them, and notes whether there is one list of
// them and each tells whom it is with before its messages, as Meta does.
func (h *historyItem) checkThreads(s *wire.Scanner) {
	first := !h.threads
	h.threads, h.some, h.chunk.ordered, h.chunk.messages, h.chunk.texts = true, false, first, 0, 0
	if s.Null() {
		return
	}
	h.isChunk = true
	if s.Kind() != wire.KindArray {
		h.some = true
		s.Skip()
		return
	}
	s.Array()
	for s.NextElement() {
		h.some = true
		if s.Kind() != wire.KindObject {
			s.Skip()
			continue
		}
		after := false
		s.Object()
		for s.NextMember() {
			switch string(s.Name()) {
			case "messages":
				h.chunk.ordered = h.chunk.ordered && !after
				after = true
				h.checkMessages(s)
				continue
			case "id", "context":
				h.chunk.ordered = h.chunk.ordered && !after
			}
			s.Skip()
		}
	}
}

// checkMessages walks over the messages of a thread.
func (h *historyItem) checkMessages(s *wire.Scanner) {
	if s.Kind() != wire.KindArray {
		s.Skip()
		return
	}
	s.Array()
	for s.NextElement() {
		h.chunk.messages++
		size, text := usualSize(s.Rest())
		if size == 0 {
			s.Skip()
			continue
		}
		s.Advance(size)
		if text {
			h.chunk.texts++
		}
	}
}

// emit emits a chunk, or a failure for each error, or both.
func (h *historyItem) emit(d *decoder, info EventInfo) {
	info.Raw, info.Unknown = h.raw, h.unknown
	if h.err != nil {
		d.events = append(d.events, &UndecodableEvent{info, fmt.Errorf("webhook: history %w", h.err)})
		return
	}
	if !h.isChunk && len(h.errors) == 0 {
		d.events = append(d.events, &UnknownEvent{info})
		return
	}
	for _, e := range h.errors {
		d.events = append(d.events, &HistoryFailure{info, e})
		info.Unknown = nil
	}
	if h.isChunk {
		chunk := h.chunk
		chunk.EventInfo = info
		chunk.empty = !h.some
		d.events = append(d.events, &chunk)
	}
}
