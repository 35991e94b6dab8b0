package signup

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// A Diagnosis is the list of findings of [Diagnose], in the order in which to fix them: later ones
// often cannot be found before.
type Diagnosis []Finding

// A Finding is one thing that was looked at.
type Finding struct {
	// Check names it, such as "webhook fields".
	Check string

	// Level is the severity.
	Level FindingLevel

	// Text describes the finding. It holds no secret.
	Text string

	// Fix describes what to do. Empty if there is nothing to do.
	Fix string
}

// A FindingLevel is the severity of a [Finding], or why nothing is known.
type FindingLevel string

// Levels of findings.
const (
	FindingOK      FindingLevel = "ok"
	FindingWarning FindingLevel = "warning" // works, and will surprise
	FindingProblem FindingLevel = "problem" // a signup cannot succeed
	FindingSkipped FindingLevel = "skipped" // could not be looked at, for a reason that is named
	FindingByHand  FindingLevel = "by hand" // Meta has no API for it: look yourself
)

// OK reports whether there is no problem.
func (d Diagnosis) OK() bool {
	return !slices.ContainsFunc(d, func(f Finding) bool { return f.Level == FindingProblem })
}

// String lists the findings for a terminal, and what to do: first what was found wrong, numbered in
// order, then what only a person can look at. It is for people, and its form may change.
func (d Diagnosis) String() string {
	signs := map[FindingLevel]string{
		FindingOK: "ok", FindingWarning: "!!", FindingProblem: "NO", FindingSkipped: "--", FindingByHand: "??",
	}
	var b strings.Builder
	for _, f := range d {
		fmt.Fprintf(&b, "%s  %-18s %s\n", signs[f.Level], f.Check, f.Text)
	}
	n := 0
	for _, f := range d {
		if f.Fix == "" || f.Level == FindingOK || f.Level == FindingByHand {
			continue
		}
		if n++; n == 1 {
			b.WriteString("\nWhat to do, in this order:\n")
		}
		fmt.Fprintf(&b, "%2d. %s: %s\n", n, f.Check, f.Fix)
	}
	n = 0
	for _, f := range d {
		if f.Level != FindingByHand {
			continue
		}
		if n++; n == 1 {
			b.WriteString("\nWhat only you can check, in the app dashboard:\n")
		}
		fmt.Fprintf(&b, " -  %s: %s\n", f.Check, f.Fix)
	}
	return b.String()
}

// DiagnoseOptions tell [Diagnose] what a [Config] does not know.
type DiagnoseOptions struct {
	// SystemToken is the token of Config.Client again, to ask Meta about it. If empty, the token is
	// left out.
	SystemToken graph.Secret

	// VerifyToken is the token that your webhook endpoint expects in the handshake. If empty, the
	// handshake is left out.
	VerifyToken graph.Secret

	// CallbackURL is the URL of your endpoint. If empty, the one in the app dashboard.
	CallbackURL string

	// Launch are the options that you launch with, for what is wrong with them.
	Launch LaunchOptions

	// HTTPClient calls your endpoint. If nil, one with a timeout of ten seconds.
	HTTPClient *http.Client
}

// Diagnose looks at everything that a signup needs and a developer can get wrong, and says what to
// fix, in order: settings, app and secret, Graph version, the webhook fields of the app, whether
// your endpoint answers Meta's handshake and refuses forgeries, the token's kind, life and
// permissions. Meta's API does not tell whether the app is a Solution Partner's or a Tech
// Provider's: that, and what hints at it, is among what only you can look at. It changes nothing.
// Run it at deployment and when "nothing happens"; signup/doctor is a program around it.
//
// The handshake and one unsigned delivery, which your endpoint has to refuse, go to your own URL.
func Diagnose(ctx context.Context, cfg Config, opts DiagnoseOptions) Diagnosis {
	x := &examination{ctx: ctx, cfg: cfg.withDefaults(), opts: opts}
	if x.settings() && x.app() {
		x.version()
		x.webhook()
		x.callback()
		x.token()
		x.portfolio()
	}
	x.byHand()
	return x.found
}

// An examination is one run of [Diagnose].
type examination struct {
	ctx     context.Context //nolint:containedctx // lives as long as the call
	cfg     Config          // with defaults
	opts    DiagnoseOptions
	address string // the callback URL of the app dashboard, once webhook has read it
	credit  string // what the portfolio's lines of credit hint at, once portfolio has read them
	found   Diagnosis
}

// add adds a finding, and reports whether it is no problem: whether it makes sense to look on.
func (x *examination) add(check string, level FindingLevel, text, fix string) bool {
	x.found = append(x.found, Finding{check, level, text, fix})
	return level != FindingProblem
}

