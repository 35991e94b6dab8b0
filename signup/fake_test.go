package signup_test

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/signup"
)

// Made-up names for the tests. The secrets are canaries: no error, log line or answer may hold one.
const (
	appID     = "600000000000001"
	appSecret = "canary-app-secret"
	token     = "canary-business-token"
	code      = "canary-code"
	owner     = "tenant-1"
	business  = "700000000000001"
	wabaA     = "500000000000001"
	wabaB     = "500000000000002"
	wabaOther = "500000000000009" // of another business
	phoneA    = "400000000000001"
	phoneB    = "400000000000002"
	displayA  = "+1 555 010 0199" // of phoneA
	displayB  = "+1 555 010 0198"
)

var canaries = []string{appSecret, token, code}

// A number is a phone number of the fake Meta.
type number struct {
	id       string
	display  string
	onApp    bool
	platform string
}

func coexisting(id, display string) number { return number{id, display, true, "CLOUD_API"} }
func ordinary(id, display string) number   { return number{id, display, false, "NOT_APPLICABLE"} }

// A meta is a small fake of the Graph API: one token, the accounts it reaches, and faults.
type meta struct {
	mu         sync.Mutex
	accounts   map[string][]number // what the token can read
	granular   []string            // target ids of whatsapp_business_management; nil leaves the scope out
	debug      map[string]string   // members of debug_token's data that differ, as JSON
	owned      []string            // owned_whatsapp_business_accounts; nil refuses
	shared     []string            // client_whatsapp_business_accounts of the partner; nil refuses
	strangers  int                 // how many of those, at the beginning, belong to others
	subscribed map[string]bool
	app        string                      // whose subscriptions are listed, if not appID
	own        graph.AppID                 // the host's app, if not appID
	deaf       bool                        // accepts subscriptions and forgets them
	fail       map[string]http.HandlerFunc // by "METHOD path"
	calls      []string
	queries    []string // of the exchange
	seen       func(call string)
	overrides  map[string]string // callback URL by account
	funding    map[string]string // what pays for an account: the credential of an allocation
	allocated  map[string]string // credential by allocation
	pin        string            // of every ordinary number, once it has one
	unverified bool
	status     string // code_verification_status of every number; empty leaves it out
	texted     string // the code that verifies them
}

