package cloudapi_test

import (
	"context"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// These codes prove that nothing was done, whatever the HTTP status says.
var refusals = []string{"4", "80007", "80008", "130429", "131056", "131057"}

func TestThrottledSendIsRepeated(t *testing.T) {
	t.Parallel()
	for _, code := range refusals {
		for _, status := range []int{400, 429, 500} {
			t.Run(code, func(t *testing.T) {
				t.Parallel()
				srv := serve(t, reply(status, graphError(code, "")), reply(200, sentBody))
				sent, err := srv.client(t).Messages.Send(t.Context(), phoneID, text())
				require.NoError(t, err)
				require.Equal(t, graph.MessageID("wamid.sent"), sent.ID)
				require.Equal(t, 2, sent.Response.Attempts)
				got := srv.seen()
				require.Len(t, got, 2)
				require.Equal(t, got[0].body, got[1].body)
			})
		}
	}
}

// failures are answers to a send that do not prove a refusal by a code that may be repeated, with
// what they do prove.
var failures = map[string]struct {
	step    step
	outcome cloudapi.Outcome
}{
	"accepted, then dropped":       {drop, cloudapi.OutcomeUnknown},
	"half a body":                  {half(sentBody), cloudapi.OutcomeUnknown},
	"code 1":                       {reply(400, graphError("1", "")), cloudapi.OutcomeUnknown},
	"code 2":                       {reply(503, graphError("2", "")), cloudapi.OutcomeUnknown},
	"code 131000":                  {reply(500, graphError("131000", "")), cloudapi.OutcomeUnknown},
	"code 131016":                  {reply(500, graphError("131016", "")), cloudapi.OutcomeUnknown},
	"a new code":                   {reply(400, graphError("131999", "")), cloudapi.OutcomeUnknown},
	"transient, says Meta":         {reply(400, `{"error":{"code":100,"is_transient":true}}`), cloudapi.OutcomeUnknown},
	"an error without code":        {reply(500, `{"error":{"message":"oops"}}`), cloudapi.OutcomeUnknown},
	"500 with code 3":              {reply(500, graphError("3", "")), cloudapi.OutcomeRefused},
	"500 with code 134102":         {reply(500, graphError("134102", "")), cloudapi.OutcomeRefused},
	"401 with code 138000":         {reply(401, graphError("138000", "")), cloudapi.OutcomeRefused},
	"code 131047":                  {reply(400, graphError("131047", "")), cloudapi.OutcomeRefused},
	"code 190":                     {reply(401, graphError("190", "463")), cloudapi.OutcomeRefused},
	"sync limit under a throttle":  {reply(400, graphError("4", "2593107")), cloudapi.OutcomeRefused},
	"sync window under a throttle": {reply(400, graphError("130429", "2593108")), cloudapi.OutcomeRefused},
	"sync limit as code":           {reply(400, graphError("2593107", "")), cloudapi.OutcomeRefused},
	"spam limit":                   {reply(400, graphError("131048", "")), cloudapi.OutcomeRefused},
	"429 without body":             {reply(429, ""), cloudapi.OutcomeUnknown},
	"429 as a page":                {reply(429, "<html>slow down</html>"), cloudapi.OutcomeUnknown},
	"500 without body":             {reply(500, ""), cloudapi.OutcomeUnknown},
	"502 as a page":                {reply(502, "<html>Bad Gateway</html>"), cloudapi.OutcomeUnknown},
	"redirect":                     {reply(302, "", "Location", "/elsewhere"), cloudapi.OutcomeUnknown},
	"redirect that keeps the body": {reply(307, "", "Location", "/elsewhere"), cloudapi.OutcomeUnknown},
	"success without a message": {
		reply(200, `{"messaging_product":"whatsapp","messages":[]}`), cloudapi.OutcomeUnknown,
	},
	"success as a page":        {reply(200, "<html>Welcome</html>"), cloudapi.OutcomeUnknown},
	"success without body":     {reply(200, ""), cloudapi.OutcomeUnknown},
	"success of another shape": {reply(200, `{"messages":"none"}`), cloudapi.OutcomeUnknown},
	"an error inside success":  {reply(200, graphError("131047", "")), cloudapi.OutcomeRefused},
}

func TestNothingElseRepeatsASend(t *testing.T) {
	t.Parallel()
	for name, tt := range failures {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			srv := serve(t, tt.step)
			_, err := srv.client(t).Messages.Send(t.Context(), phoneID, text())
			require.Equal(t, tt.outcome, asError(t, err).Outcome, "%v", err)
			require.Len(t, srv.seen(), 1)
		})
	}
}

