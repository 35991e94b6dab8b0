package cloudapi_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

func TestConfigMistakesAreToldAtOnce(t *testing.T) {
	t.Parallel()
	_, err := cloudapi.NewClient(cloudapi.Config{
		AppID: "my app", AppSecret: "secret\n", AccessToken: "EAA token", Version: "25",
		BaseURL: "ftp://graph.facebook.com",
		Retry:   cloudapi.RetryPolicy{MaxAttempts: -1, MinWait: -1},
	})
	require.Error(t, err)
	for _, mistake := range []string{
		"AppID", "AppSecret", "AccessToken", "Version", "BaseURL", "MaxAttempts", "MinWait",
	} {
		require.ErrorContains(t, err, "cloudapi: Config.")
		require.ErrorContains(t, err, mistake)
	}
	require.NotContains(t, err.Error(), "EAA")
	require.Len(t, strings.Split(err.Error(), "\n"), 7)
}

func TestConfigs(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		cfg  cloudapi.Config
		want string
	}{
		"zero":                {cloudapi.Config{}, ""},
		"another version":     {cloudapi.Config{Version: "v26.0"}, ""},
		"version and slash":   {cloudapi.Config{Version: "v26.0/"}, "Version"},
		"a slash at the end":  {cloudapi.Config{BaseURL: "https://proxy.example/graph/"}, ""},
		"this machine":        {cloudapi.Config{BaseURL: "http://127.0.0.1:8080"}, ""},
		"this machine, IPv6":  {cloudapi.Config{BaseURL: "http://[::1]:8080"}, ""},
		"the next container":  {cloudapi.Config{BaseURL: "http://simulator:8080"}, ""},
		"a private address":   {cloudapi.Config{BaseURL: "http://10.0.0.7"}, ""},
		"in the clear":        {cloudapi.Config{BaseURL: "http://graph.facebook.com"}, "must be https"},
		"in the clear, by IP": {cloudapi.Config{BaseURL: "http://203.0.113.7"}, "must be https"},
		"password":            {cloudapi.Config{BaseURL: "https://user:hunter2@proxy.example"}, "neither user"},
		"query":               {cloudapi.Config{BaseURL: "https://proxy.example?a=1"}, "neither user"},
		"no host":             {cloudapi.Config{BaseURL: "graph.facebook.com"}, "scheme and host"},
		"waits upside down": {
			cloudapi.Config{Retry: cloudapi.RetryPolicy{MinWait: time.Minute, MaxWait: time.Second}},
			"longer than MaxWait",
		},
		"long waits":  {cloudapi.Config{Retry: cloudapi.RetryPolicy{MinWait: time.Hour}}, ""},
		"short waits": {cloudapi.Config{Retry: cloudapi.RetryPolicy{MaxWait: time.Millisecond}}, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := cloudapi.NewClient(tt.cfg)
			if tt.want == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, tt.want)
			require.NotContains(t, err.Error(), "hunter2")
		})
	}
}

func TestVersionAndBaseURLArePartOfEveryPath(t *testing.T) {
	t.Parallel()
	srv := serve(t, reply(200, `{"id":"1"}`))
	client := srv.client(t, func(cfg *cloudapi.Config) { cfg.Version, cfg.BaseURL = "v26.0", cfg.BaseURL+"/graph/" })
	_, err := client.Phones.Get(t.Context(), phoneID, cloudapi.PhoneGetOptions{})
	require.NoError(t, err)
	require.True(t, strings.HasPrefix(srv.seen()[0].target, "/graph/v26.0/"+string(phoneID)+"?"))
}

func TestCallWithoutTokenSaysSo(t *testing.T) {
	t.Parallel()
	srv := serve(t, reply(200, `{"id":"1"}`))
	client := srv.client(t, func(cfg *cloudapi.Config) { cfg.AccessToken = "" })
	for _, token := range []graph.Secret{"", "EAA\n"} {
		_, err := client.WithToken(token).Phones.Get(t.Context(), phoneID, cloudapi.PhoneGetOptions{})
		require.ErrorIs(t, err, cloudapi.ErrValidation)
		require.ErrorContains(t, err, "GET /{phone-number-id}")
		require.ErrorContains(t, err, "access token")
	}
	_, err := client.WithToken(token).Phones.Get(t.Context(), phoneID, cloudapi.PhoneGetOptions{})
	require.NoError(t, err)
	require.Len(t, srv.seen(), 1)
}

