package webhooktest_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/webhooktest"
)

const (
	appSecret   = "canary-app-secret"
	verifyToken = "canary-verify-token"
)

var config = webhook.Config{AppSecret: appSecret, VerifyToken: verifyToken}

func target(h http.Handler, r *webhooktest.Recorder) webhooktest.Target {
	return webhooktest.Target{Handler: h, AppSecret: appSecret, VerifyToken: verifyToken, Handled: r.Handled}
}

func ExampleConformance() {
	recorder := new(webhooktest.Recorder) // stands for the host's database
	endpoint, err := webhook.NewEndpoint(webhook.Config{AppSecret: "app-secret", VerifyToken: "verify-token"},
		webhook.Dispatch(recorder))
	if err != nil {
		fmt.Println(err)
		return
	}
	router := http.NewServeMux()
	router.Handle("/whatsapp", endpoint)

	err = webhooktest.Conformance(context.Background(), webhooktest.Target{
		Handler:     router,
		Path:        "/whatsapp",
		AppSecret:   "app-secret",
		VerifyToken: "verify-token",
		Handled:     recorder.Handled,
	})
	fmt.Println(err)
	// Output: <nil>
}

func TestOurEndpointConforms(t *testing.T) {
	t.Parallel()
	recorder := new(webhooktest.Recorder)
	endpoint, err := webhook.NewEndpoint(config, webhook.Dispatch(recorder))
	require.NoError(t, err)
	require.NoError(t, webhooktest.Conformance(t.Context(), target(endpoint, recorder)))

	server := httptest.NewTLSServer(endpoint)
	defer server.Close()
	byURL := target(nil, recorder)
	byURL.URL, byURL.HTTPClient = server.URL+"/anywhere", server.Client()
	require.NoError(t, webhooktest.Conformance(t.Context(), byURL), "a second run uses other ids")
}

func TestAQueueConforms(t *testing.T) {
	t.Parallel()
	recorder := new(webhooktest.Recorder)
	handle := webhook.Dispatch(recorder)
	queue := make(chan webhook.Delivery, 1000)
	var worker sync.WaitGroup
	worker.Go(func() {
		for d := range queue {
			_ = handle.Receive(t.Context(), d)
		}
	})
	endpoint, err := webhook.NewEndpoint(config,
		webhook.ReceiverFunc(func(_ context.Context, d webhook.Delivery) error {
			queue <- d
			return nil
		}))
	require.NoError(t, err)
	require.NoError(t, webhooktest.Conformance(t.Context(), target(endpoint, recorder)))
	close(queue)
	worker.Wait()
}

// A naive endpoint is what many write first. Each flag takes one lesson away from it.
type naive struct {
	recorder *webhooktest.Recorder
	ledger   webhook.MemDedupStore

	skipsSignature, parsesFirst, emptySecret, anyToken, echoesMore bool
	firstOnly, allOrNothing, needsPhone, panics, repeats           bool
	byContent, byBody, rewrites, created, notJSON401, noLimit      bool
	tooSmall, anyMethod, redirects, never, forgets                 bool

	mu   sync.Mutex
	seen map[string]bool
}

func (n *naive) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if n.redirects {
		http.Redirect(w, r, "/elsewhere", http.StatusMovedPermanently)
		return
	}
	q := r.URL.Query()
	switch {
	case r.Method == http.MethodGet &&
		(n.anyToken || q.Get("hub.mode") == "subscribe" && q.Get("hub.verify_token") == verifyToken):
		if _, err := io.WriteString(w, q.Get("hub.challenge")); err == nil && n.echoesMore {
			_, _ = io.WriteString(w, "\n")
		}
		return
	case r.Method == http.MethodGet:
		w.WriteHeader(http.StatusForbidden)
		return
	case r.Method != http.MethodPost && !n.anyMethod:
		w.WriteHeader(http.StatusMethodNotAllowed)
		return
	}
	limit := int64(4 << 20)
	if n.noLimit {
		limit = 1 << 30
	}
	if n.tooSmall {
		limit = 1 << 20
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limit))
	if err != nil {
		w.WriteHeader(http.StatusRequestEntityTooLarge)
		return
	}
	w.WriteHeader(n.status(r, body))
}

