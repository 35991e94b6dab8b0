package flowendpoint

import (
	"context"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"runtime/debug"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/appsecret"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/httpbody"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/logword"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

// minKeyBits is the size of the RSA keys that Meta takes.
const minKeyBits = 2048

// Statuses that Meta gives a meaning of its own.
const (
	statusCannotDecrypt = http.StatusMisdirectedRequest // 421
	statusInvalidToken  = 427
	statusBadSignature  = 432
)

// Config configures an Endpoint. AppSecret and Keys are required.
type Config struct {
	// AppSecret signs requests. Find it in the app dashboard.
	AppSecret graph.Secret

	// AdditionalSecrets are former secrets of the same app, accepted while a new one spreads. The
	// owner of one of them can ask for every number, so remove it then.
	AdditionalSecrets []graph.Secret

	// Keys are the private keys whose public halves the numbers have, of 2,048 bits at least.
	// Several are tried in turn, while a new one spreads.
	Keys []*rsa.PrivateKey

	// MaxBytes limits a request. If zero, 1 MiB.
	MaxBytes int64

	// OnError is called when a phone reports that it could not use an earlier answer. It may be
	// nil.
	OnError func(ctx context.Context, r *Request, e ClientError)

	// Logger gets what no caller can see, without data and tokens. If nil, nothing is logged.
	Logger *slog.Logger
}

// An Endpoint is an [http.Handler] for the data exchange of Flows. It is safe for concurrent use.
type Endpoint struct {
	cfg     Config
	handler Handler
}

// New returns an endpoint that asks h. The error lists every mistake in cfg.
func New(cfg Config, h Handler) (*Endpoint, error) {
	var errs []error
	check := func(name string, secret graph.Secret) {
		if err := appsecret.Check("Config."+name, secret, ""); err != nil {
			errs = append(errs, fmt.Errorf("flowendpoint: %w", err))
		}
	}
	check("AppSecret", cfg.AppSecret)
	for i, secret := range cfg.AdditionalSecrets {
		check(fmt.Sprintf("AdditionalSecrets[%d]", i), secret)
	}
	if len(cfg.Keys) == 0 {
		errs = append(errs, errors.New("flowendpoint: Config.Keys is empty"))
	}
	for _, key := range cfg.Keys {
		switch {
		case key == nil:
			errs = append(errs, errors.New("flowendpoint: Config.Keys holds nil"))
		case key.N.BitLen() < minKeyBits:
			errs = append(errs,
				fmt.Errorf("flowendpoint: a key of Config.Keys has %d bits; Meta requires RSA keys of %d",
					key.N.BitLen(), minKeyBits))
		}
	}
	if h == nil {
		errs = append(errs, errors.New("flowendpoint: the Handler is nil"))
	}
	if cfg.MaxBytes == 0 {
		cfg.MaxBytes = 1 << 20
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return &Endpoint{cfg, h}, nil
}

// ServeHTTP answers one request. It checks the signature before it looks at the body, and asks the
// handler last. What a phone does not get within ten seconds, it shows as an
// error.
func (e *Endpoint) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	httpbody.Deadline(w)
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		w.WriteHeader(http.StatusMethodNotAllowed)
		return
	}
	body, err := httpbody.Read(w, r, e.cfg.MaxBytes)
	if err != nil {
		if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
			w.WriteHeader(http.StatusRequestEntityTooLarge)
			return
		}
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	if !e.signed(body, r.Header[webhook.SignatureHeader]) {
		w.WriteHeader(statusBadSignature)
		return
	}
	s, plain, ok := e.open(body)
	if !ok {
		e.cfg.Logger.WarnContext(
			r.Context(), "flow request cannot be decrypted; has the number this server's public key?",
		)
		w.WriteHeader(statusCannotDecrypt)
		return
	}
	var req Request
	if err := json.Unmarshal(plain, &req); err != nil {
		e.cfg.Logger.WarnContext(r.Context(), "flow request is not the JSON of one")
		w.WriteHeader(statusCannotDecrypt)
		return
	}
	status, answer := e.answer(r.Context(), &req)
	if answer == nil {
		w.WriteHeader(status)
		return
	}
	w.Header().Set("Content-Type", "text/plain")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, base64.StdEncoding.EncodeToString(s.seal(answer)))
}

// answer returns the status and the body before encryption; a nil body means no body. Health checks
// and reports of errors are answered here. A handler's error is logged and never sent, since it may
// hold anything; only the message of [InvalidToken] is meant for the person.
func (e *Endpoint) answer(ctx context.Context, req *Request) (status int, answer []byte) {
	if req.Action == actionPing {
		return http.StatusOK, []byte(`{"data":{"status":"active"}}`)
	}
	if report, ok := req.clientError(); ok {
		e.cfg.Logger.WarnContext(ctx, "a phone reports an error of a flow", "screen", logword.Plain(req.Screen),
			"error", logword.Plain(report.Code))
		if e.cfg.OnError != nil {
			e.cfg.OnError(ctx, req, report)
		}
		return http.StatusOK, []byte(`{"data":{"acknowledged":true}}`)
	}
	resp, err := e.handle(ctx, req)
	if invalid, ok := errors.AsType[*invalidToken](err); ok {
		answer, err := json.Marshal(struct {
			Message string `json:"error_msg"`
		}{invalid.message})
		if err != nil {
			return http.StatusInternalServerError, nil
		}
		return statusInvalidToken, answer
	}
	if err == nil && resp == nil {
		err = errors.New("flowendpoint: the handler returned no Response")
	}
	if err == nil {
		answer, err = resp.MarshalJSON()
	}
	if err != nil {
		e.cfg.Logger.ErrorContext(ctx, "flow request failed", "screen", logword.Plain(req.Screen), "action",
			logword.Plain(string(req.Action)), "err", err)
		return http.StatusInternalServerError, nil
	}
	return http.StatusOK, answer
}

// signed reports whether one of the secrets made the one signature that there is.
func (e *Endpoint) signed(body []byte, signatures []string) bool {
	return len(signatures) == 1 &&
		webhook.Verify(
			body, signatures[0], append([]graph.Secret{e.cfg.AppSecret}, e.cfg.AdditionalSecrets...)...,
		) == nil
}

// handle calls the host's handler. A panic becomes an error that names its type alone: net/http
// would print its value, and with it what a person has entered.
func (e *Endpoint) handle(ctx context.Context, req *Request) (resp Response, err error) {
	defer func() {
		if v := recover(); v != nil {
			e.cfg.Logger.ErrorContext(ctx, "the handler of a flow panicked", "type", fmt.Sprintf("%T", v), "stack",
				string(debug.Stack()))
			resp, err = nil, errPanic
		}
	}()
	return e.handler.Handle(ctx, req)
}

var errPanic = errors.New("flowendpoint: the handler panicked")