// net/http repeats some requests by itself when a connection breaks that was used before.
func TestSendOnAUsedConnectionIsNotRepeated(t *testing.T) {
	t.Parallel()
	srv := serve(t, reply(200, sentBody), drop)
	client := srv.client(t)
	_, err := client.Messages.Send(t.Context(), phoneID, text())
	require.NoError(t, err)
	_, err = client.Messages.Send(t.Context(), phoneID, text())
	require.Equal(t, cloudapi.OutcomeUnknown, asError(t, err).Outcome)
	require.Len(t, srv.seen(), 2)
	require.Len(t, srv.conns, 1, "the second send did not meet a used connection")
}

func TestOneShotCallsAreNeverRepeated(t *testing.T) {
	t.Parallel()
	steps := map[string]step{}
	for name, tt := range failures {
		steps[name] = tt.step
	}
	for _, code := range refusals {
		steps["throttled with "+code] = reply(400, graphError(code, ""))
	}
	steps["not connected"] = nil
	for _, name := range []string{"Phones.SyncAppData", "OAuth.Exchange"} {
		for failure, step := range steps {
			t.Run(name+"/"+failure, func(t *testing.T) {
				t.Parallel()
				if step == nil {
					var dials atomic.Int32
					noRoute := func(context.Context, string, string) (net.Conn, error) {
						dials.Add(1)
						return nil, errors.New("no route")
					}
					client := newClient(t, cloudapi.Config{
						AppID: appID, AppSecret: appSecret, AccessToken: token, BaseURL: "http://127.0.0.1:1",
						HTTPClient: &http.Client{Transport: &http.Transport{DialContext: noRoute}},
					})
					err := calls()[name](t.Context(), client)
					require.Equal(t, cloudapi.OutcomeNotSent, asError(t, err).Outcome)
					require.EqualValues(t, 1, dials.Load())
					return
				}
				// The second call would find a connection that was used before. On such a one
				// net/http repeats a GET by itself.
				srv := serve(t, reply(200, `{"request_id":"A1","access_token":"EAAnew-0123456789"}`), step)
				client := srv.client(t)
				require.NoError(t, calls()[name](t.Context(), client))
				require.Error(t, calls()[name](t.Context(), client))
				require.Len(t, srv.seen(), 2)
			})
		}
	}
}

func TestDoKeepsTheRulesOfItsEndpoint(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		request  cloudapi.Request
		step     step
		requests int
	}{
		"a read after a drop": {cloudapi.Request{Method: "GET", Path: "/me"}, drop, 4},
		"a post after a drop": {cloudapi.Request{Method: "POST", Path: "/me"}, drop, 1},
		"a post after a throttle": {
			cloudapi.Request{Method: "POST", Path: "/me"}, reply(400, graphError("80007", "")), 4,
		},
		"an idempotent post": {
			cloudapi.Request{Method: "POST", Path: "/me", RetryMode: cloudapi.RetryIdempotent}, drop, 4,
		},
		"a read that may not": {
			cloudapi.Request{Method: "GET", Path: "/me", RetryMode: cloudapi.RetryNever}, reply(500, ""), 1,
		},
		"a send called idempotent": {
			cloudapi.Request{Method: "POST", Path: "/1/messages", RetryMode: cloudapi.RetryIdempotent}, drop, 1,
		},
		"a sync called idempotent": {
			cloudapi.Request{Method: "POST", Path: "/1/smb_app_data", RetryMode: cloudapi.RetryIdempotent},
			reply(400, graphError("4", "")), 1,
		},
		"a sync behind a slash": {
			cloudapi.Request{Method: "POST", Path: "/1/smb_app_data/"}, reply(400, graphError("4", "")), 1,
		},
		"a sync put together": {
			cloudapi.Request{Method: "POST", Path: "/1/{edge}", IDs: []string{"smb_app_data"}},
			reply(400, graphError("4", "")), 1,
		},
		"a registration when throttled": {
			cloudapi.Request{Method: "POST", Path: "/1/register"}, reply(400, graphError("4", "")), 1,
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			srv := serve(t, tt.step)
			_, err := cloudapi.Do[struct{}](t.Context(), srv.client(t), tt.request)
			require.Error(t, err)
			require.Len(t, srv.seen(), tt.requests)
		})
	}
}

