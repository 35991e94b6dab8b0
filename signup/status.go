package signup

import (
	"context"
	"errors"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// A Phase is the phase of an attempt.
type Phase string

// Phases of an attempt.
const (
	PhaseOpen    Phase = "open"    // waits for what the popup brings
	PhaseRunning Phase = "running" // a process works on it
	PhaseGranted Phase = "granted" // has a token, with which Flow.Resume can go on
	PhaseEnded   Phase = "ended"   // nothing follows
)

// An AttemptStatus is the progress of an attempt.
type AttemptStatus struct {
	// ID and Tenant are those of the [Attempt].
	ID     string
	Tenant string

	// BeganAt is when the page was opened, ExpiresAt when its state ends.
	BeganAt, ExpiresAt time.Time

	// Phase is its phase. Empty with Err.
	Phase Phase

	// Step is the last one that was done in the last try, or empty.
	Step Step

	// Outcome is the outcome of the last try, and Advice what to do. Empty before.
	Outcome Outcome
	Advice  string

	// PhoneNumber is the number as people write it, once it is known, and Choices those to choose
	// from after [OutcomeChooseNumber].
	PhoneNumber string
	Choices     []NumberChoice

	// Err says why the attempt cannot be read: its key is gone, or does not answer at the moment.
	// Then nothing is known but ID, Tenant and BeganAt.
	Err error

	// Claimed is the account that the browser named, without any proof. See [Flow.Recover].
	Claimed graph.WABAID
}

// A NumberChoice is a number that a business can choose.
type NumberChoice struct {
	ID          graph.PhoneNumberID `json:"id"`    // for [Submission].PhoneNumberID, or [Flow.Resume]
	PhoneNumber string              `json:"phone"` // as people write it
	Name        string              `json:"name"`  // that Meta has verified, or empty
}

// choices lists the numbers of a Connection for the page.
func choices(b *Connection) []NumberChoice {
	var c []NumberChoice
	for _, n := range b.Numbers {
		c = append(c, NumberChoice{n.Phone.ID, n.Phone.DisplayPhoneNumber, n.Phone.VerifiedName})
	}
	return c
}

// Status returns how far the attempt of a state has come: for a page that shows progress, or was
// reloaded. The error is an [*Error] with [OutcomeStateUnknown], [OutcomeWrongTenant] or
// [OutcomeUnavailable].
func (f *Flow) Status(ctx context.Context, state graph.Secret, tenant string) (*AttemptStatus, error) {
	r, err := f.load(ctx, attemptID(state))
	switch {
	case errors.Is(err, ErrNotFound):
		return nil, &Error{Outcome: OutcomeStateUnknown, Step: StepState}
	case err != nil:
		return nil, &Error{Outcome: OutcomeUnavailable, Step: StepState, Err: err}
	case r.rec.Tenant != tenant:
		return nil, &Error{Outcome: OutcomeWrongTenant, Step: StepState}
	}
	return r.status(), nil
}

// Attempts returns the attempts of a tenant, or of all tenants if it is empty, the oldest first.
// At the start of a process, those in [PhaseGranted] wait for [Flow.Resume].
func (f *Flow) Attempts(ctx context.Context, tenant string) ([]AttemptStatus, error) {
	records, err := f.cfg.Store.List(ctx, tenant)
	if err != nil {
		return nil, err
	}
	var all []AttemptStatus
	for _, rec := range records {
		r, err := f.load(ctx, rec.ID)
		switch {
		case errors.Is(err, ErrNotFound): // was deleted meanwhile
			continue
		case r == nil:
			return nil, err
		case err != nil:
			all = append(all, AttemptStatus{ID: rec.ID, Tenant: rec.Tenant, BeganAt: rec.BeganAt, Err: err})
		default:
			all = append(all, *r.status())
		}
	}
	return all, nil
}

// status reads the public phase off the record. A lease that has ended is no longer running: its
// process died. If it died over the exchange, the attempt is over, although no process has said so
// yet.
func (r *openRecord) status() *AttemptStatus {
	d := r.doc
	s := &AttemptStatus{
		ID: r.rec.ID, Tenant: r.rec.Tenant, BeganAt: r.rec.BeganAt, ExpiresAt: d.ExpiresAt, Phase: PhaseOpen,
		Outcome: d.Outcome, Advice: d.Advice, PhoneNumber: d.Display, Choices: d.Numbers,
	}
	switch {
	case d.Phase == recordDone:
		s.Phase = PhaseEnded
	case time.Now().Before(d.LeasedUntil):
		s.Phase = PhaseRunning
	case d.Phase == recordExchanging: // its process is gone, and with it what the code was exchanged for
		s.Phase, s.Outcome, s.Advice = PhaseEnded, OutcomeCodeLost, OutcomeCodeLost.Advice()
	case d.Granted != nil:
		s.Phase = PhaseGranted
	}
	if n := len(d.Steps); n > 0 {
		s.Step = d.Steps[n-1]
	}
	if d.Session != nil {
		s.Claimed = d.Session.WABAID
	}
	return s
}
