package cloudapi_test

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// canaries are what goes into the calls of calls() and must come out of none of them.
var canaries = []string{
	token.Reveal(), appSecret.Reveal(), proof(token), "AQcode/7c4a8d09+ca3762af61e5", "IGinspected/d41d8cd9+8f00b204",
	"verify-token-1b2c3d", "15550100123", "15550100199", "Thanks!", privateOne, "918273",
	proof(graph.Secret(string(appID) + "|" + appSecret.Reveal())),
}

// proof is what appsecret_proof must be.
func proof(token graph.Secret) string {
	mac := hmac.New(sha256.New, []byte(appSecret.Reveal()))
	mac.Write([]byte(token.Reveal()))
	return hex.EncodeToString(mac.Sum(nil))
}

// echo is everything a request carries, and what the client knows besides, as a server could throw
// it back.
func echo(r *http.Request) string {
	query, _ := url.QueryUnescape(r.URL.RawQuery)
	all := []string{
		r.URL.RawQuery, query, r.Header.Get("Authorization"), token.Reveal(), appSecret.Reveal(), proof(token),
	}
	if r.GetBody != nil {
		body, _ := r.GetBody()
		b, _ := io.ReadAll(body)
		all = append(all, string(b))
	}
	return strings.Join(all, " ")
}

// disasters are ways to fail that repeat what was asked.
var disasters = map[string]http.RoundTripper{
	"a network error with the URL in it": roundTripper(func(r *http.Request) (*http.Response, error) {
		return nil, &url.Error{Op: r.Method, URL: r.URL.String(), Err: fmt.Errorf("middleware: %w", &url.Error{
			Op: "Get", URL: r.URL.String(), Err: errors.New(r.URL.String() + " " + r.Header.Get("Authorization")),
		})}
	}),
	"a network error with the body in it": roundTripper(func(r *http.Request) (*http.Response, error) {
		var body []byte
		if r.Body != nil {
			body, _ = io.ReadAll(r.Body)
		}
		return nil, fmt.Errorf("dump of %s: %s %s", r.URL, body, echo(r))
	}),
	"a redirect": roundTripper(func(r *http.Request) (*http.Response, error) {
		return filled(r, 302, echo(r), "Location", "https://elsewhere.example/?"+r.URL.RawQuery), nil
	}),
	"garbage that quotes": roundTripper(func(r *http.Request) (*http.Response, error) {
		return nil, fmt.Errorf("malformed HTTP response %q", echo(r)+" and something private")
	}),
	"a page": roundTripper(func(r *http.Request) (*http.Response, error) {
		return filled(r, 502, "<html>"+echo(r)), nil
	}),
	"text": roundTripper(func(r *http.Request) (*http.Response, error) { return filled(r, 200, echo(r)), nil }),
	"a success of another shape": roundTripper(func(r *http.Request) (*http.Response, error) {
		return filled(r, 200,
			fmt.Sprintf(
				`{"data":%q,"id":{"x":15550100123},"messages":15550100123,"access_token":15550100123}`, echo(r),
			)), nil
	}),
	"a Graph error": roundTripper(func(r *http.Request) (*http.Response, error) {
		return filled(r, 400, graphEcho(r, 100)), nil
	}),
	"a throttle": roundTripper(func(r *http.Request) (*http.Response, error) {
		return filled(r, 400, graphEcho(r, 80007)), nil
	}),
	"headers": roundTripper(func(r *http.Request) (*http.Response, error) {
		usage, _ := json.Marshal(map[string]any{echo(r): []any{map[string]any{"type": echo(r), "call_count": 1}}})
		return filled(r, 400, graphEcho(r, 1),
			"X-Fb-Trace-Id", echo(r), "X-Fb-Request-Id", echo(r), "Facebook-Api-Version", echo(r),
			"X-Business-Use-Case-Usage", string(usage)), nil
	}),
	"half an answer": roundTripper(func(r *http.Request) (*http.Response, error) {
		resp := filled(r, 200, "")
		resp.Body = io.NopCloser(io.MultiReader(strings.NewReader(echo(r)), brokenReader(echo(r))))
		return resp, nil
	}),
}

