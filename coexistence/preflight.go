package coexistence

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

// A Check is something that a preflight looks at.
type Check string

const (
	CheckNumber       Check = "number"       // the number lives in the app and on Cloud API
	CheckSubscription Check = "subscription" // our app receives the webhooks of every account that holds the number
	CheckFields       Check = "fields"       // our app subscribes to the webhook fields of coexistence
	CheckResponders   Check = "responders"   // nothing else answers the customers of the number
	CheckOverride     Check = "override"     // no callback override parts data from account updates
	CheckPayment      Check = "payment"      // something pays for what the number sends through Cloud API
)

// A Finding is something that a preflight found.
type Finding struct {
	// Check is the check that found it.
	Check Check

	// WABAID is the account that it is about, if it is about one.
	WABAID graph.WABAID

	// Text describes the problem and the fix.
	Text string

	// Err is the error of a call that did not bring an answer.
	Err error
}

// String returns the text, with the account and the error.
func (f Finding) String() string {
	s := f.Text
	if f.WABAID != "" {
		s = "account " + string(f.WABAID) + ": " + s
	}
	if f.Err != nil {
		s += ": " + f.Err.Error()
	}
	return s
}

// A Preflight is the result of the checks before a sync is requested. A mistake at this point uses
// up the onboarding's one request without an error: Meta accepts it, and the data goes nowhere.
type Preflight struct {
	// Problems prevent a sync. Warnings do not.
	Problems []Finding
	Warnings []Finding

	// Unknown is what Meta does not show to this token, or did not say: neither a warning nor an
	// all-clear, so it is nothing to alarm anyone with. It prevents nothing.
	Unknown []Finding

	// Phone is the number as it was read at ReadAt, nil if it could not be read.
	Phone  *cloudapi.Phone
	ReadAt time.Time
}

// OK reports whether there are no problems.
func (p Preflight) OK() bool { return len(p.Problems) == 0 }

// A PreflightError is [ErrPreflight] with every problem at once.
type PreflightError struct{ Preflight Preflight }

// Error lists the problems.
func (e *PreflightError) Error() string {
	texts := make([]string, len(e.Preflight.Problems))
	for i, p := range e.Preflight.Problems {
		texts[i] = p.String()
	}
	return ErrPreflight.Error() + ": " + strings.Join(texts, "; ")
}

// Unwrap returns ErrPreflight and the errors of the calls that brought no answer.
func (e *PreflightError) Unwrap() []error {
	errs := []error{ErrPreflight}
	for _, p := range e.Preflight.Problems {
		if p.Err != nil {
			errs = append(errs, p.Err)
		}
	}
	return errs
}

// Fields returns the webhook fields that a [Tracker] lives on, sorted: what the app has to be
// subscribed to, besides what the host's own handlers need ([webhook.Mux.Fields]). A missing one
// brings silence, not an error. A host that wants no history can do without that field. The slice
// is the caller's to change.
func Fields() []webhook.Field {
	return []webhook.Field{
		webhook.FieldAccountUpdate, webhook.FieldHistory, webhook.FieldMessages, webhook.FieldAppStateSync,
		webhook.FieldSMBMessageEchoes,
	}
}

// OptionalFields returns the webhook fields that single features of a [Tracker] live on besides
// [Fields], sorted: messaging_handovers and standby tell of other responders of a number (partners,
// and Meta's agent, which a business can let answer without a word to this app), user_preferences
// of people who stop or resume marketing messages. A missing one is a warning of the [Preflight]:
// the dashboard does not offer all of them to every app. The slice is the caller's to change.
func OptionalFields() []webhook.Field {
	return []webhook.Field{webhook.FieldMessagingHandovers, webhook.FieldStandby, webhook.FieldUserPreferences}
}

// Preflight reads whether everything is in place for the syncs of the number, and what may be in
// the way of its first messages: other responders, and that nothing pays for them. It changes
// nothing. [Tracker.RequestSync] does it by itself. The error is about the store or the client; a
// call that brings no answer is a problem if a sync needs it.
func (t *Tracker) Preflight(ctx context.Context, phone graph.PhoneNumberID) (Preflight, error) {
	st, err := t.onboardedNumber(ctx, phone)
	if err != nil {
		return Preflight{}, err
	}
	c, err := t.Client(ctx, phone)
	if err != nil {
		return Preflight{}, err
	}
	return preflight(ctx, c, st, t.cfg.Syncs), nil
}

