package signup

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"regexp"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/sealed"
)

// CodeTTL is how long a code can be exchanged. Meta counts from when it leaves the popup.
const CodeTTL = 30 * time.Second

// DefaultSDKURL is where Meta's JavaScript SDK is, in English.
const DefaultSDKURL = "https://connect.facebook.net/en_US/sdk.js"

// Config configures a Flow. ConfigurationID and Client are required.
type Config struct {
	// ConfigurationID names the Facebook Login for Business configuration, made with the login variation "WhatsApp Embedded
	// Signup". Find it in the app dashboard under Facebook Login for Business, Configurations. It decides on products,
	// permissions, the token's life and the version of the popup, and no API can check it.
	ConfigurationID string

	// Client calls the Graph API. It needs the AppID and AppSecret of your Meta app; its own token is used for nothing but
	// PartnerBusiness.
	Client *cloudapi.Client

	// Mode is what the popup is for. If empty, [ModeCoexistence].
	Mode Mode

	// GraphVersion is the Graph API version that the page's SDK runs, such as "v25.0". If empty,
	// [cloudapi.DefaultVersion].
	GraphVersion string

	// PartnerBusiness is your own portfolio. With it, and a system user's token in Client, accounts that a token does not
	// list by itself are found among those shared with you. If empty, that way of looking is left out.
	PartnerBusiness graph.BusinessID

	// AttemptTTL is how long a page may stay open. If zero, one hour. A token that was granted is kept for seven days, or until
	// the signup is complete.
	AttemptTTL time.Duration

	// Store keeps attempts, and with them the tokens of signups that are not complete. If nil, a [MemStore]: a restart forgets
	// them. Any other needs a Cipher.
	Store Store

	// Cipher encrypts what Store keeps. If nil and Store is a MemStore, a key that lives as long as the process.
	Cipher Cipher

	// Reserve is asked, for each account that holds the number, after everything is verified and before anything changes.
	// Return [ErrTaken], wrapped or not, if another owner has it; any other error means that nobody knows. It may be asked
	// again for the same owner. If nil, everything is granted.
	Reserve func(ctx context.Context, owner string, waba graph.WABAID, phone graph.PhoneNumberID) error

	// Progress is told after each step from [StepExchange] on, once Store has it and before the next one begins. The Business is a
	// copy, complete as far as the step came. An error stops the signup with [OutcomeUnavailable], to be resumed.
	Progress func(ctx context.Context, step Step, b *Business) error

	// Override says where the webhooks of a business's accounts go, if not to the app's own URL. It is asked after the plain
	// subscription; the zero value leaves that as it is. If nil, nothing is overridden.
	Override func(ctx context.Context, b *Business) (cloudapi.WebhookOverride, error)

	// Credit shares your line of credit with every business: for solution partners. If nil, businesses pay for themselves.
	Credit *Credit

	// PIN gives the six digits with which an ordinary number is registered on Cloud API, or which it has already if its two-step
	// verification is on: one of its own for each number, stored encrypted, never one for all. If nil, the signup of an ordinary
	// number ends with [OutcomeNeedsRegistration]. A number of the WhatsApp Business app is never registered, so that a Flow of
	// [ModeCoexistence] refuses a PIN.
	PIN func(ctx context.Context, b *Business) (graph.Secret, error)

	// Owner says for whom a request to [Flow.Handler] is. Take it from the host's own session. Required for Handler only.
	Owner func(*http.Request) (string, error)

	// Check says whether a number may take part, before Meta's popup opens: [Flow.Handler]'s page asks the business for the number
	// and the version of its app. Package coexistence/eligibility has the rules. If nil, the page asks nothing.
	Check func(ctx context.Context, owner string, c Candidate) (Verdict, error)

	// SDKURL is where the page loads Meta's JavaScript SDK from. If empty, [DefaultSDKURL]; the page of another language is at
	// another one. Only a simulator has another host, and then the page believes that host's messages, too.
	SDKURL string

	// RedirectURI is the https address of [Flow.Handler]'s /back, registered in the app dashboard, for pages where Meta's SDK is
	// blocked or no popup can open. If empty, such a page only says so.
	RedirectURI string

	// PageURL is where /back sends the browser when it is done: the page with the script. If empty, the handler's own page.
	PageURL string

	// LaunchFor returns the options of the launch that [Flow.Handler] gives to an owner's page, such as a Setup filled from
	// the host's records. If nil, none.
	LaunchFor func(ctx context.Context, owner string) (LaunchOptions, error)

	// TrustedOrigins may call [Flow.Handler] beside its own origin, such as "https://app.example.com" for a page whose script comes
	// from api.example.com. A session cookie has to reach the handler from there: two names under one domain will do.
	TrustedOrigins []string

	// Logger gets what no caller can see. If nil, nothing is logged.
	Logger *slog.Logger
}