func newMeta(accounts map[string][]number) *meta {
	var ids []string
	for id := range accounts {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return &meta{accounts: accounts, granular: ids, subscribed: map[string]bool{}, fail: map[string]http.HandlerFunc{},
		overrides: map[string]string{}, funding: map[string]string{}, allocated: map[string]string{}}
}

// happy is what a WhatsApp Business app user brings.
func happy() *meta {
	return newMeta(map[string][]number{wabaA: {coexisting(phoneA, displayA)}})
}

func refuse(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

// refuseWith is an error of Graph's, whose message repeats what it should not.
func refuseWith(code, subcode int) http.HandlerFunc {
	return refuse(http.StatusBadRequest, fmt.Sprintf(
		`{"error":{"message":"refused canary-code canary-business-token","type":"OAuthException","code":%d,`+
			`"error_subcode":%d}}`,
		code, subcode))
}

var lost = refuseWith(100, 33)

// fails makes Meta answer a call otherwise.
func fails(call string, h http.HandlerFunc) func(*meta) { return func(m *meta) { m.fail[call] = h } }

func (m *meta) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	m.mu.Lock()
	defer m.mu.Unlock()
	path := strings.TrimPrefix(r.URL.Path, "/"+cloudapi.DefaultVersion)
	call := r.Method + " " + path
	m.calls = append(m.calls, call)
	if m.seen != nil {
		m.seen(call)
	}
	w.Header().Set("Content-Type", "application/json")
	if h := m.fail[call]; h != nil {
		h(w, r)
		return
	}
	id, edge, _ := strings.Cut(strings.Trim(path, "/"), "/")
	switch {
	case path == "/oauth/access_token":
		m.queries = append(m.queries, r.URL.RawQuery)
		_, _ = io.WriteString(w, `{"access_token":"`+token+`","token_type":"bearer"}`)
	case path == "/debug_token":
		m.debugToken(w)
	case path == "/me":
		_, _ = io.WriteString(w, `{"client_business_id":"`+business+`","id":"800000000000001"}`)
	case edge == "owned_whatsapp_business_accounts":
		list(w, m.owned, 0)
	case edge == "client_whatsapp_business_accounts":
		list(w, m.shared, m.strangers)
	case edge == "system_user_access_tokens":
		if r.Header.Get("Authorization") != "Bearer canary-system-token" || r.URL.Query().Get("appsecret_proof") == "" {
			refuseWith(200, 0)(w, r)
			return
		}
		_, _ = io.WriteString(w, `{"access_token":"`+token+`"}`)
	case edge == "whatsapp_credit_sharing_and_attach":
		n := fmt.Sprint(910000000000000 + len(m.allocated))
		m.allocated[n] = "92" + n
		m.funding[r.URL.Query().Get("waba_id")] = m.allocated[n]
		_, _ = fmt.Fprintf(w, `{"allocation_config_id":%q,"waba_id":%q}`, n, r.URL.Query().Get("waba_id"))
	case edge == "owning_credit_allocation_configs":
		var data []string
		for id, credential := range m.allocated {
			data = append(data, fmt.Sprintf(`{"id":%q,"receiving_credential":{"id":%q},"receiving_business":{"id":%q}}`,
				id, credential, business))
		}
		_, _ = io.WriteString(w, `{"data":[`+strings.Join(data, ",")+`]}`)
	case edge == "" && m.allocated[id] != "" && r.Method == http.MethodDelete:
		delete(m.allocated, id)
		_, _ = io.WriteString(w, `{"success":true}`)
	case edge == "" && m.allocated[id] != "":
		_, _ = fmt.Fprintf(w, `{"id":%q,"receiving_credential":{"id":%q}}`, id, m.allocated[id])
	case edge == "register":
		m.register(w, r, id)
	case edge == "request_code" && m.status != "VERIFIED":
		m.texted = "482913"
		_, _ = io.WriteString(w, `{"success":true}`)
	case edge == "request_code":
		refuseWith(136024, 0)(w, r)
	case edge == "verify_code":
		var body struct{ Code string }
		_ = json.NewDecoder(r.Body).Decode(&body)
		if m.texted == "" || body.Code != m.texted {
			refuseWith(136025, 0)(w, r)
			return
		}
		m.status, m.unverified = "VERIFIED", false
		_, _ = io.WriteString(w, `{"success":true}`)
	case edge == "":
		m.node(w, r, id)
	default:
		m.account(w, r, id, edge)
	}
}

func list(w http.ResponseWriter, ids []string, strangers int) {
	if ids == nil {
		refuseWith(200, 0)(w, nil)
		return
	}
	data := []string{}
	for i, id := range ids {
		tenant := business
		if i < strangers {
			tenant = "700000000000008"
		}
		data = append(data, fmt.Sprintf(`{"id":%q,"owner_business_info":{"id":%q}}`, id, tenant))
	}
	_, _ = io.WriteString(w, `{"data":[`+strings.Join(data, ",")+`]}`)
}

func (m *meta) debugToken(w http.ResponseWriter) {
	granular := `{"scope":"business_management"}`
	if m.granular != nil {
		ids, _ := json.Marshal(m.granular)
		granular += `,{"scope":"whatsapp_business_management","target_ids":` + string(ids) + `}`
	}
	data := map[string]json.RawMessage{
		"app_id":          json.RawMessage(`"` + appID + `"`),
		"type":            json.RawMessage(`"SYSTEM_USER"`),
		"is_valid":        json.RawMessage(`true`),
		"expires_at":      json.RawMessage(`0`),
		"granular_scopes": json.RawMessage(`[` + granular + `]`),
		"scopes":          json.RawMessage(`["whatsapp_business_management","whatsapp_business_messaging"]`),
	}
	for name, v := range m.debug {
		data[name] = json.RawMessage(v)
	}
	b, _ := json.Marshal(map[string]map[string]json.RawMessage{"data": data})
	_, _ = w.Write(b)
}

func (n number) json() string {
	b, _ := json.Marshal(map[string]any{
		"id": n.id, "display_phone_number": n.display, "verified_name": "Lucky Lemons",
		"is_on_biz_app": n.onApp, "platform_type": n.platform,
	})
	return string(b)
}

func (m *meta) node(w http.ResponseWriter, r *http.Request, id string) {
	for _, numbers := range m.accounts {
		for _, n := range numbers {
			if n.id == id {
				n := n.json()
				if m.status != "" {
					n = strings.TrimSuffix(n, "}") + `,"code_verification_status":"` + m.status + `"}`
				}
				_, _ = io.WriteString(w, n)
				return
			}
		}
	}
	if _, ok := m.accounts[id]; ok {
		_, _ = fmt.Fprintf(w, `{"id":%q,"owner_business_info":{"id":%q},"primary_funding_id":%q}`,
			id, business, m.funding[id])
		return
	}
	lost(w, r)
}

func (m *meta) register(w http.ResponseWriter, r *http.Request, id string) {
	var body struct{ PIN string }
	_ = json.NewDecoder(r.Body).Decode(&body)
	for _, numbers := range m.accounts {
		for i, n := range numbers {
			switch {
			case n.id != id:
				continue
			case m.unverified:
				refuseWith(133006, 0)(w, r)
			case m.pin != "" && m.pin != body.PIN:
				refuseWith(133005, 0)(w, r)
			default:
				m.pin, numbers[i].platform = body.PIN, "CLOUD_API"
				_, _ = io.WriteString(w, `{"success":true}`)
			}
			return
		}
	}
	lost(w, r)
}

func (m *meta) account(w http.ResponseWriter, r *http.Request, id, edge string) {
	numbers, ok := m.accounts[id]
	switch {
	case !ok:
		lost(w, r)
	case edge == "phone_numbers":
		var data []string
		for _, n := range numbers {
			// The list does not say who is on the app.
			data = append(data, fmt.Sprintf(`{"id":%q,"display_phone_number":%q,"platform_type":%q}`,
				n.id, n.display, n.platform))
		}
		_, _ = io.WriteString(w, `{"data":[`+strings.Join(data, ",")+`]}`)
	case edge == "assigned_users":
		_, _ = io.WriteString(w, `{"success":true}`)
	case edge == "subscribed_apps" && r.Method == http.MethodDelete:
		delete(m.subscribed, id)
		_, _ = io.WriteString(w, `{"success":true}`)
	case edge == "subscribed_apps" && r.Method == http.MethodPost:
		var body struct {
			URI string `json:"override_callback_uri"`
		}
		_ = json.NewDecoder(r.Body).Decode(&body)
		if body.URI != "" && !m.subscribed[id] {
			refuseWith(100, 0)(w, r)
			return
		}
		m.overrides[id] = body.URI
		m.subscribed[id] = !m.deaf
		_, _ = io.WriteString(w, `{"success":true}`)
	case edge == "subscribed_apps" && m.subscribed[id]:
		_, _ = fmt.Fprintf(w, `{"data":[{
			"whatsapp_business_api_data":{"id":%q,"name":"Example"},"override_callback_uri":%q}]}`,
			cmp.Or(m.app, appID), m.overrides[id])
	case edge == "subscribed_apps":
		_, _ = io.WriteString(w, `{"data":[{"whatsapp_business_api_data":{"id":"1","name":"Another"}}]}`)
	default:
		lost(w, r)
	}
}

// did returns how often a call was made.
func (m *meta) did(call string) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	var n int
	for _, c := range m.calls {
		if c == call {
			n++
		}
	}
	return n
}

