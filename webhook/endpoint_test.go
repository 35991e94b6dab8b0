package webhook_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/webhooktest"
)

const (
	testSecret = "canary-app-secret"
	testToken  = "canary-verify-token"
)

var testConfig = webhook.Config{AppSecret: testSecret, AdditionalSecrets: []graph.Secret{"canary-old-secret"},
	VerifyToken: testToken}

func newEndpoint(t *testing.T, h webhook.Handler) *webhook.Endpoint {
	t.Helper()
	endpoint, err := webhook.NewEndpoint(testConfig, webhook.Dispatch(h))
	require.NoError(t, err)
	return endpoint
}

func serve(h http.Handler, r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestConfigMistakesAreListedTogether(t *testing.T) {
	t.Parallel()
	_, err := webhook.NewEndpoint(webhook.Config{AppSecret: " ", AdditionalSecrets: []graph.Secret{"x", "\t"},
		MaxBytes: -1}, nil)
	require.Error(t, err)
	for _, want := range []string{"AppSecret", "AdditionalSecrets[1]", "VerifyToken", "MaxBytes", "Receiver"} {
		require.ErrorContains(t, err, want)
	}
	require.NotContains(t, fmt.Sprintf("%v %+v %#v", testConfig, testConfig, testConfig), "canary")
}

func TestSecretsFromFilesAreRefusedWithTheirLineEnds(t *testing.T) {
	t.Parallel()
	_, err := webhook.NewEndpoint(webhook.Config{
		AppSecret: "canary-secret\n", AdditionalSecrets: []graph.Secret{"canary-old "}, VerifyToken: "\tcanary",
	}, webhook.Dispatch(new(webhooktest.Recorder)))
	for _, want := range []string{"AppSecret begins or ends with white space", "AdditionalSecrets[0] begins",
		"VerifyToken begins"} {
		require.ErrorContains(t, err, want)
	}
	require.NotContains(t, err.Error(), "canary")
}

func TestHandshake(t *testing.T) {
	t.Parallel()
	endpoint := newEndpoint(t, new(webhooktest.Recorder))
	tests := map[string]struct {
		query string
		want  int
	}{
		"as Meta asks": {"hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token=" + testToken, 200},
		"other order": {"hub.verify_token=" + testToken + "&hub.challenge=1158201444&hub.mode=subscribe",
			200},
		"wrong token": {"hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token=wrong", 403},
		"empty token": {"hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token=", 403},
		"no token":    {"hub.mode=subscribe&hub.challenge=1158201444", 403},
		"token twice": {"hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token=" + testToken +
			"&hub.verify_token=" + testToken, 403},
		"token as an array": {"hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token[$ne]=x", 403},
		"no mode":           {"hub.challenge=1158201444&hub.verify_token=" + testToken, 403},
		"another mode":      {"hub.mode=unsubscribe&hub.challenge=1158201444&hub.verify_token=" + testToken, 403},
		"no challenge":      {"hub.mode=subscribe&hub.verify_token=" + testToken, 403},
		"empty challenge":   {"hub.mode=subscribe&hub.challenge=&hub.verify_token=" + testToken, 403},
		"challenge twice": {"hub.mode=subscribe&hub.challenge=1158201444&hub.challenge=2&hub.verify_token=" +
			testToken, 403},
		"challenge with markup": {"hub.mode=subscribe&hub.challenge=%3Cscript%3E&hub.verify_token=" + testToken, 403},
		"endless challenge": {"hub.mode=subscribe&hub.challenge=" + strings.Repeat("1", 1000) +
			"&hub.verify_token=" + testToken, 403},
		"broken query": {"hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token=" + testToken +
			"&x=%zz", 403},
		"nothing": {"", 403},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := serve(endpoint, httptest.NewRequest(http.MethodGet, "/webhook?"+tt.query, nil))
			require.Equal(t, tt.want, w.Code)
			require.Equal(t, "nosniff", w.Header().Get("X-Content-Type-Options"))
			if query, err := url.ParseQuery(tt.query); err == nil {
				challenge, ok := webhook.Handshake(query, testToken)
				require.Equal(t, tt.want == 200, ok)
				require.Equal(t, w.Body.String(), challenge)
				_, ok = webhook.Handshake(query, "")
				require.False(t, ok, "without a token nobody is known")
			}
			if tt.want == 200 {
				require.Equal(t, "1158201444", w.Body.String())
				require.Equal(t, "text/plain; charset=utf-8", w.Header().Get("Content-Type"))
			} else {
				require.Empty(t, w.Body.String())
			}
		})
	}
}