func TestReadsAndSettingsAreRepeated(t *testing.T) {
	t.Parallel()
	trouble := map[string]step{
		"dropped": drop, "half a body": half(`{"success":true}`), "429": reply(429, ""), "500": reply(500, ""),
		"502 as a page": reply(502, "<html>"), "code 1": reply(400, graphError("1", "")),
		"code 2": reply(500, graphError("2", "")),
		"half an error": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", "4096")
			w.WriteHeader(400)
			_, _ = io.WriteString(w, `{"err`)
		},
		"code 613": reply(400, graphError("613", "")), "500 with a new code": reply(500, graphError("131999", "")),
		"transient": reply(400, `{"error":{"code":131999,"is_transient":true}}`),
	}
	for _, code := range refusals {
		trouble["code "+code] = reply(400, graphError(code, ""))
	}
	good := map[string]string{
		"Phones.Get": `{"id":"1"}`, "WABAs.SetWebhook": `{"success":true}`, "WABAs.Unsubscribe": `{"success":"true"}`,
		"WABAs.SubscribedApps": `{"data":[]}`, "OAuth.DebugToken": `{"data":{}}`,
	}
	for name, body := range good {
		for failure, step := range trouble {
			t.Run(name+"/"+failure, func(t *testing.T) {
				t.Parallel()
				srv := serve(t, step, step, reply(200, body))
				require.NoError(t, calls()[name](t.Context(), srv.client(t)))
				require.Len(t, srv.seen(), 3)
			})
		}
	}
}

func TestLastingErrorsAreNotRepeated(t *testing.T) {
	t.Parallel()
	lasting := map[string]step{
		"500 with code 3":      reply(500, graphError("3", "")),
		"500 with code 134102": reply(500, graphError("134102", "")),
		"401 with code 138000": reply(401, graphError("138000", "")), "400": reply(400, graphError("100", "")),
		"404": reply(404, ""), "429 that is a spam limit": reply(429, graphError("131048", "")),
		"redirect": reply(302, "", "Location", "/elsewhere"), "a page": reply(200, "<html>"),
		"sync limit": reply(400, graphError("4", "2593107")),
	}
	for failure, step := range lasting {
		t.Run(failure, func(t *testing.T) {
			t.Parallel()
			srv := serve(t, step)
			require.Error(t, calls()["Phones.Get"](t.Context(), srv.client(t)))
			require.Len(t, srv.seen(), 1)
		})
	}
}

func TestAttemptsAreCounted(t *testing.T) {
	t.Parallel()
	for attempts, want := range map[int]int{0: 4, 1: 1, 2: 2, 7: 7} {
		srv := serve(t, reply(400, graphError("80007", "")))
		_, err := srv.client(t, func(cfg *cloudapi.Config) { cfg.Retry.MaxAttempts = attempts }).
			Messages.Send(t.Context(), phoneID, text())
		require.Len(t, srv.seen(), want)
		require.Equal(t, want, asError(t, err).Response.Attempts)
		require.ErrorIs(t, err, graph.ErrThrottled)
		require.Equal(t, cloudapi.OutcomeRefused, asError(t, err).Outcome)
	}
}