type brokenReader string

func (s brokenReader) Read([]byte) (int, error) { return 0, errors.New("reset after " + string(s)) }

func graphEcho(r *http.Request, code int) string {
	echo := echo(r)
	b, _ := json.Marshal(map[string]any{"error": map[string]any{
		"message": echo, "type": echo, "code": code, "error_data": map[string]any{"details": echo},
		"error_user_title": echo, "error_user_msg": echo, "fbtrace_id": echo,
	}})
	return string(b)
}

// filled is an answer that also throws back the request's own query and body.
func filled(r *http.Request, status int, body string, headers ...string) *http.Response {
	if r.Body != nil {
		_, _ = io.Copy(io.Discard, r.Body)
		_ = r.Body.Close()
	}
	resp := response(status, body, headers...)
	resp.Body, _ = resp.Request.GetBody()
	return resp
}

func TestNoSecretLeavesThroughErrorsLogsOrObserver(t *testing.T) {
	t.Parallel()
	for disaster, transport := range disasters {
		for name, call := range calls() {
			t.Run(disaster+"/"+name, func(t *testing.T) {
				t.Parallel()
				var mu sync.Mutex
				var out bytes.Buffer
				client := newClient(t, cloudapi.Config{
					AppID: appID, AppSecret: appSecret, AccessToken: token, Limiter: cloudapi.Unlimited,
					HTTPClient: &http.Client{Transport: transport},
					Retry: cloudapi.RetryPolicy{
						MaxAttempts: 2, MinWait: time.Microsecond, MaxWait: time.Microsecond,
					},
					Logger: slog.New(slog.NewTextHandler(lockedWriter{&mu, &out}, &slog.HandlerOptions{
						Level: slog.LevelDebug,
					})),
					Observe: func(_ context.Context, call cloudapi.Attempt) {
						mu.Lock()
						defer mu.Unlock()
						fmt.Fprintf(&out, "%v %+v %#v\n", call, call, call)
						if call.Err != nil {
							printAll(&out, call.Err)
						}
					},
				})
				err := call(t.Context(), client)
				require.Error(t, err)
				mu.Lock()
				defer mu.Unlock()
				require.NotZero(t, out.Len(), "nobody was told")
				printAll(&out, err)
				fmt.Fprintf(&out, "%v %+v %#v\n", client, client, client)
				for _, secret := range slices.Concat(canaries, escaped(canaries), []string{
					"://graph.facebook.com", "something private",
				}) {
					_, after, found := strings.Cut(out.String(), secret)
					require.Falsef(t, found, "%q was printed, followed by %.200q", secret, after)
				}
			})
		}
	}
}

// escaped are the canaries as a URL has them.
func escaped(list []string) []string {
	list = slices.Clone(list)
	for i := range list {
		list[i] = url.QueryEscape(list[i])
	}
	return list
}

// printAll prints an error and everything that can be unwrapped from it.
func printAll(out *bytes.Buffer, err error) {
	fmt.Fprintf(out, "%v %+v %#v %q\n", err, err, err, err)
	if b, jerr := json.Marshal(err); jerr == nil {
		out.Write(b)
	}
	switch e := err.(type) { //nolint:errorlint // walks the whole tree by itself
	case interface{ Unwrap() error }:
		if inner := e.Unwrap(); inner != nil {
			printAll(out, inner)
		}
	case interface{ Unwrap() []error }:
		for _, inner := range e.Unwrap() {
			printAll(out, inner)
		}
	}
}

type lockedWriter struct {
	mu *sync.Mutex
	w  io.Writer
}

func (l lockedWriter) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(p)
}

// A canary that never reaches the server proves nothing.
func TestCanariesTravel(t *testing.T) {
	t.Parallel()
	srv := serve(t, reply(400, graphError("100", "")))
	client := srv.client(t)
	for _, call := range calls() {
		_ = call(t.Context(), client)
	}
	var all strings.Builder
	for _, r := range srv.seen() {
		target, err := url.QueryUnescape(r.target)
		require.NoError(t, err)
		fmt.Fprintln(&all, target, r.header, r.body)
	}
	for _, canary := range canaries {
		require.Contains(t, all.String(), canary)
	}
}

