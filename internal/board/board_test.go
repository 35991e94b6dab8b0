package board

import (
	"bufio"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/cloudapitest"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/coexistencetest"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/control"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

// On the page, a person takes a business from the popup to a conversation with a customer, and the
// host gets the webhooks.
func TestAPersonPlaysEverybody(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	heard := map[string]int{}
	host := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			_, _ = io.WriteString(w, r.URL.Query().Get("hub.challenge"))
			return
		}
		body, err := io.ReadAll(r.Body)
		if err != nil || webhook.Verify(body, r.Header.Get("X-Hub-Signature-256"), "secret-of-the-test") != nil {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		events, _ := webhook.Decode(body)
		mu.Lock()
		defer mu.Unlock()
		for _, ev := range events {
			heard[string(ev.Info().Field)]++
		}
	}))
	t.Cleanup(host.Close)
	b := newBoard(t, host.URL, coexistencetest.PhoneConfig{History: coexistencetest.History{Messages: 50}})
	ada := control.CustomerID(b.phone.Customers()[0])
	chat := "/customers/" + ada + "/messages"
	b.press(201, "POST /signup", "")
	b.press(200, "POST /signup/number", `{"phone_number":"+1 555-010-0199"}`)
	b.press(200, "POST /confirm", `{"share_history":true}`)
	b.press(409, "POST /signup/code", `{"code":"000000"}`)
	require.Equal(t, "PHONE_NUMBER_VERIFICATION", b.view(selection{}).Popup.Screen)
	b.press(200, "POST /scan", "")
	b.press(200, "POST /signup/finish", "")
	b.press(200, "POST /sync", `{"type":"contacts"}`)
	b.press(200, "POST /sync", `{"type":"history"}`)
	b.press(201, "POST "+chat, `{"from":"customer","text":"Open?"}`)
	b.press(201, "POST "+chat, `{"from":"business","text":"Until six."}`)
	b.press(201, "POST "+chat, `{"from":"customer","type":"image","text":"this one"}`)
	b.press(201, "POST /contacts", `{"full_name":"Ada","phone_number":"`+ada+`"}`)
	require.Contains(t, b.press(409, "POST /sync", `{"type":"history"}`), "2593107", "once each")
	v := b.view(selection{chat: ada})
	require.Equal(t, "connected", v.Stage)
	require.Equal(t, "Ada", v.Chat.Name)
	require.NotEmpty(t, v.Chat.Contact)
	last := v.Messages[len(v.Messages)-2]
	require.Equal(t, "Until six.", last.Text)
	b.press(201, "POST "+chat,
		`{"from":"business","type":"edit","message_id":`+quoted(last.ID)+`,"text":"Until seven."}`)
	require.NoError(t, b.world.WaitDelivered(t.Context()))
	mu.Lock()
	require.Equal(t, 2, heard["smb_message_echoes"], heard)
	require.Equal(t, 2, heard["messages"], heard)
	require.Positive(t, heard["history"])
	mu.Unlock()
	v = b.view(selection{hooks: coexistencetest.DeliveryFilter{Field: webhook.FieldMessages}})
	require.Len(t, v.Deliveries, 2)
	require.Equal(t, "image from "+ada, v.Deliveries[0].Summary, "the latest first, in words")
	require.NotEmpty(t, v.Calls)
	require.Contains(t, b.view(selection{failed: true}).Calls[0].Path, "smb_app_data", "what Meta refused")
	b.press(200, "POST /device", "")
	require.Equal(t, "suspended", b.view(selection{}).Stage)
	b.press(200, "POST /reconnect", "")
	b.press(200, "POST /idle", "")
	require.Equal(t, "alone", b.view(selection{}).Stage, "nobody used the phone for 14 days")
}

// The page of a host opens the popup in another window; the board shows the phone's question.
func TestThePhoneIsAskedByAPopupElsewhere(t *testing.T) {
	t.Parallel()
	b := newBoard(t, "", coexistencetest.PhoneConfig{})
	popup, err := b.world.OpenSignup(json.RawMessage(`{"config_id":"` + b.world.ConfigurationID() + `",
		"response_type":"code","override_default_response_type":true,
		"extras":{"featureType":"whatsapp_business_app_onboarding","version":"v4"}}`))
	require.NoError(t, err)
	require.Nil(t, b.view(selection{}).Question)
	require.NoError(t, popup.ChooseExistingAccount())
	require.NoError(t, popup.EnterNumber(b.phone.PhoneNumber()))
	q := b.view(selection{}).Question
	require.NotNil(t, q)
	require.Equal(t, b.phone.LastCode(), q.Code)
	b.press(200, "POST /scan", "")
	require.True(t, b.view(selection{}).Question.Verified)
	b.press(200, "POST /confirm", "")
	require.Nil(t, b.view(selection{}).Question, "nothing is asked any more")
	require.Equal(t, coexistencetest.ScreenReview, popup.Screen())
}