func (m *meta) change(fn func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	fn()
}

const exchange = "GET /oauth/access_token"

// A bench is a flow before a fake Meta, and everything it logged.
type bench struct {
	*signup.Flow
	t    *testing.T
	meta *meta
	log  *safeBuffer
}

func newBench(t *testing.T, m *meta, change ...func(*signup.Config)) *bench {
	t.Helper()
	srv := httptest.NewServer(m)
	t.Cleanup(srv.Close)
	log := new(safeBuffer)
	logger := slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	client, err := cloudapi.NewClient(cloudapi.Config{
		AppID: cmp.Or(m.own, appID), AppSecret: appSecret, AccessToken: "canary-system-token", BaseURL: srv.URL,
		Logger: logger, Retry: cloudapi.RetryPolicy{MaxAttempts: 1},
	})
	require.NoError(t, err)
	cfg := signup.Config{
		ConfigurationID: "900000000000001", Client: client, Logger: logger,
		Page: signup.PageConfig{
			Prefix: "/", Tenant: func(r *http.Request) (string, error) { return r.Header.Get("Test-Owner"), nil },
		},
		Connected: func(context.Context, *signup.Connection) error { return nil },
	}
	for _, fn := range change {
		fn(&cfg)
	}
	flow, err := signup.NewFlow(cfg)
	require.NoError(t, err)
	b := &bench{flow, t, m, log}
	t.Cleanup(func() { requireNoCanary(t, "log", log.String()) })
	return b
}