// settings checks what needs no call, and reports whether Meta can be asked at all: even with
// mistakes, if there are an app id and a secret.
func (x *examination) settings() bool {
	err := x.cfg.validate()
	for _, line := range lines(err) {
		x.add("settings", FindingProblem, strings.TrimPrefix(line, "signup: "), "correct this setting")
	}
	if err == nil {
		f := &Flow{cfg: x.cfg}
		l, launching := f.Launch(x.opts.Launch)
		for _, line := range lines(launching) {
			x.add("launch", FindingProblem, strings.TrimPrefix(line, "signup: "), "correct this launch option")
		}
		for _, w := range l.Warnings {
			x.add("launch", FindingWarning, w, "change the launch options")
		}
		x.add("settings", FindingOK, "all there, for mode "+string(x.cfg.Mode), "")
	}
	return x.cfg.Client != nil && x.cfg.Client.AppID() != "" && x.cfg.Client.HasAppSecret()
}

// lines splits joined errors, since each is a finding of its own.
func lines(err error) []string {
	if err == nil {
		return nil
	}
	return strings.Split(err.Error(), "\n")
}

// app tries the app's id and secret with a call that needs both. It reports whether the rest can be
// looked at.
func (x *examination) app() bool {
	_, err := x.cfg.Client.Apps.Subscriptions(x.ctx)
	e, _ := errors.AsType[*cloudapi.Error](err)
	switch {
	case err == nil:
		return x.add("app and secret", FindingOK, "Meta accepts them", "")
	case e != nil && e.StatusCode != 0 && !transient(err):
		return x.add("app and secret", FindingProblem, fmt.Sprintf("Meta refuses them with code %d", int(e.Code)),
			"copy App ID and App secret from the app dashboard, Settings, Basic; both of the same app")
	}
	return x.add("Graph API", FindingProblem, "it does not answer",
		"let this machine reach graph.facebook.com over https, then look again")
}

// version asks about a made-up token, because any answer says which version ran.
func (x *examination) version() {
	info, err := x.cfg.Client.OAuth.DebugToken(x.ctx, cmp.Or(x.opts.SystemToken, "preflight"))
	switch {
	case err != nil || info.Response.Version == "":
		x.add("Graph version", FindingSkipped, "Meta did not say which one runs", "")
	case info.Response.Version != x.cfg.Client.Version():
		x.add("Graph version", FindingWarning,
			"the client asks for "+x.cfg.Client.Version()+" and Meta runs "+info.Response.Version,
			"set Version of the client to one that Meta serves; Meta replaces one that has ended without a word, "+
				"and an old one can lead to the wrong popup")
	default:
		x.add("Graph version", FindingOK, info.Response.Version, "")
	}
}

// fields are the webhook fields that a mode needs.
func (m Mode) fields() []string {
	fields := []string{"messages", "account_update"}
	if m == ModeCoexistence {
		fields = append(fields, "history", "smb_app_state_sync", "smb_message_echoes")
	}
	return fields
}

// responderFields are the webhook fields that tell of other responders of a number, and
// marketingField is the one that tells who has stopped marketing messages.
var responderFields = []string{"standby", "messaging_handovers"}

const marketingField = "user_preferences"

// webhook compares the fields that the app subscribes to with those that the mode needs. A field
// that is not subscribed to is the mistake that costs the most time: Meta sends nothing and says
// nothing.
func (x *examination) webhook() {
	const (
		object = "whatsapp_business_account"
		where  = "in the app dashboard, WhatsApp, Configuration, Webhook"
	)
	subs, err := x.cfg.Client.Apps.Subscriptions(x.ctx)
	if err != nil {
		x.add("webhook fields", FindingSkipped, "they could not be read", "")
		return
	}
	i := slices.IndexFunc(subs, func(s cloudapi.AppSubscription) bool { return s.Object == object })
	if i < 0 || !subs[i].Active {
		x.add("webhook fields", FindingProblem, "the app has no active webhook for WhatsApp",
			"set callback URL and verify token "+where+", and subscribe to "+strings.Join(x.cfg.Mode.fields(), ", "))
		return
	}
	x.address = subs[i].CallbackURL
	missing := slices.DeleteFunc(x.cfg.Mode.fields(), subs[i].HasField)
	if len(missing) > 0 {
		x.add("webhook fields", FindingProblem, "not subscribed to "+strings.Join(missing, ", "),
			"subscribe to "+strings.Join(missing, ", ")+" "+where+"; without, Meta sends nothing and says nothing")
		return
	}
	x.add("webhook fields", FindingOK, strings.Join(x.cfg.Mode.fields(), ", "), "")
	if missing := slices.DeleteFunc(slices.Clone(responderFields), subs[i].HasField); len(missing) > 0 {
		x.add("other responders", FindingWarning, "not subscribed to "+strings.Join(missing, ", "),
			"subscribe to "+strings.Join(missing, ", ")+" "+where+", if it offers them; when the business lets Meta's "+
				"agent or another partner answer too, their conversations vanish without a trace otherwise")
	}
	if !subs[i].HasField(marketingField) {
		x.add("opt-outs", FindingWarning, "not subscribed to "+marketingField,
			"subscribe to "+marketingField+" "+where+" before you send marketing: it is how people stop it in WhatsApp")
	}
}

