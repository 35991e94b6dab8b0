package control_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/coexistencetest"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/control"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

// A harness is a control API with a host, and a client whose requests and responses are validated
// against the document.
type harness struct {
	t       *testing.T
	api     *control.API
	url     string
	checker *checker
	client  *http.Client

	host  string // its URL
	down  atomic.Bool
	heard atomic.Int32 // webhooks received, acknowledged or not
}

func newHarness(t *testing.T, cfg control.Config) *harness {
	t.Helper()
	h := &harness{t: t}
	host := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		if r.Method == http.MethodPost {
			h.heard.Add(1)
		}
		if h.down.Load() {
			w.WriteHeader(http.StatusInternalServerError)
		}
		_, _ = io.WriteString(w, r.URL.Query().Get("hub.challenge"))
	}))
	t.Cleanup(host.Close)
	h.host = host.URL
	if cfg.NewWorld == nil {
		cfg.NewWorld = func() (*coexistencetest.World, error) {
			return coexistencetest.NewWorld(coexistencetest.Config{
				Templates: []cloudapi.TemplateCreateParams{coexistencetest.HelloWorld()},
			}), nil
		}
	}
	if cfg.Seed.Phones == nil {
		cfg.Seed = control.DefaultSeed("", "", 60)
	}
	api, err := control.New(cfg)
	require.NoError(t, err)
	t.Cleanup(api.Close)
	h.api = api
	server := httptest.NewServer(api.Routes())
	t.Cleanup(server.Close)
	h.url = server.URL
	h.checker = newChecker(t, server.URL)
	h.client = &http.Client{Transport: h.checker}
	return h
}

// call makes a call, requires its status and returns its response. The body is JSON, or "" for
// none.
func (h *harness) call(want int, request, body string) map[string]any {
	h.t.Helper()
	method, path, _ := strings.Cut(request, " ")
	var in io.Reader
	if body != "" {
		in = strings.NewReader(body)
	}
	r, err := http.NewRequestWithContext(h.t.Context(), method, h.url+"/control/v1"+path, in)
	require.NoError(h.t, err)
	resp, err := h.client.Do(r)
	require.NoError(h.t, err, "%s %s", request, body)
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	require.NoError(h.t, err)
	require.Equal(h.t, want, resp.StatusCode, "%s %s: %s", request, body, b)
	var v map[string]any
	if len(b) > 0 && resp.Header.Get("Content-Type") == "application/json" {
		require.NoError(h.t, json.Unmarshal(b, &v))
	}
	return v
}

// graphCall makes a call of the host to the Graph API.
func (h *harness) graphCall(path, body string) map[string]json.RawMessage {
	h.t.Helper()
	number := h.api.Phone("15550100100")
	req, err := http.NewRequestWithContext(h.t.Context(), http.MethodPost, h.api.World().URL+path,
		strings.NewReader(body))
	require.NoError(h.t, err)
	req.Header.Set("Authorization", "Bearer "+number.AccessToken().Reveal())
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	require.NoError(h.t, err)
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	require.NoError(h.t, err)
	require.Equal(h.t, http.StatusOK, resp.StatusCode, string(b))
	var v map[string]json.RawMessage
	require.NoError(h.t, json.Unmarshal(b, &v))
	return v
}

// message is the message of an error.
func message(v map[string]any) string {
	e, _ := v["error"].(map[string]any)
	text, _ := e["message"].(string)
	return text
}

// items are the entries of a list.
func items(v map[string]any) []map[string]any {
	var list []map[string]any
	data, _ := v["data"].([]any)
	for _, d := range data {
		m, _ := d.(map[string]any)
		list = append(list, m)
	}
	return list
}

const (
	app      = "/phones/15550100199"
	api      = "/phones/15550100100"
	customer = api + "/customers/15550100142"
)