func (b *bench) begin() graph.Secret {
	b.t.Helper()
	a, err := b.StartAttempt(b.t.Context(), owner)
	require.NoError(b.t, err)
	return a.State
}

// finish submits a session message with the code.
func (b *bench) finish(message string) (*signup.Connection, error) {
	b.t.Helper()
	sub := signup.Submission{State: b.begin(), Tenant: owner, Code: code}
	if message != "" {
		sub.Session = session(b.t, message)
	}
	return b.submit(b.t.Context(), sub)
}

// submit finishes, and looks for secrets in whatever came back.
func (b *bench) submit(ctx context.Context, sub signup.Submission) (*signup.Connection, error) {
	b.t.Helper()
	got, err := b.Finish(ctx, sub)
	if err != nil {
		requireNoCanary(b.t, "error", fmt.Sprintf("%v %+v %#v", err, err, err))
	}
	requireNoCanary(b.t, "business", fmt.Sprintf("%v %+v %#v", got, got, got))
	requireNoCanary(b.t, "submission", fmt.Sprintf("%v %+v %#v", sub, sub, sub))
	return got, err
}

func session(t *testing.T, message string) *signup.SessionInfo {
	t.Helper()
	s, err := signup.ParseSessionInfo([]byte(message))
	require.NoError(t, err)
	return s
}

func requireNoCanary(t *testing.T, where, text string) {
	t.Helper()
	for _, c := range canaries {
		require.NotContains(t, text, c, where)
	}
}

func requireOutcome(t *testing.T, want signup.Outcome, err error) *signup.Error {
	t.Helper()
	e := new(signup.Error)
	require.ErrorAs(t, err, &e)
	require.Equal(t, want, e.Outcome, "%v", err)
	require.NotEmpty(t, e.Advice())
	return e
}

// finished is the documented message of a WhatsApp Business app user: an account and no number.
func finished(waba string) string {
	return `{"data":{"waba_id":"` + waba + `"},"type":"WA_EMBEDDED_SIGNUP",` +
		`"event":"FINISH_WHATSAPP_BUSINESS_APP_ONBOARDING","version":3}`
}

// A safeBuffer takes log lines from several goroutines.
type safeBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *safeBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *safeBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}
