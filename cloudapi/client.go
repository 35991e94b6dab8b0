package cloudapi

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/opaque"
)

// A Client calls the Graph API with one access token. It is safe for concurrent use and holds no
// state of its own: make one at start-up and one copy per business with [Client.WithToken].
type Client struct {
	// Messages sends messages and marks received ones as read.
	Messages *MessagesService

	// Phones reads business phone numbers and asks the WhatsApp Business app for its data.
	Phones *PhonesService

	// WABAs reads WhatsApp Business Accounts and subscribes the app to them.
	WABAs *WABAsService

	// OAuth exchanges codes for tokens and inspects tokens.
	OAuth *OAuthService

	// Apps reads the settings of the app itself.
	Apps *AppsService

	// Businesses finds business portfolios and their WhatsApp Business Accounts.
	Businesses *BusinessesService

	// Media uploads and downloads the files of messages.
	Media *MediaService

	// Uploads uploads files for templates and profile pictures.
	Uploads *UploadsService

	// Templates makes and keeps message templates.
	Templates *TemplatesService

	// TemplateGroups puts templates into groups that are counted as one.
	TemplateGroups *TemplateGroupsService

	// Flows makes and keeps Flows, and the key that their data is encrypted with.
	Flows *FlowsService

	// Profiles reads and writes what customers see of a business.
	Profiles *ProfilesService

	// Registration brings ordinary numbers onto Cloud API; never coexistence numbers.
	Registration *RegistrationService

	// Settings switches calling, identity checks and storage of a number.
	Settings *SettingsService

	// Health says whether messages can be sent, and what prevents it.
	Health *HealthService

	// Block keeps people from writing to a number.
	Block *BlockService

	// QR makes links and QR codes that open a chat.
	QR *QRService

	// Threads moves conversations between the responders of a number.
	Threads *ThreadsService

	// Automation sets ice breakers and commands.
	Automation *AutomationService

	// Usernames claims the name by which people find a number.
	Usernames *UsernamesService

	// ContactBook forgets what Meta remembers of people.
	ContactBook *ContactBookService

	// Calls makes and answers voice calls.
	Calls *CallsService

	// Groups makes and keeps groups.
	Groups *GroupsService

	// Analytics counts messages, costs and calls.
	Analytics *AnalyticsService

	// Credit shares a solution partner's credit line.
	Credit *CreditService

	// Opaque, because a host that prints a client must not print its secrets.
	core opaque.Value[*core]
	auth opaque.Value[*auth]
}

// A service is the underlying type of all services: the client that they call with.
type service struct{ c *Client }

// A core is what all copies of a client share.
type core struct {
	cfg     Config
	shared  *http.Client // pools connections
	oneShot *http.Client // takes a fresh connection for every call

	warnedVersion atomic.Bool // of a different version than the one asked for; once for all copies
}

// An auth is a token and its proof.
type auth struct {
	token graph.Secret
	proof string // the token's HMAC-SHA256 with the app secret, in hex; empty without an app secret
}

// NewClient returns a client. It does no I/O; the error lists every mistake in cfg.
func NewClient(cfg Config) (*Client, error) {
	cfg = cfg.withDefaults()
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	shared := cfg.HTTPClient
	if shared == nil {
		shared = defaultHTTPClient()
	}
	co := &core{cfg: cfg, shared: withoutRedirects(shared)}
	co.oneShot = withFreshConnections(co.shared)
	return newClient(co, cfg.AccessToken), nil
}

// WithToken returns a client that calls with another token. It is cheap, and shares connections,
// settings and limiter with c.
func (c *Client) WithToken(token graph.Secret) *Client { return newClient(c.core.Reveal(), token) }

// AppID returns the id of the app that c is configured with. It may be empty.
func (c *Client) AppID() graph.AppID { return c.core.Reveal().cfg.AppID }

// Limiter returns the limiter that c asks before it sends: that of its Config, or the one that it
// made itself.
func (c *Client) Limiter() Limiter { return c.core.Reveal().cfg.Limiter }

