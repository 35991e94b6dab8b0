package signup_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/cloudapitest"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/signup"
)

// A replaced version is what Meta runs in place of one that has ended.
type replaced string

func (v replaced) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err == nil {
		resp.Header.Set("Facebook-Api-Version", string(v))
	}
	return resp, err
}

// An endpoint stands for webhook.NewEndpoint.
type endpoint struct {
	token    string // "" accepts any
	unsigned int    // what a delivery without signature gets
	status   int    // of the handshake, if not 200
}

func (e endpoint) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	switch {
	case r.Method == http.MethodPost:
		w.WriteHeader(e.unsigned)
	case e.token != "" && q.Get("hub.verify_token") != e.token:
		w.WriteHeader(http.StatusForbidden)
	case e.status != 0:
		w.WriteHeader(e.status)
	default:
		_, _ = io.WriteString(w, q.Get("hub.challenge"))
	}
}

func TestPreflightSaysWhatToFixInOrder(t *testing.T) {
	t.Parallel()
	const verify = "canary-verify-token"
	all := []string{"messages", "account_update", "history", "smb_app_state_sync", "smb_message_echoes"}
	type setting struct {
		srv      *cloudapitest.Server
		client   cloudapi.Config
		cfg      signup.Config
		opts     signup.DiagnoseOptions
		endpoint endpoint
		fields   []string
		url      string
	}
	tests := map[string]struct {
		change  func(*setting)
		check   string
		verdict signup.FindingLevel
		fix     string
	}{
		"as it should be":  {func(*setting) {}, "", "", ""},
		"no configuration": {func(s *setting) { s.cfg.ConfigurationID = "" }, "settings", signup.FindingProblem, "correct this setting"},
		"wrong secret":     {func(s *setting) { s.client.AppSecret = "canary-wrong" }, "app and secret", signup.FindingProblem, "copy App ID"},
		"wrong app":        {func(s *setting) { s.client.AppID = "1" }, "app and secret", signup.FindingProblem, "copy App ID"},
		"Meta is down": {func(s *setting) {
			s.srv.Inject(cloudapitest.Fault{Status: 502, Times: 20})
		}, "Graph API", signup.FindingProblem, "graph.facebook.com"},
		"an ended version": {func(s *setting) { s.opts.Launch.Version = signup.Version3 }, "launch", signup.FindingWarning, "launch options"},
		"an old version":   {func(s *setting) { s.client.HTTPClient = &http.Client{Transport: replaced("v26.0")} }, "Graph version", signup.FindingWarning, "one that Meta serves"},
		"no webhook":       {func(s *setting) { s.fields = nil }, "webhook fields", signup.FindingProblem, "set callback URL"},
		"no history field": {func(s *setting) { s.fields = all[:2] }, "webhook fields", signup.FindingProblem,
			"subscribe to history, smb_app_state_sync, smb_message_echoes"},
		"another verify token": {func(s *setting) { s.endpoint.token = "other" }, "callback", signup.FindingProblem, "same verify token"},
		"any verify token":     {func(s *setting) { s.endpoint.token = "" }, "callback", signup.FindingProblem, "compare the token"},
		"another page":         {func(s *setting) { s.endpoint.status = 404 }, "callback", signup.FindingProblem, "mount webhook.NewEndpoint"},
		"takes forgeries":      {func(s *setting) { s.endpoint.unsigned = 200 }, "signatures", signup.FindingProblem, "X-Hub-Signature-256"},
		"nobody there":         {func(s *setting) { s.url = "http://127.0.0.1:1/x" }, "callback", signup.FindingProblem, "firewall"},
		"not https":            {func(*setting) {}, "callback", signup.FindingWarning, "with https"},
		"two addresses":        {func(s *setting) { s.opts.CallbackURL = "http://127.0.0.1:1/y" }, "callback", signup.FindingProblem, "why there are two"},
		"no verify token":      {func(s *setting) { s.opts.VerifyToken = "" }, "callback", signup.FindingSkipped, ""},
		"a person's token": {func(s *setting) {
			s.opts.SystemToken = s.srv.AddToken(cloudapitest.Token{Type: cloudapitest.TokenUser, Scopes: []string{"whatsapp_business_management", "whatsapp_business_messaging"}})
		}, "token", signup.FindingWarning, "system user"},
		"a token that ends": {func(s *setting) {
			s.opts.SystemToken = s.srv.AddToken(cloudapitest.Token{Lifetime: 60 * 24 * time.Hour})
		}, "token", signup.FindingWarning, "never expires"},
		"a dead token": {func(s *setting) { s.opts.SystemToken = "canary-dead" }, "token", signup.FindingProblem, "make a new one"},
		"no token":     {func(s *setting) { s.opts.SystemToken = "" }, "token", signup.FindingSkipped, ""},
		"few permissions": {func(s *setting) {
			s.opts.SystemToken = s.srv.AddToken(cloudapitest.Token{Scopes: []string{"whatsapp_business_messaging"}})
		}, "permissions", signup.FindingWarning, "generate the token"},
		"another portfolio": {func(s *setting) { s.cfg.PartnerBusinessID = "12" }, "portfolio", signup.FindingProblem, "Config.PartnerBusinessID"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			srv := cloudapitest.NewServer(cloudapitest.Config{})
			t.Cleanup(srv.Close)
			s := &setting{
				srv: srv, client: srv.ClientConfig(), fields: all, endpoint: endpoint{verify, 401, 0},
				cfg:  signup.Config{ConfigurationID: "900000000000001", PartnerBusinessID: srv.AddBusiness(cloudapitest.Business{}).ID},
				opts: signup.DiagnoseOptions{SystemToken: srv.SystemToken(), VerifyToken: verify},
			}
			s.client.Retry = cloudapi.RetryPolicy{MaxAttempts: 1}
			tt.change(s)
			web := httptest.NewServer(s.endpoint)
			t.Cleanup(web.Close)
			if s.url == "" {
				s.url = web.URL + "/webhook"
			}
			if s.fields != nil {
				srv.Subscribe(cloudapitest.AppSubscription{CallbackURL: s.url, Fields: s.fields})
			}
			client, err := cloudapi.NewClient(s.client)
			require.NoError(t, err)
			s.cfg.Client = client
			d := signup.Diagnose(t.Context(), s.cfg, s.opts)
			text := d.String()
			require.NotContains(t, text, "canary")
			require.NotContains(t, text, srv.SystemToken().Reveal())
			if tt.check == "" {
				require.True(t, d.OK(), text)
				return
			}
			found := false
			for _, f := range d {
				found = found || f.Check == tt.check && f.Level == tt.verdict && strings.Contains(f.Fix, tt.fix)
			}
			require.True(t, found, text)
			require.Equal(t, tt.verdict != signup.FindingProblem, d.OK(), text)
		})
	}
	d := signup.Diagnose(t.Context(), signup.Config{}, signup.DiagnoseOptions{})
	require.False(t, d.OK())
	require.Contains(t, d.String(), "What to do, in this order:\n 1. settings: ")
	require.Contains(t, d.String(), "What only you can check")
}