// Every documented call succeeds once, and every request and response is validated.
func TestEveryCallIsAsTheDocumentSays(t *testing.T) {
	t.Parallel()
	h := newHarness(t, control.Config{})
	h.call(200, "GET /openapi.yaml", "")
	h.call(202, "PUT /callback", `{"url":"`+h.host+`","wait":true}`)
	h.call(200, "PUT /callback", `{"url":"`+h.host+`"}`)
	require.Equal(t, "verified", h.call(200, "GET /callback", "")["state"])
	world := h.call(200, "GET /world", "")
	require.Len(t, world["phones"], 2)

	// A customer and the business talk on the number that is ready.
	require.Equal(t, "cloud_api", h.call(200, "GET "+api, "")["kind"])
	said := h.call(201, "POST "+customer+"/messages", `{"from":"customer","type":"text","text":"Are you open?"}`)
	require.Contains(t, said["id"], "wamid.")
	h.call(201, "POST "+customer+"/messages",
		`{"from":"customer","type":"reaction","text":"👍","message_id":`+quote(said["id"])+`}`)
	require.Equal(t, true, h.call(200, "POST /wait", `{"timeout":"10s"}`)["quiet"])
	chat := items(h.call(200, "GET "+customer+"/messages?limit=5", ""))
	require.Equal(t, "live", chat[0]["told"])
	require.Equal(t, []any{"👍"}, chat[0]["reactions"])
	hooks := h.call(200, "GET /webhooks?field=messages&state=acknowledged&after=0&limit=10", "")
	require.Equal(t, "text from 15550100142", items(hooks)[0]["summary"])
	one := h.call(200, "GET /webhooks/1", "")
	require.Contains(t, one["body"], "entry")
	require.Equal(t, true, h.call(202, "POST /webhooks/1/resend", "")["duplicate"])
	h.call(200, "POST /wait", "")

	// A photo can be downloaded.
	h.call(201, "POST "+customer+"/messages", `{"from":"customer","type":"image","text":"this one"}`)
	photo := items(h.call(200, "GET "+customer+"/messages?limit=1", ""))[0]
	require.Equal(t, "image", photo["media"])
	file, _ := photo["media_id"].(string)
	h.call(200, "GET "+api+"/media/"+file, "")
	require.Contains(t, message(h.call(404, "GET "+api+"/media/7", "")), "no file")

	// The customer calls the business, too.
	h.graphCall("/"+string(h.api.Phone("15550100100").ID())+"/settings", `{"calling":{"status":"ENABLED"}}`)
	ringing, _ := h.call(201, "POST "+customer+"/calls", "")["id"].(string)
	h.call(200, "POST "+customer+"/calls/"+ringing+"/hang-up", "")
	require.Equal(t, "ended", items(h.call(200, "GET "+customer+"/calls", ""))[0]["state"])

	// The phone goes through a signup step by step, and its whole life cycle.
	h.call(201, "POST "+app+"/signup", "")
	h.call(200, "POST "+app+"/signup/number", `{"phone_number":"+1 555-010-0199"}`)
	h.call(200, "POST "+app+"/refuse", "")
	h.call(204, "DELETE "+app+"/signup", "")
	h.call(201, "POST "+app+"/signup", "")
	h.call(200, "POST "+app+"/signup/number", `{"phone_number":"+1 555-010-0199"}`)
	prompt, _ := h.call(200, "GET "+app, "")["prompt"].(map[string]any)
	h.call(200, "POST "+app+"/signup/code", `{"code":`+quote(prompt["code"])+`}`)
	h.call(200, "POST "+app+"/scan", "")
	h.call(200, "POST "+app+"/confirm", `{"share_history":true}`)
	require.Equal(t, "PERMISSIONS", h.call(200, "GET "+app+"/signup", "")["screen"])
	require.NotEmpty(t, h.call(200, "POST "+app+"/signup/finish", "")["access_token"])
	h.call(200, "POST "+app+"/sync", `{"type":"contacts"}`)
	h.call(200, "POST "+app+"/sync", `{"type":"history"}`)
	h.call(201, "POST "+app+"/contacts", `{"full_name":"Ada Example","phone_number":"+1 555-010-0142"}`)
	h.call(200, "GET "+app+"/contacts", "")
	h.call(204, "DELETE "+app+"/contacts/15550100142", "")
	h.call(200, "POST "+app+"/open", "")
	require.Equal(t, "suspended", h.call(200, "POST "+app+"/device", "")["stage"])
	require.Equal(t, "connected", h.call(200, "POST "+app+"/reconnect", "")["stage"])
	h.call(200, "POST "+app+"/remove-app", "")
	require.Equal(t, "alone", h.call(200, "POST "+app+"/disconnect", "")["stage"])
	h.call(200, "POST /clock", `{"advance":"16m"}`)
	h.call(200, "GET /clock", "")
	require.NotEmpty(t, h.call(200, "POST "+app+"/connect", `{"exchange":false}`)["code"])
	require.Equal(t, "alone", h.call(200, "POST "+app+"/idle", "")["stage"])
	h.call(200, "POST "+app+"/downgrade", "")
	require.Equal(t, "15550100177", h.call(200, "POST "+app+"/renumber", `{"phone_number":"+1 555-010-0177"}`)["id"])

	// Other calls with which tests prepare a world.
	h.call(201, "POST /phones", `{"phone_number":"+1 555-010-0111","kind":"cloud_api","business":"Another"}`)
	h.call(200, "GET /phones", "")
	h.call(201, "POST /phones/15550100111/customers", `{"username":"hidden","name":"Hides"}`)
	h.call(201, "POST /phones/15550100111/customers", `{"phone_number":"+1 555-010-0143","unreachable":true}`)
	h.call(200, "GET /phones/15550100111/customers", "")
	h.call(200, "GET /phones/15550100111/customers/15550100143", "")
	h.call(200, "POST /phones/15550100111/customers/15550100143/renumber", `{"phone_number":"+1 555-010-0144"}`)
	h.call(200, "PATCH /delivery",
		`{"duplicates_percent":100,"reorder":3,"batch":2,"lost_answers_percent":0,"delay":"0s"}`)
	require.EqualValues(t, 3, h.call(200, "GET /delivery", "")["reorder"])
	fault := h.call(201, "POST /faults", `{"on":"GET /me","times":3,"code":4,"delay":"0s","retry_after":"1s"}`)
	require.EqualValues(t, 3, fault["waiting"])
	h.call(200, "GET /faults", "")
	h.call(200, "PUT /chaos", `{"rate":0.5,"seed":7,"on":["GET /me"],"kinds":["cut"]}`)
	h.call(204, "DELETE /faults", "")
	h.call(200, "GET /requests?failed=false&method=POST&path=/subscribed_apps&limit=5", "")
	templates := items(h.call(200, "GET /templates", ""))
	require.Equal(t, "hello_world", templates[0]["name"])
	id, _ := templates[0]["id"].(string)
	require.Equal(t, "PAUSED", h.call(200, "PATCH /templates/"+id, `{"status":"PAUSED"}`)["status"])
	h.call(201, "POST /seed", `{"phones":[{"phone_number":"+1 555-010-0122","connected":true,
		"customers":[{"phone_number":"+1 555-010-0142","messages":[{"from":"customer","text":"Hello"}]}],
		"templates":[{"name":"greeting","language":"en_US","category":"UTILITY","status":"PENDING",
			"components":[{"type":"BODY","text":"Hello"}]}]}]}`)
	h.call(200, "POST /wait", "")
	require.Equal(t, "ready", h.call(201, "POST /snapshots", `{"name":"ready","timeout":"10s"}`)["name"])
	h.call(200, "POST /snapshots/ready/restore", `{"timeout":"10s"}`)
	require.Len(t, items(h.call(200, "GET /snapshots", "")), 1)
	h.call(204, "DELETE /snapshots/ready", "")
	h.call(200, "POST /reset", "")

	h.playResponders()
	require.Equal(t, []string{"GET /webhooks/stream 200"}, h.checker.unseen(t),
		"calls that no test makes; the stream is tested by itself")
}

