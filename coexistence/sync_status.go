package coexistence

// A SyncStatus is the state of the sync of contacts or of history.
type SyncStatus string

const (
	// SyncNone: not asked for.
	SyncNone SyncStatus = ""

	// SyncSkipped: the host chose not to ask. Until the window closes it still can.
	SyncSkipped SyncStatus = "skipped"

	// SyncRequested: the intent is stored and the call is being made.
	SyncRequested SyncStatus = "requested"

	// SyncUnknown: the call was made, or begun, and its answer got lost. It may have counted, so it
	// is never made again.
	SyncUnknown SyncStatus = "unknown"

	// SyncAccepted: Meta took the request. That promises nothing: data, a refusal or nothing at all
	// follows by webhook.
	SyncAccepted SyncStatus = "accepted"

	// SyncStalled: accepted, not finished, and for an hour nothing has arrived. Never stored; see
	// [Number.HistoryStatus].
	SyncStalled SyncStatus = "stalled"

	// SyncExpired: the 24 hours passed without a request.
	SyncExpired SyncStatus = "expired"

	// SyncAlreadyRequested: Meta says that this onboarding's one request was made before,
	// elsewhere.
	SyncAlreadyRequested SyncStatus = "already requested"

	// SyncDeclined: the business chose not to share its history.
	SyncDeclined SyncStatus = "declined"

	// SyncFailed: Meta reported another reason by webhook; see [Sync].Code.
	SyncFailed SyncStatus = "failed"

	// SyncStreaming: data is arriving.
	SyncStreaming SyncStatus = "streaming"

	// SyncComplete: everything was sent. Contacts never report an end, so they count as complete
	// after a quiet while, and later changes of the address book keep coming.
	SyncComplete SyncStatus = "complete"
)

// syncOrder ranks what is stored. Knowledge only grows: data beats refusals, refusals beat hopes. A
// status may replace another of a lower rank, so that late and repeated deliveries change nothing.
var syncOrder = map[SyncStatus]int{
	SyncNone: 0, SyncSkipped: 1, SyncRequested: 2, SyncUnknown: 3, SyncAccepted: 4,
	SyncExpired: 5, SyncAlreadyRequested: 6,
	SyncFailed: 7, SyncDeclined: 8, SyncStreaming: 9, SyncComplete: 10,
}

// Outstanding reports whether something was asked for and may still arrive.
func (s SyncStatus) Outstanding() bool {
	switch s {
	case SyncRequested, SyncUnknown, SyncAccepted, SyncStalled, SyncStreaming:
		return true
	}
	return false
}

// Advice returns what the host does, for developers.
func (s SyncStatus) Advice() string {
	switch s {
	case SyncNone:
		return "call Tracker.RequestSync before the 24 hours since onboarding are over"
	case SyncSkipped:
		return "nothing to do; Tracker.RequestSync still asks for it until the 24 hours since onboarding are over"
	case SyncRequested:
		return "wait for the call to end; do not make another one"
	case SyncUnknown:
		return "do not ask again: the request may have counted. Wait for webhooks, they settle it; " +
			"if none come within a day, the business has to disconnect and sign up again"
	case SyncAccepted:
		return "wait for webhooks and ask the business to keep the app open"
	case SyncStalled:
		return "go through Number.Checklist, and give Meta's support the request id; webhooks that still come are taken"
	case SyncExpired:
		return "too late: the number works without its past; to import it, the business disconnects in the app and " +
			"signs up again"
	case SyncAlreadyRequested:
		return "do not ask again: this onboarding's one request was made elsewhere, and its webhooks may still come; " +
			"for another, the business disconnects in the app and signs up again"
	case SyncDeclined:
		return "the business chose not to share its history; if it changes its mind, it disconnects in the app, " +
			"signs up again and agrees to share"
	case SyncFailed:
		return "look up the code; to import the history, the business disconnects in the app and signs up again"
	case SyncStreaming:
		return "show the progress; imported messages are not new: no notifications, no answers, no tickets"
	case SyncComplete:
		return "nothing to do"
	}
	return "a status this version does not know; wait for webhooks"
}
