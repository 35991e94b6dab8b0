package signup

import (
	"context"
	"errors"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// A Submission is what a page sends when the popup has closed. Code and Session come in either order, and each may never
// come: a page does well to wait some five seconds for the other, then to submit what it has. A code alone is enough; a
// Session alone waits for the code, under the same State.
type Submission struct {
	// State is the nonce of [Flow.Begin].
	State string

	// Owner is whom the request is from, by the host's own login. It must be the one of Begin.
	Owner string

	// Code is to be exchanged. Empty if it did not arrive, and when a number is chosen.
	Code graph.Secret

	// Session is what the popup said, or nil.
	Session *Session

	// RedirectURI repeats the one of [Launch.RedirectURL]. Empty for a code of FB.login's callback, unless the browser
	// turned a blocked popup into a redirect: then it is the address of the page.
	RedirectURI string

	// Phone is the choice after [OutcomeChooseNumber], under the same State. It needs no Code.
	Phone graph.PhoneNumberID
}

// Finish turns what the popup gave into a connected business: it exchanges the code, once and at once, finds the accounts
// and the number, verifies every claim of the browser, and subscribes the app. It never registers or deregisters a number.
// See [Step] for the order.
//
// A nil error means that the business is connected: the Outcome is [OutcomeReady], or outside of coexistence
// [OutcomeNeedsRegistration]. Every other error is an [*Error]. Where [Outcome.Resumable] is true and a token was granted,
// the Business comes with the error: keep it, do what the advice says and call [Flow.Resume], or submit the same State again
// without a code.
//
// A code cannot be exchanged a second time. If the browser going away cancels ctx, the grant may be lost; detach it with
// [context.WithoutCancel], as [Flow.Handler] does.
func (f *Flow) Finish(ctx context.Context, sub Submission) (*Business, error) {
	return f.finishWith(ctx, sub, func(*Business) error { return nil })
}

// finishWith is Finish with the host's part in it: the attempt ends only when onboarded has taken the business.
func (f *Flow) finishWith(ctx context.Context, sub Submission, onboarded func(*Business) error) (*Business, error) {
	if err := ctx.Err(); err != nil {
		return nil, &Error{Outcome: OutcomeUnavailable, Step: StepState, Err: err}
	}
	received := time.Now()
	a, err := f.attempts.Open().claim(sub.State, sub.Owner)
	if err != nil {
		return nil, err
	}
	if a.business != nil && !sub.Code.IsZero() && sub.Code != a.code {
		// A second popup needs a second attempt, or its code would replace the grant of the first.
		f.attempts.Open().release(a, a.business)
		return nil, &Error{Outcome: OutcomeStateUsed, Step: StepState}
	}
	b, err := f.finish(ctx, a, sub, received)
	if err == nil {
		if err = onboarded(b); err != nil {
			err = &Error{Outcome: OutcomeUnavailable, Step: StepConfirm, Err: err}
		}
	}
	f.settle(a, b, err)
	return b, err
}

// settle ends an attempt, or opens it again for what is still to come.
func (f *Flow) settle(a *attempt, b *Business, err error) {
	if e, ok := errors.AsType[*Error](err); ok && e.Outcome.Resumable() {
		f.attempts.Open().release(a, b)
		return
	}
	f.attempts.Open().end(a)
}

func (f *Flow) finish(ctx context.Context, a *attempt, sub Submission, received time.Time) (*Business, error) {
	if a.business != nil {
		return f.Resume(ctx, a.business, sub.Phone) // a code that comes again is the one that brought it
	}
	if sub.Session != nil {
		a.session = sub.Session
	}
	if a.arrived.IsZero() && (sub.Session != nil || !sub.Code.IsZero()) {
		a.arrived = received
	}
	if err := a.session.problem(); err != nil {
		return nil, err
	}
	if sub.Code.IsZero() {
		return nil, &Error{Outcome: OutcomeNoCode, Step: StepSession}
	}
	a.code = sub.Code
	b := &Business{Owner: a.Owner, Session: a.session, OnboardedAt: a.arrived}
	if err := f.exchange(ctx, b, sub); err != nil {
		return nil, err
	}
	return f.run(ctx, b, StepExchange, sub.Phone)
}

// problem returns an error if the popup ended in one, or in a cancellation. That holds even if there is a code: whoever left
// did not agree.
func (s *Session) problem() error {
	if s == nil {
		return nil
	}
	switch s.Kind() {
	case KindCancelled:
		return &Error{Outcome: OutcomeCancelled, Step: StepSession, Screen: s.CurrentStep}
	case KindFailed:
		e := &Error{Outcome: OutcomeFailed, Step: StepSession, Screen: s.CurrentStep}
		if s.Problem != nil {
			e.Code, e.SessionID = s.Problem.Code, s.Problem.SessionID
		}
		return e
	}
	return nil
}

// exchange turns the code into b's token.
func (f *Flow) exchange(ctx context.Context, b *Business, sub Submission) error {
	ctx, cancel := context.WithTimeout(ctx, CodeTTL)
	defer cancel()
	req := cloudapi.CodeExchange{Code: sub.Code}
	if sub.RedirectURI != "" {
		req.RedirectURI = &sub.RedirectURI
	}
	token, err := f.cfg.Client.OAuth.Exchange(ctx, req)
	if err != nil {
		return &Error{Outcome: exchangeOutcome(err), Step: StepExchange, Err: err}
	}
	b.Token = token.Token
	if token.ExpiresIn > 0 {
		b.TokenExpiresAt = time.Now().Add(token.ExpiresIn)
	}
	return nil
}

func exchangeOutcome(err error) Outcome {
	e, ok := errors.AsType[*cloudapi.Error](err)
	if !ok {
		return OutcomeMisconfigured // refused before it was a call
	}
	switch {
	case e.Code == graph.CodeInvalidParameter && e.Subcode == graph.SubcodeCodeExpired:
		return OutcomeCodeExpired
	case e.Code == graph.CodeInvalidParameter && e.Subcode == graph.SubcodeCodeUsed:
		return OutcomeCodeUsed
	case e.Code == graph.CodeInvalidParameter && e.Subcode == graph.SubcodeRedirectURIMismatch:
		return OutcomeWrongRedirect
	case e.Code == graph.CodeAPIUnknown && e.StatusCode == 400, errors.Is(err, graph.CodeAppSecretProof):
		return OutcomeMisconfigured // a wrong app secret
	case e.Outcome == cloudapi.OutcomeNotSent, e.Code.ProvesRefusal() && e.Outcome == cloudapi.OutcomeRefused:
		return OutcomeUnavailable // the code is unspent; if it still lives, it may be submitted again
	case e.Outcome == cloudapi.OutcomeUnknown:
		return OutcomeCodeLost
	}
	return OutcomeCodeRefused
}

var errNothingGranted = errors.New("only a Business with Owner and Token can be resumed")

// Resume goes on with a business whose token was granted: after [OutcomeChooseNumber] with the phone that was chosen, after
// the other outcomes that are [Outcome.Resumable] with an empty one, which leaves it at b.Phone if that is set. No code is
// needed, and b may come from a host's database. Every step is repeated, so that nothing stale is believed. It returns what
// [Flow.Finish] returns, and leaves b alone.
//
// If the account is known from an account_update webhook, put it into b.WABA before: that finds what the token does not
// list.
//
// A business that took the way for new numbers ([OutcomeFellBack]) can be kept by resuming it in a Flow of [ModeStandard].
func (f *Flow) Resume(ctx context.Context, b *Business, phone graph.PhoneNumberID) (*Business, error) {
	if b == nil || b.Token.IsZero() || b.Owner == "" {
		return nil, &Error{Outcome: OutcomeNoCode, Step: StepSession, Err: errNothingGranted}
	}
	if phone == "" && b.Phone != nil {
		phone = b.Phone.ID // was chosen before
	}
	b = b.clone()
	b.Outcome, b.Phone, b.Numbers, b.WABAs, b.BusinessID = "", nil, nil, nil, ""
	return f.run(ctx, b, "", phone)
}