func TestSendThatNeverLeftIsRepeated(t *testing.T) {
	t.Parallel()
	refuse := func(n int32) (func(context.Context, string, string) (net.Conn, error), *atomic.Int32) {
		var dials atomic.Int32
		return func(ctx context.Context, network, addr string) (net.Conn, error) {
			if dials.Add(1) <= n {
				return nil, &net.OpError{Op: "dial", Net: network, Err: errors.New("connection refused")}
			}
			return new(net.Dialer).DialContext(ctx, network, addr)
		}, &dials
	}
	t.Run("no connection", func(t *testing.T) {
		t.Parallel()
		srv := serve(t, reply(200, sentBody))
		dial, dials := refuse(2)
		client := srv.client(t, func(cfg *cloudapi.Config) {
			cfg.HTTPClient = &http.Client{Transport: &http.Transport{DialContext: dial}}
		})
		sent, err := client.Messages.Send(t.Context(), phoneID, text())
		require.NoError(t, err)
		require.Equal(t, 3, sent.Response.Attempts)
		require.EqualValues(t, 3, dials.Load())
		require.Len(t, srv.seen(), 1)
	})
	t.Run("never a connection", func(t *testing.T) {
		t.Parallel()
		srv := serve(t, reply(200, sentBody))
		dial, dials := refuse(100)
		client := srv.client(t, func(cfg *cloudapi.Config) {
			cfg.HTTPClient = &http.Client{Transport: &http.Transport{DialContext: dial}}
		})
		_, err := client.Messages.Send(t.Context(), phoneID, text())
		require.Equal(t, cloudapi.OutcomeNotSent, asError(t, err).Outcome)
		_, ok := errors.AsType[*net.OpError](err)
		require.True(t, ok, "the cause is lost: %v", err)
		require.EqualValues(t, 4, dials.Load())
	})
	t.Run("no TLS handshake", func(t *testing.T) {
		t.Parallel()
		var requests atomic.Int32
		srv := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			requests.Add(1)
			reply(200, sentBody)(w, r)
		}))
		t.Cleanup(srv.Close)
		transport := srv.Client().Transport.(*http.Transport).Clone()
		var dials atomic.Int32
		transport.DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
			if dials.Add(1) == 1 {
				near, far := net.Pipe()
				_ = far.Close()
				return near, nil
			}
			return new(net.Dialer).DialContext(ctx, network, addr)
		}
		client := newClient(t, cloudapi.Config{
			AccessToken: token, BaseURL: srv.URL, HTTPClient: &http.Client{Transport: transport},
			Retry: cloudapi.RetryPolicy{MinWait: time.Millisecond, MaxWait: time.Millisecond},
		})
		_, err := client.Messages.Send(t.Context(), phoneID, text())
		require.NoError(t, err)
		require.EqualValues(t, 2, dials.Load())
		require.EqualValues(t, 1, requests.Load())
	})
	t.Run("a certificate that will not get better", func(t *testing.T) {
		t.Parallel()
		srv := httptest.NewUnstartedServer(http.NotFoundHandler())
		srv.Config.ErrorLog = log.New(io.Discard, "", 0) // of the handshake that is to go wrong
		srv.StartTLS()
		t.Cleanup(srv.Close)
		var dials atomic.Int32
		dial := func(ctx context.Context, network, addr string) (net.Conn, error) {
			dials.Add(1)
			return new(net.Dialer).DialContext(ctx, network, addr)
		}
		client := newClient(t, cloudapi.Config{
			AccessToken: token, BaseURL: srv.URL,
			HTTPClient: &http.Client{Transport: &http.Transport{DialContext: dial}},
		})
		_, err := client.Messages.Send(t.Context(), phoneID, text())
		require.Equal(t, cloudapi.OutcomeNotSent, asError(t, err).Outcome)
		require.EqualValues(t, 1, dials.Load())
	})
}

