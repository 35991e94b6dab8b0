package signup

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// A Submission is the request of a page after the popup has closed. Code and Session come in either
// order, and each may never come: a page should wait some five seconds for the other, then to
// submit what it has. A code alone is enough; a Session alone waits for the code, under the same
// State.
type Submission struct {
	// State is the nonce of [Flow.StartAttempt].
	State graph.Secret

	// Tenant is the tenant of the request, by the host's own login. It must be the one of
	// [Flow.StartAttempt].
	Tenant string

	// Code is exchanged for a token, once, within [CodeTTL]. Empty if it did not arrive, and in all
	// submissions after the first one, such as when a number is chosen.
	Code graph.Secret

	// Session is the message of the popup, or nil.
	Session *SessionInfo

	// RedirectURI repeats the one of [Launch.RedirectURL]. Empty for a code of FB.login's callback,
	// unless the browser turned a blocked popup into a redirect: then it is the address of the
	// page.
	RedirectURI string

	// PhoneNumberID is the choice after [OutcomeChooseNumber], under the same State. It needs no
	// Code.
	PhoneNumberID graph.PhoneNumberID

	// SendCode has Meta send a verification code to an ordinary number, by text or voice, in
	// Language; after [OutcomeNumberUnverified], under the same State. A number of the WhatsApp
	// Business app is verified by that app, so that a Flow of [ModeCoexistence] ignores SendCode,
	// Language and VerificationCode.
	SendCode cloudapi.CodeMethod
	Language string // such as "pt_BR". If empty, "en_US"

	// VerificationCode is the code that came; the signup continues with it. Empty before.
	VerificationCode graph.Secret
}

// decisions are what the business has decided on the way, in a [Submission]. The zero value is a
// first try, in which nothing was asked yet.
type decisions struct {
	phone    graph.PhoneNumberID
	sendCode cloudapi.CodeMethod
	language string
	code     graph.Secret // that verifies the number
}

func (s Submission) decisions() decisions {
	return decisions{s.PhoneNumberID, s.SendCode, s.Language, s.VerificationCode}
}

// Finish turns what the popup gave into a connected business: it exchanges the code, once and at
// once, finds the accounts and the number, verifies every claim of the browser, and subscribes the
// app. It never registers or deregisters a number of the WhatsApp Business app. See [Step] for the
// order.
//
// A nil error means that the business is connected, and that [Config].Connected has taken it: the
// Outcome is [OutcomeReady], or outside of coexistence [OutcomeNeedsRegistration]. Every other
// error is an [*Error]. Where [Outcome.Resumable] is true and a token was granted, the [Connection]
// comes with the error: do what the advice says and submit the same State again without a code, or
// call [Flow.Resume] for the attempt, which [Config].Store keeps, or [Flow.ResumeConnection] with
// the Connection.
//
// A code cannot be exchanged a second time. If the browser going away cancels ctx, the grant may be
// lost; detach it with [context.WithoutCancel], as [Flow.Handler] does.
func (f *Flow) Finish(ctx context.Context, sub Submission) (*Connection, error) {
	if err := ctx.Err(); err != nil {
		return nil, &Error{Outcome: OutcomeUnavailable, Step: StepState, Err: err}
	}
	received := time.Now().UTC()
	r, err := f.claim(ctx, attemptID(sub.State), sub.Tenant, true)
	if err != nil {
		return nil, err
	}
	if r.doc.Granted != nil && !sub.Code.IsZero() && codeHash(sub.Code) != r.doc.CodeHash {
		// A second popup needs a second attempt, or its code would replace the grant of the first.
		r.doc.LeasedUntil = time.Time{}
		if err := r.save(ctx); err != nil {
			return nil, &Error{Outcome: OutcomeUnavailable, Step: StepState, Err: err}
		}
		return nil, &Error{Outcome: OutcomeStateUsed, Step: StepState}
	}
	b, err := f.finish(ctx, r, sub, received)
	f.conclude(ctx, r, b, err)
	return b, err
}