func TestDeliveryStatus(t *testing.T) {
	t.Parallel()
	body := webhooktest.Sample("messages", "text")
	resign := func(r *http.Request, body string) {
		r.Body, r.ContentLength = io.NopCloser(strings.NewReader(body)), int64(len(body))
		r.Header.Set(webhook.SignatureHeader, webhook.Sign(testSecret, []byte(body)))
	}
	send := func(r *http.Request, body io.Reader, length int64) {
		r.Body, r.ContentLength = io.NopCloser(body), length
	}
	sign := func(r *http.Request, secret graph.Secret) {
		r.Header.Set(webhook.SignatureHeader, webhook.Sign(secret, body))
	}
	tests := map[string]struct {
		change func(*http.Request)
		want   int
		events int
	}{
		"as sent":              {func(*http.Request) {}, 200, 1},
		"old secret":           {func(r *http.Request) { sign(r, "canary-old-secret") }, 200, 1},
		"no content type":      {func(r *http.Request) { r.Header.Del("Content-Type") }, 200, 1},
		"another content type": {func(r *http.Request) { r.Header.Set("Content-Type", "text/html") }, 200, 1},
		"chunked":              {func(r *http.Request) { r.ContentLength = -1 }, 200, 1},
		"no signature":         {func(r *http.Request) { r.Header.Del(webhook.SignatureHeader) }, 401, 0},
		"only the old header": {func(r *http.Request) {
			r.Header.Set("X-Hub-Signature", "sha1="+strings.Repeat("0", 40))
			r.Header.Del(webhook.SignatureHeader)
		}, 401, 0},
		"signature twice": {func(r *http.Request) {
			r.Header.Add(webhook.SignatureHeader, r.Header.Get(webhook.SignatureHeader))
		}, 401, 0},
		"forged":             {func(r *http.Request) { sign(r, "guess") }, 401, 0},
		"another body":       {func(r *http.Request) { r.Body, r.ContentLength = http.NoBody, 0 }, 401, 0},
		"cut, as announced":  {func(r *http.Request) { send(r, bytes.NewReader(body[:50]), 50) }, 401, 0},
		"cut on the way":     {func(r *http.Request) { r.Body = io.NopCloser(bytes.NewReader(body[:50])) }, 400, 0},
		"connection breaks":  {func(r *http.Request) { send(r, brokenReader{}, -1) }, 400, 0},
		"compressed":         {func(r *http.Request) { r.Header.Set("Content-Encoding", "gzip") }, 400, 0},
		"announced too long": {func(r *http.Request) { r.ContentLength = 5 << 20 }, 413, 0},
		"too long": {func(r *http.Request) {
			resign(r, strings.Repeat(" ", 4<<20)+`{}`)
			r.ContentLength = -1
		}, 413, 0},
		"just short enough":   {func(r *http.Request) { resign(r, `{}`+strings.Repeat(" ", 4<<20-2)) }, 200, 1},
		"signed, not JSON":    {func(r *http.Request) { resign(r, `{"entry":[`) }, 200, 1},
		"signed, empty":       {func(r *http.Request) { resign(r, ``) }, 200, 1},
		"signed, too deep":    {func(r *http.Request) { resign(r, strings.Repeat(`{"a":`, 100_000)) }, 200, 1},
		"signed, not UTF-8":   {func(r *http.Request) { resign(r, "{\"object\":\"\xff\xfe\"}") }, 200, 1},
		"signed, other shape": {func(r *http.Request) { resign(r, `{"entry":5}`) }, 200, 1},
		"PUT":                 {func(r *http.Request) { r.Method = http.MethodPut }, 405, 0},
		"DELETE":              {func(r *http.Request) { r.Method = http.MethodDelete }, 405, 0},
		"HEAD":                {func(r *http.Request) { r.Method = http.MethodHead }, 405, 0},
		"OPTIONS":             {func(r *http.Request) { r.Method = http.MethodOptions }, 405, 0},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			recorder := new(webhooktest.Recorder)
			r := webhooktest.NewRequest(body, testSecret)
			tt.change(r)
			w := serve(newEndpoint(t, recorder), r)
			require.Equal(t, tt.want, w.Code)
			require.Len(t, recorder.Events(), tt.events)
			require.Empty(t, w.Body.String())
			if tt.want == 405 {
				require.Equal(t, "GET, POST", w.Header().Get("Allow"))
			}
			if strings.HasPrefix(name, "signed, ") {
				_, unknown := recorder.Events()[0].(*webhook.UnknownEvent)
				_, undecodable := recorder.Events()[0].(*webhook.UndecodableEvent)
				require.True(t, unknown || undecodable, "%T", recorder.Events()[0])
			}
		})
	}
}