// What comes out of a database must not be able to reach another endpoint.
func TestIDsStayInTheirPlace(t *testing.T) {
	t.Parallel()
	srv := serve(t, reply(200, `{"id":"1"}`))
	client := srv.client(t)
	for _, id := range []graph.PhoneNumberID{"", ".", ".."} {
		_, err := client.Phones.Get(t.Context(), id, cloudapi.PhoneGetOptions{})
		require.ErrorIs(t, err, cloudapi.ErrValidation, "%q", id)
	}
	require.Empty(t, srv.seen())
	_, err := client.Phones.Get(t.Context(), "1/register?x=#", cloudapi.PhoneGetOptions{})
	require.NoError(t, err)
	require.True(t, strings.HasPrefix(srv.seen()[0].target, "/v25.0/1%2Fregister%3Fx=%23?"), srv.seen()[0].target)
}

func TestEveryTokenHasItsProof(t *testing.T) {
	t.Parallel()
	srv := serve(t, reply(200, `{"id":"1"}`))
	client := srv.client(t)
	const other graph.Secret = "EAAother-0123456789abcdef"
	for _, c := range []*cloudapi.Client{client, client.WithToken(other), client} {
		_, err := c.Phones.Get(t.Context(), phoneID, cloudapi.PhoneGetOptions{})
		require.NoError(t, err)
	}
	for i, want := range []graph.Secret{token, other, token} {
		r := srv.seen()[i]
		require.Equal(t, "Bearer "+want.Reveal(), r.header.Get("Authorization"))
		require.Contains(t, r.target, "appsecret_proof="+proof(want))
		require.NotContains(t, r.target, want.Reveal())
	}
	_, err := srv.client(t, func(cfg *cloudapi.Config) {
		cfg.AppSecret = ""
	}).Phones.Get(t.Context(), phoneID, cloudapi.PhoneGetOptions{})
	require.NoError(t, err)
	require.NotContains(t, srv.seen()[3].target, "appsecret_proof")
}

func TestCopiesShareConnections(t *testing.T) {
	t.Parallel()
	srv := serve(t, reply(200, `{"id":"1"}`))
	client := srv.client(t)
	for i := range 5 {
		_, err := client.WithToken(graph.Secret(fmt.Sprintf("EAA-%d", i))).Phones.Get(t.Context(), phoneID,
			cloudapi.PhoneGetOptions{})
		require.NoError(t, err)
	}
	require.Len(t, srv.conns, 1)
}

func TestConfiguredHTTPClientIsNotChanged(t *testing.T) {
	t.Parallel()
	hc := &http.Client{Transport: &http.Transport{}}
	srv := serve(t, reply(302, "", "Location", "/x"))
	require.Error(t,
		calls()["Phones.Get"](t.Context(), srv.client(t, func(cfg *cloudapi.Config) { cfg.HTTPClient = hc })))
	require.Nil(t, hc.CheckRedirect)
	require.False(t, hc.Transport.(*http.Transport).DisableKeepAlives)
}

func TestClientsAreSafeForConcurrentUse(t *testing.T) {
	t.Parallel()
	srv := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			reply(200, `{"id":"1","client_business_id":"1","data":[],"access_token":"EAAx"}`, "Facebook-Api-Version",
				"v26.0")(w, r)
			return
		}
		reply(200, `{"success":true,"request_id":"1","id":"1","messages":[{"id":"wamid.1"}]}`)(w, r)
	})
	var mu sync.Mutex
	observed := 0
	client := srv.client(t, func(cfg *cloudapi.Config) {
		cfg.Logger = slog.New(slog.DiscardHandler)
		cfg.Observe = func(context.Context, cloudapi.Attempt) {
			mu.Lock()
			defer mu.Unlock()
			observed++
		}
	})
	var wg sync.WaitGroup
	for i := range 4 {
		for name, call := range sendingCalls() {
			wg.Go(func() {
				c := client
				if i%2 == 0 {
					c = client.WithToken(graph.Secret(fmt.Sprintf("EAA-%d-0123456789", i)))
				}
				if name == "OAuth.DebugToken" {
					return // answers in another shape
				}
				if err := call(context.WithoutCancel(t.Context()), c); err != nil {
					t.Errorf("%s: %v", name, err)
				}
			})
		}
	}
	wg.Wait()
	require.Len(t, srv.seen(), observed)
}

