package signup_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/signup"
)

// A page is a browser before the handler.
type page struct {
	*bench
	handler   http.Handler
	connected []*signup.Connection
	store     error // what the host's own code answers
}

func newPage(t *testing.T, m *meta, change ...func(*signup.Config)) *page {
	t.Helper()
	p := new(page)
	p.bench = newBench(t, m, append(change, func(c *signup.Config) {
		c.Connected = func(_ context.Context, b *signup.Connection) error {
			if p.store == nil {
				p.connected = append(p.connected, b)
			}
			return p.store
		}
	})...)
	p.handler = p.Handler()
	return p
}

type reply struct {
	status int
	header http.Header
	body   string

	Outcome signup.Outcome `json:"outcome"`
	Advice  string         `json:"advice"`
	Phone   string         `json:"phone"`
	Retry   bool           `json:"retry"`
	Numbers []struct {
		ID    string `json:"id"`
		Phone string `json:"phone"`
		Name  string `json:"name"`
	} `json:"numbers"`
	State  string        `json:"state"`
	Launch signup.Launch `json:"launch"`
}

func (p *page) do(r *http.Request) reply {
	p.t.Helper()
	w := httptest.NewRecorder()
	p.handler.ServeHTTP(w, r)
	got := reply{status: w.Code, header: w.Header(), body: w.Body.String()}
	require.Equal(p.t, "application/json", w.Header().Get("Content-Type"))
	require.Equal(p.t, "no-store", w.Header().Get("Cache-Control"))
	require.Equal(p.t, "nosniff", w.Header().Get("X-Content-Type-Options"))
	requireNoCanary(p.t, "answer", got.body)
	require.NoError(p.t, json.Unmarshal(w.Body.Bytes(), &got))
	return got
}

func record(h http.Handler, r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func replaceState(query, state string) string { return strings.ReplaceAll(query, "STATE", state) }

func request(method, path, body string) *http.Request {
	r := httptest.NewRequest(method, "https://app.example.com"+path, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Test-Owner", owner)
	return r
}

func (p *page) post(path, body string) reply {
	p.t.Helper()
	return p.do(request(http.MethodPost, path, body))
}

func (p *page) state() string {
	p.t.Helper()
	got := p.post("/begin", "")
	require.Equal(p.t, http.StatusOK, got.status)
	return got.State
}

// body is the JSON of a finish: pairs of names and JSON values.
func body(pairs ...string) string {
	var members []string
	for i := 0; i < len(pairs); i += 2 {
		members = append(members, `"`+pairs[i]+`":`+pairs[i+1])
	}
	return "{" + strings.Join(members, ",") + "}"
}

func quoted(s string) string {
	b, _ := json.Marshal(s)
	return string(b)
}

func TestAPageConnectsABusiness(t *testing.T) {
	t.Parallel()
	callback := `{"status":"connected","authResponse":{"code":"canary-code"}}`
	tests := map[string][]string{
		"message as an object":    {"code", quoted(code), "session", finished(wabaA)},
		"message as it arrived":   {"code", quoted(code), "session", quoted(finished(wabaA))},
		"callback as it arrived":  {"callback", callback, "session", quoted(finished(wabaA))},
		"code alone":              {"code", quoted(code), "session", "null", "callback", "null"},
		"something of the SDK's":  {"code", quoted(code), "session", `"cb=f1&code=canary-code"`},
		"code and empty callback": {"code", quoted(code), "callback", `{"status":"unknown","authResponse":null}`},
		"members of later pages":  {"code", quoted(code), "later", "1"},
	}
	for name, pairs := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPage(t, happy())
			begun := p.post("/begin", "")
			require.Equal(t, graph.AppID(appID), begun.Launch.Init.AppID)
			require.Equal(t, signup.FeatureTypeBusinessApp, *begun.Launch.Login.Extras.FeatureType)
			got := p.post("/finish", body(append(pairs, "state", quoted(begun.State))...))
			require.Equal(t, http.StatusOK, got.status, got.body)
			require.Equal(t, signup.OutcomeReady, got.Outcome)
			require.Equal(t, "+1 555 010 0199", got.Phone)
			require.NotEmpty(t, got.Advice)
			require.Len(t, p.connected, 1)
			require.Equal(t, owner, p.connected[0].Tenant)
			require.Equal(t, graph.Secret(token), p.connected[0].Token)
		})
	}
}