// preflight reads the number, the subscribed apps of each of its accounts, the app's webhook fields
// and what pays for each account. It looks at all of them, so that the host gets every problem at
// once. What cannot be read counts as wrong, if a sync needs it: a call that is made again costs
// nothing, and a sync that goes nowhere is lost. kinds is what is to be requested.
func preflight(ctx context.Context, c *cloudapi.Client, st Number, kinds []cloudapi.SyncKind) Preflight {
	var p Preflight
	p.checkNumber(ctx, c, st.PhoneNumberID)
	p.checkSubscriptions(ctx, c, st.Accounts())
	required := Fields()
	if !slices.Contains(kinds, cloudapi.SyncHistory) {
		required = slices.DeleteFunc(required, func(f webhook.Field) bool { return f == webhook.FieldHistory })
	}
	p.checkFields(ctx, c, required)
	p.checkPayment(ctx, c, st.Accounts())
	if !st.OtherResponderAt.IsZero() {
		p.warning(Finding{
			Check: CheckResponders,
			Text:  "this number has another responder: ask Tracker.MayAnswer before a bot answers",
		})
	}
	return p
}

// problem and warning collect findings in the order in which they were made.
func (p *Preflight) problem(f Finding) { p.Problems = append(p.Problems, f) }
func (p *Preflight) warning(f Finding) { p.Warnings = append(p.Warnings, f) }

// checkNumber checks that the number coexists. The silent fallback of signup to an ordinary Cloud
// API number looks like a success everywhere else.
func (p *Preflight) checkNumber(ctx context.Context, c *cloudapi.Client, id graph.PhoneNumberID) {
	p.ReadAt = time.Now()
	phone, err := c.Phones.Get(ctx, id, cloudapi.PhoneGetOptions{})
	if err != nil {
		p.problem(Finding{Check: CheckNumber, Text: "the number cannot be read", Err: err})
		return
	}
	p.Phone = phone
	if placement := placementOf(phone); placement != PlacementBoth {
		p.problem(Finding{
			Check: CheckNumber, Text: "the number is " + string(placement) + ", not in the app and on Cloud API: " +
				"signup took another path or is not finished; repeat it with the existing number of the app",
		})
	}
	if hooks := phone.WebhookConfiguration; hooks.PhoneNumber != "" || hooks.WABA != "" {
		p.warning(Finding{Check: CheckOverride, Text: overrideText})
	}
}

// checkSubscriptions checks that our app gets the webhooks of every account that holds the number.
// Meta sends the data through any of them.
func (p *Preflight) checkSubscriptions(ctx context.Context, c *cloudapi.Client, accounts []graph.WABAID) {
	if len(accounts) == 0 {
		p.problem(Finding{
			Check: CheckSubscription, Text: "no account is known to hold the number; name all of them in " +
				"Onboarding.WABAIDs",
		})
		return
	}
	ours := func(a cloudapi.SubscribedApp) bool { return c.AppID() == "" || a.ID == c.AppID() }
	for _, waba := range accounts {
		apps, err := c.WABAs.SubscribedApps(ctx, waba)
		if err != nil {
			p.problem(Finding{
				Check: CheckSubscription, WABAID: waba, Text: "the subscribed apps cannot be read", Err: err,
			})
			continue
		}
		switch i := slices.IndexFunc(apps, ours); {
		case i < 0:
			p.problem(Finding{
				Check: CheckSubscription, WABAID: waba,
				Text: "the app does not receive its webhooks; subscribe it (WABAs.Subscribe) before any sync",
			})
		case apps[i].OverrideCallbackURL != "":
			p.warning(Finding{Check: CheckOverride, WABAID: waba, Text: overrideText})
		}
		if c.AppID() != "" && slices.ContainsFunc(apps, func(a cloudapi.SubscribedApp) bool { return !ours(a) }) {
			// That the list has the apps of other partners too is assumed.
			p.warning(Finding{
				Check: CheckResponders, WABAID: waba,
				Text: "another app receives the webhooks of the account, and may answer: if it is a former " +
					"partner's, have the business remove that partner from the account in Meta Business " +
					"Suite; else ask Tracker.MayAnswer before a bot answers",
			})
		}
	}
	if c.AppID() == "" {
		p.warning(Finding{
			Check: CheckSubscription, Text: "the client has no AppID, so any subscribed app was taken for ours",
		})
	}
}