// quote returns a value as JSON.
func quote(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return ""
	}
	return string(b)
}

func TestWhatIsWrongIsRefusedWithAReason(t *testing.T) {
	t.Parallel()
	h := newHarness(t, control.Config{})
	const write = "POST " + customer + "/messages"
	tests := map[string]struct {
		status int
		call   string
		body   string
		says   string
	}{
		"no such call":       {404, "GET /nothing", "", "openapi.yaml lists them"},
		"another method":     {405, "DELETE /world", "", "takes GET, HEAD"},
		"no such phone":      {404, "GET /phones/1", "", "digits of its number"},
		"no such customer":   {404, "GET " + api + "/customers/1", "", "digits of the number"},
		"no JSON":            {400, "POST /clock", `{`, "does not fit this call"},
		"a misspelt member":  {400, "POST /clock", `{"advanced":"1h"}`, "advanced"},
		"no duration":        {400, "POST /clock", `{"advance":"a while"}`, "duration"},
		"back in time":       {400, "POST /clock", `{"advance":"-1h"}`, "duration"},
		"nobody writes":      {400, write, `{"type":"text","text":"x"}`, "from is"},
		"an unknown type":    {400, write, `{"from":"customer","type":"smell"}`, "smell"},
		"nothing said":       {400, write, `{"from":"customer"}`, "text is missing"},
		"no phone behind it": {409, write, `{"from":"business","text":"x"}`, "Cloud API only"},
		"no app to move":     {409, "POST " + api + "/device", "", "Cloud API only"},
		"not connected":      {409, "POST " + app + "/device", "", "does not coexist"},
		"not suspended":      {409, "POST " + app + "/reconnect", "", "call POST …/device first"},
		"no popup":           {409, "POST " + app + "/signup/code", `{"code":"1"}`, "opens one"},
		"no token":           {409, "POST " + app + "/sync", `{"type":"history"}`, "connect it first"},
		"an unknown sync":    {400, "POST " + app + "/sync", `{"type":"all"}`, "contacts"},
		"no such message": {
			409, write, `{"from":"customer","type":"edit","message_id":"wamid.x","text":"y"}`, "no such message",
		},
		"twice the same number": {409, "POST /phones", `{"phone_number":"1 555 010 0199"}`, "already"},
		"no number":             {400, "POST /phones", `{"phone_number":"12"}`, "country code"},
		"an app on Cloud API":   {400, "POST /phones", `{"kind":"cloud_api","history_messages":3}`, "no app"},
		"no such webhook":       {404, "GET /webhooks/77", "", "too old"},
		"no such state":         {400, "GET /webhooks?state=lost", "", "given_up"},
		"too long a list":       {400, "GET /webhooks?limit=9999", "", "1000"},
		"no such chaos":         {400, "PUT /chaos", `{"rate":1,"kinds":["earthquake"]}`, "earthquake"},
		"a route without path":  {400, "POST /faults", `{"on":"messages"}`, "route"},
		"no such template":      {404, "PATCH /templates/1", `{"status":"PAUSED"}`, "lists them"},
		"no such verdict":       {400, "PATCH /templates/1", `{"status":"NICE"}`, "APPROVED"},
		"more than a hundred":   {400, "PATCH /delivery", `{"duplicates_percent":101}`, "100"},
		"no such snapshot":      {404, "POST /snapshots/ready/restore", "", "no snapshot"},
		"nothing to delete":     {404, "DELETE /snapshots/ready", "", "no snapshot"},
		"a name with a slash":   {400, "POST /snapshots", `{"name":"a/b"}`, "letters"},
		"a wait without end":    {400, "POST /snapshots", `{"timeout":"for ever"}`, "duration"},
		"a host that is not there": {
			502, "PUT /callback", `{"url":"http://127.0.0.1:1/webhook"}`, "callback is unchanged",
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := &harness{t: t, url: h.url, client: h.client}
			got := h.call(tt.status, tt.call, tt.body)
			require.Contains(t, message(got), tt.says)
		})
	}
}