func TestAPageIsToldWhatStopped(t *testing.T) {
	t.Parallel()
	left := message("CANCEL", `{"current_step":"PERMISSIONS"}`)
	const (
		refused = `{"status":"not_authorized","authResponse":null}`
		closed  = `{"status":"unknown","authResponse":null}`
		token   = `{"status":"connected","authResponse":{"accessToken":"canary-business-token"}}`
	)
	app, foreign := finished(wabaA), finished(wabaOther)
	broken := happy()
	broken.fail["GET /"+wabaA+"/phone_numbers"] = refuse(503, "")
	tests := map[string]struct {
		meta   *meta
		pairs  []string
		status int
		want   signup.Outcome
	}{
		"left":              {happy(), []string{"session", left}, 422, signup.OutcomeCanceled},
		"refused":           {happy(), []string{"callback", refused}, 422, signup.OutcomeCanceled},
		"closed":            {happy(), []string{"callback", closed}, 422, signup.OutcomeNoCode},
		"finished and lost": {happy(), []string{"callback", closed, "session", app}, 422, signup.OutcomeNoCode},
		"left and closed":   {happy(), []string{"callback", closed, "session", left}, 422, signup.OutcomeCanceled},
		"token instead":     {happy(), []string{"callback", token, "session", app}, 422, signup.OutcomeMisconfigured},
		"nothing":           {happy(), nil, 422, signup.OutcomeNoCode},
		"foreign account": {
			happy(), []string{"code", quoted(code), "session", foreign}, 403, signup.OutcomeNotGranted,
		},
		"Meta is down": {broken, []string{"code", quoted(code)}, 503, signup.OutcomeUnavailable},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPage(t, tt.meta)
			got := p.post("/finish", body(append(tt.pairs, "state", quoted(p.state()))...))
			require.Equal(t, tt.status, got.status, got.body)
			require.Equal(t, tt.want, got.Outcome)
			require.Equal(t, tt.want.Advice(), got.Advice)
			require.Equal(t, tt.want.Resumable(), got.Retry)
			require.Empty(t, p.connected)
			require.Contains(t, p.log.String(), "outcome="+string(tt.want))
		})
	}
}