// Meta takes the id of an upload for a key to it.
func TestIDOfAnUploadIsCutOutOfErrors(t *testing.T) {
	t.Parallel()
	srv := serve(t, reply(200, `{"id":"`+uploadID+`"}`),
		reply(400, `{"error":{"code":100,"message":"bad part of `+uploadID+`"}}`))
	err := asError(t, calls()["Uploads.Upload"](t.Context(), srv.client(t)))
	require.Contains(t, srv.seen()[1].target, uploadID)
	require.Equal(t, "bad part of [redacted]", err.Message)
	require.NotContains(t, fmt.Sprintf("%+v %#v", err, err), uploadID)
}

func TestTextsOfAllContentsAreCutOutOfErrors(t *testing.T) {
	t.Parallel()
	const private = "a very private matter"
	param := &cloudapi.TextParameter{Text: private}
	contents := map[string]cloudapi.Content{
		"text": &cloudapi.Text{Body: private},
		"raw":  &cloudapi.RawContent{Type: "interactive", JSON: []byte(`{"body":{"text":"` + private + `"}}`)},
	}
	contents["caption"] = &cloudapi.Image{MediaSource: byID, Caption: private}
	contents["file"] = &cloudapi.Document{MediaSource: byID, Filename: private}
	contents["place of its own"] = &cloudapi.Location{Address: private}
	contents["card"] = &cloudapi.Contacts{
		Cards: []graph.ContactCard{{Name: graph.ContactName{Formatted: private, First: "A"}}},
	}
	contents["interactive"] = &cloudapi.Interactive{Body: private, Action: &cloudapi.LocationRequest{}}
	rows := []cloudapi.ListRow{{ID: "1", Title: "t", Description: private}}
	contents["row"] = &cloudapi.Interactive{
		Body: "b", Action: &cloudapi.List{Button: "b", Sections: []cloudapi.ListSection{{Rows: rows}}},
	}
	for name, component := range map[string]cloudapi.TemplateComponent{
		"flow": &cloudapi.TemplateButton{
			Type: cloudapi.ButtonFlow, Parameter: &cloudapi.FlowParameter{FlowToken: private},
		},
		"tap": &cloudapi.TemplateTapTarget{URL: "https://example.com", Title: private},
		"carousel": &cloudapi.TemplateCarousel{Cards: []cloudapi.TemplateCard{
			{&cloudapi.TemplateBody{Parameters: []cloudapi.TemplateParameter{param}}}, {},
		}},
		"header": &cloudapi.TemplateHeader{Parameter: param},
		"body":   &cloudapi.TemplateBody{Parameters: []cloudapi.TemplateParameter{param}},
		"button": &cloudapi.TemplateButton{Type: cloudapi.ButtonURL, Parameter: param},
		"currency": &cloudapi.TemplateBody{
			Parameters: []cloudapi.TemplateParameter{&cloudapi.CurrencyParameter{Fallback: private, Code: "USD"}},
		},
		"date": &cloudapi.TemplateBody{
			Parameters: []cloudapi.TemplateParameter{&cloudapi.DateTimeParameter{Fallback: private}},
		},
		"place":   &cloudapi.TemplateHeader{Parameter: &cloudapi.LocationParameter{Name: private}},
		"address": &cloudapi.TemplateHeader{Parameter: &cloudapi.LocationParameter{Address: private}},
		"file name": &cloudapi.TemplateHeader{
			Parameter: &cloudapi.DocumentParameter{MediaSource: cloudapi.MediaSource{ID: "1"}, Filename: private},
		},
		"payload": &cloudapi.TemplateButton{
			Type: cloudapi.ButtonQuickReply, Parameter: &cloudapi.PayloadParameter{Payload: private},
		},
		"coupon": &cloudapi.TemplateButton{
			Type: cloudapi.ButtonCopyCode, Parameter: &cloudapi.CouponCodeParameter{Code: private[:18]},
		},
		"component": &cloudapi.RawComponent{JSON: []byte(`{"type":"x","deep":[{"a":["` + private + `"]}]}`)},
		"parameter": &cloudapi.TemplateHeader{
			Parameter: &cloudapi.RawParameter{JSON: []byte(`{"type":"x","x":"` + private + `"}`)},
		},
	} {
		contents[name] = &cloudapi.Template{
			Name: "t", Language: "en", Components: []cloudapi.TemplateComponent{component},
		}
	}
	for name, content := range contents {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			srv := serve(t,
				reply(400,
					`{"error":{"code":100,"message":"bad value `+private+`","error_data":{"details":"`+private+`"}}}`))
			m := text()
			m.Content = content
			_, err := srv.client(t).Messages.Send(t.Context(), phoneID, m)
			e := asError(t, err)
			require.NotContains(t, e.Message+e.Details, private[:18])
			require.Contains(t, e.Message, "bad value [redacted]")
		})
	}
}