// If Meta refuses a number, the error has Meta's code.
func TestARefusalOfMetaHasItsCode(t *testing.T) {
	t.Parallel()
	h := newHarness(t, control.Config{Seed: control.DefaultSeed("", "2.23.1", 0)})
	h.call(201, "POST "+app+"/signup", "")
	v := h.call(409, "POST "+app+"/signup/number", `{"phone_number":"+1 555-010-0199"}`)
	e, _ := v["error"].(map[string]any)
	require.Equal(t, "refused_by_meta", e["code"])
	require.EqualValues(t, graph.CodeSignupUpdateApp, e["meta_code"])
}

// The host starts after the simulator, which waits for it and reports that.
func TestTheHostMayComeLater(t *testing.T) {
	t.Parallel()
	lines := make(chan string, 100)
	var up atomic.Bool
	host := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !up.Load() {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		_, _ = io.WriteString(w, r.URL.Query().Get("hub.challenge"))
	}))
	t.Cleanup(host.Close)
	h := newHarness(t, control.Config{Callback: host.URL, Changed: func(line string) { lines <- line }})
	require.Contains(t, <-lines, "will be asked again")
	_, state := h.api.Callback()
	require.Equal(t, "waiting", state)
	h.call(201, "POST "+customer+"/messages", `{"from":"customer","text":"too early"}`)
	up.Store(true)
	require.Contains(t, <-lines, "has answered the handshake")
	require.Equal(t, "verified", h.call(200, "GET /callback", "")["state"])
	h.call(201, "POST "+customer+"/messages", `{"from":"customer","text":"now"}`)
	h.call(200, "POST /wait", "")
	hooks := h.call(200, "GET /webhooks", "")
	require.Len(t, items(hooks), 1)
	require.Len(t, hooks["suppressed"], 1, "what happened before the handshake is lost, as at Meta, and shown")
}