func TestWhatABrowserSendsDoesNotFillTheLog(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("private pigeon ", 3_000)
	for name, message := range map[string]string{
		"a screen":     `{"current_step":%q}`,
		"a session id": `{"error_code":"3441041","session_id":%q}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			log := new(safeBuffer)
			p := newPage(t, happy(), func(c *signup.Config) { c.Logger = slog.New(slog.NewTextHandler(log, nil)) })
			p.post("/finish", body("state", quoted(p.state()), "session",
				`{"type":"WA_EMBEDDED_SIGNUP","event":"CANCEL","data":`+fmt.Sprintf(message, long)+`}`))
			require.Contains(t, log.String(), "=other")
			require.NotContains(t, log.String(), "pigeon")
			require.Less(t, len(log.String()), 1000)
		})
	}
}

func TestRequestsThatAreNoneAreRefused(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		change func(*http.Request)
		status int
		want   signup.Outcome
	}{
		"as sent":         {func(*http.Request) {}, 200, signup.OutcomeReady},
		"charset":         {with("Content-Type", "application/json; charset=utf-8"), 200, signup.OutcomeReady},
		"GET":             {func(r *http.Request) { r.Method = http.MethodGet }, 405, "method_not_allowed"},
		"another path":    {func(r *http.Request) { r.URL.Path = "/complete" }, 404, "not_found"},
		"signed out":      {func(r *http.Request) { r.Header.Del("Test-Owner") }, 401, "unauthorized"},
		"another tenant":  {with("Test-Owner", "tenant-2"), 403, signup.OutcomeWrongTenant},
		"form":            {with("Content-Type", "text/plain"), 400, "bad_request"},
		"no type":         {func(r *http.Request) { r.Header.Del("Content-Type") }, 400, "bad_request"},
		"no JSON":         {sending("canary-code"), 400, "bad_request"},
		"no state":        {sending(body("code", quoted(code))), 400, "bad_request"},
		"another type":    {sending(`{"state":"x","code":{"canary-code":1}}`), 400, "bad_request"},
		"bad callback":    {sending(`{"state":"x","callback":"canary-code"}`), 400, "bad_request"},
		"bad number":      {sending(`{"state":"x","phone_number_id":"../me"}`), 400, "bad_request"},
		"too large":       {sending(strings.Repeat("x", 1<<19)), 413, "bad_request"},
		"unknown state":   {sending(body("state", `"x"`, "code", quoted(code))), 410, signup.OutcomeStateUnknown},
		"another site":    {with("Sec-Fetch-Site", "cross-site"), 403, "cross_origin"},
		"another origin":  {with("Origin", "https://evil.example"), 403, "cross_origin"},
		"own origin":      {with("Origin", "https://app.example.com"), 200, signup.OutcomeReady},
		"trusted origin":  {with("Origin", "https://www.example.com"), 200, signup.OutcomeReady},
		"untrusted cross": {with("Sec-Fetch-Site", "same-site"), 403, "cross_origin"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPage(t, happy(), func(c *signup.Config) { c.Page.TrustedOrigins = []string{"https://www.example.com"} })
			r := request(http.MethodPost, "/finish", body("state", quoted(p.state()), "code", quoted(code)))
			tt.change(r)
			got := p.do(r)
			require.Equal(t, tt.status, got.status, got.body)
			require.Equal(t, tt.want, got.Outcome)
			require.NotEmpty(t, got.Advice)
			if tt.status != 200 {
				require.Zero(t, p.meta.did(exchange))
			}
			if tt.status == 405 {
				require.Equal(t, "POST", got.header.Get("Allow"))
			}
		})
	}
}

// with sets a header of a request, and sending its body.
func with(header, value string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Set(header, value) }
}

func sending(body string) func(*http.Request) {
	return func(r *http.Request) { r.Body = io.NopCloser(strings.NewReader(body)) }
}

// beginFrom asks for an attempt as a browser does for a page of another origin: it asks first
// whether it may, without cookies.
func (p *page) beginFrom(origin, method string) *httptest.ResponseRecorder {
	r := request(method, "/begin", "{}")
	r.Header.Set("Origin", origin)
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	if method == http.MethodOptions {
		r.Header.Set("Access-Control-Request-Method", http.MethodPost)
		r.Header.Set("Access-Control-Request-Headers", "content-type")
		r.Header.Del("Test-Owner")
	}
	return record(p.handler, r)
}

const trusted = "https://app.example.com"

func trusting(c *signup.Config) { c.Page.TrustedOrigins = []string{trusted} }

// The page of many a SaaS is at app.example.com and its API at api.example.com.
func TestAPageOfATrustedOriginMayCall(t *testing.T) {
	t.Parallel()
	p := newPage(t, happy(), trusting)
	w := p.beginFrom(trusted, http.MethodOptions)
	require.Equal(t, http.StatusNoContent, w.Code)
	require.Equal(t, "POST", w.Header().Get("Access-Control-Allow-Methods"))
	require.Equal(t, "Content-Type", w.Header().Get("Access-Control-Allow-Headers"))
	w = p.beginFrom(trusted, http.MethodPost)
	require.Equal(t, http.StatusOK, w.Code)
	require.Equal(t, trusted, w.Header().Get("Access-Control-Allow-Origin"))
	require.Equal(t, "true", w.Header().Get("Access-Control-Allow-Credentials"))
	require.Equal(t, "Origin", w.Header().Get("Vary"))
}

func TestAPageOfAnyOtherOriginMayNotCall(t *testing.T) {
	t.Parallel()
	for _, origin := range []string{
		"https://app.example.com.evil.example", "http://app.example.com", "https://app.example.com:8443", "null",
	} {
		for _, method := range []string{http.MethodOptions, http.MethodPost} {
			t.Run(method+" from "+origin, func(t *testing.T) {
				t.Parallel()
				w := newPage(t, happy(), trusting).beginFrom(origin, method)
				require.GreaterOrEqual(t, w.Code, 400)
				require.Empty(t, w.Header().Get("Access-Control-Allow-Origin"))
				require.Equal(t, "Origin", w.Header().Get("Vary"), "or a cache mixes them up")
			})
		}
	}
}

func TestAPageWithoutTrustedOriginsVariesByNothing(t *testing.T) {
	t.Parallel()
	w := record(newPage(t, happy()).handler, request(http.MethodPost, "/begin", "{}"))
	require.Empty(t, w.Header().Values("Vary"))
}

func TestAPageLetsTheBusinessChoose(t *testing.T) {
	t.Parallel()
	p := newPage(t, newMeta(map[string][]number{
		wabaA: {coexisting(phoneA, displayA), coexisting(phoneB, displayB)},
	}))
	state := quoted(p.state())
	got := p.post("/finish", body("state", state, "code", quoted(code), "session", finished(wabaA)))
	require.Equal(t, http.StatusConflict, got.status)
	require.Equal(t, signup.OutcomeChooseNumber, got.Outcome)
	require.Len(t, got.Numbers, 2)
	require.Equal(t, "Lucky Lemons", got.Numbers[1].Name)
	got = p.post("/finish", body("state", state, "phone_number_id", quoted(got.Numbers[1].ID)))
	require.Equal(t, http.StatusOK, got.status)
	require.Equal(t, "+1 555 010 0198", got.Phone)
	require.Equal(t, 1, p.meta.did(exchange))
}

func TestAHostThatCannotStoreABusinessIsAskedAgain(t *testing.T) {
	t.Parallel()
	p := newPage(t, happy())
	p.store = errors.New("database is down")
	sent := body("state", quoted(p.state()), "code", quoted(code))
	got := p.post("/finish", sent)
	require.Equal(t, http.StatusServiceUnavailable, got.status)
	require.True(t, got.Retry)
	require.NotContains(t, got.body, "database")
	require.Contains(t, p.log.String(), "database is down")

	p.store = nil
	got = p.post("/finish", sent) // a page that just sends the same again
	require.Equal(t, http.StatusOK, got.status)
	require.Len(t, p.connected, 1)
	require.Equal(t, 1, p.meta.did(exchange))
	require.Equal(t, signup.OutcomeStateUsed, p.post("/finish", sent).Outcome)
}

func TestAClosedTabCostsNoGrant(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	m := happy()
	p := newPage(t, m)
	sent := body("state", quoted(p.state()), "code", quoted(code))
	m.seen = func(string) { cancel() }
	got := p.do(request(http.MethodPost, "/finish", sent).WithContext(ctx))
	require.Equal(t, http.StatusOK, got.status)
	require.Error(t, ctx.Err())
	require.Len(t, p.connected, 1)
}

func TestTheHostPreparesEachLaunch(t *testing.T) {
	t.Parallel()
	var fail error
	p := newPage(t, happy(), func(c *signup.Config) {
		c.Page.LaunchFor = func(_ context.Context, tenant string) (signup.LaunchOptions, error) {
			setup := signup.Setup{SolutionID: strings.TrimPrefix(tenant, "tenant-")}
			return signup.LaunchOptions{Version: signup.Version2, Setup: setup}, fail
		}
	})
	got := p.post("/begin", "")
	require.Equal(t, "1", got.Launch.Login.Extras.Setup.SolutionID)
	require.Contains(t, p.log.String(), "version v2")

	fail = errors.New("database is down")
	got = p.post("/begin", "")
	require.Equal(t, http.StatusInternalServerError, got.status)
	require.Equal(t, signup.Outcome("internal"), got.Outcome)
	require.NotContains(t, got.body, "database")
}

func TestAHandlerAnswersBelowItsPrefixAlone(t *testing.T) {
	t.Parallel()
	for _, prefix := range []string{"/", "/signup/", "/a-b_c/v1.0/~x/"} {
		t.Run(prefix, func(t *testing.T) {
			t.Parallel()
			p := newPage(t, happy(), func(c *signup.Config) { c.Page.Prefix = prefix })
			mux := http.NewServeMux()
			mux.Handle(prefix, p.handler)
			p.handler = mux
			for _, path := range []string{"", "connect.js", "connect.css", "page.css"} {
				require.Equal(t, http.StatusOK, record(mux, request(http.MethodGet, prefix+path, "")).Code, path)
			}
			state := quoted(p.post(prefix+"begin", "").State)
			require.Equal(t, http.StatusOK, p.post(prefix+"check", "{}").status)
			require.Equal(t, http.StatusOK, p.post(prefix+"status", body("state", state)).status)
			got := p.post(prefix+"finish", body("state", state, "code", quoted(code)))
			require.Equal(t, signup.OutcomeReady, got.Outcome)
			require.Equal(t, http.StatusSeeOther, record(mux, request(http.MethodGet, prefix+"back", "")).Code)
		})
	}
}

func TestAHandlerIsMountedAtSignupUnlessToldOtherwise(t *testing.T) {
	t.Parallel()
	p := newPage(t, happy(), func(c *signup.Config) { c.Page.Prefix = "" })
	require.Equal(t, http.StatusOK, p.post("/signup/begin", "").status)
	elsewhere := p.post("/begin", "")
	require.Equal(t, signup.Outcome("not_found"), elsewhere.Outcome)
	require.Contains(t, elsewhere.Advice, "/signup/")
}

func TestAFlowWithoutAPageSaysSo(t *testing.T) {
	t.Parallel()
	p := &page{bench: &bench{t: t}, handler: flow(t, "").Handler()}
	for _, path := range []string{"/signup/", "/signup/begin", "/signup/back"} {
		got := p.post(path, "")
		require.Equal(t, http.StatusNotFound, got.status, path)
		require.Equal(t, "Set Config.Page.", got.Advice, path)
	}
}

// Two tenants may be through with one number at the same time: the host's database knows who was
// first.
func TestABusinessThatTheHostHasTakenAlreadyIsTold(t *testing.T) {
	t.Parallel()
	p := newPage(t, happy())
	p.store = fmt.Errorf("unique: %w", signup.ErrTaken)
	got := p.post("/finish", body("state", quoted(p.state()), "code", quoted(code)))
	require.Equal(t, signup.OutcomeTaken, got.Outcome)
	require.Equal(t, signup.OutcomeTaken.Advice(), got.Advice)
	n, err := p.ResumeAll(t.Context())
	require.NoError(t, err)
	require.Zero(t, n, "it waits for a person")
}