func (n *naive) status(r *http.Request, body []byte) int {
	if n.parsesFirst && !json.Valid(body) {
		return http.StatusOK
	}
	signed := body
	if n.rewrites {
		var compact bytes.Buffer
		if json.Compact(&compact, body) == nil {
			signed = bytes.ReplaceAll(compact.Bytes(), []byte(`\u00e9`), []byte("é"))
		}
	}
	signature := r.Header.Get(webhook.SignatureHeader)
	if !n.skipsSignature && webhook.Verify(signed, signature, appSecret) != nil &&
		(!n.emptySecret || signature != webhook.Sign("", signed)) {
		return http.StatusUnauthorized
	}
	events, err := webhook.Decode(body)
	if err != nil {
		if n.notJSON401 {
			return http.StatusUnauthorized
		}
		return http.StatusOK
	}
	if n.firstOnly {
		events = events[:1]
	}
	var errs []error
	for _, ev := range events {
		if _, bad := ev.(*webhook.UndecodableEvent); bad && n.allOrNothing {
			return http.StatusInternalServerError
		}
		errs = append(errs, n.handle(r.Context(), ev, body))
	}
	switch {
	case errors.Join(errs...) != nil:
		return http.StatusInternalServerError
	case n.created:
		return http.StatusCreated
	}
	return http.StatusOK
}

func (n *naive) handle(ctx context.Context, ev webhook.Event, body []byte) error {
	m, ok := ev.(*webhook.IncomingMessage)
	if !ok {
		return nil
	}
	if n.panics {
		_ = m.Content.(*webhook.Text).Body
	}
	if n.needsPhone && m.From.WAID == "" || n.never {
		return nil
	}
	key := ""
	if text, ok := m.Content.(*webhook.Text); ok && n.byContent {
		key = text.Body
	}
	if n.byBody {
		sum := sha256.Sum256(body)
		key = string(sum[:])
	}
	switch {
	case n.repeats:
		return n.recorder.Handle(ctx, ev)
	case key != "":
		n.mu.Lock()
		defer n.mu.Unlock()
		if n.seen == nil {
			n.seen = map[string]bool{}
		}
		if n.seen[key+string(m.ID)] || n.byContent && n.seen[key] {
			return nil
		}
		n.seen[key+string(m.ID)], n.seen[key] = true, true
		return n.recorder.Handle(ctx, ev)
	case n.forgets: // answers a repeat with an error forever
		claim, err := n.ledger.Claim(ctx, ev.Info().DedupKey)
		if err != nil {
			return err
		}
		return errors.Join(n.recorder.Handle(ctx, ev), claim.Done(ctx))
	}
	return webhook.Once(n.recorder, &n.ledger).Handle(ctx, ev)
}