type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, errors.New("connection reset") }

func TestReceiverErrorsDecideTheStatus(t *testing.T) {
	t.Parallel()
	boom := errors.New("boom")
	tests := map[string]struct {
		err  error
		want int
	}{
		"none":                            {nil, 200},
		"an error":                        {boom, 500},
		"permanent":                       {webhook.Permanent(boom), 200},
		"wrapped permanent":               {fmt.Errorf("while: %w", webhook.Permanent(boom)), 200},
		"all permanent":                   {errors.Join(webhook.Permanent(boom), webhook.Permanent(boom)), 200},
		"permanent and another":           {errors.Join(webhook.Permanent(boom), boom), 500},
		"unavailable":                     {fmt.Errorf("disk full: %w", webhook.ErrUnavailable), 503},
		"unavailable among permanent":     {errors.Join(webhook.Permanent(boom), webhook.ErrUnavailable), 503},
		"permanent says more than a wish": {webhook.Permanent(webhook.ErrUnavailable), 200},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			endpoint, err := webhook.NewEndpoint(testConfig,
				webhook.ReceiverFunc(func(context.Context, webhook.Delivery) error {
					return tt.err
				}))
			require.NoError(t, err)
			require.Equal(t, tt.want, serve(endpoint, webhooktest.NewRequest([]byte(`{}`), testSecret)).Code)
		})
	}
	t.Run("panic", func(t *testing.T) {
		t.Parallel()
		var out syncBuffer
		cfg := testConfig
		cfg.Logger = slog.New(slog.NewTextHandler(&out, nil))
		endpoint, err := webhook.NewEndpoint(cfg, webhook.ReceiverFunc(func(context.Context, webhook.Delivery) error {
			panic("private text")
		}))
		require.NoError(t, err)
		require.Equal(t, 500, serve(endpoint, webhooktest.NewRequest([]byte(`{}`), testSecret)).Code)
		require.Contains(t, out.String(), "TestReceiverErrorsDecideTheStatus", "the stack is logged")
		require.NotContains(t, out.String(), "private text")
	})
}

func TestTheLogTellsWhichSecretSigns(t *testing.T) {
	t.Parallel()
	var out syncBuffer
	cfg := testConfig
	cfg.Logger = slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug}))
	endpoint, err := webhook.NewEndpoint(cfg, webhook.Dispatch(new(webhooktest.Recorder)))
	require.NoError(t, err)
	body := webhooktest.Sample("messages", "text")
	require.Equal(t, 200, serve(endpoint, webhooktest.NewRequest(body, testSecret)).Code)
	require.Empty(t, out.String())
	require.Equal(t, 200, serve(endpoint, webhooktest.NewRequest(body, "canary-old-secret")).Code)
	require.Contains(t, out.String(), "old_secret=0")
	require.NotContains(t, out.String(), "canary")
}

