package webhook

import (
	"cmp"
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/appsecret"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/httpbody"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/opaque"
)

// Config configures an [Endpoint]. AppSecret and VerifyToken are required.
type Config struct {
	// AppSecret is the secret that Meta signs deliveries with: App Dashboard, App settings, Basic.
	AppSecret graph.Secret

	// AdditionalSecrets are former secrets of the same app. Keep one here for 8 days after it was
	// reset, because Meta repeats deliveries for 7, and then remove it: until then, who has it can
	// sign for every number, and a secret that leaked is a reason for a reset. A delivery that was
	// signed with one is logged at the level Debug.
	//
	// The secret of another app does not belong here, because it would be believed for the numbers
	// of this one. Give each app an Endpoint of its own, as the example does.
	AdditionalSecrets []graph.Secret

	// VerifyToken is the text of your choice that was entered beside the callback URL. Meta shows
	// it when the URL is saved.
	VerifyToken graph.Secret

	// MaxBytes limits a delivery. If zero, 4 MiB; Meta sends up to 3 MB.
	MaxBytes int64

	// Logger gets what no caller can see: refused requests and errors of the receiver. If nil,
	// nothing is logged.
	Logger *slog.Logger
}

const defaultMaxBytes = 4 << 20

func (c Config) validate(recv Receiver) error {
	var errs []error
	check := func(s graph.Secret, name, ifEmpty string) {
		if err := appsecret.Check("Config."+name, s, ifEmpty); err != nil {
			errs = append(errs, fmt.Errorf("webhook: %w", err))
		}
	}
	check(c.AppSecret, "AppSecret", "copy it from the app dashboard, App settings, Basic")
	for i, s := range c.AdditionalSecrets {
		check(s, fmt.Sprintf("AdditionalSecrets[%d]", i), "leave it out")
	}
	check(c.VerifyToken, "VerifyToken", "choose a random text and enter it beside the callback URL too")
	if c.MaxBytes < 0 {
		errs = append(errs, errors.New("webhook: Config.MaxBytes is negative; use 0 for 4 MiB"))
	}
	if recv == nil {
		errs = append(errs, errors.New("webhook: NewEndpoint needs a Receiver, such as Dispatch(&mux)"))
	}
	return errors.Join(errs...)
}

// An Endpoint is the [http.Handler] behind a callback URL. It answers the handshake with which Meta
// checks the URL (GET), and verifies deliveries (POST) and hands them to its [Receiver]. It is safe
// for concurrent use.
//
//	handshake                                                200 and the challenge, or 403
//	another method                                           405
//	more than MaxBytes                                       413
//	signature missing or wrong                               401
//	body cut short, too slow or compressed                   400
//	received, or only errors marked Permanent                200
//	any other error                                          500: Meta delivers again
//	an error that matches ErrUnavailable                     503: Meta delivers again
//
// A body is not parsed before its signature is verified. The content type is ignored, because the
// signature does not cover it.
type Endpoint struct {
	verifyToken opaque.Value[string]
	verifier    verifier
	maxBytes    int64
	logger      *slog.Logger
	recv        Receiver
}

// NewEndpoint returns an endpoint that hands verified deliveries to recv. The error lists
// everything wrong with cfg.
func NewEndpoint(cfg Config, recv Receiver) (*Endpoint, error) {
	if err := cfg.validate(recv); err != nil {
		return nil, err
	}
	e := &Endpoint{
		verifyToken: opaque.New(cfg.VerifyToken.Reveal()),
		maxBytes:    cmp.Or(cfg.MaxBytes, defaultMaxBytes),
		logger:      cmp.Or(cfg.Logger, slog.New(slog.DiscardHandler)),
		recv:        recv,
	}
	e.verifier.signers = append(e.verifier.signers, newSigner(cfg.AppSecret.Reveal()))
	for _, s := range cfg.AdditionalSecrets {
		e.verifier.signers = append(e.verifier.signers, newSigner(s.Reveal()))
	}
	return e, nil
}

// ServeHTTP answers one request.
func (e *Endpoint) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch r.Method {
	case http.MethodGet:
		e.handshake(w, r)
	case http.MethodPost:
		e.receive(w, r)
	default:
		w.Header().Set("Allow", "GET, POST")
		answer(w, http.StatusMethodNotAllowed)
	}
}

// maxChallenge bounds what is echoed. Meta's challenges are about ten digits.
const maxChallenge = 256

