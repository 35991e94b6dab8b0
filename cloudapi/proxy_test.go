package cloudapi_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

const proxyPassword = "proxy-password-77de68daecd8"

// A proxy is an HTTP proxy on this machine: it forwards requests, and tunnels CONNECT.
type proxy struct {
	*httptest.Server
	forwarded, tunnels atomic.Int32
	broken             atomic.Bool // answers for itself, and lets nothing through
}

func startProxy(t *testing.T) *proxy {
	t.Helper()
	p := new(proxy)
	p.Server = httptest.NewServer(p)
	t.Cleanup(p.Close)
	return p
}

func (p *proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	credentials := http.Header{"Authorization": r.Header["Proxy-Authorization"]}
	name, password, _ := (&http.Request{Header: credentials}).BasicAuth()
	switch {
	case name != "host" || password != proxyPassword:
		http.Error(w, "who are you?", http.StatusProxyAuthRequired)
	case p.broken.Load():
		http.Error(w, "<html>no way to "+r.URL.String()+" "+r.Header.Get("Authorization"), http.StatusBadGateway)
	case r.Method == http.MethodConnect:
		p.tunnels.Add(1)
		far, err := net.Dial("tcp", r.Host)
		if err != nil {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		near, buffered, err := http.NewResponseController(w).Hijack()
		if err != nil {
			_ = far.Close()
			return
		}
		// not before: what the client says next would be read by the server
		_, _ = io.WriteString(near, "HTTP/1.1 200 OK\r\n\r\n")
		var both sync.WaitGroup
		both.Go(func() {
			_, _ = io.Copy(far, buffered)
			_ = far.Close()
		})
		both.Go(func() {
			_, _ = io.Copy(near, far)
			_ = near.Close()
		})
		both.Wait()
	default:
		p.forwarded.Add(1)
		out := r.Clone(r.Context())
		out.RequestURI = ""
		out.Header.Del("Proxy-Authorization")
		resp, err := new(http.Transport).RoundTrip(out)
		if err != nil {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		defer resp.Body.Close()
		w.WriteHeader(resp.StatusCode)
		_, _ = io.Copy(w, resp.Body)
	}
}

func (p *proxy) through(transport *http.Transport) *http.Client {
	transport.Proxy = http.ProxyURL(&url.URL{
		Scheme: "http", Host: p.Listener.Addr().String(), User: url.UserPassword("host", proxyPassword),
	})
	return &http.Client{Transport: transport}
}

func TestCallsGoThroughAProxy(t *testing.T) {
	t.Parallel()
	const answer = `{"messages":[{"id":"wamid.1"}],"request_id":"1","access_token":"EAAx-0123456789","id":"1"}`
	few := cloudapi.RetryPolicy{MaxAttempts: 2, MinWait: time.Millisecond, MaxWait: time.Millisecond}
	config := func(srv *httptest.Server, hc *http.Client) cloudapi.Config {
		return cloudapi.Config{
			AppID: appID, AppSecret: appSecret, AccessToken: token, BaseURL: srv.URL, HTTPClient: hc, Retry: few,
			Limiter: cloudapi.Unlimited,
		}
	}
	t.Run("in the clear", func(t *testing.T) {
		t.Parallel()
		p, srv := startProxy(t), serve(t, reply(200, answer))
		client := newClient(t, config(srv.Server, p.through(new(http.Transport))))
		for i, name := range []string{"Messages.Send", "Phones.SyncAppData", "OAuth.Exchange", "Phones.Get"} {
			require.NoError(t, calls()[name](t.Context(), client), name)
			require.EqualValues(t, i+1, p.forwarded.Load(), "%s went past the proxy", name)
		}
		require.Equal(t, "Bearer "+token.Reveal(), srv.seen()[0].header.Get("Authorization"))
		require.Empty(t, srv.seen()[0].header.Get("Proxy-Authorization"))

		// What a proxy says of itself proves nothing about what it passed on.
		p.broken.Store(true)
		_, err := client.Messages.Send(t.Context(), phoneID, text())
		require.Equal(t, cloudapi.OutcomeUnknown, asError(t, err).Outcome)
		requireNoSecret(t, err)
	})
	t.Run("in a tunnel", func(t *testing.T) {
		t.Parallel()
		p := startProxy(t)
		var requests atomic.Int32
		srv := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			requests.Add(1)
			reply(200, answer)(w, r)
		}))
		t.Cleanup(srv.Close)
		client := newClient(t, config(srv, p.through(srv.Client().Transport.(*http.Transport).Clone())))
		for i, name := range []string{"Messages.Send", "Phones.SyncAppData", "OAuth.Exchange"} {
			require.NoError(t, calls()[name](t.Context(), client), name)
			require.EqualValues(t, i+1, requests.Load())
		}
		require.EqualValues(t, 3, p.tunnels.Load(),
			"one that is pooled, and one for each call that may happen only once")
	})
	t.Run("in a tunnel that does not open", func(t *testing.T) {
		t.Parallel()
		p := startProxy(t)
		p.broken.Store(true)
		srv := httptest.NewTLSServer(http.NotFoundHandler())
		t.Cleanup(srv.Close)
		client := newClient(t, config(srv, p.through(srv.Client().Transport.(*http.Transport).Clone())))
		_, err := client.Messages.Send(t.Context(), phoneID, text())
		require.Equal(t, cloudapi.OutcomeNotSent, asError(t, err).Outcome, "%v", err)
		requireNoSecret(t, err)
	})
	t.Run("and the proxy is gone", func(t *testing.T) {
		t.Parallel()
		p, srv := startProxy(t), serve(t, reply(200, answer))
		client := newClient(t, config(srv.Server, p.through(new(http.Transport))))
		p.Close()
		_, err := client.Messages.Send(t.Context(), phoneID, text())
		require.Equal(t, cloudapi.OutcomeNotSent, asError(t, err).Outcome)
		requireNoSecret(t, err)
	})
}

