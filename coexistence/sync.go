package coexistence

import (
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
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

// A Sync is what became of the one request that an onboarding allows for each kind of data.
type Sync struct {
	// Status is what is known for sure. Time adds to it: see [Number.ContactsStatus] and
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

// raise replaces the status by a later one and reports whether it did.
func (s *Sync) raise(to SyncStatus) bool {
	if syncOrder[to] <= syncOrder[s.Status] {
		return false
	}
	s.Status = to
	return true
}

// seen notes a webhook of this sync.
func (s *Sync) seen(at time.Time) {
	if at.After(s.ActiveAt) {
		s.ActiveAt = at
	}
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

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
