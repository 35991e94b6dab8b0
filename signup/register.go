package signup

import (
	"context"
	"errors"
	"regexp"
	"slices"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// Meta's limits for registering an ordinary number.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/business-phone-numbers/registration
const (
	// RegistrationPeriod is how long after the signup a number can be registered.
	RegistrationPeriod = 14 * 24 * time.Hour

	// MaxRegistrations is how often one number can be registered within RegistrationWindow, by all
	// partners together. One more locks it for as long.
	MaxRegistrations   = 10
	RegistrationWindow = 72 * time.Hour
)

// pinRe matches the PINs that Meta accepts for two-step verification.
var pinRe = regexp.MustCompile(`^[0-9]{6}$`)

// register makes an ordinary number work on Cloud API. It looks before each try whether that is
// done, because every try counts, and never tries twice by itself.
func (g *grant) register(ctx context.Context) error {
	phone, err := g.api.Phones.Get(ctx, g.Phone.ID, cloudapi.PhoneGetOptions{})
	if err != nil {
		return refused(err)
	}
	g.Phone = phone
	now := time.Now()
	g.Registrations = slices.DeleteFunc(g.Registrations, func(at time.Time) bool {
		return now.Sub(at) >= RegistrationWindow
	})
	switch {
	case phone.IsOnBizApp:
		// It came into the app since StepVerify. Registering it would take it away from there.
		return &Error{Outcome: OutcomeNotFinished}
	case registered(phone):
		return nil
	case now.Sub(g.OnboardedAt) > RegistrationPeriod:
		return &Error{Outcome: OutcomeRegisterLate}
	case g.needsVerification():
		if err := g.verifyOwner(ctx); err != nil {
			return err
		}
	}
	if len(g.Registrations) >= MaxRegistrations {
		return &Error{Outcome: OutcomeRegisterLimit}
	}
	pin, err := g.f.cfg.PIN(ctx, g.clone())
	if err != nil {
		return err
	}
	if !pinRe.MatchString(pin.Reveal()) {
		return errors.New("signup: Config.PIN returned something other than six digits")
	}
	g.Registrations = append(g.Registrations, now)
	if err := g.save(ctx); err != nil { // the try counts, even if this process ends now
		return err
	}
	if err := g.api.Registration.Register(ctx, phone, cloudapi.RegisterParams{PIN: pin}); err != nil {
		return registerRefused(err)
	}
	if phone, err = g.api.Phones.Get(ctx, phone.ID, cloudapi.PhoneGetOptions{}); err != nil {
		return refused(err)
	}
	g.Phone = phone
	return nil
}

// registered reports whether the number works on Cloud API already.
func registered(p *cloudapi.Phone) bool {
	return p.PlatformType == cloudapi.PlatformCloudAPI && p.Status != cloudapi.PhonePending
}

// registerRefused sorts what Meta answers to a registration: for the business to enter another PIN,
// to wait, or to verify the number first.
func registerRefused(err error) error {
	for code, outcome := range map[graph.Code]Outcome{
		graph.CodePINMismatch:           OutcomePINMismatch,
		graph.CodePINMismatchLegacy:     OutcomePINMismatch,
		graph.CodeTooManyPINGuesses:     OutcomePINMismatch,
		graph.CodePINGuessedTooFast:     OutcomePINMismatch,
		graph.CodeVerificationNeeded:    OutcomeNumberUnverified,
		graph.CodeRegisterRateLimit:     OutcomeRegisterLimit,
		graph.CodeWaitBeforeRegistering: OutcomeUnavailable,
	} {
		if errors.Is(err, code) {
			return &Error{Outcome: outcome, Code: code, Err: err}
		}
	}
	return refused(err)
}