// requireNoSecret looks for secrets in every form in which an error prints.
func requireNoSecret(t *testing.T, err error) {
	t.Helper()
	for _, secret := range append([]string{proxyPassword}, canaries...) {
		require.NotContains(t, fmt.Sprintf("%v %+v %#v", err, err, err), secret)
	}
}

// A transport of the host's own, such as one that traces, sees every call and changes nothing about
// it.
func TestCallsGoThroughATransportOfTheHost(t *testing.T) {
	t.Parallel()
	for name, call := range calls() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			srv := serve(t, reply(400, graphError("100", "")))
			var n int
			client := srv.client(t, func(cfg *cloudapi.Config) {
				cfg.HTTPClient = &http.Client{Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
					n++
					r = r.Clone(r.Context())
					r.Header.Set("Traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
					return http.DefaultTransport.RoundTrip(r)
				})}
			})
			require.ErrorIs(t, call(t.Context(), client), graph.CodeInvalidParameter)
			require.Equal(t, 1, n)
			require.NotEmpty(t, srv.seen()[0].header.Get("Traceparent"))
		})
	}
}

// What an observer is told is enough for metrics and traces.
func TestTheObserverIsToldEverythingButSecrets(t *testing.T) {
	t.Parallel()
	srv := serve(t,
		reply(400, graphError("130429", ""), "X-App-Usage", `{"call_count":28,"total_cputime":25,"total_time":26}`),
		reply(200, sentBody, "X-Business-Use-Case-Usage", regainTwoMinutes, "X-Fb-Trace-Id", "Atrace"))
	type key struct{}
	var got []cloudapi.Attempt
	client := srv.client(t, func(cfg *cloudapi.Config) {
		cfg.Observe = func(ctx context.Context, c cloudapi.Attempt) {
			require.Equal(t, "the caller's", ctx.Value(key{}))
			got = append(got, c)
		}
	})
	_, err := client.Messages.Send(context.WithValue(t.Context(), key{}, "the caller's"), phoneID, text())
	require.NoError(t, err)
	require.Len(t, got, 2)
	for i, c := range got {
		require.Equal(t, http.MethodPost, c.Method)
		require.Equal(t, "/{phone-number-id}/messages", c.Path)
		require.Equal(t, phoneID, c.PhoneNumberID)
		require.Equal(t, i+1, c.Number)
		require.Equal(t, i == 1, c.Final)
		require.Positive(t, c.Duration)
		require.Positive(t, c.Response.Status)
	}
	code, ok := got[0].Code()
	require.True(t, ok)
	require.Equal(t, graph.CodeRateLimitHit, code)
	_, ok = got[1].Code()
	require.False(t, ok)
	require.Equal(t, 28, got[0].Response.AppUsage.Max())
	require.Positive(t, got[0].Wait)
	require.NoError(t, got[1].Err)
	require.Equal(t, 100, got[1].Response.BusinessUsage[1].Max())
	require.Equal(t, "Atrace", got[1].Response.TraceID)
}
