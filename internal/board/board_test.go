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

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/cloudapitest"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/coexistencetest"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

// A person at the page takes a business from the popup to a talk with a customer, and a host in any
// language hears of it.
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
	world, b := newBoard(t, host.URL, 50)
	page := httptest.NewServer(b.Routes())
	t.Cleanup(page.Close)

	press := func(body string) view {
		resp, err := http.Post(page.URL+"/do", "application/json", strings.NewReader(body))
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		require.Equal(t, http.StatusNoContent, resp.StatusCode)
		return b.view("0")
	}
	for _, o := range []string{`{"do":"open"}`, `{"do":"number","text":"+1 555-010-0199"}`, `{"do":"share"}`} {
		v := press(o)
		require.False(t, v.Bad, v.Note)
	}
	v := press(`{"do":"code","text":"000000"}`)
	require.True(t, v.Bad, "a wrong code")
	require.Equal(t, "PHONE_NUMBER_VERIFICATION", v.Popup.Screen)
	for _, o := range []string{
		`{"do":"scan"}`, `{"do":"finish"}`, `{"do":"contacts"}`, `{"do":"history"}`,
		`{"do":"write","chat":"0","as":"customer","text":"Open?"}`,
		`{"do":"write","chat":"0","as":"business","text":"Until six."}`,
		`{"do":"write","chat":"0","as":"customer","kind":"image","text":"this one"}`,
		`{"do":"save","chat":"0","text":"Ada"}`,
	} {
		v := press(o)
		require.False(t, v.Bad, "%s: %s", o, v.Note)
	}
	v = press(`{"do":"history"}`)
	require.True(t, v.Bad, "once each")
	require.Contains(t, v.Note, "2593107")
	require.Equal(t, "connected", v.Stage)
	require.Equal(t, "Ada", v.Chat.Name)
	last := v.Messages[len(v.Messages)-2]
	require.Equal(t, "Until six.", last.Text)
	edited := press(`{"do":"edit","chat":"0","id":` + quoted(last.ID) + `,"text":"Until seven.","as":"business"}`)
	require.False(t, edited.Bad, edited.Note)
	require.NoError(t, world.WaitDelivered(t.Context()))
	mu.Lock()
	require.Equal(t, 2, heard["smb_message_echoes"], heard)
	require.Equal(t, 2, heard["messages"], heard)
	require.Positive(t, heard["history"])
	mu.Unlock()
	require.Equal(t, "suspended", press(`{"do":"device"}`).Stage)
	require.Equal(t, "connected", press(`{"do":"reconnect"}`).Stage)
	require.Equal(t, "alone", press(`{"do":"wait","text":"336h"}`).Stage, "nobody used the phone for 14 days")
	require.True(t, press(`{"do":"fly"}`).Bad)
}

// The popup is in another window, opened by the page of a host; the board shows what the phone
// asks.
func TestThePhoneIsAskedByAPopupElsewhere(t *testing.T) {
	t.Parallel()
	world, b := newBoard(t, "", 10)
	popup, err := world.OpenSignup(b.launch())
	require.NoError(t, err)
	require.Nil(t, b.view("").Question)
	require.NoError(t, popup.ChooseExistingAccount())
	require.NoError(t, popup.EnterNumber(b.phone.PhoneNumber()))
	q := b.view("").Question
	require.NotNil(t, q)
	require.Equal(t, b.phone.LastCode(), q.Code)
	b.perform(t.Context(), action{Do: "scan"})
	require.True(t, b.view("").Question.Verified)
	b.perform(t.Context(), action{Do: "share"})
	require.Nil(t, b.view("").Question, "nothing is asked any more")
	require.Equal(t, coexistencetest.ScreenReview, popup.Screen())
}