func TestLinksToDocumentationStayInErrors(t *testing.T) {
	t.Parallel()
	e := get(t,
		reply(400,
			`{"error":{"code":100,"message":"See https://developers.facebook.com/docs/x and `+
				`https://x.example/cb?code=1&state=2 (EAAforeign0123456789abcdef)"}}`))
	require.Equal(t, "See https://developers.facebook.com/docs/x and https://x.example/cb?[redacted] ([redacted])",
		e.Message)
}

func TestSecretsInConfigAndArgumentsDoNotPrint(t *testing.T) {
	t.Parallel()
	cfg := cloudapi.Config{AppID: appID, AppSecret: appSecret, AccessToken: token}
	client := newClient(t, cfg)
	for _, v := range []any{
		cfg, &cfg, client, *client, *client.Messages, cloudapi.CodeExchangeParams{Code: token},
		cloudapi.AccessToken{Token: token},
		cloudapi.WebhookOverride{VerifyToken: token},
	} {
		s := fmt.Sprintf("%v %+v %#v", v, v, v)
		require.NotContains(t, s, token.Reveal())
		require.NotContains(t, s, appSecret.Reveal())
		require.NotContains(t, s, proof(token))
	}
}

// An error whose text cannot be shown still matches what it matched.
func TestHiddenCauseStillMatches(t *testing.T) {
	t.Parallel()
	transport := roundTripper(func(r *http.Request) (*http.Response, error) {
		_, _ = io.ReadAll(r.Body)
		return nil, fmt.Errorf("to %q: %w", customer, context.DeadlineExceeded)
	})
	client := newClient(t, cloudapi.Config{AccessToken: token, HTTPClient: &http.Client{Transport: transport}})
	_, err := client.Messages.Send(t.Context(), phoneID, text())
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.NotErrorIs(t, err, context.Canceled)
	timeout, ok := errors.AsType[interface {
		error
		Timeout() bool
	}](err)
	require.True(t, ok && timeout.Timeout())
	require.NotContains(t, err.Error(), "15550100123")
}

// A limiter can refuse between two attempts. Then both reasons are told.
func TestBothReasonsAreToldWhenAReplayIsPrevented(t *testing.T) {
	t.Parallel()
	var n int
	full := errors.New("the queue is full")
	transport := roundTripper(func(*http.Request) (*http.Response, error) {
		n++
		return nil, errors.New("connection refused")
	})
	client := newClient(t, cloudapi.Config{
		AccessToken: token, HTTPClient: &http.Client{Transport: transport},
		Retry:   cloudapi.RetryPolicy{MinWait: time.Millisecond, MaxWait: time.Millisecond},
		Limiter: limiterFunc(func() error { return []error{nil, full}[min(n, 1)] }),
	})
	_, err := client.Messages.Send(t.Context(), phoneID, text())
	require.EqualError(t, err,
		"cloudapi: POST /{phone-number-id}/messages: connection refused; then the queue is full (the request did "+
			"not leave)")
	require.ErrorIs(t, err, full)
	require.Equal(t, 1, n)
}

type limiterFunc func() error

func (f limiterFunc) Wait(context.Context, cloudapi.SendRequest) error { return f() }
