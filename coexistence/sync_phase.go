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

	// Messages counts the messages of those chunks, a repeated chunk once. A message that Meta put into two chunks counts
	// twice here and is one in the store.
	Messages int `json:"messages,omitzero"`

	// Lost lists the chunks in which some messages could not be read, in the order of their numbers.
	Lost []ChunkLoss `json:"lost,omitempty"`
}

// A ChunkLoss says that messages of a chunk could not be read: they did not fit their type, or had no id. They are counted in
// [PhaseSync].Messages and are not in the store. A host that keeps deliveries can hand the chunk to a tracker of a newer release,
// and the loss goes away with what was read then.
type ChunkLoss struct {
	Order    int `json:"order"`
	Messages int `json:"messages"`
}

// Gaps returns the chunks that are missing between those that arrived. They may be on their way: deliveries are not ordered.
// What follows the last one cannot be known; that everything was sent is said by Progress alone.
func (p PhaseSync) Gaps() Ranges { return p.Chunks.Gaps() }

// Unreadable counts the messages that could not be read.
func (p PhaseSync) Unreadable() int {
	n := 0
	for _, l := range p.Lost {
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

// Messages counts the messages that have arrived, in all phases.
func (h HistorySync) Messages() int {
	n := 0
	for _, p := range h.Phases {
		n += p.Messages
	}
	return n
}

// Unreadable counts the messages that could not be read, in all phases: a gap in the conversations that no later delivery fills.
func (h HistorySync) Unreadable() int {
	n := 0
	for _, p := range h.Phases {
		n += p.Unreadable()
	}
	return n
}

// A tally counts the messages of a chunk.
type tally struct{ messages, unreadable int }

// count notes a message and reports whether it can be stored.
func (t *tally) count(m *webhook.HistoryMessage) bool {
	t.messages++
	if m.Err != nil || m.ID == "" {
		t.unreadable++
		return false
	}
	return true
}

func tallyOf(c *webhook.HistoryChunk) tally {
	var t tally
	for _, m := range c.Messages() {
		t.count(m)
	}
	return t
}

// note records a chunk.
func (h *HistorySync) note(c *webhook.HistoryChunk, t tally) {
	h.Progress = max(h.Progress, min(c.Progress, 100))
	h.Phases = slices.Clone(h.Phases)
	i, found := slices.BinarySearchFunc(h.Phases, c.Phase, func(p PhaseSync, phase webhook.HistoryPhase) int { return cmp.Compare(p.Phase, phase) })
	if !found {
		h.Phases = slices.Insert(h.Phases, i, PhaseSync{Phase: c.Phase})
	}
	h.Phases[i].note(c.Order, t)
	if h.raise(SyncStreaming) {
		h.Code = 0 // whatever was refused, data is arriving
	}
	if h.Progress == 100 {
		h.raise(SyncComplete)
	}
}

func (p *PhaseSync) note(order int, t tally) {
	if !p.Chunks.Contains(order) {
		p.Chunks = p.Chunks.with(order)
		p.Messages += t.messages
	}
	i, found := slices.BinarySearchFunc(p.Lost, order, func(l ChunkLoss, order int) int { return cmp.Compare(l.Order, order) })
	switch loss := (ChunkLoss{order, t.unreadable}); {
	case found && p.Lost[i] == loss, !found && loss.Messages == 0:
	case !found:
		p.Lost = slices.Insert(slices.Clone(p.Lost), i, loss)
	case loss.Messages == 0: // read by a release that knows more
		if p.Lost = slices.Delete(slices.Clone(p.Lost), i, i+1); len(p.Lost) == 0 {
			p.Lost = nil
		}
	default:
		p.Lost = slices.Clone(p.Lost)
		p.Lost[i] = loss
	}
}
