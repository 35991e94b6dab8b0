package coexistence

import (
	"errors"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
)

// Why a sync was not requested, or cannot be. All are found with errors.Is.
var (
	// ErrNotOnboarded: no signup of the number was reported. Call Tracker.Onboard first.
	ErrNotOnboarded = errors.New("coexistence: the number is not onboarded; call Tracker.Onboard after signup")

	// ErrNotConnected: the number is suspended or removed. See Number.Stage and its Advice.
	ErrNotConnected = errors.New("coexistence: the number is suspended or removed; nothing was asked for")

	// ErrPreflight: something is not in place, and a request now would be lost. Nothing was asked
	// for. See [PreflightError].
	ErrPreflight = errors.New("coexistence: the preflight found problems; nothing was asked for")

	// ErrSyncInProgress: another goroutine or process is making the call right now.
	ErrSyncInProgress = errors.New("coexistence: another call is being made at this moment; wait for it")

	// ErrSyncAlreadyRequested: it was asked for before in this onboarding, which allows one request
	// of each kind.
	ErrSyncAlreadyRequested = errors.New("coexistence: the onboarding's one request was made before")

	// ErrSyncWindowClosed: the 24 hours since onboarding are over.
	ErrSyncWindowClosed = errors.New("coexistence: the 24 hours since onboarding are over")

	// ErrSyncDeclined: the business chose not to share its history.
	ErrSyncDeclined = errors.New("coexistence: the business chose not to share its history")

	// ErrSyncOutcomeUnknown: the request was made, or begun, and its answer got lost. It may have
	// counted and is not repeated. Webhooks settle it.
	ErrSyncOutcomeUnknown = errors.New("coexistence: the request may or may not have counted; it is not repeated, webhooks settle it")
)

// A SyncError says what became of one request. It matches its reason, one of the errors above, and
// what Meta or the network said, which is nil if no call was made.
type SyncError struct {
	Kind   cloudapi.SyncKind
	Status SyncStatus // its Advice says what to do

	Reason error
	Cause  error
}

// Error names the kind, the reason and the advice.
func (e *SyncError) Error() string {
	s := "coexistence: sync " + string(e.Kind) + ": "
	switch {
	case e.Reason != nil:
		s += trimPackage(e.Reason.Error())
	case e.Cause != nil:
		s += "the call was refused and can be made again once the cause is gone"
	}
	if e.Cause != nil {
		s += ": " + e.Cause.Error()
	}
	if e.Reason != nil {
		s += " (" + e.Status.Advice() + ")"
	}
	return s
}

// Unwrap returns the reason and the cause.
func (e *SyncError) Unwrap() []error {
	var errs []error
	for _, err := range []error{e.Reason, e.Cause} {
		if err != nil {
			errs = append(errs, err)
		}
	}
	return errs
}

func trimPackage(s string) string {
	const prefix = "coexistence: "
	if len(s) > len(prefix) && s[:len(prefix)] == prefix {
		return s[len(prefix):]
	}
	return s
}