func TestAnOldAppCannotBeConnected(t *testing.T) {
	t.Parallel()
	b := newBoard(t, "", coexistencetest.PhoneConfig{AppVersion: "2.23.1"})
	b.press(201, "POST /signup", "")
	require.Contains(t, b.press(409, "POST /signup/number", `{"phone_number":"+1 555-010-0199"}`), "4563015")
	before := len(b.view(selection{}).Chats)
	b.press(400, "POST /customers", `{"phone_number":"12"}`)
	require.Len(t, b.view(selection{}).Chats, before, "a number that is none makes no customer")
}

func TestANewCustomerIsFirstInTheList(t *testing.T) {
	t.Parallel()
	b := newBoard(t, "", coexistencetest.PhoneConfig{History: coexistencetest.History{Messages: 50}})
	b.press(201, "POST /customers", `{"phone_number":"+1 555-010-0142"}`)
	first := b.view(selection{}).Chats[0]
	require.Equal(t, "+15550100142", first.About)
	b.press(201, "POST /customers/"+first.ID+"/messages", `{"from":"customer","text":"Hello"}`)
	require.Equal(t, "Hello", b.view(selection{}).Chats[0].Last)
}

// A page of its own shows every number, and starts with the one that has an app.
func TestAPageShowsTheNumberThatIsChosen(t *testing.T) {
	t.Parallel()
	api, err := control.New(control.Config{
		NewWorld: func() (*coexistencetest.World, error) {
			return coexistencetest.NewWorld(coexistencetest.Config{}), nil
		},
		Seed: control.DefaultSeed("", "", 0),
	})
	require.NoError(t, err)
	t.Cleanup(api.Close)
	b := New(api, Config{})
	v := b.view(selection{})
	require.Equal(t, "15550100199", v.Phone)
	require.Equal(t, "none", v.HookState)
	require.Len(t, v.Phones, 2)
	v = b.view(selection{phone: "15550100100"})
	require.True(t, v.CloudAPIOnly)
	require.Equal(t, "connected", v.Stage)
	require.Equal(t, "Ada Example", v.Chats[0].Name)
}

func TestEverybodyHasAPhone(t *testing.T) {
	t.Parallel()
	world := coexistencetest.NewWorld(coexistencetest.Config{})
	t.Cleanup(world.Close)
	r := &Rack{World: world, Phone: func(business string) coexistencetest.PhoneConfig {
		return coexistencetest.PhoneConfig{Business: business}
	}}
	shown := func(key, path string) (int, string) {
		h, err := r.Board(key, "Bakery")
		require.NoError(t, err)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
		return w.Code, w.Body.String()
	}
	for _, v := range [][2]string{{"a", "1 555-010-0100"}, {"b", "1 555-010-0101"}, {"a", "1 555-010-0100"}} {
		_, page := shown(v[0], "/")
		require.Contains(t, page, v[1], "the same one again")
	}
	status, _ := shown("a", "/control/v1/world")
	require.Equal(t, http.StatusNotFound, status, "a visitor sees no secret")
	status, list := shown("a", "/control/v1/phones")
	require.Equal(t, http.StatusOK, status)
	require.Equal(t, 1, strings.Count(list, `"id"`), "and no phone of another one")
}

// A testBoard is a board on a page of its own, with one phone, whose buttons a test presses.
type testBoard struct {
	*Board
	t     *testing.T
	world *coexistencetest.World
	phone *coexistencetest.Phone
	page  string // its URL
}

// press makes a call about the phone, requires its status and returns its response.
func (b *testBoard) press(want int, call, body string) string {
	b.t.Helper()
	method, path, _ := strings.Cut(call, " ")
	url := b.page + "/control/v1/phones/" + control.PhoneID(b.phone) + path
	req, err := http.NewRequestWithContext(b.t.Context(), method, url, strings.NewReader(body))
	require.NoError(b.t, err)
	resp, err := http.DefaultClient.Do(req)
	require.NoError(b.t, err)
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	require.NoError(b.t, err)
	require.Equal(b.t, want, resp.StatusCode, "%s %s: %s", call, body, answer)
	return string(answer)
}