func TestFlawsAreFound(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		flaw func(*naive)
		want []string
	}{
		"none": {func(*naive) {}, nil},
		"skips the signature": {func(n *naive) { n.skipsSignature = true }, []string{
			"webhooktest: a body without a signature: got 200, want 401; verify X-Hub-Signature-256 over the raw " +
				"body with the app secret before anything else",
			"a body signed with another secret: got its message handled, want it ignored",
			"a signed body with one byte changed: got 200, want 401",
		}},
		"parses first": {func(n *naive) { n.parsesFirst = true }, []string{
			"a body that is not JSON and not signed: got 200, want 401; verify before you parse",
		}},
		"takes an empty secret": {func(n *naive) { n.emptySecret = true }, []string{
			"a body signed with an empty secret: got 200, want 401; refuse to start without an app secret",
		}},
		"takes any token": {func(n *naive) { n.anyToken = true }, []string{
			"a handshake with a wrong token: got 200, want 403; compare hub.verify_token",
			"a handshake without a token: got 200",
		}},
		"echoes more": {func(n *naive) { n.echoesMore = true }, []string{"the handshake: got 200 and another body, " +
			"want 200 and the challenge"}},
		"first only": {func(n *naive) { n.firstOnly = true }, []string{
			"two messages in one change: got 1 of 2 messages not handled, want all of them handled once; handle " +
				"item by item",
			"two entries in one delivery: got 1 of 2",
			"1,000 messages in 3 MB: got 999 of 1000 messages not handled",
		}},
		"all or nothing": {func(n *naive) { n.allOrNothing = true }, []string{
			"a batch with a message whose text is no object: got 500, want 200; handle item by item",
		}},
		"needs a phone": {func(n *naive) { n.needsPhone = true }, []string{
			"a customer without a phone number: got 1 of 1 messages not handled, want all of them handled once; " +
				"take from_user_id where from is missing",
		}},
		"panics": {func(n *naive) { n.panics = true }, []string{
			"a message type that is new: got a broken connection instead of an answer, want 200; a panic, a limit " +
				"or a proxy cut it",
		}},
		"handles repeats": {func(n *naive) { n.repeats = true }, []string{
			"the same delivery three times: got a message handled 3 times, want once; remember EventInfo.DedupKey",
			"the same delivery eight times at once: got a message handled 8 times",
		}},
		"refuses repeats": {func(n *naive) { n.forgets = true }, []string{
			"the same delivery three times: got 500, want 200; acknowledge what was handled before",
			"the same delivery eight times at once: got 500, want 200, or 500 until one of them is through",
		}},
		"repeats by content": {func(n *naive) { n.byContent = true }, []string{
			"two messages with the same words: got 1 of 2 messages not handled, want all of them handled once; know " +
				"a repeat by the message's id",
		}},
		"repeats by body": {func(n *naive) { n.byBody = true }, []string{
			"a message in a second delivery: got a message handled 2 times, want once",
		}},
		"verifies what it wrote": {func(n *naive) { n.rewrites = true }, []string{
			"a signed body with white space added: got 200, want 401; verify the bytes as they came",
			"a text with escapes: got 401, want 200; verify the bytes as they came",
		}},
		"answers 201": {func(n *naive) { n.created = true }, []string{
			"an ordinary message: got 201, want 200; Meta takes anything but 200 for a failure",
		}},
		"401 for bad JSON": {func(n *naive) { n.notJSON401 = true }, []string{
			"a signed body that is not JSON: got 401, want 200; acknowledge what no repeat can make readable",
			"a signed body nested thousands deep: got 401",
		}},
		"no limit": {func(n *naive) { n.noLimit = true }, []string{"a body of 16 MiB: got 200, want 413; limit " +
			"what is read", "a body of 16 MiB that is not announced: got 200"}},
		"too small": {func(n *naive) { n.tooSmall = true }, []string{"1,000 messages in 3 MB: got 413, want 200; " +
			"take bodies of up to 3 MB"}},
		"any method": {func(n *naive) { n.anyMethod = true },
			[]string{"a signed PUT: got 200, want 405", "a signed DELETE: got its message handled"}},
		"redirects": {func(n *naive) { n.redirects = true }, []string{
			"the handshake: got 301, want 200 and the challenge", "an ordinary message: got 301, want 200; Meta " +
				"does not follow redirects",
		}},
		"handles nothing": {func(n *naive) { n.never = true }, []string{
			"an ordinary message: got 1 of 1 messages not handled, want all of them handled once; does " +
				"Target.Handled count",
		}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := &naive{recorder: new(webhooktest.Recorder)}
			tt.flaw(n)
			tgt := target(quiet(n), n.recorder)
			if tt.want != nil {
				tgt.HandleTimeout = 100 * time.Millisecond // what is lost does not come any more
			}
			err := webhooktest.Conformance(t.Context(), tgt)
			if tt.want == nil {
				require.NoError(t, err)
				return
			}
			require.Error(t, err)
			for _, want := range tt.want {
				require.ErrorContains(t, err, want)
			}
			for line := range strings.SplitSeq(err.Error(), "\n") {
				require.True(t, strings.HasPrefix(line, "webhooktest: "), line)
				t.Log(line)
			}
			require.NotContains(t, err.Error(), "canary")
		})
	}
}

// quiet keeps net/http from printing the panics that a test wants.
func quiet(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			if v := recover(); v != nil {
				slog.DebugContext(r.Context(), "a handler panicked", "value", v)
				panic(http.ErrAbortHandler)
			}
		}()
		h.ServeHTTP(w, r)
	})
}

func TestTargetMistakesAreListedTogether(t *testing.T) {
	t.Parallel()
	err := webhooktest.Conformance(t.Context(),
		webhooktest.Target{AppSecret: " ", Path: "x", HandleTimeout: -1, MaxAckLatency: -1})
	for _, want := range []string{"Handler and Target.URL are empty", "Path", "AppSecret", "VerifyToken",
		"HandleTimeout", "MaxAckLatency"} {
		require.ErrorContains(t, err, want)
	}
	err = webhooktest.Conformance(t.Context(),
		webhooktest.Target{Handler: http.NotFoundHandler(), URL: "http://127.0.0.1:1"})
	require.ErrorContains(t, err, "both set")
	for _, bad := range []string{"ftp://127.0.0.1/", "127.0.0.1:80", "http://", "http://127.0.0.1/?token=canary"} {
		err = webhooktest.Conformance(t.Context(), webhooktest.Target{URL: bad, AppSecret: "s", VerifyToken: "t"})
		require.ErrorContains(t, err, "Target.URL needs http", bad)
		require.NotContains(t, err.Error(), "canary")
	}
}

