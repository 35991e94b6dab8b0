package coexistence

import (
	"cmp"
	"slices"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

const (
	// SyncWindow is how long after onboarding the app still answers a sync request.
	SyncWindow = 24 * time.Hour

	// StallAfter is how long an accepted request may stay without a sign before it counts as
	// stalled. Meta speaks of minutes; hours have been seen, so it is a reason to look, not a
	// verdict.
	StallAfter = time.Hour

	// callTimeout is how long a stored intent may stand for a call that is still being made.
	callTimeout = 3 * time.Minute

	// quietAfter is how long the address book is quiet before its sync counts as complete.
	quietAfter = 10 * time.Minute
)

// A Sync is the state of the one request that an onboarding allows for each kind of data.
type Sync struct {
	// Status is the state that is certain. Time adds to it: see [Number.ContactsStatus] and
	// [Number.HistoryStatus].
	Status SyncStatus `json:"status,omitzero"`

	// RequestedAt is when the intent was stored, just before the call.
	RequestedAt time.Time `json:"requested_at,omitzero"`

	// AcceptedAt is when Meta took the request, RequestID what Meta's support asks for.
	AcceptedAt time.Time `json:"accepted_at,omitzero"`
	RequestID  string    `json:"request_id,omitzero"`

	// ActiveAt is when the latest webhook of this sync arrived.
	ActiveAt time.Time `json:"active_at,omitzero"`

	// Code is Meta's reason for SyncDeclined, SyncFailed, SyncAlreadyRequested and SyncExpired,
	// where it gave one.
	Code graph.Code `json:"code,omitzero"`
}

// A ContactSync is the sync of the address book.
type ContactSync struct {
	Sync
}

// A HistorySync is the sync of past messages.
type HistorySync struct {
	Sync

	// Progress is the highest percentage that was seen, 0 to 100.
	Progress int `json:"progress,omitzero"`

	// Phases lists what has arrived of each age bucket, youngest first. A phase without messages
	// never appears.
	Phases []PhaseSync `json:"phases,omitempty"`
}

// A PhaseSync is the progress of a phase.
type PhaseSync struct {
	// Phase is the age bucket: the first day, up to 90 days, up to 180.
	Phase webhook.HistoryPhase `json:"phase"`

	// Chunks are the numbers of the chunks that arrived. Each phase counts its own.
	Chunks Ranges `json:"chunks"`

	// UnreadableChunks lists the chunks in which some messages could not be read, in the order of
	// their numbers.
	UnreadableChunks []UnreadableChunk `json:"unreadable,omitempty"`
}

// An UnreadableChunk says that so many messages of a chunk could not be read, because they did not
// fit their type or had no id, and are not in the store. A host that keeps deliveries can hand the
// chunk to a tracker of a newer release: the best reading of a chunk counts.
type UnreadableChunk struct {
	Order    int `json:"order"`    // the chunk's number within its phase
	Messages int `json:"messages"` // how many could not be read
}

// at adds to the status what only time can tell.
func (s Sync) at(st Number, now time.Time) SyncStatus {
	status := s.Status
	if status == SyncRequested && now.Sub(s.RequestedAt) > callTimeout {
		status = SyncUnknown // the process that stored the intent did not live to store the answer
	}
	switch status {
	case SyncNone, SyncSkipped:
		if !st.OnboardedAt.IsZero() && st.Remaining(now) == 0 {
			return SyncExpired
		}
	case SyncAccepted, SyncStreaming:
		if since := later(s.AcceptedAt, s.ActiveAt); !since.IsZero() && now.Sub(since) >= StallAfter {
			return SyncStalled
		}
	}
	return status
}

// advance replaces the status by one of a higher rank and reports whether it did.
func (s *Sync) advance(to SyncStatus) bool {
	if syncOrder[to] <= syncOrder[s.Status] {
		return false
	}
	s.Status = to
	return true
}

// markActive notes that a webhook of this sync arrived.
func (s *Sync) markActive(at time.Time) { s.ActiveAt = later(s.ActiveAt, at) }

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

// readable reports whether a message of history can be stored: it fits its type and has an id.
func readable(m *webhook.HistoryMessage) bool { return m.Err == nil && m.ID != "" }

// countUnreadable counts the messages of a chunk that cannot be stored.
func countUnreadable(c *webhook.HistoryChunk) int {
	n := 0
	for _, m := range c.Messages() {
		if !readable(m) {
			n++
		}
	}
	return n
}

// addChunk records a chunk, of which so many messages could not be read.
func (h *HistorySync) addChunk(c *webhook.HistoryChunk, unreadable int) {
	h.Progress = max(h.Progress, min(c.Progress, 100))
	h.Phases = slices.Clone(h.Phases)
	i, found := slices.BinarySearchFunc(h.Phases, c.Phase, func(p PhaseSync, phase webhook.HistoryPhase) int {
		return cmp.Compare(p.Phase, phase)
	})
	if !found {
		h.Phases = slices.Insert(h.Phases, i, PhaseSync{Phase: c.Phase})
	}
	h.Phases[i].addChunk(c.Order, unreadable)
	if h.advance(SyncStreaming) {
		h.Code = 0 // whatever was refused, data is arriving
	}
	if h.Progress == 100 {
		h.advance(SyncComplete)
	}
	h.markActive(c.At)
}

// addChunk records a chunk by its number. Of several readings of one chunk the best counts, so a
// repeat changes nothing unless it could read more than the one before.
func (p *PhaseSync) addChunk(order, unreadable int) {
	i, found := slices.BinarySearchFunc(p.UnreadableChunks, order, func(c UnreadableChunk, order int) int {
		return cmp.Compare(c.Order, order)
	})
	if p.Chunks.Contains(order) {
		if !found || unreadable >= p.UnreadableChunks[i].Messages {
			return
		}
		p.UnreadableChunks = slices.Delete(slices.Clone(p.UnreadableChunks), i, i+1)
	}
	p.Chunks = p.Chunks.with(order)
	if unreadable > 0 {
		p.UnreadableChunks = slices.Insert(slices.Clone(p.UnreadableChunks), i, UnreadableChunk{order, unreadable})
	}
	if len(p.UnreadableChunks) == 0 {
		p.UnreadableChunks = nil // as it is read from JSON
	}
}