// newBoard makes a world with one phone. It delivers to hook unless that is empty.
func newBoard(t *testing.T, hook string, cfg coexistencetest.PhoneConfig) *testBoard {
	t.Helper()
	world := coexistencetest.NewWorld(coexistencetest.Config{App: cloudapitest.App{Secret: "secret-of-the-test"}})
	t.Cleanup(world.Close)
	cfg.PhoneNumber = "+1 555-010-0199"
	phone := world.NewPhone(cfg)
	api, err := control.ForPhone(world, phone, false)
	require.NoError(t, err)
	b := &testBoard{Board: New(api, Config{}), t: t, world: world, phone: phone}
	page := httptest.NewServer(b.Routes())
	t.Cleanup(page.Close)
	b.page = page.URL
	if hook != "" {
		require.NoError(t, world.DeliverTo(hook))
	}
	return b
}

func quoted(s string) string {
	b, err := json.Marshal(s)
	if err != nil {
		return ""
	}
	return string(b)
}

func TestThePageShowsWhatChanges(t *testing.T) {
	t.Parallel()
	sink := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, r.URL.Query().Get("hub.challenge"))
	}))
	t.Cleanup(sink.Close)
	b := newBoard(t, sink.URL, coexistencetest.PhoneConfig{History: coexistencetest.History{Messages: 10}})
	ada := control.CustomerID(b.phone.Customers()[0])
	for path, want := range map[string]string{
		"/": "<h1>Coexistence simulator</h1>", "/page.js": "EventSource", "/page.css": "color-scheme",
		"/report": "relied on", "/control/v1/openapi.yaml": "openapi: 3",
	} {
		resp, err := http.Get(b.page + path)
		require.NoError(t, err)
		body, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		require.Equal(t, http.StatusOK, resp.StatusCode, path)
		require.Contains(t, string(body), want)
	}
	resp, err := http.Get(b.page + "/events?chat=" + ada)
	require.NoError(t, err)
	t.Cleanup(func() { _ = resp.Body.Close() })
	lines := bufio.NewScanner(resp.Body)
	lines.Buffer(nil, 1<<20)
	next := func() (v view) {
		for lines.Scan() {
			if data, ok := strings.CutPrefix(lines.Text(), "data: "); ok {
				require.NoError(t, json.Unmarshal([]byte(data), &v))
				return v
			}
		}
		t.Fatal("the events ended")
		return v
	}
	before := next()
	b.press(201, "POST /customers/"+ada+"/messages", `{"from":"customer","text":"new"}`)
	require.Eventually(
		t, func() bool { v := next(); return len(v.Messages) == len(before.Messages)+1 }, 10*time.Second,
		time.Millisecond,
	)

	req, err := http.NewRequest(http.MethodPost, b.page+"/control/v1/phones/15550100199/disconnect", nil)
	require.NoError(t, err)
	req.Header.Set("Origin", "https://elsewhere.example")
	req.Header.Set("Sec-Fetch-Site", "cross-site")
	resp2, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	require.NoError(t, resp2.Body.Close())
	require.Equal(t, http.StatusForbidden, resp2.StatusCode, "another site presses no buttons")
}

// A message of the host is on the page with its buttons, and a ringing call can be ended there.
func TestThePageShowsWhatCanBeTapped(t *testing.T) {
	t.Parallel()
	api, err := control.New(control.Config{
		NewWorld: func() (*coexistencetest.World, error) {
			return coexistencetest.NewWorld(coexistencetest.Config{}), nil
		},
		Seed: control.DefaultSeed("", "", 0),
	})
	require.NoError(t, err)
	t.Cleanup(api.Close)
	number := api.Phone("15550100100")
	ada := number.Customers()[0]
	ada.Send("Hello")
	cfg := api.World().ClientConfig()
	cfg.AccessToken = number.AccessToken()
	client, err := cloudapi.NewClient(cfg)
	require.NoError(t, err)
	_, err = client.Messages.Send(t.Context(), number.ID(), cloudapi.Message{
		To: cloudapi.ToPhone("+15550100142"), Content: &cloudapi.Interactive{
			Body: "Rye?", Action: &cloudapi.ReplyButtons{Buttons: []cloudapi.ReplyButton{{ID: "y", Title: "Yes"}}},
		},
	})
	require.NoError(t, err)
	b := New(api, Config{})
	show := selection{phone: "15550100100", chat: "15550100142"}
	v := b.view(show)
	last := v.Messages[len(v.Messages)-1]
	require.Equal(t, "Rye?", last.Text)
	require.Equal(t, []control.DrawnButton{{Type: "reply", ID: "y", Title: "Yes"}}, last.Drawing.Buttons)
	require.Empty(t, v.Call)
	require.NoError(t, client.Settings.SetCalling(t.Context(), number.ID(),
		cloudapi.CallingSettings{Status: graph.FeatureEnabled}))
	id, err := ada.Call()
	require.NoError(t, err)
	require.Equal(t, string(id), b.view(show).Call)
	require.NoError(t, ada.HangUp(id))
	require.Empty(t, b.view(show).Call)
}
