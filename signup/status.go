package signup

import (
	"context"
	"errors"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// A Phase is where an attempt stands.
type Phase string

const (
	PhaseOpen    Phase = "open"    // waits for what the popup brings
	PhaseRunning Phase = "running" // a process works on it
	PhaseGranted Phase = "granted" // has a token, with which Flow.Resume can go on
	PhaseEnded   Phase = "ended"   // nothing follows
)

// A Status says how far an attempt has come.
type Status struct {
	// ID and Owner are those of the [Attempt].
	ID    string
	Owner string

	// BeganAt is when the page was opened, ExpiresAt when its state ends.
	BeganAt, ExpiresAt time.Time

	// Phase is where it stands. Empty with Err.
	Phase Phase

	// Step is the last one that was done in the last try, or empty.
	Step Step

	// Outcome is how the last try ended, and Advice what to do. Empty before.
	Outcome Outcome
	Advice  string

	// Phone is the number as people write it, once it is known, and Choices those to choose from after [OutcomeChooseNumber].
	Phone   string
	Choices []Choice

	// Err says why the attempt cannot be read: its key is gone, or does not answer at the moment. Then nothing is known but ID, Owner
	// and BeganAt.
	Err error

	// Claimed is the account that the browser named, without any proof. See [Flow.Recover].
	Claimed graph.WABAID
}

// A Choice is a number that a business can choose.
type Choice struct {
	ID    graph.PhoneNumberID `json:"id"`
	Phone string              `json:"phone"`
	Name  string              `json:"name"`
}

func choices(b *Business) []Choice {
	var c []Choice
	for _, n := range b.Numbers {
		c = append(c, Choice{n.Phone.ID, n.Phone.DisplayPhoneNumber, n.Phone.VerifiedName})
	}
	return c
}

// Status returns how far the attempt of a state has come: for a page that shows progress, or was reloaded. The error is an [*Error]
// with [OutcomeStateUnknown], [OutcomeWrongOwner] or [OutcomeUnavailable].
func (f *Flow) Status(ctx context.Context, state, owner string) (*Status, error) {
	r, err := f.load(ctx, attemptID(state))
	switch {
	case errors.Is(err, ErrNoRecord):
		return nil, &Error{Outcome: OutcomeStateUnknown, Step: StepState}
	case err != nil:
		return nil, &Error{Outcome: OutcomeUnavailable, Step: StepState, Err: err}
	case r.rec.Owner != owner:
		return nil, &Error{Outcome: OutcomeWrongOwner, Step: StepState}
	}
	return r.status(), nil
}

// Attempts returns the attempts of an owner, or of everybody if owner is empty, the oldest first.
// At the start of a process, those in [PhaseGranted] wait for [Flow.Resume].
func (f *Flow) Attempts(ctx context.Context, owner string) ([]Status, error) {
	records, err := f.cfg.Store.List(ctx, owner)
	if err != nil {
		return nil, err
	}
	var all []Status
	for _, rec := range records {
		r, err := f.load(ctx, rec.ID)
		switch {
		case errors.Is(err, ErrNoRecord): // was deleted meanwhile
			continue
		case r == nil:
			return nil, err
		case err != nil:
			all = append(all, Status{ID: rec.ID, Owner: rec.Owner, BeganAt: rec.BeganAt, Err: err})
		default:
			all = append(all, *r.status())
		}
	}
	return all, nil
}

func (r *openRecord) status() *Status {
	d := r.doc
	s := &Status{
		ID: r.rec.ID, Owner: r.rec.Owner, BeganAt: r.rec.BeganAt, ExpiresAt: d.ExpiresAt, Phase: PhaseOpen,
		Outcome: d.Outcome, Advice: d.Advice, Phone: d.Display, Choices: d.Numbers,
	}
	switch {
	case d.Phase == recordDone:
		s.Phase = PhaseEnded
	case time.Now().Before(d.BusyUntil):
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
		s.Claimed = d.Session.WABA
	}
	return s
}