// Version returns the Graph API version that the client calls, such as "v25.0".
func (c *Client) Version() string { return c.core.Reveal().cfg.Version }

// HasAppSecret reports whether c is configured with an app secret: it then sends appsecret_proof,
// and can do OAuth.
func (c *Client) HasAppSecret() bool { return !c.core.Reveal().cfg.AppSecret.IsZero() }

// newClient makes a client over what is shared, for one token. All services are the client under
// another name, so that a copy is cheap.
func newClient(co *core, token graph.Secret) *Client {
	c := &Client{core: opaque.New(co), auth: opaque.New(newAuth(co.cfg.AppSecret, token))}
	s := &service{c}
	c.Messages = (*MessagesService)(s)
	c.Phones = (*PhonesService)(s)
	c.WABAs = (*WABAsService)(s)
	c.OAuth = (*OAuthService)(s)
	c.Apps = (*AppsService)(s)
	c.Businesses = (*BusinessesService)(s)
	c.Media = (*MediaService)(s)
	c.Uploads = (*UploadsService)(s)
	c.Templates = (*TemplatesService)(s)
	c.TemplateGroups = (*TemplateGroupsService)(s)
	c.Flows = (*FlowsService)(s)
	c.Profiles = (*ProfilesService)(s)
	c.Registration = (*RegistrationService)(s)
	c.Settings = (*SettingsService)(s)
	c.Health = (*HealthService)(s)
	c.Block = (*BlockService)(s)
	c.QR = (*QRService)(s)
	c.Threads = (*ThreadsService)(s)
	c.Automation = (*AutomationService)(s)
	c.Usernames = (*UsernamesService)(s)
	c.ContactBook = (*ContactBookService)(s)
	c.Calls = (*CallsService)(s)
	c.Groups = (*GroupsService)(s)
	c.Analytics = (*AnalyticsService)(s)
	c.Credit = (*CreditService)(s)
	return c
}

// newAuth computes the proof of a token once, for all calls with it.
func newAuth(appSecret, token graph.Secret) *auth {
	a := &auth{token: token}
	if !appSecret.IsZero() && !token.IsZero() {
		mac := hmac.New(sha256.New, []byte(appSecret.Reveal()))
		mac.Write([]byte(token.Reveal()))
		a.proof = hex.EncodeToString(mac.Sum(nil))
	}
	return a
}

// defaultHTTPClient is the client of a Config without one. Its idle connections are closed before
// Meta's servers close them, so that few calls meet a connection that is just ending.
func defaultHTTPClient() *http.Client {
	return &http.Client{
		Timeout: 2 * time.Minute,
		Transport: &http.Transport{
			Proxy:                 http.ProxyFromEnvironment,
			DialContext:           (&net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
			ForceAttemptHTTP2:     true,
			MaxIdleConns:          100,
			MaxIdleConnsPerHost:   32, // all tenants talk to one host
			IdleConnTimeout:       60 * time.Second,
			TLSHandshakeTimeout:   10 * time.Second,
			ResponseHeaderTimeout: 60 * time.Second,
		},
	}
}

// withoutRedirects makes a 3xx an answer like any other: the Graph API never redirects a call, and
// following one would carry the token and the body to wherever it points.
func withoutRedirects(hc *http.Client) *http.Client {
	c := *hc
	c.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &c
}

// withFreshConnections returns a client for calls that may happen only once. net/http repeats a GET
// by itself when a connection that was used before breaks under it, whatever the caller thinks of
// it; on a fresh connection it never does. It also spares those calls the connection that the
// server was just about to close.
func withFreshConnections(hc *http.Client) *http.Client {
	c := *hc
	base := c.Transport
	if base == nil {
		base = http.DefaultTransport
	}
	if t, ok := base.(*http.Transport); ok {
		t = t.Clone()
		t.DisableKeepAlives = true
		c.Transport = t
	}
	return &c
}
