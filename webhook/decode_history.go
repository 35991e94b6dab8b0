package webhook

import (
	"fmt"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/wire"
)

// A historyItem is an element of history: a chunk, or the reason why there is none. Its threads are
// checked and not decoded, which [HistoryChunk.Messages] does when the host walks over them.
type historyItem struct {
	chunk      HistoryChunk
	isChunk    bool
	errors     []Error
	raw        []byte
	unknown    []UnknownMember
	hasThreads bool // there is a list of threads
	hasSome    bool // there is something in it
	err        error
}

// read reads an element of history.
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

// readMetadata reads numbers that only sort and count: an odd one is reported as unknown, because a
// mismatch would take thousands of messages with it.
func (h *historyItem) readMetadata(s *wire.Scanner) {
	h.chunk.Phase, h.chunk.Order, h.chunk.Progress = 0, 0, 0
	if !s.Object() {
		return
	}
	h.isChunk = true
	for s.NextMember() {
		switch string(s.Name()) {
		case "phase":
			h.chunk.Phase = HistoryPhase(s.IntOrUnknown())
		case "chunk_order":
			h.chunk.Order = int(s.IntOrUnknown())
		case "progress":
			h.chunk.Progress = int(s.IntOrUnknown())
		default:
			s.Unknown()
		}
	}
}

// checkThreads walks over the threads without decoding them. It counts their messages, and notes
// whether there is one list of threads in which each names its customer before its messages, as
// Meta writes them: the walk over such a chunk is a single pass.
func (h *historyItem) checkThreads(s *wire.Scanner) {
	first := !h.hasThreads
	h.hasThreads, h.hasSome = true, false
	h.chunk.ordered, h.chunk.messages, h.chunk.texts = first, 0, 0
	if s.Null() {
		return
	}
	h.isChunk = true
	if s.Kind() != wire.KindArray {
		h.hasSome = true
		s.Skip()
		return
	}
	s.Array()
	for s.NextElement() {
		h.hasSome = true
		if s.Kind() != wire.KindObject {
			s.Skip()
			continue
		}
		afterMessages := false
		s.Object()
		for s.NextMember() {
			switch string(s.Name()) {
			case "messages":
				h.chunk.ordered = h.chunk.ordered && !afterMessages
				afterMessages = true
				h.checkMessages(s)
				continue
			case "id", "context":
				h.chunk.ordered = h.chunk.ordered && !afterMessages
			}
			s.Skip()
		}
	}
}

// checkMessages walks over the messages of a thread and counts them.
func (h *historyItem) checkMessages(s *wire.Scanner) {
	if s.Kind() != wire.KindArray {
		s.Skip()
		return
	}
	s.Array()
	for s.NextElement() {
		h.chunk.messages++
		size, text := fastMessageSize(s.Rest())
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

// emit emits a chunk, or a failure for each error, or both. The first event has the unknown
// members.
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
		chunk.empty = !h.hasSome
		d.events = append(d.events, &chunk)
	}
}