func TestNothingSecretOrPersonalIsLogged(t *testing.T) {
	t.Parallel()
	var out syncBuffer
	cfg := testConfig
	cfg.Logger = slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug}))
	endpoint, err := webhook.NewEndpoint(cfg,
		webhook.Dispatch(webhook.HandlerFunc(func(context.Context, webhook.Event) error {
			panic("canary-text")
		})))
	require.NoError(t, err)
	body := []byte(`{"entry":[{"changes":[{"field":"messages","value":{"messages":[{"from":"15550100777",` +
		`"text":["canary-text"]}]}}]}]}`)
	serve(endpoint, webhooktest.NewRequest(body, testSecret))
	serve(endpoint, webhooktest.NewRequest(body, "canary-guess"))
	serve(endpoint, webhooktest.NewRequest([]byte(`{"canary-text":`), testSecret))
	serve(endpoint, httptest.NewRequest(http.MethodGet,
		"/?hub.mode=subscribe&hub.challenge=1&hub.verify_token="+url.QueryEscape("canary-guess"), nil))
	require.NotEmpty(t, out.String())
	require.NotContains(t, out.String(), "canary")
	require.NotContains(t, out.String(), "15550100777")
}

type syncBuffer struct {
	mu sync.Mutex
	b  strings.Builder
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

func TestEndpointServesManyAtOnce(t *testing.T) {
	t.Parallel()
	recorder := new(webhooktest.Recorder)
	endpoint, err := webhook.NewEndpoint(testConfig, webhook.DispatchAll(recorder))
	require.NoError(t, err)
	server := httptest.NewServer(endpoint)
	defer server.Close()
	bodies := [][]byte{
		webhooktest.Sample("messages", "text-unicode"), webhooktest.Sample("history",
			"chunk"), webhooktest.Sample("messages", "batch"),
	}
	var wg sync.WaitGroup
	for i := range 24 {
		wg.Go(func() {
			body := bodies[i%len(bodies)]
			req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL, bytes.NewReader(body))
			if err != nil {
				t.Error(err)
				return
			}
			req.Header.Set(webhook.SignatureHeader, webhook.Sign(testSecret, body))
			resp, err := server.Client().Do(req)
			if err != nil {
				t.Error(err)
				return
			}
			_ = resp.Body.Close()
			if resp.StatusCode != 200 {
				t.Error(resp.Status)
			}
		})
	}
	wg.Wait()
	require.Len(t, recorder.Events(), 8*(1+1+4))
	for _, ev := range recorder.Events() {
		if m, ok := ev.(*webhook.IncomingMessage); ok && m.ProfileName == "Zoë Ünal" {
			require.Equal(t, "¿Abren mañana? 🙂 <b>&</b> ok/", m.Content.(*webhook.Text).Body)
		}
	}
}

// What a receiver has is its own, however much is received after it, and whether that is believed
// or not.
func TestBodiesAreNotUsedAgain(t *testing.T) {
	t.Parallel()
	var kept []webhook.Delivery
	endpoint, err := webhook.NewEndpoint(testConfig,
		webhook.ReceiverFunc(func(_ context.Context, d webhook.Delivery) error {
			kept = append(kept, d)
			return nil
		}))
	require.NoError(t, err)
	sizes := []int{0, 2, 700, 4095, 4096, 4097, 65535, 65536, 65537, 1 << 20}
	for i, size := range sizes {
		body := bytes.Repeat([]byte{byte('a' + i)}, size)
		require.Equal(t, 200, serve(endpoint, webhooktest.NewRequest(body, testSecret)).Code)
		chunked := webhooktest.NewRequest(body, testSecret)
		chunked.ContentLength = -1
		require.Equal(t, 200, serve(endpoint, chunked).Code)
		require.Equal(t, 401, serve(endpoint, webhooktest.NewRequest(bytes.Repeat([]byte{'!'}, size), "guess")).Code)
	}
	require.Len(t, kept, 2*len(sizes))
	for i, d := range kept {
		require.Equal(t, bytes.Repeat([]byte{byte('a' + i/2)}, sizes[i/2]), d.Body)
	}
}