// handshake echoes the challenge if the request has the verify token.
func (e *Endpoint) handshake(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("X-Content-Type-Options", "nosniff")
	query, err := url.ParseQuery(r.URL.RawQuery)
	challenge, known, ok := handshake(query, e.verifyToken.Reveal())
	if err != nil || !ok {
		e.logger.WarnContext(r.Context(), "webhook handshake refused", "token_matches", known)
		answer(w, http.StatusForbidden)
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(http.StatusOK)
	_, _ = io.WriteString(w, challenge) //nolint:gosec // G705: plain text, nosniff, printable() lets no markup through
}

// Handshake answers the request (GET) with which Meta checks a callback URL, where an [Endpoint]
// cannot: in a function that gets its requests as values. It returns the challenge, which is to be
// the body of a 200 with the content type text/plain. If ok is false, answer 403 and nothing else.
//
// Meta: https://developers.facebook.com/docs/graph-api/webhooks/getting-started
func Handshake(query url.Values, verifyToken graph.Secret) (challenge string, ok bool) {
	challenge, _, ok = handshake(query, verifyToken.Reveal())
	return challenge, ok
}

// handshake also says whether the token is known.
func handshake(query url.Values, verifyToken string) (challenge string, known, ok bool) {
	mode, okMode := single(query, "hub.mode")
	token, okToken := single(query, "hub.verify_token")
	challenge, okChallenge := single(query, "hub.challenge")
	known = strings.TrimSpace(verifyToken) != "" && constantTimeEqual(token, verifyToken)
	if !okMode || mode != "subscribe" || !okToken || !known || !okChallenge || !printable(challenge) {
		return "", known, false
	}
	return challenge, true, true
}

// single returns a parameter that must occur once: a repeated one could be read in two ways.
func single(query url.Values, name string) (string, bool) {
	values := query[name]
	if len(values) != 1 {
		return "", false
	}
	return values[0], true
}

// constantTimeEqual compares hashes, so that the time does not tell the length either.
func constantTimeEqual(a, b string) bool {
	x, y := sha256.Sum256([]byte(a)), sha256.Sum256([]byte(b))
	return subtle.ConstantTimeCompare(x[:], y[:]) == 1
}

// printable reports whether s is a challenge that can be echoed: not empty, not long, visible ASCII
// without a character that could mean something to a browser which ignores the content type.
func printable(s string) bool {
	if s == "" || len(s) > maxChallenge {
		return false
	}
	for i := range len(s) {
		if c := s[i]; c <= ' ' || c > '~' || strings.IndexByte(`<>&"'`, c) >= 0 {
			return false
		}
	}
	return true
}

// receive verifies a delivery and passes it on.
func (e *Endpoint) receive(w http.ResponseWriter, r *http.Request) {
	arrived := time.Now()                   // before the body is read: a large one must not lose its place
	signatures := r.Header[SignatureHeader] // it is in canonical form
	var signature [sha256.Size]byte
	wellFormed := false
	if len(signatures) == 1 {
		signature, wellFormed = parseSignature(signatures[0])
	}
	if !wellFormed {
		httpbody.Deadline(w) // net/http waits for the rest of what is refused
		e.refuse(w, r, http.StatusUnauthorized, "webhook delivery refused: the signature header is missing, "+
			"repeated or malformed",
			"count", len(signatures))
		return
	}
	body, status := e.read(w, r)
	if status != 0 {
		e.refuse(w, r, status, "webhook delivery refused", "status", status, "content_length", r.ContentLength)
		return
	}
	secret, err := e.verifier.verify(body, &signature)
	if err != nil {
		e.refuse(w, r, http.StatusUnauthorized, "webhook delivery refused", "err", err, "bytes", len(body))
		return
	}
	if secret > 0 {
		e.logger.DebugContext(r.Context(), "webhook delivery signed with an old secret", "old_secret", secret-1)
	}
	err = receiveSafely(r.Context(), e.recv, Delivery{Body: body, ReceivedAt: arrived})
	if err != nil {
		e.failed(w, r, err)
		return
	}
	answer(w, http.StatusOK)
}

// refuse answers a delivery that is not believed, and logs why.
func (e *Endpoint) refuse(w http.ResponseWriter, r *http.Request, status int, why string, args ...any) {
	e.logger.WarnContext(r.Context(), why, args...)
	answer(w, status)
}

// failed answers a delivery that the receiver did not take as it should.
func (e *Endpoint) failed(w http.ResponseWriter, r *http.Request, err error) {
	logger := e.logger
	if p, ok := errors.AsType[*PanicError](err); ok {
		logger = logger.With("stack", string(p.Stack))
	}
	ctx := r.Context()
	switch {
	case IsPermanent(err):
		logger.ErrorContext(ctx, "webhook delivery acknowledged with an error that no repeat cures", "err", err)
		answer(w, http.StatusOK)
	case errors.Is(err, ErrUnavailable):
		logger.ErrorContext(ctx, "webhook delivery not taken in; Meta will repeat it", "err", err)
		answer(w, http.StatusServiceUnavailable)
	default:
		logger.ErrorContext(ctx, "webhook delivery not handled; Meta will repeat it", "err", err)
		answer(w, http.StatusInternalServerError)
	}
}

// read returns the body, or the status to refuse it with.
func (e *Endpoint) read(w http.ResponseWriter, r *http.Request) (body []byte, status int) {
	for _, enc := range r.Header["Content-Encoding"] {
		if enc != "" && !strings.EqualFold(enc, "identity") {
			return nil, http.StatusBadRequest
		}
	}
	body, err := httpbody.Read(w, r, e.maxBytes)
	if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
		return nil, http.StatusRequestEntityTooLarge
	}
	if err != nil || int64(len(body)) < r.ContentLength {
		return nil, http.StatusBadRequest
	}
	return body, 0
}

// receiveSafely turns a panic into an error, so that net/http neither prints the event nor drops
// the connection.
func receiveSafely(ctx context.Context, recv Receiver, d Delivery) (err error) {
	defer recoverTo(&err)
	return recv.Receive(ctx, d)
}

// answer writes a status without a body: a refused caller learns no more than that.
func answer(w http.ResponseWriter, status int) {
	w.WriteHeader(status)
}