func TestConformanceWithoutAListener(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.NotFoundHandler())
	server.Close()
	tgt := webhooktest.Target{URL: server.URL, AppSecret: appSecret, VerifyToken: verifyToken}
	err := webhooktest.Conformance(t.Context(), tgt)
	require.ErrorContains(t, err, "nothing listens at Target.URL: ")
	require.NotContains(t, err.Error(), "\n", "one line says it")
	require.NotContains(t, err.Error(), "canary")

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, webhooktest.Conformance(ctx, tgt), context.Canceled)

	strange := httptest.NewUnstartedServer(http.NotFoundHandler())
	strange.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	strange.StartTLS()
	defer strange.Close()
	tgt.URL = strange.URL
	err = webhooktest.Conformance(t.Context(), tgt)
	require.ErrorContains(t, err, "trusts its certificate")
	require.NotContains(t, err.Error(), "\n")
}

// A mistake in the Target must not look like one of the endpoint.
func TestAMistakenTargetIsTold(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		change func(*webhooktest.Target)
		want   []string
	}{
		"another path": {func(tgt *webhooktest.Target) { tgt.Path = "/elsewhere" }, []string{
			"the handshake: got 404, want 200 and the challenge; is Target.Path where the endpoint is mounted?",
			"an ordinary message: got 404, want 200; is Target.Path where the endpoint is mounted?",
		}},
		"another token": {func(tgt *webhooktest.Target) { tgt.VerifyToken = "canary-other" }, []string{
			"the handshake: got 403, want 200 and the challenge; is Target.VerifyToken the endpoint's?",
		}},
		"another secret": {func(tgt *webhooktest.Target) { tgt.AppSecret = "canary-other" }, []string{
			"an ordinary message: got 401, want 200; is Target.AppSecret the endpoint's",
		}},
		"mounted for POST alone": {func(tgt *webhooktest.Target) {
			mux := http.NewServeMux()
			mux.Handle("POST /whatsapp", tgt.Handler)
			tgt.Handler = mux
		}, []string{"the handshake: got 405, want 200 and the challenge; mount the endpoint for GET and POST"}},
		"a host that is broken": {func(tgt *webhooktest.Target) {
			tgt.Handler = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(http.StatusInternalServerError)
			})
		}, []string{"an ordinary message: got 500, want 200; the handler failed: the host's log should say why"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := &naive{recorder: new(webhooktest.Recorder)}
			router := http.NewServeMux()
			router.Handle("/whatsapp", n)
			tgt := target(router, n.recorder)
			tgt.Path = "/whatsapp"
			tt.change(&tgt)
			err := webhooktest.Conformance(t.Context(), tgt)
			for _, want := range tt.want {
				require.ErrorContains(t, err, want)
			}
			for line := range strings.SplitSeq(err.Error(), "\n") {
				require.True(t, !strings.Contains(line, "got 404") || strings.Contains(line, "is Target.Path where"),
					line)
			}
			require.NotContains(t, err.Error(), "canary")
		})
	}
	server := httptest.NewServer(http.NotFoundHandler())
	defer server.Close()
	err := webhooktest.Conformance(t.Context(),
		webhooktest.Target{URL: server.URL, AppSecret: appSecret, VerifyToken: verifyToken})
	require.ErrorContains(t, err,
		"the handshake: got 404, want 200 and the challenge; is Target.URL where the endpoint is mounted?")
}

func TestSlowAnswersAreFound(t *testing.T) {
	t.Parallel()
	for most, want := range map[time.Duration]string{
		time.Nanosecond: "webhooktest: how soon an ordinary message is acknowledged: got ",
		time.Minute:     "",
	} {
		n := &naive{recorder: new(webhooktest.Recorder)}
		tgt := target(n, n.recorder)
		tgt.MaxAckLatency = most
		err := webhooktest.Conformance(t.Context(), tgt)
		if want == "" {
			require.NoError(t, err)
			continue
		}
		require.ErrorContains(t, err, want)
		require.ErrorContains(t, err,
			", want 1ns at most; store the delivery, acknowledge, and work later: package webhook/inbox does that")
		require.NotContains(t, err.Error(), "\n")
	}
}

func TestAnErrorOfTheHostsCountIsReported(t *testing.T) {
	t.Parallel()
	down := errors.New("host: the database is down")
	n := &naive{recorder: new(webhooktest.Recorder)}
	tgt := target(n, n.recorder)
	tgt.Handled = func(context.Context, graph.MessageID) (int, error) { return 0, down }
	err := webhooktest.Conformance(t.Context(), tgt)
	require.ErrorIs(t, err, down)
	require.Equal(t, 1, strings.Count(err.Error(), "database is down"))
}
