package signup_test

import (
	"cmp"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
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

// A setting is all that a diagnosis looks at, as it should be.
type setting struct {
	srv      *cloudapitest.Server
	client   cloudapi.Config
	cfg      signup.Config
	opts     signup.DiagnoseOptions
	endpoint endpoint
	fields   []string
	url      string // of the endpoint; its own if empty
}

func newSetting(t *testing.T) *setting {
	t.Helper()
	const verify = "canary-verify-token"
	srv := cloudapitest.NewServer(cloudapitest.Config{})
	t.Cleanup(srv.Close)
	s := &setting{
		srv: srv, client: srv.ClientConfig(), endpoint: endpoint{verify, 401, 0},
		fields: []string{
			"messages", "account_update", "history", "smb_app_state_sync", "smb_message_echoes", "standby",
			"messaging_handovers", "user_preferences",
		},
		cfg: signup.Config{
			ConfigurationID: "900000000000001", PartnerBusinessID: srv.AddBusiness(cloudapitest.Business{}).ID,
		},
		opts: signup.DiagnoseOptions{SystemToken: srv.SystemToken(), VerifyToken: verify},
	}
	s.client.Retry = cloudapi.RetryPolicy{MaxAttempts: 1}
	return s
}

// diagnose starts the endpoint, looks, and makes sure that nothing secret was printed.
func (s *setting) diagnose(t *testing.T) signup.Diagnosis {
	t.Helper()
	web := httptest.NewServer(s.endpoint)
	t.Cleanup(web.Close)
	if s.fields != nil {
		url := cmp.Or(s.url, web.URL+"/webhook")
		s.srv.Subscribe(cloudapitest.AppSubscription{CallbackURL: url, Fields: s.fields})
	}
	client, err := cloudapi.NewClient(s.client)
	require.NoError(t, err)
	s.cfg.Client = client
	d := signup.Diagnose(t.Context(), s.cfg, s.opts)
	require.NotContains(t, d.String(), "canary")
	require.NotContains(t, d.String(), s.srv.SystemToken().Reveal())
	return d
}

func TestADiagnosisSaysWhatToFix(t *testing.T) {
	t.Parallel()
	type finding struct {
		level signup.FindingLevel
		check string
		fix   string // part of it
	}
	problem := func(check, fix string) finding { return finding{signup.FindingProblem, check, fix} }
	warning := func(check, fix string) finding { return finding{signup.FindingWarning, check, fix} }
	skipped := func(check string) finding { return finding{signup.FindingSkipped, check, ""} }
	tests := map[string]struct {
		change func(*setting)
		want   finding
	}{
		"no configuration": {
			func(s *setting) { s.cfg.ConfigurationID = "" },
			problem("settings", "correct this setting"),
		},
		"wrong secret": {
			func(s *setting) { s.client.AppSecret = "canary-wrong" },
			problem("app and secret", "copy App ID"),
		},
		"wrong app": {
			func(s *setting) { s.client.AppID = "1" },
			problem("app and secret", "copy App ID"),
		},
		"Meta is down": {
			func(s *setting) { s.srv.Inject(cloudapitest.Fault{Status: 502, Times: 20}) },
			problem("Graph API", "graph.facebook.com"),
		},
		"an ended version": {
			func(s *setting) { s.opts.Launch.Version = signup.Version3 },
			warning("launch", "launch options"),
		},
		"an old version": {
			func(s *setting) { s.client.HTTPClient = &http.Client{Transport: replaced("v26.0")} },
			warning("Graph version", "one that Meta serves"),
		},
		"no webhook": {
			func(s *setting) { s.fields = nil },
			problem("webhook fields", "set callback URL"),
		},
		"no history field": {
			func(s *setting) { s.fields = s.fields[:2] },
			problem("webhook fields", "subscribe to history, smb_app_state_sync, smb_message_echoes"),
		},
		"no field of other responders": {
			func(s *setting) { s.fields = slices.Delete(slices.Clone(s.fields), 5, 7) },
			warning("other responders", "subscribe to standby, messaging_handovers"),
		},
		"no field of opt-outs": {
			func(s *setting) { s.fields = s.fields[:7] },
			warning("opt-outs", "subscribe to user_preferences"),
		},
		"another verify token": {
			func(s *setting) { s.endpoint.token = "other" },
			problem("callback", "same verify token"),
		},
		"any verify token": {
			func(s *setting) { s.endpoint.token = "" },
			problem("callback", "compare the token"),
		},
		"another page": {
			func(s *setting) { s.endpoint.status = 404 },
			problem("callback", "mount webhook.NewEndpoint"),
		},
		"takes forgeries": {
			func(s *setting) { s.endpoint.unsigned = 200 },
			problem("signatures", "X-Hub-Signature-256"),
		},
		"no answer": {
			func(s *setting) { s.url = "http://127.0.0.1:1/x" },
			problem("callback", "firewall"),
		},
		"not https": {
			func(*setting) {},
			warning("callback", "with https"),
		},
		"two addresses": {
			func(s *setting) { s.opts.CallbackURL = "http://127.0.0.1:1/y" },
			problem("callback", "why there are two"),
		},
		"no verify token": {
			func(s *setting) { s.opts.VerifyToken = "" },
			skipped("callback"),
		},
		"a person's token": {
			func(s *setting) {
				s.opts.SystemToken = s.srv.AddToken(cloudapitest.Token{
					Type: cloudapitest.TokenUser, Scopes: []string{
						"whatsapp_business_management", "whatsapp_business_messaging",
					},
				})
			},
			warning("token", "system user"),
		},
		"a token that ends": {
			func(s *setting) {
				s.opts.SystemToken = s.srv.AddToken(cloudapitest.Token{Lifetime: 60 * 24 * time.Hour})
			},
			warning("token", "never expires"),
		},
		"a dead token": {
			func(s *setting) { s.opts.SystemToken = "canary-dead" },
			problem("token", "make a new one"),
		},
		"no token": {
			func(s *setting) { s.opts.SystemToken = "" },
			skipped("token"),
		},
		"few permissions": {
			func(s *setting) {
				s.opts.SystemToken = s.srv.AddToken(cloudapitest.Token{Scopes: []string{"whatsapp_business_messaging"}})
			},
			warning("permissions", "generate the token"),
		},
		"another portfolio": {
			func(s *setting) { s.cfg.PartnerBusinessID = "12" },
			problem("portfolio", "Config.PartnerBusinessID"),
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSetting(t)
			tt.change(s)
			d := s.diagnose(t)
			found := slices.ContainsFunc(d, func(f signup.Finding) bool {
				return f.Level == tt.want.level && f.Check == tt.want.check && strings.Contains(f.Fix, tt.want.fix)
			})
			require.True(t, found, d.String())
			require.Equal(t, tt.want.level != signup.FindingProblem, d.OK(), d.String())
		})
	}
}