func (c Config) withDefaults() Config {
	if c.Mode == "" {
		c.Mode = ModeCoexistence
	}
	if c.GraphVersion == "" {
		c.GraphVersion = cloudapi.DefaultVersion
	}
	if c.AttemptTTL == 0 {
		c.AttemptTTL = time.Hour
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.SDKURL == "" {
		c.SDKURL = DefaultSDKURL
	}
	if c.PageURL == "" {
		c.PageURL = "./"
	}
	if c.Store == nil {
		c.Store = new(MemStore)
	}
	if _, ok := c.Store.(*MemStore); ok && c.Cipher == nil {
		c.Cipher, _ = newProcessCipher()
	}
	return c
}

var versionRe = regexp.MustCompile(`^v[1-9][0-9]*\.[0-9]+$`)

// validate judges a Config that has its defaults.
func (c Config) validate() error {
	var errs []error
	bad := func(format string, args ...any) {
		errs = append(errs, fmt.Errorf("signup: Config."+format, args...))
	}
	if !isID(c.ConfigurationID) {
		bad("ConfigurationID is not an id of digits; find it under Facebook Login for Business, Configurations")
	}
	if c.Client == nil {
		bad("Client is nil")
	} else {
		if !isID(c.Client.AppID()) {
			bad("Client has no AppID; find it in the app dashboard")
		}
		if !c.Client.HasAppSecret() {
			bad("Client has no AppSecret; codes cannot be exchanged without it")
		}
	}
	switch c.Mode {
	case ModeCoexistence, ModeStandard, ModeAppOnly:
	default:
		bad("Mode %q is not one of the modes", c.Mode)
	}
	if !versionRe.MatchString(c.GraphVersion) {
		bad(`GraphVersion %q does not look like "v25.0"`, c.GraphVersion)
	}
	if c.PartnerBusiness != "" && !isID(c.PartnerBusiness) {
		bad("PartnerBusiness is not an id of digits")
	}
	if c.AttemptTTL < 0 {
		bad("AttemptTTL is negative")
	}
	if u, err := url.Parse(c.SDKURL); err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		bad("SDKURL is not the address of a script; leave it empty")
	}
	if u, err := url.Parse(c.RedirectURI); c.RedirectURI != "" && (err != nil || u.Scheme != "https" || u.Host == "" || u.Fragment != "") {
		bad("RedirectURI is not an absolute https address without fragment")
	}
	if _, err := url.Parse(c.PageURL); err != nil {
		bad("PageURL is not an address")
	}
	if c.Cipher == nil {
		bad("Cipher is nil, and Store would keep tokens that anybody can read; see NewCipher")
	}
	if c.PIN != nil && c.Mode == ModeCoexistence {
		bad("PIN is for numbers that are registered, which a coexistence number must never be")
	}
	if c.Credit != nil {
		errs = append(errs, c.Credit.validate())
	}
	for _, origin := range c.TrustedOrigins {
		if u, err := url.Parse(origin); err != nil || u.Scheme == "" || u.Host == "" || u.Scheme+"://"+u.Host != origin {
			bad(`TrustedOrigins: %q does not look like "https://app.example.com"`, origin)
		}
	}
	return errors.Join(errs...)
}

// A Flow takes businesses through Embedded Signup. It is safe for concurrent use; make one and keep it.
type Flow struct {
	cfg     Config
	rescued sealed.Value[*rescued] // they hold tokens
}

// NewFlow returns a Flow. It does no I/O; the error lists every mistake in cfg.
func NewFlow(cfg Config) (*Flow, error) {
	cfg = cfg.withDefaults()
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	return &Flow{cfg: cfg, rescued: sealed.New(new(rescued))}, nil
}