func TestWaitingForAHostThatFails(t *testing.T) {
	t.Parallel()
	h := newHarness(t, control.Config{})
	h.call(200, "PUT /callback", `{"url":"`+h.host+`"}`)
	h.down.Store(true)
	h.call(201, "POST "+customer+"/messages", `{"from":"customer","text":"Hello"}`)
	v := h.call(504, "POST /wait", `{"timeout":"50ms"}`)
	require.Contains(t, message(v), "not acknowledged yet")
	require.Len(t, items(h.call(200, "GET /webhooks?state=waiting", "")), 1)
	h.down.Store(false)
	h.call(202, "POST /webhooks/1/resend", "")
	h.call(200, "POST /wait", "")
}

// A reset makes the same world again, with the same ids and the same callback.
func TestAResetMakesTheSameWorld(t *testing.T) {
	t.Parallel()
	h := newHarness(t, control.Config{})
	h.call(200, "PUT /callback", `{"url":"`+h.host+`"}`)
	before := h.call(200, "GET "+api, "")
	templates := h.call(200, "GET /templates", "")
	h.call(201, "POST "+customer+"/messages", `{"from":"customer","text":"Hello"}`)
	h.call(200, "POST "+app+"/connect", "")
	h.call(200, "POST /wait", "")
	h.call(200, "POST /reset", "")
	require.Equal(t, before, h.call(200, "GET "+api, ""))
	require.Equal(t, templates, h.call(200, "GET /templates", ""))
	require.Equal(t, "alone", h.call(200, "GET "+app, "")["stage"])
	require.Eventually(t, func() bool {
		_, state := h.api.Callback()
		return state == "verified"
	}, 10*time.Second, time.Millisecond)
	h.call(201, "POST "+customer+"/messages", `{"from":"customer","text":"again"}`)
	h.call(200, "POST /wait", "")
	require.Len(t, items(h.call(200, "GET /webhooks", "")), 1)
}

// The host's Graph calls are listed with the meaning of their error codes, and fail as a test
// demands.
func TestTheHostsCallsAreListed(t *testing.T) {
	t.Parallel()
	h := newHarness(t, control.Config{})
	number := h.api.Phone("15550100100")
	cfg := h.api.World().ClientConfig()
	cfg.AccessToken = number.AccessToken()
	client, err := cloudapi.NewClient(cfg)
	require.NoError(t, err)
	send := func() error {
		_, err := client.Messages.Send(t.Context(), number.ID(), cloudapi.Message{
			To: cloudapi.ToPhone("+15550100142"), Content: &cloudapi.Template{Name: "hello_world", Language: "en_US"},
		})
		return err
	}
	h.call(201, "POST /faults", `{"on":"POST /{phone-number-id}/messages","code":131000}`)
	require.ErrorIs(t, send(), graph.Code(131000))
	require.NoError(t, send())
	failed := items(h.call(200, "GET /requests?failed=true", ""))
	require.Len(t, failed, 1)
	require.EqualValues(t, 131000, failed[0]["code"])
	require.NotEmpty(t, failed[0]["meaning"])
	require.Len(t, items(h.call(200, "GET /requests?path=/messages&method=POST", "")), 2)
}