func TestObserverSeesEveryAttempt(t *testing.T) {
	t.Parallel()
	var seen []cloudapi.Attempt
	srv := serve(t, reply(
		400, graphError("130429", "2494055"), "X-Fb-Trace-Id", "At1",
	), reply(200, sentBody, "X-App-Usage", `{"call_count":28,"total_cputime":25,"total_time":99.5}`,
		"X-Business-Use-Case-Usage", regainTwoMinutes, "Facebook-Api-Version", "v25.0",
		"X-Fb-Trace-Id", "At2", "X-Fb-Request-Id", "Ar2"))
	client := srv.client(t, func(cfg *cloudapi.Config) {
		cfg.Observe = func(_ context.Context, call cloudapi.Attempt) { seen = append(seen, call) }
	})
	sent, err := client.Messages.Send(t.Context(), phoneID, text())
	require.NoError(t, err)
	require.Len(t, seen, 2)
	for i, call := range seen {
		require.Equal(t, http.MethodPost, call.Method)
		require.Equal(t, "/{phone-number-id}/messages", call.Path)
		require.Equal(t, phoneID, call.PhoneNumberID)
		require.Equal(t, i+1, call.Number)
		require.Positive(t, call.Duration)
	}
	require.False(t, seen[0].Final)
	require.Positive(t, seen[0].Wait)
	require.Equal(t, 400, seen[0].Status)
	require.ErrorIs(t, seen[0].Err, graph.CodeRateLimitHit)
	require.Equal(t, "At1", seen[0].Response.TraceID)
	require.True(t, seen[1].Final)
	require.NoError(t, seen[1].Err)
	require.Equal(t, cloudapi.Response{
		Status: 200, Version: "v25.0", TraceID: "At2", RequestID: "Ar2", Attempts: 2,
		AppUsage: &cloudapi.Usage{Calls: 28, CPUTime: 25, Time: 100},
		BusinessUsage: []cloudapi.BusinessUsage{
			{Object: "200000000000002", Type: "whatsapp", Usage: cloudapi.Usage{Calls: 3}, RegainAccess: time.Minute},
			{
				Object: "200000000000002", Type: "whatsapp_business_management",
				Usage: cloudapi.Usage{Calls: 100, CPUTime: 25, Time: 26}, RegainAccess: 2 * time.Minute,
			},
		},
	}, seen[1].Response)
	require.Equal(t, seen[1].Response, sent.Response)
	require.Equal(t, 100, sent.Response.BusinessUsage[1].Max())
}

func TestDriftOfTheVersionIsLoggedOnce(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	srv := serve(t, reply(200, `{"id":"1"}`, "Facebook-Api-Version", "v26.0"))
	client := srv.client(t, func(cfg *cloudapi.Config) { cfg.Logger = slog.New(slog.NewTextHandler(&out, nil)) })
	for range 3 {
		_, err := client.WithToken(token).Phones.Get(t.Context(), phoneID, cloudapi.PhoneGetOptions{})
		require.NoError(t, err)
	}
	require.Equal(t, 1, strings.Count(out.String(), "asked=v25.0 ran=v26.0"), out.String())
}

func TestDoRefusesWhatWouldLeakOrMislead(t *testing.T) {
	t.Parallel()
	srv := serve(t, reply(200, `{}`))
	client := srv.client(t)
	good := func() cloudapi.Request {
		return cloudapi.Request{Method: "POST", Path: "/{waba-id}/x", IDs: []string{"1"}, Body: []byte(`{"a":1}`)}
	}
	tests := map[string]func(*cloudapi.Request){
		"Method":         func(r *cloudapi.Request) { r.Method = "post" },
		"not an HTTP":    func(r *cloudapi.Request) { r.Method = "" },
		"template":       func(r *cloudapi.Request) { r.Path = "x" },
		"Path":           func(r *cloudapi.Request) { r.Path = "/x?access_token=1" },
		"such as":        func(r *cloudapi.Request) { r.Path = "/../x" },
		"token or proof": func(r *cloudapi.Request) { r.Query = map[string][]string{"access_token": {"EAA"}} },
		"the client":     func(r *cloudapi.Request) { r.Query = map[string][]string{"appsecret_proof": {"0"}} },
		"JSON":           func(r *cloudapi.Request) { r.Body = []byte(`{`) },
		"RetryMode":      func(r *cloudapi.Request) { r.RetryMode = "always" },
		"waba id":        func(r *cloudapi.Request) { r.IDs = nil },
		"2 ids for 1":    func(r *cloudapi.Request) { r.IDs = []string{"1", "2"} },
	}
	for want, change := range tests {
		r := good()
		change(&r)
		_, err := cloudapi.Do[struct{}](t.Context(), client, r)
		require.ErrorIs(t, err, cloudapi.ErrValidation, want)
		require.ErrorContains(t, err, want)
	}
	require.Empty(t, srv.seen())
	_, err := cloudapi.Do[struct{}](t.Context(), client, good())
	require.NoError(t, err)
	require.Equal(t, `{"a":1}`, srv.seen()[0].body)
}
