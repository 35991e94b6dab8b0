package coexistencetest

import (
	"context"
	"encoding/json"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/signup"
)

// SignUp connects a phone to a host without a browser: it begins an attempt of flow, goes through
// the popup with the flow's launch options as [Phone.Connect] does, and finishes the attempt with
// what the popup brought. [signup.Config].Connected runs as in production. The tenant is the name
// of the business: [PhoneConfig].Business.
//
// The error is a [*PopupError] if the popup refuses the number or the launch options, and else that
// of [signup.Flow.Finish].
func SignUp(ctx context.Context, flow *signup.Flow, phone *Phone, sharing HistorySharing) (*signup.Connection, error) {
	// The launch options are those that the host's page would get, so a wrong setting of the flow
	// shows here.
	options, err := flow.Launch(signup.LaunchOptions{})
	if err != nil {
		return nil, err
	}
	b, err := json.Marshal(options)
	if err != nil {
		return nil, err
	}
	l, err := parseLaunch(b)
	if err != nil {
		return nil, err
	}
	attempt, err := flow.StartAttempt(ctx, phone.cfg.Business)
	if err != nil {
		return nil, err
	}
	result, err := phone.connect(l, sharing)
	if err != nil {
		return nil, err
	}
	// What the page would submit: the code of FB.login's callback, and the message if one came.
	sub := signup.Submission{State: attempt.State, Tenant: attempt.Tenant, Code: result.Code}
	if result.Message != nil {
		if sub.Session, err = signup.ParseSessionInfo(result.Message); err != nil {
			return nil, err
		}
	}
	return flow.Finish(ctx, sub)
}

// Connect goes through the popup in one step, without showing it, for a test that is about
// something else: as if the business had entered the number and the code, and confirmed on the
// phone. What refuses the number in the popup refuses it here: a [*PopupError]. [SignUp] does the
// host's part, too.
func (p *Phone) Connect(sharing HistorySharing) (SignupResult, error) {
	w := p.world
	return p.connect(launch{
		AppID: w.AppID(), Config: w.cfg.ConfigurationID, Response: "code", Override: true,
		Feature: featureCoexistence, Version: "v4",
	}, sharing)
}

// connect plays what [Popup.Complete] plays, without HTTP, so that it works in a bubble of
// testing/synctest: there a goroutine that waits for a socket would stop the clock. Launch options
// that do not ask for coexistence add an ordinary number here too.
func (p *Phone) connect(l launch, sharing HistorySharing) (SignupResult, error) {
	w := p.world
	w.mu.Lock()
	defer w.mu.Unlock()
	p.used()
	d := &dialog{
		id: w.newID(), launch: l, coexist: l.asksForCoexistence(w.Now()), share: sharing == HistoryShared,
		verified: true, confirmed: true, screen: ScreenReview,
	}
	if !l.known(w) {
		return SignupResult{}, d.fail(w, 0, wentWrong)
	}
	// The checks are those of the popup; the order of its screens plays no part.
	if d.coexist {
		d.existing, d.phone = true, p
		if code := w.eligible(p, d); code != 0 {
			return SignupResult{}, d.fail(w, code, "")
		}
	} else {
		d.business, d.number = p.owner, newNumber
	}
	w.popups[d.id] = d
	w.finish(d)
	return *d.result, nil
}