// An API for one phone neither sees others nor shows secrets.
func TestAnAPIForOnePhoneStopsThere(t *testing.T) {
	t.Parallel()
	world := coexistencetest.NewWorld(coexistencetest.Config{})
	t.Cleanup(world.Close)
	mine := world.NewPhone(coexistencetest.PhoneConfig{PhoneNumber: "+1 555-010-0199"})
	world.NewPhone(coexistencetest.PhoneConfig{PhoneNumber: "+1 555-010-0188"})
	a, err := control.ForPhone(world, mine, false)
	require.NoError(t, err)
	t.Cleanup(a.Close)
	server := httptest.NewServer(a.Routes())
	t.Cleanup(server.Close)
	for path, want := range map[string]int{
		"/phones/15550100199": 200, "/phones/15550100188": 404, "/world": 404, "/requests": 404,
		"/templates": 404, "/snapshots": 404, "/phones": 200,
	} {
		resp, err := http.Get(server.URL + "/control/v1" + path)
		require.NoError(t, err)
		body, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		require.Equal(t, want, resp.StatusCode, path)
		require.NotContains(t, string(body), "0188\"", path)
		require.NotContains(t, string(body), world.AppSecret().Reveal(), path)
	}
	resp, err := http.Post(server.URL+"/control/v1/reset", "application/json", nil)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.Equal(t, http.StatusNotFound, resp.StatusCode)
}

func TestPagesOfOthersChangeNothing(t *testing.T) {
	t.Parallel()
	h := newHarness(t, control.Config{})
	r, err := http.NewRequest(http.MethodPost, h.url+"/control/v1/reset", nil)
	require.NoError(t, err)
	r.Header.Set("Origin", "https://elsewhere.example")
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	resp, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.Equal(t, http.StatusForbidden, resp.StatusCode)
}

func TestWebhooksAreStreamed(t *testing.T) {
	t.Parallel()
	h := newHarness(t, control.Config{})
	h.call(200, "PUT /callback", `{"url":"`+h.host+`"}`)
	resp, err := http.Get(h.url + "/control/v1/webhooks/stream")
	require.NoError(t, err)
	t.Cleanup(func() { _ = resp.Body.Close() })
	require.Equal(t, "text/event-stream", resp.Header.Get("Content-Type"))
	h.call(201, "POST "+customer+"/messages", `{"from":"customer","text":"Hello"}`)
	var all []byte
	buf := make([]byte, 4096)
	for !bytes.Contains(all, []byte("\n\ndata")) && !bytes.Contains(all, []byte(`"summary":"text from 15550100142"`)) {
		n, err := resp.Body.Read(buf)
		require.NoError(t, err)
		all = append(all, buf[:n]...)
	}
	require.Contains(t, string(all), "id: 1\ndata: ")
}

// A review of a template reaches the host as the webhook that Meta sends.
func TestATemplateIsModerated(t *testing.T) {
	t.Parallel()
	h := newHarness(t, control.Config{NewWorld: func() (*coexistencetest.World, error) {
		return coexistencetest.NewWorld(coexistencetest.Config{
			Templates: []cloudapi.TemplateCreateParams{coexistencetest.HelloWorld()},
			Fields: []webhook.Field{
				webhook.FieldMessageTemplateStatusUpdate, webhook.FieldTemplateCategoryUpdate,
				webhook.FieldMessageTemplateQualityUpdate,
			},
		}), nil
	}})
	h.call(200, "PUT /callback", `{"url":"`+h.host+`"}`)
	id, _ := items(h.call(200, "GET /templates", ""))[0]["id"].(string)
	v := h.call(200, "PATCH /templates/"+id,
		`{"status":"REJECTED","reason":"PROMOTIONAL","category":"MARKETING","quality":"YELLOW"}`)
	require.Equal(t, "REJECTED", v["status"])
	require.Equal(t, "MARKETING", v["category"])
	require.Equal(t, "YELLOW", v["quality"])
	h.call(200, "POST /wait", "")
	for field, says := range map[string]string{
		"message_template_status_update":  `"reason":"PROMOTIONAL"`,
		"template_category_update":        `"new_category":"MARKETING"`,
		"message_template_quality_update": `"new_quality_score":"YELLOW"`,
	} {
		list := items(h.call(200, "GET /webhooks?field="+field, ""))
		require.Len(t, list, 1, field)
		require.Contains(t, quote(h.call(200, "GET /webhooks/"+quote(list[0]["number"]), "")), says)
	}
}
