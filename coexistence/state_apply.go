package coexistence

import (
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

// Apply returns the state after ev. It is pure and bears what webhooks do: repeats change nothing, late and out-of-order events
// never move the state backwards, and what concerns the state in no way leaves it as it was.
//
// Account updates name an account and seldom a number. The caller decides which numbers an update is about, as [Tracker] does.
func (s State) Apply(ev webhook.Event) State {
	switch ev := ev.(type) {
	case *webhook.HistoryChunk:
		s.chunk(ev, tallyOf(ev))
	case *webhook.HistoryFailure:
		s.about(ev.EventInfo)
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
	case *webhook.MessageEcho:
		s.about(ev.EventInfo)
		s.sign(ev.At)
	case *webhook.AccountUpdate:
		s.account(ev)
	default: // messages and their media change no state
	}
	return s
}

// chunk notes a chunk of history whose messages were counted.
func (s *State) chunk(ev *webhook.HistoryChunk, t tally) {
	s.about(ev.EventInfo)
	s.History.note(ev, t)
	s.History.seen(ev.At)
	s.sign(ev.At)
	s.progressed()
}

// progressed moves a working number along with its syncs. Suspended and removed numbers stay what they are: a chunk that was
// on its way proves nothing.
func (s *State) progressed() {
	if s.Stage.Live() {
		s.Stage = s.settle()
	}
}
