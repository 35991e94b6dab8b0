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

	// AttemptTTL is how long a page may stay open, and how long a signup that waits for a choice is kept in memory, its
	// token included. If zero, one hour.
	AttemptTTL time.Duration

	// Reserve is asked, for each account that holds the number, after everything is verified and before anything changes.
	// Return [ErrTaken], wrapped or not, if another owner has it; any other error means that nobody knows. It may be asked
	// again for the same owner. If nil, everything is granted.
	Reserve func(ctx context.Context, owner string, waba graph.WABAID, phone graph.PhoneNumberID) error

	// Progress is told after each step from [StepExchange] on, before the next one begins. The first time is when to store
	// the token: the code is spent, and a crash would lose the grant. The Business is a copy, complete as far as the step
	// came. An error stops the signup with [OutcomeUnavailable], to be resumed.
	Progress func(ctx context.Context, step Step, b *Business) error

	// Owner says for whom a request to [Flow.Handler] is. Take it from the host's own session. Required for Handler only.
	Owner func(*http.Request) (string, error)

	// LaunchFor returns the options of the launch that [Flow.Handler] gives to an owner's page, such as a Setup filled from
	// the host's records. If nil, none.
	LaunchFor func(ctx context.Context, owner string) (LaunchOptions, error)

	// TrustedOrigins may call [Flow.Handler] beside its own origin, such as "https://app.example.com".
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
	for _, origin := range c.TrustedOrigins {
		if u, err := url.Parse(origin); err != nil || u.Scheme == "" || u.Host == "" || u.Scheme+"://"+u.Host != origin {
			bad(`TrustedOrigins: %q does not look like "https://app.example.com"`, origin)
		}
	}
	return errors.Join(errs...)
}

// A Flow takes businesses through Embedded Signup. It is safe for concurrent use; make one and keep it.
type Flow struct {
	cfg      Config
	attempts sealed.Value[*attempts] // they hold codes and tokens
}

// NewFlow returns a Flow. It does no I/O; the error lists every mistake in cfg.
func NewFlow(cfg Config) (*Flow, error) {
	cfg = cfg.withDefaults()
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	return &Flow{cfg: cfg, attempts: sealed.New(&attempts{m: map[string]*attempt{}})}, nil
}
