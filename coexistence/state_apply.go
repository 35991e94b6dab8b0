package coexistence

import (
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

// Apply returns the state after ev. It is pure, idempotent and independent of order: repeats change
// nothing, late and out-of-order events never move the state backwards, and what concerns the state
// in no way leaves it as it was.
//
// Account updates name an account and seldom a number. The caller decides which numbers an update
// is about, as [Tracker] does.
func (s Number) Apply(ev webhook.Event) Number {
	switch ev := ev.(type) {
	case *webhook.HistoryChunk:
		s.chunk(ev, unreadable(ev))
	case *webhook.HistoryFailure:
		s.about(ev.EventInfo)
		if s.straggler() {
			break
		}
		to := SyncFailed
		if ev.Declined() {
			to = SyncDeclined
		}
		if s.History.raise(to) {
			s.History.Code = ev.Err.Code
		}
		s.History.seen(ev.At)
		s.progressed()
	case *webhook.AppStateSync:
		s.about(ev.EventInfo)
		if s.Contacts.Status.Outstanding() {
			s.Contacts.raise(SyncStreaming)
		}
		s.sign(ev.At)
		s.progressed()
	case *webhook.BusinessAppEcho:
		s.about(ev.EventInfo)
		s.sign(ev.At)
	case *webhook.AccountUpdate:
		s.account(ev)
	default: // messages and their media change no state
	}
	return s
}

// chunk notes a chunk of history of which so many messages could not be read.
func (s *Number) chunk(ev *webhook.HistoryChunk, lost int) {
	s.about(ev.EventInfo)
	if s.straggler() {
		s.sign(ev.At)
		return
	}
	s.History.note(ev, lost)
	s.History.seen(ev.At)
	s.sign(ev.At)
	s.progressed()
}

// straggler reports whether history that arrives now belongs to an earlier cycle: this one was not
// asked for any. Chunks do not say to which onboarding they belong, and Meta repeats deliveries for
// a week. The messages are stored all the same. Those of an earlier cycle that arrive after the
// request count as answers to it.
func (s *Number) straggler() bool { return s.Cycle > 1 && s.History.RequestedAt.IsZero() }

// progressed moves a working number along with its syncs. Suspended and removed numbers stay what
// they are: a chunk that was on its way proves nothing.
func (s *Number) progressed() {
	if s.Stage.Connected() {
		s.Stage = s.settle()
	}
}
