package relay

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/appsecret"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/loopback"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/opaque"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/inbox"
)

// Config configures a [Relay]. URL and AppSecret are required.
type Config struct {
	// URL is where deliveries are posted: https, or http to this machine (localhost, 127.0.0.1). It
	// is not shown in errors and logs, because its path or query may be a secret.
	URL string

	// AppSecret is what the receiver verifies with: its [webhook.Config].AppSecret. Choose one for
	// each receiver, and never the secret of the app, with which it could sign as Meta does.
	AppSecret graph.Secret

	// Keep says which changes of a delivery go on. It is called for each of them, from many
	// goroutines at once. If nil, all go on, and so does what is not about WhatsApp.
	Keep func(Change) bool

	// HTTPClient posts. Its CheckRedirect is not used. If it has no Timeout, a receiver has 30
	// seconds to answer. If nil, a client with the defaults of net/http.
	HTTPClient *http.Client
}

// timeout is how long a receiver has, if the host's client does not say.
const timeout = 30 * time.Second

// validate lists all mistakes.
func (c Config) validate() error {
	var errs []error
	bad := func(text string) { errs = append(errs, errors.New("relay: Config.URL "+text)) }
	switch u, err := url.Parse(c.URL); { // an error of url.Parse quotes what it parses
	case c.URL == "":
		bad("is empty; set it to the receiver's callback URL")
	case err != nil || u.Hostname() == "":
		bad("is not a complete URL, such as https://staging.example.com/webhook")
	case u.Scheme != "https" && (u.Scheme != "http" || !loopback.ThisMachine(u.Hostname())):
		bad("has to begin with https://, because bodies hold messages; http:// is for this machine alone")
	case u.User != nil:
		bad("holds a user name or a password; leave it out, since the signature proves who posts")
	}
	err := appsecret.Check("Config.AppSecret", c.AppSecret, "choose one, and set it at the receiver too")
	if err != nil {
		errs = append(errs, fmt.Errorf("relay: %w", err))
	}
	return errors.Join(errs...)
}

// A Relay posts deliveries to one receiver. It is the [webhook.Handler] of an inbox of its own, the
// queue, which [Relay.Split] fills. It is safe for concurrent use.
type Relay struct {
	url    opaque.Value[string]
	secret opaque.Value[graph.Secret]
	keep   func(Change) bool
	client *http.Client
}

var _ webhook.Handler = (*Relay)(nil)

// New returns a relay. The error lists everything wrong with cfg.
func New(cfg Config) (*Relay, error) {
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	client := &http.Client{}
	if cfg.HTTPClient != nil {
		*client = *cfg.HTTPClient
	}
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	if client.Timeout == 0 {
		client.Timeout = timeout
	}
	return &Relay{url: opaque.New(cfg.URL), secret: opaque.New(cfg.AppSecret), keep: cfg.Keep, client: client}, nil
}

// Split returns a receiver that hands each delivery to main, which is usually the host's inbox, and
// before that what goes on of it to queue, the inbox whose handler is r. An error of either is
// returned, and has Meta deliver again; both know then what they have already.
//
// Relays to several receivers are put around each other:
//
//	second.Split(first.Split(in, firstQueue), secondQueue)
func (r *Relay) Split(main webhook.Receiver, queue *inbox.Inbox) webhook.Receiver {
	return webhook.ReceiverFunc(func(ctx context.Context, d webhook.Delivery) error {
		if body := wrap(d.Body, r.keep); body != nil {
			err := queue.Receive(ctx, webhook.Delivery{Body: body, ReceivedAt: d.ReceivedAt})
			if err != nil {
				return err
			}
		}
		return main.Receive(ctx, d)
	})
}

// errNotWrapped says that the handler is in the wrong place.
var errNotWrapped = errors.New("relay: the event is not a delivery to send on; a relay is the handler of an inbox of " +
	"its own, which only Relay.Split fills")

// Handle posts one delivery. It implements [webhook.Handler] for the queue; an error that another
// try cannot cure is [webhook.Permanent].
func (r *Relay) Handle(ctx context.Context, ev webhook.Event) error {
	body, ok := unwrap(ev)
	if !ok {
		return webhook.Permanent(errNotWrapped)
	}
	if len(body) == 0 {
		return nil // all of it was forgotten
	}
	return r.post(ctx, body)
}

// maxResponse is how much of an answer is read, so that its connection can be used again. What the
// receiver writes is of no use.
const maxResponse = 4 << 10

// post sends a body and judges the answer.
func (r *Relay) post(ctx context.Context, body []byte) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, r.url.Reveal(), bytes.NewReader(body))
	if err != nil {
		return webhook.Permanent(errors.New("relay: Config.URL cannot be posted to")) // New has parsed it
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "whatsapp-coexistence relay")
	req.Header.Set(webhook.SignatureHeader, webhook.Sign(r.secret.Reveal(), body))
	resp, err := r.client.Do(req)
	if err != nil {
		return fmt.Errorf("relay: the receiver did not answer: %w", withoutURL(err))
	}
	defer resp.Body.Close()
	_, _ = io.CopyN(io.Discard, resp.Body, maxResponse)
	return judge(resp.StatusCode)
}

// withoutURL returns what a [url.Error] wraps: its text has the URL.
func withoutURL(err error) error {
	if e, ok := errors.AsType[*url.Error](err); ok {
		return e.Err
	}
	return err
}

// judge returns the error that follows from a status, nil if the receiver has the delivery.
func judge(status int) error {
	hint := "look at its log, then replay the dead letter"
	switch {
	case status >= 200 && status < 300:
		return nil
	case status >= 500, status == http.StatusRequestTimeout, status == http.StatusTooEarly,
		status == http.StatusTooManyRequests:
		return fmt.Errorf("relay: the receiver answered with status %d", status)
	case status >= 300 && status < 400:
		hint = "redirects are not followed: set Config.URL to where it leads, then replay the dead letter"
	case status == http.StatusUnauthorized:
		hint = "check that Config.AppSecret is the receiver's, then replay the dead letter"
	}
	return webhook.Permanent(fmt.Errorf("relay: the receiver refused the delivery with status %d; %s", status, hint))
}
