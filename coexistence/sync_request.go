package coexistence

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// A SyncResult is the result of [Tracker.RequestSync].
type SyncResult struct {
	// Requested lists what Meta accepted in this call.
	Requested []cloudapi.SyncKind

	// Number is the number's state after it.
	Number Number

	// Preflight is the result of the checks before. Look at its Warnings.
	Preflight Preflight
}

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
	ErrSyncOutcomeUnknown = errors.New("coexistence: the request may or may not have counted; it is not repeated, " +
		"webhooks settle it")
)

// A SyncError is the error of one request. It matches its reason, one of the errors above, and the
// error of Meta or the network, which is nil if no call was made.
type SyncError struct {
	// Kind is the data that was requested. Status is the state of its sync now; its Advice says
	// what to do.
	Kind   cloudapi.SyncKind
	Status SyncStatus

	// Reason is nil if Meta refused the call without counting it, so that it can be made again.
	Reason error

	// Cause is nil if no call was made.
	Cause error
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

// trimPackage takes the package's name off an error's text, which follows another one.
func trimPackage(s string) string {
	const prefix = "coexistence: "
	if len(s) > len(prefix) && s[:len(prefix)] == prefix {
		return s[len(prefix):]
	}
	return s
}

// RequestSync asks the business's app for its contacts and then for its history, once each, within
// 24 hours of onboarding, or for the kinds that are named. What the app sends arrives later, as
// webhooks, so the endpoint has to work before. A host that names contacts alone wants no history
// for now: the history is skipped, but can still be requested until the 24 hours are over.
//
// An onboarding allows one request of each kind, and a request that goes wrong is lost without a
// word. So RequestSync first reads whether everything is in place (see [Preflight]) and refuses
// with a [PreflightError] otherwise, which burns nothing. It stores each intent before it calls, so
// that several processes, repeats and crashes cannot make a call twice. What was requested before
// is not requested again; if that leaves nothing to do, the error is [ErrSyncAlreadyRequested],
// [ErrSyncWindowClosed], [ErrSyncDeclined], [ErrSyncOutcomeUnknown] or [ErrSyncInProgress]. An
// answer that got lost is [ErrSyncOutcomeUnknown]; history was then not requested after contacts,
// and calling RequestSync again does that, as [Tracker.Run] does. A call that Meta refused for
// another reason can be repeated in the same way.
//
// What Meta answers is stored with several tries within half a minute, even when ctx ends. If all
// fail, the store knows the intent only, which is [ErrSyncOutcomeUnknown] from then on, until a
// webhook of that sync arrives. The error then matches that of the store too, and says whether Meta
// accepted the request, as SyncResult.Requested does.
//
// The result is nil only if nothing was done. Beside an error it says what was achieved all the
// same.
func (t *Tracker) RequestSync(
	ctx context.Context, phone graph.PhoneNumberID, kinds ...cloudapi.SyncKind,
) (*SyncResult, error) {
	if len(kinds) == 0 {
		kinds = t.cfg.Syncs
	}
	if err := checkSyncKinds(kinds); err != nil {
		return nil, err
	}
	ordered := []cloudapi.SyncKind{cloudapi.SyncContacts, cloudapi.SyncHistory}
	ordered = slices.DeleteFunc(ordered, func(kind cloudapi.SyncKind) bool { return !slices.Contains(kinds, kind) })
	return t.requestSync(ctx, phone, ordered, !slices.Contains(ordered, cloudapi.SyncHistory))
}

// checkSyncKinds refuses what is no kind of data that can be asked for.
func checkSyncKinds(kinds []cloudapi.SyncKind) error {
	for _, kind := range kinds {
		if kind != cloudapi.SyncContacts && kind != cloudapi.SyncHistory {
			return fmt.Errorf("coexistence: %q is no kind of sync; there are contacts and history", kind)
		}
	}
	return nil
}

// requestSync is the guard of the requests, which Meta takes once per onboarding: it makes a call
// only if the number is connected, nothing is being asked for at this moment, the kind was not
// asked for, and the preflight finds nothing wrong. It requests kinds in their order. skip says
// that history is not wanted.
//
// Until the preflight has run nothing was done, and the result is nil. After it the result says
// what was achieved, also beside an error. A call whose outcome is bad or unknown ends the run,
// since the next would probably meet the same and be spent in vain.
func (t *Tracker) requestSync(
	ctx context.Context, phone graph.PhoneNumberID, kinds []cloudapi.SyncKind, skip bool,
) (*SyncResult, error) {
	st, err := t.connectedNumber(ctx, phone)
	if err != nil {
		return nil, err
	}
	open, err := st.openSyncs(kinds, time.Now())
	if err != nil {
		return nil, err
	}
	c, err := t.Client(ctx, phone)
	if err != nil {
		return nil, err
	}
	result := &SyncResult{Number: st, Preflight: preflight(ctx, c, st, open)}
	if p := result.Preflight; p.Phone != nil {
		st, err := t.cfg.Store.UpdateNumber(ctx, phone, func(s Number) (Number, error) {
			return s.ApplyReading(p.Phone, p.ReadAt), nil
		})
		if err != nil {
			return nil, err
		}
		result.Number = st
	}
	if !result.Preflight.OK() {
		return result, &PreflightError{result.Preflight}
	}

	var errs []error
	for _, kind := range open {
		err := t.request(ctx, c, phone, kind, result)
		if err == nil {
			continue
		}
		errs = append(errs, err)
		if !errors.Is(err, graph.CodeSyncLimitExceeded) {
			break // a request that was spent elsewhere says nothing about the other kind; everything else does
		}
	}
	if skip && len(errs) == 0 {
		result.Number, err = t.skipHistory(ctx, phone, st.Cycle)
		errs = append(errs, err)
	}
	return result, errors.Join(errs...)
}

// connectedNumber returns the state of a number that can be asked for something. A suspended one is
// read first: it may have come back without an update that reached this store.
func (t *Tracker) connectedNumber(ctx context.Context, phone graph.PhoneNumberID) (Number, error) {
	st, err := t.onboardedNumber(ctx, phone)
	if err != nil {
		return Number{}, err
	}
	if st.Stage == StageOffboarded {
		if st, err = t.Refresh(ctx, phone); err != nil {
			return Number{}, fmt.Errorf("%w: it is %s and cannot be read: %w", ErrNotConnected, StageOffboarded, err)
		}
	}
	if !st.Stage.Connected() {
		return Number{}, fmt.Errorf("%w: it is %s", ErrNotConnected, st.Stage)
	}
	return st, nil
}

// openSyncs returns those of the kinds that can be asked for now. If there are none, the error says
// why, of each. While a call for either kind is being made there are none: who makes it continues
// with the other kind.
func (s Number) openSyncs(kinds []cloudapi.SyncKind, now time.Time) ([]cloudapi.SyncKind, error) {
	for _, kind := range []cloudapi.SyncKind{cloudapi.SyncContacts, cloudapi.SyncHistory} {
		if err := s.refusal(kind, now); errors.Is(err, ErrSyncInProgress) {
			return nil, err
		}
	}
	var open []cloudapi.SyncKind
	var refusals []error
	for _, kind := range kinds {
		if err := s.refusal(kind, now); err != nil {
			refusals = append(refusals, err)
		} else {
			open = append(open, kind)
		}
	}
	if len(open) == 0 {
		return nil, errors.Join(refusals...)
	}
	return open, nil
}

// request makes one call: it stores the intent, calls, and stores what became of it. The intent is
// decided on what is stored at that moment and not on what the caller has read, so of several
// processes one makes the call. A process that dies after the intent leaves it behind, and the call
// counts as made, with an unknown outcome: Meta cannot be asked which it was.
func (t *Tracker) request(
	ctx context.Context, c *cloudapi.Client, phone graph.PhoneNumberID, kind cloudapi.SyncKind, result *SyncResult,
) error {
	st, err := t.cfg.Store.UpdateNumber(ctx, phone, func(s Number) (Number, error) {
		if !s.Stage.Connected() {
			return s, fmt.Errorf("%w: it is %s", ErrNotConnected, s.Stage)
		}
		now := time.Now().UTC()
		if err := s.refusal(kind, now); err != nil {
			return s, err
		}
		s.recordRequest(kind, now)
		return s, nil
	})
	if err != nil {
		return err
	}
	result.Number = st

	id, callErr := c.Phones.SyncAppData(ctx, phone, kind)
	if callErr == nil {
		result.Requested = append(result.Requested, kind)
	}

	intent, answeredAt := st, time.Now().UTC()
	st, err = t.storeAnswer(ctx, phone, func(s Number) (Number, error) {
		// Another try may have been stored although it failed, and freed the kind for another call.
		if s.Cycle == intent.Cycle && s.sync(kind).RequestedAt.Equal(intent.sync(kind).RequestedAt) {
			s.recordAnswer(kind, id, callErr, answeredAt)
		}
		return s, nil
	})
	if err != nil {
		t.cfg.Logger.ErrorContext(ctx, "the answer to a sync request could not be stored",
			"phone", phone, "kind", kind, "request", id, "err", err)
		err = fmt.Errorf("coexistence: the answer could not be stored: %w", err)
		if callErr == nil {
			err = fmt.Errorf("coexistence: Meta accepted the request (%s), so its webhooks follow: %w", id, err)
		}
		return errors.Join(&SyncError{Kind: kind, Status: SyncUnknown, Reason: ErrSyncOutcomeUnknown, Cause: callErr},
			err)
	}
	result.Number = st
	if callErr == nil {
		return nil
	}
	status, reason := syncOutcome(callErr)
	return &SyncError{Kind: kind, Status: status, Reason: reason, Cause: callErr}
}

// skipHistory notes that the host wants no history in this cycle, so that the number does not wait
// for one.
func (t *Tracker) skipHistory(ctx context.Context, phone graph.PhoneNumberID, cycle int) (Number, error) {
	return t.cfg.Store.UpdateNumber(ctx, phone, func(s Number) (Number, error) {
		if s.Cycle == cycle {
			s.History.advance(SyncSkipped)
			s.followSyncs()
		}
		return s, nil
	})
}

// refusal says why a kind cannot be asked for, nil if it can. The reason is about the request and
// not about the number: whether that is connected is asked apart.
func (s Number) refusal(kind cloudapi.SyncKind, now time.Time) error {
	sync := *s.sync(kind)
	if s.canRequest(sync, now) {
		return nil
	}
	e := &SyncError{Kind: kind, Status: sync.at(s, now), Reason: ErrSyncAlreadyRequested}
	switch e.Status {
	case SyncRequested:
		e.Reason = ErrSyncInProgress
	case SyncUnknown:
		e.Reason = ErrSyncOutcomeUnknown
	case SyncExpired:
		e.Reason = ErrSyncWindowClosed
	case SyncDeclined:
		e.Reason = ErrSyncDeclined
	default:
		if sync.RequestedAt.IsZero() && s.Remaining(now) == 0 {
			e.Status, e.Reason = SyncExpired, ErrSyncWindowClosed
		}
	}
	return e
}

// syncOutcome reads the error of a call: the status that follows, and the reason to give. SyncNone
// means that Meta did nothing and that the call may be made again. Only a proof of refusal says so;
// everything else may have counted.
func syncOutcome(err error) (SyncStatus, error) {
	switch {
	case errors.Is(err, graph.CodeSyncLimitExceeded):
		return SyncAlreadyRequested, ErrSyncAlreadyRequested
	case errors.Is(err, graph.CodeSyncWindowClosed):
		return SyncExpired, ErrSyncWindowClosed
	case errors.Is(err, graph.CodeHistorySharingOff):
		return SyncDeclined, ErrSyncDeclined
	case errors.Is(err, cloudapi.ErrValidation):
		return SyncNone, nil
	}
	e, ok := errors.AsType[*cloudapi.Error](err)
	if ok && (e.Outcome == cloudapi.OutcomeRefused || e.Outcome == cloudapi.OutcomeNotSent) {
		return SyncNone, nil
	}
	return SyncUnknown, ErrSyncOutcomeUnknown
}

// syncCode returns the code that says most. Meta writes seven-digit codes into the subcode.
func syncCode(e *cloudapi.Error) graph.Code {
	for _, c := range []graph.Code{graph.CodeSyncLimitExceeded, graph.CodeSyncWindowClosed,
		graph.CodeHistorySharingOff} {
		if errors.Is(e, c) {
			return c
		}
	}
	return e.Code
}