func TestADiagnosisOfWhatIsRightIsOK(t *testing.T) {
	t.Parallel()
	d := newSetting(t).diagnose(t)
	require.True(t, d.OK(), d.String())
}

// Meta's API does not tell the status of a partner. A line of credit hints at it.
func TestADiagnosisSaysWhatIsKnownOfThePartnerStatus(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		change func(*setting)
		want   string
	}{
		"no portfolio": {func(s *setting) { s.cfg.PartnerBusinessID = "" }, "Meta has no API that shows it"},
		"no credit": {func(*setting) {}, "Meta has no API that shows it; no line of credit, which a Solution Partner " +
			"has, was found in the portfolio"},
		"credit": {func(s *setting) { s.srv.AddCreditLine(s.cfg.PartnerBusinessID) },
			"Meta has no API that shows it; the portfolio has a line of credit, as that of a Solution Partner"},
		"not allowed": {func(s *setting) {
			s.srv.Inject(cloudapitest.Fault{On: "GET /{business-id}/extendedcredits", Code: 200})
		}, "Meta has no API that shows it"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSetting(t)
			tt.change(s)
			d := s.diagnose(t)
			i := slices.IndexFunc(d, func(f signup.Finding) bool { return f.Check == "partner status" })
			require.GreaterOrEqual(t, i, 0, d.String())
			require.Equal(t, signup.FindingByHand, d[i].Level)
			require.Equal(t, tt.want, d[i].Text)
			require.Contains(t, d[i].Fix, "Tech Provider")
			require.True(t, d.OK(), d.String())
		})
	}
}

func TestADiagnosisListsWhatToDoInOrder(t *testing.T) {
	t.Parallel()
	d := signup.Diagnose(t.Context(), signup.Config{}, signup.DiagnoseOptions{})
	require.False(t, d.OK())
	require.Contains(t, d.String(), "What to do, in this order:\n 1. settings: ")
	require.Contains(t, d.String(), "What only you can check")
}