// Resume continues with the signup of an attempt that has a token and stopped, without the page:
// after a restart, or when what was missing is there. [Flow.Attempts] lists them, each with its ID.
// Phone is the choice after [OutcomeChooseNumber], or empty.
//
// Everything after the exchange is repeated, [Config].Connected included. It returns what
// [Flow.Finish] returns.
func (f *Flow) Resume(ctx context.Context, id string, phone graph.PhoneNumberID) (*Connection, error) {
	r, err := f.claim(ctx, id, "", false)
	if err != nil {
		return nil, err
	}
	b, err := f.resume(ctx, r, r.doc.connection(r.rec.Tenant), decisions{phone: phone})
	f.conclude(ctx, r, b, err)
	return b, err
}

// ResumeAll continues with every signup that was cut off, by the end of a process for instance, and
// with those that something did not answer to ([OutcomeUnavailable], [OutcomeNotSubscribed]): call
// it when a process starts, and now and then. Those that wait for a person are left alone. It hands
// the businesses to [Config].Connected, which it needs, and returns how many are connected now; the
// error lists what did not go on, each an [*Error].
func (f *Flow) ResumeAll(ctx context.Context) (connected int, err error) {
	if f.cfg.Connected == nil {
		return 0, errors.New("signup: ResumeAll needs Config.Connected, which takes the businesses")
	}
	attempts, err := f.Attempts(ctx, "")
	if err != nil {
		return 0, err
	}
	var errs []error
	for _, s := range attempts {
		waits := s.Outcome != "" && s.Outcome != OutcomeUnavailable && s.Outcome != OutcomeNotSubscribed
		if s.Phase != PhaseGranted || waits {
			continue
		}
		if _, err := f.Resume(ctx, s.ID, ""); err != nil {
			errs = append(errs, err)
			continue
		}
		connected++
	}
	return connected, errors.Join(errs...)
}

// conclude stores how a try ended. An error of the Store changes nothing of the result: the
// business is connected or not, whatever can be written down about it.
func (f *Flow) conclude(ctx context.Context, r *openRecord, b *Connection, err error) {
	if saving := r.settle(ctx, b, err); saving != nil {
		f.cfg.Logger.ErrorContext(ctx, "the end of a signup was not stored", "attempt", r.rec.ID, "err", saving)
	}
}

// codeHash tells whether a code that comes again is the one that was exchanged, without keeping it.
func codeHash(code graph.Secret) string {
	sum := sha256.Sum256([]byte("whatsapp-coexistence signup code " + code.Reveal()))
	return hex.EncodeToString(sum[:])
}

// finish takes a claimed attempt from what the page sent to a token, and through the steps after
// it.
//
// The order is what keeps a code from being spent twice or for nothing. What the popup said is
// checked first: a refusal needs no code. Then the attempt is stored as exchanging, and only then
// the code is exchanged. If this process dies over it, the next one finds the mark and gives up
// ([OutcomeCodeLost]): whether the code was spent, only Meta knows. An attempt that has a token
// continues with that, whatever code comes with it.
func (f *Flow) finish(ctx context.Context, r *openRecord, sub Submission, received time.Time) (*Connection, error) {
	if b := r.doc.connection(r.rec.Tenant); b != nil {
		return f.resume(ctx, r, b, sub.decisions()) // a code that comes again is the one that brought it
	}
	if sub.Session != nil {
		r.doc.Session = sub.Session
	}
	if r.doc.ArrivedAt.IsZero() && (sub.Session != nil || !sub.Code.IsZero()) {
		r.doc.ArrivedAt = received
	}
	if err := r.doc.Session.problem(); err != nil {
		return nil, err
	}
	if sub.Code.IsZero() {
		return nil, &Error{Outcome: OutcomeNoCode, Step: StepSession}
	}
	// From here on no process exchanges for this attempt again, whatever becomes of this process.
	r.doc.Phase, r.doc.CodeHash = recordExchanging, codeHash(sub.Code)
	if err := r.save(ctx); err != nil {
		return nil, &Error{Outcome: OutcomeUnavailable, Step: StepState, Err: err}
	}
	b := &Connection{
		Tenant: r.rec.Tenant, Session: r.doc.Session,
		Onboarding: cloudapi.Onboarding{OnboardedAt: r.doc.ArrivedAt},
	}
	if err := f.exchange(ctx, b, sub); err != nil {
		r.doc.Phase = recordOpen // an attempt whose code is spent is ended by its outcome
		return nil, err
	}
	r.doc.Phase = recordGranted
	return f.run(ctx, b, StepExchange, sub.decisions(), r)
}

