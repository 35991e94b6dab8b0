package coexistence

import (
	"cmp"
	"slices"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

// A PhaseSync says what of a phase has arrived.
type PhaseSync struct {
	Phase  webhook.HistoryPhase `json:"phase"`
	Chunks Ranges               `json:"chunks"`

	// UnreadableChunks lists the chunks in which some messages could not be read, in the order of
	// their numbers.
	UnreadableChunks []UnreadableChunk `json:"unreadable,omitempty"`
}

// An UnreadableChunk says that so many messages of a chunk could not be read, because they did not
// fit their type or had no id, and are not in the store. A host that keeps deliveries can hand the
// chunk to a tracker of a newer release: the best reading of a chunk counts.
type UnreadableChunk struct {
	Order    int `json:"order"`
	Messages int `json:"messages"`
}

// Gaps returns the chunks that are missing between those that arrived. They may be on their way:
// deliveries are not ordered. What follows the last one cannot be known; that everything was sent
// is said by Progress alone.
func (p PhaseSync) Gaps() Ranges { return p.Chunks.Gaps() }

// Unreadable counts the messages that could not be read.
func (p PhaseSync) Unreadable() int {
	n := 0
	for _, l := range p.UnreadableChunks {
		n += l.Messages
	}
	return n
}

// Gaps returns the phases that miss chunks, with Chunks set to what is missing.
func (h HistorySync) Gaps() []PhaseSync {
	var gaps []PhaseSync
	for _, p := range h.Phases {
		if g := p.Gaps(); len(g) > 0 {
			gaps = append(gaps, PhaseSync{Phase: p.Phase, Chunks: g})
		}
	}
	return gaps
}

// Unreadable counts the messages that could not be read, in all phases: a gap in the conversations
// that no later delivery fills.
func (h HistorySync) Unreadable() int {
	n := 0
	for _, p := range h.Phases {
		n += p.Unreadable()
	}
	return n
}

// readable reports whether a message can be stored.
func readable(m *webhook.HistoryMessage) bool { return m.Err == nil && m.ID != "" }

// unreadable counts the messages of a chunk that cannot be stored.
func unreadable(c *webhook.HistoryChunk) int {
	n := 0
	for _, m := range c.Messages() {
		if !readable(m) {
			n++
		}
	}
	return n
}

// note records a chunk of which so many messages could not be read.
func (h *HistorySync) note(c *webhook.HistoryChunk, lost int) {
	h.Progress = max(h.Progress, min(c.Progress, 100))
	h.Phases = slices.Clone(h.Phases)
	i, found := slices.BinarySearchFunc(h.Phases, c.Phase, func(p PhaseSync, phase webhook.HistoryPhase) int { return cmp.Compare(p.Phase, phase) })
	if !found {
		h.Phases = slices.Insert(h.Phases, i, PhaseSync{Phase: c.Phase})
	}
	h.Phases[i].note(c.Order, lost)
	if h.raise(SyncStreaming) {
		h.Code = 0 // whatever was refused, data is arriving
	}
	if h.Progress == 100 {
		h.raise(SyncComplete)
	}
}

func (p *PhaseSync) note(order, lost int) {
	i, found := slices.BinarySearchFunc(p.UnreadableChunks, order, func(l UnreadableChunk, order int) int { return cmp.Compare(l.Order, order) })
	if p.Chunks.Contains(order) {
		if !found || lost >= p.UnreadableChunks[i].Messages {
			return
		}
		p.UnreadableChunks = slices.Delete(slices.Clone(p.UnreadableChunks), i, i+1)
	}
	p.Chunks = p.Chunks.with(order)
	if lost > 0 {
		p.UnreadableChunks = slices.Insert(slices.Clone(p.UnreadableChunks), i, UnreadableChunk{order, lost})
	}
	if len(p.UnreadableChunks) == 0 {
		p.UnreadableChunks = nil
	}
}