// A transport that reports nothing about itself is believed only as far as it touched the body.
func TestForeignTransportIsJudgedByTheBody(t *testing.T) {
	t.Parallel()
	send := func(t *testing.T, rt roundTripper) error {
		client := newClient(t, cloudapi.Config{
			AccessToken: token, HTTPClient: &http.Client{Transport: rt},
			Retry: cloudapi.RetryPolicy{MinWait: time.Millisecond, MaxWait: time.Millisecond},
		})
		_, err := client.Messages.Send(t.Context(), phoneID, text())
		return err
	}
	t.Run("untouched", func(t *testing.T) {
		t.Parallel()
		var n int
		err := send(t, func(*http.Request) (*http.Response, error) {
			n++
			return nil, errors.New("no")
		})
		require.Equal(t, cloudapi.OutcomeNotSent, asError(t, err).Outcome)
		require.Equal(t, 4, n)
	})
	t.Run("read", func(t *testing.T) {
		t.Parallel()
		var n int
		err := send(t, func(r *http.Request) (*http.Response, error) {
			n++
			_, _ = r.Body.Read(make([]byte, 1))
			return nil, errors.New("no")
		})
		require.Equal(t, cloudapi.OutcomeUnknown, asError(t, err).Outcome)
		require.Equal(t, 1, n)
	})
	t.Run("read again", func(t *testing.T) {
		t.Parallel()
		var n int
		err := send(t, func(r *http.Request) (*http.Response, error) {
			n++
			body, err := r.GetBody()
			require.NoError(t, err)
			_, _ = io.Copy(io.Discard, body)
			return nil, errors.New("no")
		})
		require.Equal(t, cloudapi.OutcomeUnknown, asError(t, err).Outcome)
		require.Equal(t, 1, n)
	})
	t.Run("read when all is over", func(t *testing.T) {
		t.Parallel()
		var bodies []io.Reader
		err := send(t, func(r *http.Request) (*http.Response, error) {
			bodies = append(bodies, r.Body)
			return nil, errors.New("no")
		})
		require.Equal(t, cloudapi.OutcomeNotSent, asError(t, err).Outcome)
		for _, body := range bodies {
			b, err := io.ReadAll(body)
			require.Error(t, err)
			require.Empty(t, b, "a replayed request could still leave")
		}
	})
}

func TestLimiterIsAskedBeforeEveryAttemptToSend(t *testing.T) {
	t.Parallel()
	var asked limiter
	srv := serve(t, reply(400, graphError("130429", "")), reply(200, sentBody))
	client := srv.client(t, func(cfg *cloudapi.Config) { cfg.Limiter = &asked })
	_, err := client.WithToken("EAAother-token-0123456789").Messages.Send(t.Context(), phoneID, text())
	require.NoError(t, err)
	require.Error(t, client.Messages.MarkRead(t.Context(), phoneID, wamid), "the script answers with a message")
	require.Equal(t, []string{string(phoneID) + " " + customer, string(phoneID) + " " + customer}, asked.calls)
}

func TestMessageThatTheLimiterHoldsIsNotSent(t *testing.T) {
	t.Parallel()
	srv := serve(t, reply(200, sentBody))
	full := errors.New("the queue is full")
	client := srv.client(t, func(cfg *cloudapi.Config) { cfg.Limiter = &limiter{err: full} })
	_, err := client.Messages.Send(t.Context(), phoneID, text())
	require.ErrorIs(t, err, full)
	require.Equal(t, cloudapi.OutcomeNotSent, asError(t, err).Outcome)
	require.Empty(t, srv.seen())
}

type limiter struct {
	calls []string
	err   error
}

func (l *limiter) Wait(_ context.Context, t cloudapi.SendRequest) error {
	l.calls = append(l.calls, string(t.From)+" "+t.To.Key())
	return l.err
}

func TestEveryCallIsInTheTableOfCalls(t *testing.T) {
	t.Parallel()
	var names []string
	for name := range calls() {
		names = append(names, name)
	}
	for _, d := range directives(t) {
		if composed[d.method] {
			continue
		}
		require.True(t, slices.Contains(names, d.method), "%s is not in calls(); the canary and replay tests miss it",
			d.method)
	}
}