// token looks at the system user's token, which a host needs for [Flow.Recover], credit and the
// accounts that are shared with it: whose it is, when it ends, what it may do. Permissions are a
// warning only, since Meta's list leaves some out that the token has.
func (x *examination) token() {
	if x.opts.SystemToken.IsZero() {
		x.add("token", FindingSkipped, "no system token was given; only recovery and credit need one", "")
		return
	}
	info, err := x.cfg.Client.OAuth.DebugToken(x.ctx, x.opts.SystemToken)
	switch {
	case err != nil:
		x.add("token", FindingSkipped, "Meta did not answer about it", "")
		return
	case !info.Valid:
		x.add("token", FindingProblem, "it is revoked or expired",
			"make a new one: Business settings, Users, System users")
		return
	case info.AppID != x.cfg.Client.AppID():
		x.add("token", FindingProblem, "it belongs to another app",
			"make one for this app, or use the other app's id and secret")
		return
	}
	if info.Type != "SYSTEM_USER" {
		x.add("token", FindingWarning, "it is of the kind "+info.Type+", and ends with its person's session",
			"use one of a system user: Business settings, Users, System users")
	} else {
		x.add("token", FindingOK, "of a system user", "")
	}
	if at := info.ExpiresAt; !at.IsZero() {
		days := int(time.Until(at.Time).Hours() / 24)
		x.add("token", FindingWarning, fmt.Sprintf("it ends on %s, in %d days", at.Format(time.DateOnly), days),
			"make one that never expires, or replace it before")
	}
	needed := []string{scopeManagement, scopeMessaging}
	if x.cfg.PartnerBusinessID != "" || x.cfg.Credit != nil {
		needed = append(needed, "business_management")
	}
	missing := slices.DeleteFunc(slices.Clone(needed), func(s string) bool { return slices.Contains(info.Scopes, s) })
	if len(missing) > 0 {
		x.add("permissions", FindingWarning, "the token does not list "+strings.Join(missing, ", "),
			"generate the token with these permissions; those of businesses need Advanced Access as well")
		return
	}
	x.add("permissions", FindingOK, strings.Join(needed, ", "), "")
}

// portfolio reads one account that is shared with the host's portfolio: the right to list them is
// all that can be missing.
func (x *examination) portfolio() {
	if x.cfg.PartnerBusinessID == "" {
		return
	}
	first := cloudapi.WABAListOptions{Limit: 1}
	for _, err := range x.cfg.Client.Businesses.ClientWABAs(x.ctx, x.cfg.PartnerBusinessID, first) {
		if err != nil {
			x.add("portfolio", FindingProblem, "the accounts shared with it cannot be listed with the token",
				"check Config.PartnerBusinessID, and that the system user belongs to it and has business_management")
			return
		}
		break
	}
	x.add("portfolio", FindingOK, "the accounts shared with it can be listed", "")
	x.credit = "; no line of credit, which a Solution Partner has, was found in the portfolio"
	for _, err := range x.cfg.Client.Credit.Lines(x.ctx, x.cfg.PartnerBusinessID) {
		if x.credit = ""; err == nil {
			x.credit = "; the portfolio has a line of credit, as that of a Solution Partner"
		}
		break
	}
}

// byHand lists what no call can show, last, since it takes a person to look.
func (x *examination) byHand() {
	product := "tick Cloud API"
	if x.cfg.Mode == ModeCoexistence {
		product = "tick Cloud API and WhatsApp Business app users"
	}
	x.add("configuration", FindingByHand, "Meta has no API that shows it",
		"Facebook Login for Business, Configurations: login variation WhatsApp Embedded Signup, made new for v4 ("+
			product+"), a token that never expires")
	x.add("domains", FindingByHand, "Meta has no API that shows them",
		"Facebook Login for Business, Settings: your page's domain, with https, in both Allowed domains and "+
			"Valid OAuth redirect URIs; Login with the JavaScript SDK: Yes")
	x.add("partner status", FindingByHand, "Meta has no API that shows it"+x.credit,
		"your app has to be a Solution Partner's or a Tech Provider's: in the app dashboard WhatsApp, Tech Provider "+
			"onboarding, with Business Verification, App Review and Access Verification; before, ten new businesses "+
			"can sign up in seven days, after it 200")
	x.add("access", FindingByHand, "Meta has no API that shows it",
		"App Review: Advanced Access to "+scopeManagement+" and "+scopeMessaging+
			", and the app is Live; until then only people with a role in the app can sign up")
}