func TestAnOldAppCannotBeConnected(t *testing.T) {
	t.Parallel()
	world := coexistencetest.NewWorld(coexistencetest.Config{})
	t.Cleanup(world.Close)
	b, err := New(
		world, world.NewPhone(coexistencetest.PhoneConfig{PhoneNumber: "+1 555-010-0199", AppVersion: "2.23.1"}),
		Config{},
	)
	require.NoError(t, err)
	b.perform(t.Context(), action{Do: "open"})
	b.perform(t.Context(), action{Do: "number", Text: "+1 555-010-0199"})
	v := b.view("")
	require.True(t, v.Bad)
	require.Contains(t, v.Note, "4563015")
	before := len(v.Chats)
	b.perform(t.Context(), action{Do: "customer", Text: "12"})
	require.Len(t, b.view("").Chats, before, "a number that is none makes no customer")
}

func TestSomebodyNewIsOnTopOfTheChats(t *testing.T) {
	t.Parallel()
	_, b := newBoard(t, "", 50)
	b.perform(t.Context(), action{Do: "customer", Text: "+1 555-010-0142"})
	first := b.view("").Chats[0]
	require.Equal(t, "+15550100142", first.About)
	b.perform(t.Context(), action{Do: "write", Chat: first.ID, As: "customer", Text: "Hello"})
	require.Equal(t, "Hello", b.view("").Chats[0].Last)
}

func TestEverybodyHasAPhone(t *testing.T) {
	t.Parallel()
	world := coexistencetest.NewWorld(coexistencetest.Config{})
	t.Cleanup(world.Close)
	r := &Rack{World: world, Phone: func(business string) coexistencetest.PhoneConfig {
		return coexistencetest.PhoneConfig{Business: business}
	}}
	shown := func(key string) string {
		h, err := r.Board(key, "Bakery")
		require.NoError(t, err)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", nil))
		return w.Body.String()
	}
	require.Contains(t, shown("a"), "1 555-010-0100")
	require.Contains(t, shown("b"), "1 555-010-0101")
	require.Contains(t, shown("a"), "1 555-010-0100", "the same one again")
}

// newBoard makes a world with one phone, which delivers to hook.
func newBoard(t *testing.T, hook string, messages int) (*coexistencetest.World, *Board) {
	t.Helper()
	world := coexistencetest.NewWorld(coexistencetest.Config{App: cloudapitest.App{Secret: "secret-of-the-test"}})
	t.Cleanup(world.Close)
	phone := world.NewPhone(coexistencetest.PhoneConfig{
		PhoneNumber: "+1 555-010-0199", History: coexistencetest.History{Messages: messages},
	})
	b, err := New(world, phone, Config{Hook: hook})
	require.NoError(t, err)
	if hook != "" {
		require.NoError(t, world.DeliverTo(hook))
	}
	return world, b
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
	_, b := newBoard(t, sink.URL, 10)
	page := httptest.NewServer(b.Routes())
	t.Cleanup(page.Close)
	for path, want := range map[string]string{
		"/": "<h1>Coexistence simulator</h1>", "/page.js": "EventSource", "/page.css": "color-scheme",
		"/report": "relied on",
	} {
		resp, err := http.Get(page.URL + path)
		require.NoError(t, err)
		body, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		require.Equal(t, http.StatusOK, resp.StatusCode, path)
		require.Contains(t, string(body), want)
	}
	resp, err := http.Get(page.URL + "/events?chat=0")
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
	b.perform(t.Context(), action{Do: "write", Chat: "0", As: "customer", Text: "new"})
	require.Eventually(
		t, func() bool { v := next(); return len(v.Messages) == len(before.Messages)+1 }, 10*time.Second,
		time.Millisecond,
	)

	req, err := http.NewRequest(http.MethodPost, page.URL+"/do", strings.NewReader(`{"do":"disconnect"}`))
	require.NoError(t, err)
	req.Header.Set("Origin", "https://elsewhere.example")
	req.Header.Set("Sec-Fetch-Site", "cross-site")
	resp2, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	require.NoError(t, resp2.Body.Close())
	require.Equal(t, http.StatusForbidden, resp2.StatusCode, "another site presses no buttons")
}
