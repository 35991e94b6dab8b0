package signup

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/opaque"
)

// CodeTTL is how long a code can be exchanged. Meta counts from when it leaves the popup.
const CodeTTL = 30 * time.Second

// Config configures a Flow. ConfigurationID and Client are required.
type Config struct {
	// ConfigurationID names the Facebook Login for Business configuration, made with the login
	// variation "WhatsApp Embedded Signup". Find it in the app dashboard under Facebook Login for
	// Business, Configurations. It decides on products, permissions, the token's life and the
	// version of the popup, and no API can check it.
	ConfigurationID string

	// Client calls the Graph API. It needs the AppID and AppSecret of your Meta app; its own token
	// is used for nothing but PartnerBusinessID.
	Client *cloudapi.Client

	// Mode is the purpose of the popup. If empty, [ModeCoexistence].
	Mode Mode

	// PartnerBusinessID is your own portfolio. With it, and a system user's token in Client,
	// accounts that a token does not list by itself are found among those shared with you. If
	// empty, that way of looking is left out.
	PartnerBusinessID graph.BusinessID

	// AttemptTTL is how long a page may stay open. If zero, one hour. A token that was granted is
	// kept for seven days, or until the signup is complete.
	AttemptTTL time.Duration

	// Store keeps attempts, and with them the tokens of signups that are not complete. If nil, a
	// [MemStore]: a restart forgets them. Any other needs a Cipher.
	Store Store

	// Cipher encrypts what Store keeps. If nil and Store is a MemStore, a key that lives as long as
	// the process.
	Cipher Cipher

	// Reserve is asked, for each account that holds the number, after everything is verified and
	// before anything changes. Return [ErrTaken], wrapped or not, if another tenant has it; any
	// other error means that it is not known. It may be asked again for the same tenant. If nil,
	// everything is granted.
	Reserve func(ctx context.Context, tenant string, waba graph.WABAID, phone graph.PhoneNumberID) error

	// Progress is called after each step from [StepExchange] on, once the step is stored and before
	// the next one begins. The Connection is a copy, complete as far as the step came. An error
	// stops the signup with [OutcomeUnavailable], to be resumed.
	Progress func(ctx context.Context, step Step, b *Connection) error

	// Override returns the URL for the webhooks of a business's accounts, if it is not the app's
	// own. It is asked after the plain subscription; the zero value leaves that as it is. If nil,
	// nothing is overridden.
	Override func(ctx context.Context, b *Connection) (cloudapi.WebhookOverride, error)

	// Credit shares your line of credit with every business: for solution partners. If nil,
	// businesses pay for themselves.
	Credit *Credit

	// PIN gives the six digits with which an ordinary number is registered on Cloud API, or which
	// it has already if its two-step verification is on: one of its own for each number, stored
	// encrypted, never one for all. If nil, the signup of an ordinary number ends with
	// [OutcomeNeedsRegistration]. A number of the WhatsApp Business app is never registered, so
	// that a Flow of [ModeCoexistence] refuses a PIN.
	PIN func(ctx context.Context, b *Connection) (graph.Secret, error)

	// Connected takes a business that is connected, for the host to store it, its token encrypted.
	// It is called after the last step and before the result is reported, by the page of
	// [Flow.Handler] and by [Flow.Finish], [Flow.Resume], [Flow.ResumeAll], [Flow.ResumeConnection]
	// and [Flow.Recover]: when it returns nil, the attempt ends and forgets the token.
	//
	// An error ends the try with [OutcomeUnavailable] at [StepReady], [ErrTaken] with
	// [OutcomeTaken], and leaves the token in the attempt. Connected is called again, after all
	// steps, when the page sends its state again, and by Resume and ResumeAll, for seven days; so
	// it is if the process ends within it. It has to be idempotent. Calls of the page get a context
	// that outlives the request: a closed tab must not cost a grant.
	//
	// Required with Page and for ResumeAll. If nil, the other methods only return the business.
	Connected func(ctx context.Context, b *Connection) error

	// Page configures the page of [Flow.Handler]. The zero PageConfig is for hosts with a page and
	// handlers of their own.
	Page PageConfig

	// Logger gets what no caller can see. If nil, nothing is logged.
	Logger *slog.Logger
}

// withDefaults fills in what a host may leave empty. A MemStore gets a key of its own, since what
// it keeps ends with the process; any other Store keeps a nil Cipher, which validate refuses.
func (c Config) withDefaults() Config {
	if c.Mode == "" {
		c.Mode = ModeCoexistence
	}
	if c.AttemptTTL == 0 {
		c.AttemptTTL = time.Hour
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	c.Page = c.Page.withDefaults()
	if c.Store == nil {
		c.Store = new(MemStore)
	}
	if _, ok := c.Store.(*MemStore); ok && c.Cipher == nil {
		c.Cipher, _ = newProcessCipher()
	}
	return c
}

// validate checks a Config that has its defaults.
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
	if c.PartnerBusinessID != "" && !isID(c.PartnerBusinessID) {
		bad("PartnerBusinessID is not an id of digits")
	}
	if c.AttemptTTL < 0 {
		bad("AttemptTTL is negative")
	}
	if c.Cipher == nil {
		bad("Cipher is nil, and Store would keep tokens that anybody can read; see ParseKeyring")
	}
	if c.PIN != nil && c.Mode == ModeCoexistence {
		bad("PIN is for numbers that are registered, which a coexistence number must never be")
	}
	if c.Credit != nil {
		errs = append(errs, c.Credit.validate())
	}
	errs = append(errs, c.Page.validate())
	if c.Page.Tenant != nil && c.Connected == nil {
		bad("Connected is nil, and nothing would take the businesses that Page connects")
	}
	return errors.Join(errs...)
}

// A Flow takes businesses through Embedded Signup. It is safe for concurrent use; make one and keep
// it.
type Flow struct {
	cfg     Config
	unsaved opaque.Value[*unsaved] // they hold tokens, which package fmt must not print
}

// NewFlow returns a Flow. It does no I/O; the error lists every mistake in cfg.
func NewFlow(cfg Config) (*Flow, error) {
	cfg = cfg.withDefaults()
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	return &Flow{cfg: cfg, unsaved: opaque.New(new(unsaved))}, nil
}
