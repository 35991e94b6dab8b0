package signup

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// A grant is one run of a token through the steps of [Flow.plan], and what they find out for each
// other. One goroutine uses it.
type grant struct {
	*Connection // the result; StepVerify sets the number
	f           *Flow
	api         *cloudapi.Client // calls with the token
	decided     decisions
	info        *cloudapi.TokenInfo // from StepInspect on
	accounts    []account           // from StepDiscover on, as all below
	listed      bool                // the token lists its accounts; if not, it reaches all, or Meta left them out
	holdings    []holding
	rec         *openRecord // where it is kept, or nil
}

// An account is a WABA that the token may reach.
type account struct {
	id graph.WABAID

	// named says that the popup or the host named it: if the token cannot read it, something is
	// wrong.
	named bool

	// granted says that the token lists it.
	granted bool

	// denied is why the token cannot read it, or nil.
	denied error
}

// A holding is a phone number in an account. Two accounts can hold one number, with one id or two.
type holding struct {
	waba  graph.WABAID
	phone *cloudapi.Phone
}

// run takes b through the steps. Just names a step that was done right before, or is empty; r is
// nil if nothing is kept.
//
// Each step is stored before the host is told and before the next one begins, so that a process
// that dies leaves a record from which another one runs all of them again: each looks first whether
// its work is done. The first error ends the run. Connected is called last, and a Connection comes
// without an error only once it has returned nil.
func (f *Flow) run(
	ctx context.Context, b *Connection, just Step, decided decisions, r *openRecord,
) (*Connection, error) {
	g := &grant{Connection: b, f: f, api: f.cfg.Client.WithToken(b.Token), decided: decided, rec: r}
	if r != nil {
		r.doc.Steps = nil // those of this run
	}
	if just != "" {
		if err := g.did(ctx, just); err != nil {
			return g.stop(just, err)
		}
	}
	for _, s := range f.plan() {
		if err := s.run(g, ctx); err != nil {
			return g.stop(s.step, err)
		}
		if err := g.did(ctx, s.step); err != nil {
			return g.stop(s.step, err)
		}
	}
	if err := g.handOver(ctx); err != nil {
		return g.stop(StepReady, err)
	}
	return b, nil
}

// handOver gives a connected business to the host, whose errors are no answers of Meta's: they only
// keep the attempt open.
func (g *grant) handOver(ctx context.Context) error {
	if g.f.cfg.Connected == nil {
		return nil
	}
	err := g.f.cfg.Connected(ctx, g.Connection)
	switch {
	case errors.Is(err, ErrTaken):
		return &Error{Outcome: OutcomeTaken, Err: err}
	case err != nil:
		return &Error{Outcome: OutcomeUnavailable, Err: err}
	}
	return nil
}

// did stores that a step is done, and tells the host. An error of the host's Progress ends the run
// like one of the step.
func (g *grant) did(ctx context.Context, step Step) error {
	if err := g.save(ctx, step); err != nil {
		return err
	}
	if g.f.cfg.Progress == nil {
		return nil
	}
	return g.f.cfg.Progress(ctx, step, g.clone())
}

// save stores what was reached. What must not be done twice, as a registration, is stored before it
// is done. Without a record it does nothing: the host keeps the Connection.
func (g *grant) save(ctx context.Context, done ...Step) error {
	if g.rec == nil {
		return nil
	}
	g.rec.doc.record(g.Connection)
	g.rec.doc.Steps = append(g.rec.doc.Steps, done...)
	return g.rec.save(ctx)
}

// ready is the last step: everything that was asked for is done.
func (g *grant) ready(context.Context) error {
	g.Outcome = g.connected()
	return nil
}

// connected is the outcome once everything is done. Outside of coexistence a number that Cloud API
// does not run yet is still to be registered, by the host.
func (g *grant) connected() Outcome {
	if g.f.cfg.Mode == ModeCoexistence || g.Phone.PlatformType == cloudapi.PlatformCloudAPI {
		return OutcomeReady
	}
	return OutcomeNeedsRegistration
}

// stop puts the step on an error. The token of a grant that cannot continue is not handed out.
func (g *grant) stop(step Step, err error) (*Connection, error) {
	e, ok := errors.AsType[*Error](err)
	if !ok {
		e = &Error{Outcome: OutcomeUnavailable, Err: err}
	}
	e.Step = step
	if !e.Outcome.Resumable() {
		return nil, e
	}
	g.Outcome = e.Outcome
	return g.Connection, e
}

// refused returns the outcome of a call with the token that did not work. What Meta did not refuse
// for a reason of the token is [OutcomeUnavailable], and goes on later.
func refused(err error) error {
	switch {
	case errors.Is(err, graph.ErrAuth):
		return &Error{Outcome: OutcomeTokenInvalid, Err: err}
	case errors.Is(err, graph.ErrPermission):
		return &Error{Outcome: OutcomeMissingPermission, Err: err}
	case errors.Is(err, graph.ErrAccessLost):
		return &Error{Outcome: OutcomeNotGranted, Err: err}
	}
	return &Error{Outcome: OutcomeUnavailable, Err: err}
}

// Permissions that everything here needs. Their absence from a list is a warning only: since June
// 2026 Meta leaves some out that the token has, and the calls below tell the truth.
const (
	scopeManagement = "whatsapp_business_management"
	scopeMessaging  = "whatsapp_business_messaging"
)

// inspect asks Meta whose the token is and what it may do, before anything is done with it. A token
// of another app would answer some calls and fail at others. Missing permissions are warnings: the
// calls of the next steps are the proof.
func (g *grant) inspect(ctx context.Context) error {
	info, err := g.f.cfg.Client.OAuth.DebugToken(ctx, g.Token)
	if err != nil {
		if errors.Is(err, graph.ErrAuth) { // of the app's own token: our settings are wrong, not the grant
			return &Error{Outcome: OutcomeMisconfigured, Err: err}
		}
		return &Error{Outcome: OutcomeUnavailable, Err: err}
	}
	switch {
	case !info.Valid:
		e := &Error{Outcome: OutcomeTokenInvalid}
		if info.Error != nil {
			e.Code = info.Error.Code
		}
		return e
	case info.AppID != g.f.cfg.Client.AppID():
		return &Error{Outcome: OutcomeForeignToken}
	}
	g.info = info
	if g.TokenExpiresAt = info.ExpiresAt.Time; !g.TokenExpiresAt.IsZero() {
		g.warn("the token expires on " + g.TokenExpiresAt.Format(time.DateOnly) +
			" and cannot be refreshed; choose a token that never expires in the login configuration")
	}
	for _, scope := range []string{scopeManagement, scopeMessaging} {
		if !slices.Contains(info.Scopes, scope) {
			g.warn("the token does not list the permission " + scope)
		}
	}
	return nil
}

// reserve asks the host for each account that holds the number. Nothing has changed at Meta by
// then, so that a refusal leaves no trace.
func (g *grant) reserve(ctx context.Context) error {
	if g.f.cfg.Reserve == nil {
		return nil
	}
	for _, waba := range g.WABAIDs {
		err := g.f.cfg.Reserve(ctx, g.Tenant, waba, g.Phone.ID)
		switch {
		case errors.Is(err, ErrTaken):
			return &Error{Outcome: OutcomeTaken, Err: err}
		case err != nil:
			return err
		}
	}
	return nil
}
