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

// A SyncResult is what [Tracker.RequestSync] achieved.
type SyncResult struct {
	// Requested lists what Meta accepted in this call.
	Requested []cloudapi.SyncKind

	// Number is the number's state after it.
	Number Number

	// Preflight is what was found before. Look at its Warnings.
	Preflight Preflight
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
// The result is nil only if nothing was done. Beside an error it says what was achieved all the
// same.
func (t *Tracker) RequestSync(ctx context.Context, phone graph.PhoneNumberID, kinds ...cloudapi.SyncKind) (*SyncResult, error) {
	if len(kinds) == 0 {
		kinds = t.cfg.Syncs
	}
	if err := checkSyncKinds(kinds); err != nil {
		return nil, err
	}
	ordered := slices.DeleteFunc([]cloudapi.SyncKind{cloudapi.SyncContacts, cloudapi.SyncHistory}, func(kind cloudapi.SyncKind) bool {
		return !slices.Contains(kinds, kind)
	})
	return t.requestSync(ctx, phone, ordered, !slices.Contains(ordered, cloudapi.SyncHistory))
}

func checkSyncKinds(kinds []cloudapi.SyncKind) error {
	for _, kind := range kinds {
		if kind != cloudapi.SyncContacts && kind != cloudapi.SyncHistory {
			return fmt.Errorf("coexistence: %q is no kind of sync; there are contacts and history", kind)
		}
	}
	return nil
}

// requestSync requests kinds, in their order. skip says that history is not wanted.
func (t *Tracker) requestSync(
	ctx context.Context, phone graph.PhoneNumberID, kinds []cloudapi.SyncKind, skip bool,
) (*SyncResult, error) {
	st, err := t.state(ctx, phone)
	if err != nil {
		return nil, err
	}
	if st.Stage == StageOffboarded { // perhaps it came back, and nobody heard
		if st, err = t.Refresh(ctx, phone); err != nil {
			return nil, fmt.Errorf("%w: it is %s and cannot be read: %w", ErrNotConnected, StageOffboarded, err)
		}
	}
	if !st.Stage.Connected() {
		return nil, fmt.Errorf("%w: it is %s", ErrNotConnected, st.Stage)
	}
	now := time.Now()
	for _, kind := range []cloudapi.SyncKind{cloudapi.SyncContacts, cloudapi.SyncHistory} {
		if err := st.refusal(kind, now); errors.Is(err, ErrSyncInProgress) {
			return nil, err // also for the other kind: who makes this call goes on with that one
		}
	}
	var open []cloudapi.SyncKind
	var refusals []error
	for _, kind := range kinds {
		if err := st.refusal(kind, now); err != nil {
			refusals = append(refusals, err)
		} else {
			open = append(open, kind)
		}
	}
	if len(open) == 0 {
		return nil, errors.Join(refusals...)
	}

	c, err := t.Client(ctx, phone)
	if err != nil {
		return nil, err
	}
	result := &SyncResult{Number: st, Preflight: preflight(ctx, c, st, open)}
	if p := result.Preflight; p.Phone != nil {
		st, err := t.cfg.Store.UpdateNumber(ctx, phone, func(s Number) (Number, error) { return s.ApplyReading(p.Phone, p.ReadAt), nil })
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
		result.Number, err = t.cfg.Store.UpdateNumber(ctx, phone, func(s Number) (Number, error) {
			if s.Cycle == st.Cycle {
				s.History.raise(SyncSkipped)
				s.progressed()
			}
			return s, nil
		})
		errs = append(errs, err)
	}
	return result, errors.Join(errs...)
}

// request stores the intent, makes one call, and stores what became of it.
func (t *Tracker) request(
	ctx context.Context, c *cloudapi.Client, phone graph.PhoneNumberID, kind cloudapi.SyncKind, result *SyncResult,
) error {
	var now time.Time
	st, err := t.cfg.Store.UpdateNumber(ctx, phone, func(s Number) (Number, error) {
		now = time.Now().UTC()
		if !s.Stage.Connected() {
			return s, fmt.Errorf("%w: it is %s", ErrNotConnected, s.Stage)
		}
		if err := s.refusal(kind, now); err != nil {
			return s, err
		}
		s.intend(kind, now)
		return s, nil
	})
	if err != nil {
		return err
	}
	result.Number = st
	cycle := st.Cycle

	id, callErr := c.Phones.SyncAppData(ctx, phone, kind)

	// The answer is stored even if the caller has gone: a call whose answer is not stored counts as
	// unknown for ever.
	ctx = context.WithoutCancel(ctx)
	st, err = t.cfg.Store.UpdateNumber(ctx, phone, func(s Number) (Number, error) {
		if s.Cycle == cycle {
			s.answered(kind, id, callErr, time.Now().UTC())
		}
		return s, nil
	})
	if err != nil {
		t.cfg.Logger.ErrorContext(ctx, "the answer to a sync request could not be stored",
			"phone", phone, "kind", kind, "request", id, "err", err)
		return errors.Join(&SyncError{Kind: kind, Status: SyncUnknown, Reason: ErrSyncOutcomeUnknown, Cause: callErr}, err)
	}
	result.Number = st
	if callErr == nil {
		result.Requested = append(result.Requested, kind)
		return nil
	}
	status, reason := syncOutcome(callErr)
	return &SyncError{Kind: kind, Status: status, Reason: reason, Cause: callErr}
}

// sync returns the record of a kind.
func (s *Number) sync(kind cloudapi.SyncKind) *Sync {
	if kind == cloudapi.SyncHistory {
		return &s.History.Sync
	}
	return &s.Contacts.Sync
}

// refusal says why a kind cannot be asked for, nil if it can.
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

// intend records that a call is about to be made. What arrived before was not an answer to it.
func (s *Number) intend(kind cloudapi.SyncKind, now time.Time) {
	if kind == cloudapi.SyncHistory {
		s.History = HistorySync{}
	}
	*s.sync(kind) = Sync{Status: SyncRequested, RequestedAt: now}
	s.progressed()
}

// answered records what became of a call. A webhook may have been faster.
func (s *Number) answered(kind cloudapi.SyncKind, requestID string, err error, now time.Time) {
	sync := s.sync(kind)
	defer s.progressed()
	if err == nil {
		sync.RequestID, sync.AcceptedAt = requestID, now
		sync.raise(SyncAccepted)
		return
	}
	status, _ := syncOutcome(err)
	if status == SyncNone { // refused without counting: free to be asked for again
		if sync.Status == SyncRequested {
			*sync = Sync{}
		}
		return
	}
	if sync.raise(status) && status != SyncUnknown {
		if e, ok := errors.AsType[*cloudapi.Error](err); ok {
			sync.Code = syncCode(e)
		}
	}
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
	for _, c := range []graph.Code{graph.CodeSyncLimitExceeded, graph.CodeSyncWindowClosed, graph.CodeHistorySharingOff} {
		if errors.Is(e, c) {
			return c
		}
	}
	return e.Code
}