// problem returns an error if the popup ended in one, or in a cancellation. That holds even if
// there is a code: a business that left did not agree.
func (s *SessionInfo) problem() error {
	if s == nil {
		return nil
	}
	switch s.Kind() {
	case KindCanceled:
		return &Error{Outcome: OutcomeCanceled, Step: StepSession, Screen: s.CurrentStep}
	case KindFailed:
		e := &Error{Outcome: OutcomeFailed, Step: StepSession, Screen: s.CurrentStep}
		if s.Error != nil {
			e.Code, e.SessionID = s.Error.Code, s.Error.SessionID
		}
		return e
	}
	return nil
}

// exchange turns the code into b's token. It is one call, never repeated: Meta may have taken the
// code although no answer came. The redirect URI goes along only if there was one; a code of
// FB.login's callback is refused with any.
func (f *Flow) exchange(ctx context.Context, b *Connection, sub Submission) error {
	ctx, cancel := context.WithTimeout(ctx, CodeTTL)
	defer cancel()
	req := cloudapi.CodeExchangeParams{Code: sub.Code}
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

// exchangeOutcome says what became of the code. The order matters: what proves that the code is
// unspent comes before what leaves it open ([OutcomeCodeLost]), which comes before a plain refusal.
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

var errNothingGranted = errors.New("only a Connection with Tenant and Token can be resumed")

// ResumeConnection continues with a Connection whose token was granted: after [OutcomeChooseNumber]
// with the phone that was chosen, after the other outcomes that are [Outcome.Resumable] with an
// empty one, which leaves it at b.PhoneNumberID if that is set. No code is needed, and b may come
// from a host's database; [Flow.Resume] is for what [Config].Store keeps. Every step is repeated,
// so that nothing stale is believed, [Config].Connected included. It returns what [Flow.Finish]
// returns, and leaves b alone.
//
// If the account is known from an account_update webhook, put it into b.WABAID before: that finds
// what the token does not list.
//
// A business that took the way for new numbers ([OutcomeFellBack]) can be kept by resuming it in a
// Flow of [ModeStandard].
func (f *Flow) ResumeConnection(ctx context.Context, b *Connection, phone graph.PhoneNumberID) (*Connection, error) {
	if b == nil || b.Token.IsZero() || b.Tenant == "" {
		return nil, &Error{Outcome: OutcomeNoCode, Step: StepSession, Err: errNothingGranted}
	}
	return f.resume(ctx, nil, b, decisions{phone: phone})
}

// resume runs all steps after the exchange again, on a copy of b from which everything is gone that
// the steps find out: what was true when the first try ended may have changed. R is nil if the host
// keeps the Connection itself.
func (f *Flow) resume(ctx context.Context, r *openRecord, b *Connection, decided decisions) (*Connection, error) {
	if decided.phone == "" {
		decided.phone = b.PhoneNumberID // was chosen before
	}
	b = b.clone()
	b.Outcome, b.Phone, b.Numbers, b.BusinessID = "", nil, nil, ""
	b.Onboarding = cloudapi.Onboarding{OnboardedAt: b.OnboardedAt}
	return f.run(ctx, b, "", decided, r)
}
