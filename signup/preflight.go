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

// A Diagnosis is what [Diagnose] found out, in the order in which it is worth being fixed: what
// comes later often cannot be told before.
type Diagnosis []Finding

// A Finding is one thing that was looked at.
type Finding struct {
	// Check names it, such as "webhook fields".
	Check string

	// Level sorts it.
	Level FindingLevel

	// Text says what was found. It holds no secret.
	Text string

	// Fix says what to do. Empty if there is nothing to do.
	Fix string
}

// A FindingLevel is what a [Finding] amounts to.
type FindingLevel string

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

// String lists the findings for a terminal, and what to do in order.
func (d Diagnosis) String() string {
	signs := map[FindingLevel]string{FindingOK: "ok", FindingWarning: "!!", FindingProblem: "NO", FindingSkipped: "--", FindingByHand: "??"}
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

	// VerifyToken is what your webhook endpoint expects in the handshake. If empty, the handshake
	// is left out.
	VerifyToken graph.Secret

	// CallbackURL is where your endpoint is. If empty, what the app dashboard has.
	CallbackURL string

	// Launch are the options that you launch with, for what is wrong with them.
	Launch LaunchOptions

	// HTTPClient calls your endpoint. If nil, one with a timeout of ten seconds.
	HTTPClient *http.Client
}

// Diagnose looks at everything that a signup needs and a developer can get wrong, and says what to
// fix, in order: settings, app and secret, Graph version, the webhook fields of the app, whether
// your endpoint answers Meta's handshake and refuses forgeries, the token's kind, life and
// permissions. It changes nothing. Run it at deployment and when "nothing happens"; signup/doctor
// is a program around it.
//
// The handshake and one unsigned delivery, which your endpoint has to refuse, go to your own URL.
func Diagnose(ctx context.Context, cfg Config, opts DiagnoseOptions) Diagnosis {
	p := &preflight{ctx: ctx, cfg: cfg.withDefaults(), opts: opts}
	if p.settings() && p.app() {
		p.version()
		p.webhook()
		p.callback()
		p.token()
		p.portfolio()
	}
	p.byHand()
	return p.found
}

type preflight struct {
	ctx     context.Context //nolint:containedctx // lives as long as the call
	cfg     Config
	opts    DiagnoseOptions
	address string
	found   Diagnosis
}

func (p *preflight) add(check string, v FindingLevel, text, fix string) bool {
	p.found = append(p.found, Finding{check, v, text, fix})
	return v != FindingProblem
}

// settings reports whether the rest can be looked at.
func (p *preflight) settings() bool {
	err := p.cfg.validate()
	for _, line := range lines(err) {
		p.add("settings", FindingProblem, strings.TrimPrefix(line, "signup: "), "correct this setting")
	}
	if err == nil {
		f := &Flow{cfg: p.cfg}
		l, launching := f.Launch(p.opts.Launch)
		for _, line := range lines(launching) {
			p.add("launch", FindingProblem, strings.TrimPrefix(line, "signup: "), "correct this launch option")
		}
		for _, w := range l.Warnings {
			p.add("launch", FindingWarning, w, "change the launch options")
		}
		p.add("settings", FindingOK, "all there, for mode "+string(p.cfg.Mode), "")
	}
	return p.cfg.Client != nil && p.cfg.Client.AppID() != "" && p.cfg.Client.HasAppSecret()
}

func lines(err error) []string {
	if err == nil {
		return nil
	}
	return strings.Split(err.Error(), "\n")
}

func (p *preflight) app() bool {
	_, err := p.cfg.Client.Apps.Subscriptions(p.ctx)
	e, _ := errors.AsType[*cloudapi.Error](err)
	switch {
	case err == nil:
		return p.add("app and secret", FindingOK, "Meta accepts them", "")
	case e != nil && e.StatusCode != 0 && !passing(err):
		return p.add("app and secret", FindingProblem, fmt.Sprintf("Meta refuses them with code %d", int(e.Code)),
			"copy App ID and App secret from the app dashboard, Settings, Basic; both of the same app")
	}
	return p.add("Graph API", FindingProblem, "it does not answer", "let this machine reach graph.facebook.com over https, then look again")
}