// checkFields checks that our app subscribes to the fields. Reading them takes the app's own token,
// so the client has to have AppID and AppSecret.
func (p *Preflight) checkFields(ctx context.Context, c *cloudapi.Client, required []webhook.Field) {
	subs, err := c.Apps.Subscriptions(ctx)
	if err != nil {
		p.problem(Finding{
			Check: CheckFields, Err: err,
			Text: "the app's webhook fields cannot be read, so nobody knows whether it subscribes to " +
				fieldList(required) + "; call with a client that has AppID and AppSecret, and try again",
		})
		return
	}
	if missing := missingFields(required, subs); len(missing) > 0 {
		p.problem(Finding{
			Check: CheckFields, Text: "the app does not subscribe to " + fieldList(missing) +
				"; tick the fields in the app dashboard under WhatsApp, Configuration",
		})
		return
	}
	if missing := missingFields(OptionalFields(), subs); len(missing) > 0 {
		p.warning(Finding{
			Check: CheckFields, Text: "the app does not subscribe to " + fieldList(missing) + "; tick " +
				"messaging_handovers and standby before the business lets another partner or Meta's agent answer, " +
				"and user_preferences before it sends marketing: it is how people stop that in WhatsApp",
		})
	}
}

// checkPayment checks that something pays for each account. A sync does without, so nothing is a
// problem. Meta shows what pays (primary_funding_id) to solution partners alone and refuses others
// with code 10, as hosts report (October 2026). An account of which that is refused may still say
// in its health that its payment method fails; that it does not say so proves nothing, since health
// is late at times.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/account-model-evolution/messaging
func (p *Preflight) checkPayment(ctx context.Context, c *cloudapi.Client, accounts []graph.WABAID) {
	for _, waba := range accounts {
		account, err := c.WABAs.Get(ctx, waba, cloudapi.WABAGetOptions{Fields: []string{"id", "primary_funding_id"}})
		switch {
		case err == nil && account.PrimaryFundingID != "":
		case err == nil:
			p.warning(Finding{
				Check: CheckPayment, WABAID: waba,
				Text: "the account has no payment method, so Meta refuses what is not free (131042); " + payAdvice,
			})
		case errors.Is(err, graph.ErrPermission) && paymentFails(ctx, c, waba):
			p.warning(Finding{
				Check: CheckPayment, WABAID: waba,
				Text: "Meta says that the payment method of the account is missing or fails, so it refuses what is " +
					"not free (131042); " + payAdvice,
			})
		default:
			p.Unknown = append(p.Unknown, Finding{
				Check: CheckPayment, WABAID: waba, Err: err, Text: "whether the account has a payment method is " +
					"unknown: Meta shows it to solution partners alone. If the first send that is not free fails " +
					"with 131042, it has none; " + payAdvice,
			})
		}
	}
}

// payAdvice is what helps against 131042.
const payAdvice = "the business adds one in WhatsApp Manager (in India it may have to fill up its balance), or a " +
	"solution partner shares its line of credit (signup.Config.Credit)"

// paymentFails reports whether the health of an account says that its payment method fails.
func paymentFails(ctx context.Context, c *cloudapi.Client, waba graph.WABAID) bool {
	h, err := c.Health.Get(ctx, string(waba))
	return err == nil && slices.ContainsFunc(h.Status.Entities, func(e cloudapi.HealthEntity) bool {
		return slices.ContainsFunc(e.Errors, func(e cloudapi.HealthError) bool {
			return graph.Code(e.Code) == graph.CodePaymentMethodFails
		})
	})
}

// overrideText is the same for an override of the number and of an account: the host has to look at
// both ends.
const overrideText = "a callback override is set: messages, echoes, contacts and history go there, account_update " +
	"still goes to the app's own callback URL, standby may go to either, and both have to reach this tracker"

// missingFields returns those of the required fields to which no subscription of the app belongs.
func missingFields(required []webhook.Field, subs []cloudapi.AppSubscription) []webhook.Field {
	return slices.DeleteFunc(slices.Clone(required), func(f webhook.Field) bool {
		return slices.ContainsFunc(subs, func(s cloudapi.AppSubscription) bool {
			return s.Object == "whatsapp_business_account" && s.HasField(string(f))
		})
	})
}

// fieldList writes fields into an error.
func fieldList(fields []webhook.Field) string {
	names := make([]string, len(fields))
	for i, f := range fields {
		names[i] = string(f)
	}
	return strings.Join(names, ", ")
}

// onboardedNumber returns a number's state, or ErrNotOnboarded.
func (t *Tracker) onboardedNumber(ctx context.Context, phone graph.PhoneNumberID) (Number, error) {
	st, err := t.cfg.Store.Number(ctx, phone)
	if errors.Is(err, ErrNotFound) || err == nil && st.Stage == StageNone {
		return Number{}, ErrNotOnboarded
	}
	return st, err
}