// version asks about a made-up token, because any answer says which version ran.
func (p *preflight) version() {
	info, err := p.cfg.Client.OAuth.DebugToken(p.ctx, cmp.Or(p.opts.SystemToken, "preflight"))
	switch {
	case err != nil || info.Response.Version == "":
		p.add("Graph version", FindingSkipped, "Meta did not say which one runs", "")
	case info.Response.Version != p.cfg.Client.Version():
		p.add("Graph version", FindingWarning, "the client asks for "+p.cfg.Client.Version()+" and Meta runs "+info.Response.Version,
			"set Version of the client to one that Meta serves; Meta replaces one that has ended without a word, "+
				"and an old one can lead to the wrong popup")
	default:
		p.add("Graph version", FindingOK, info.Response.Version, "")
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

func (p *preflight) webhook() {
	const where = "in the app dashboard, WhatsApp, Configuration, Webhook"
	subs, err := p.cfg.Client.Apps.Subscriptions(p.ctx)
	if err != nil {
		p.add("webhook fields", FindingSkipped, "they could not be read", "")
		return
	}
	i := slices.IndexFunc(subs, func(s cloudapi.AppSubscription) bool { return s.Object == "whatsapp_business_account" })
	if i < 0 || !subs[i].Active {
		p.add("webhook fields", FindingProblem, "the app has no active webhook for WhatsApp",
			"set callback URL and verify token "+where+", and subscribe to "+strings.Join(p.cfg.Mode.fields(), ", "))
		return
	}
	p.address = subs[i].CallbackURL
	missing := slices.DeleteFunc(p.cfg.Mode.fields(), subs[i].HasField)
	if len(missing) > 0 {
		p.add("webhook fields", FindingProblem, "not subscribed to "+strings.Join(missing, ", "),
			"subscribe to "+strings.Join(missing, ", ")+" "+where+"; without, Meta sends nothing and says nothing")
		return
	}
	p.add("webhook fields", FindingOK, strings.Join(p.cfg.Mode.fields(), ", "), "")
}

func (p *preflight) token() {
	if p.opts.SystemToken.IsZero() {
		p.add("token", FindingSkipped, "no system token was given; only recovery and credit need one", "")
		return
	}
	info, err := p.cfg.Client.OAuth.DebugToken(p.ctx, p.opts.SystemToken)
	switch {
	case err != nil:
		p.add("token", FindingSkipped, "Meta did not answer about it", "")
		return
	case !info.Valid:
		p.add("token", FindingProblem, "it is revoked or expired", "make a new one: Business settings, Users, System users")
		return
	case info.AppID != p.cfg.Client.AppID():
		p.add("token", FindingProblem, "it belongs to another app", "make one for this app, or use the other app's id and secret")
		return
	}
	if info.Type != "SYSTEM_USER" {
		p.add("token", FindingWarning, "it is of the kind "+info.Type+", and ends with its person's session",
			"use one of a system user: Business settings, Users, System users")
	} else {
		p.add("token", FindingOK, "of a system user", "")
	}
	if at := info.ExpiresAt; !at.IsZero() {
		p.add("token", FindingWarning, fmt.Sprintf("it ends on %s, in %d days", at.Format(time.DateOnly), int(time.Until(at.Time).Hours()/24)),
			"make one that never expires, or replace it before")
	}
	needed := []string{scopeManagement, scopeMessaging}
	if p.cfg.PartnerBusinessID != "" || p.cfg.Credit != nil {
		needed = append(needed, "business_management")
	}
	missing := slices.DeleteFunc(slices.Clone(needed), func(s string) bool { return slices.Contains(info.Scopes, s) })
	if len(missing) > 0 {
		p.add("permissions", FindingWarning, "the token does not list "+strings.Join(missing, ", "),
			"generate the token with these permissions; those of businesses need Advanced Access as well")
		return
	}
	p.add("permissions", FindingOK, strings.Join(needed, ", "), "")
}

func (p *preflight) portfolio() {
	if p.cfg.PartnerBusinessID == "" {
		return
	}
	for _, err := range p.cfg.Client.Businesses.ClientWABAs(p.ctx, p.cfg.PartnerBusinessID, cloudapi.WABAListOptions{Limit: 1}) {
		if err != nil {
			p.add("portfolio", FindingProblem, "the accounts shared with it cannot be listed with the token",
				"check Config.PartnerBusinessID, and that the system user belongs to it and has business_management")
			return
		}
		break
	}
	p.add("portfolio", FindingOK, "the accounts shared with it can be listed", "")
}

func (p *preflight) byHand() {
	product := "tick Cloud API"
	if p.cfg.Mode == ModeCoexistence {
		product = "tick Cloud API and WhatsApp Business app users"
	}
	p.add("configuration", FindingByHand, "Meta has no API that shows it", "Facebook Login for Business, Configurations: login variation "+
		"WhatsApp Embedded Signup, made new for v4 ("+product+"), a token that never expires")
	p.add("domains", FindingByHand, "Meta has no API that shows them", "Facebook Login for Business, Settings: your page's domain, with "+
		"https, in both Allowed domains and Valid OAuth redirect URIs; Login with the JavaScript SDK: Yes")
	p.add("access", FindingByHand, "Meta has no API that shows it", "App Review: Advanced Access to "+scopeManagement+" and "+
		scopeMessaging+", and the app is Live; until then only people with a role in the app can sign up")
}
