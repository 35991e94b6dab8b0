package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

// A person at the page takes a business from the popup to a talk with a customer, and a host in any language hears of it.
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
	b, err := newBoard(settings{webhook: host.URL, secret: "secret-of-the-test", verify: "token", number: "+1 555-010-0199", messages: 50})
	require.NoError(t, err)
	t.Cleanup(b.close)
	page := httptest.NewServer(b.routes())
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
		`{"do":"write","chat":"0","as":"customer","text":"Open?"}`, `{"do":"write","chat":"0","as":"business","text":"Until six."}`,
		`{"do":"write","chat":"0","as":"customer","kind":"image","text":"this one"}`, `{"do":"save","chat":"0","text":"Ada"}`,
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
	require.NoError(t, b.world.Wait(t.Context()))
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

func quoted(s string) string {
	b, err := json.Marshal(s)
	if err != nil {
		return ""
	}
	return string(b)
}

func TestThePageShowsWhatChanges(t *testing.T) {
	t.Parallel()
	closeSink, url, err := sink()
	require.NoError(t, err)
	t.Cleanup(closeSink)
	b, err := newBoard(settings{webhook: url, secret: "s", verify: "v", number: "+1 555-010-0199", messages: 10})
	require.NoError(t, err)
	t.Cleanup(b.close)
	page := httptest.NewServer(b.routes())
	t.Cleanup(page.Close)
	for path, want := range map[string]string{
		"/": "<h1>Coexistence simulator</h1>", "/page.js": "EventSource", "/page.css": "color-scheme", "/report": "relied on",
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
	b.obey(t.Context(), order{Do: "write", Chat: "0", As: "customer", Text: "new"})
	require.Eventually(t, func() bool { v := next(); return len(v.Messages) == len(before.Messages)+1 }, 10*time.Second, time.Millisecond)

	req, err := http.NewRequest(http.MethodPost, page.URL+"/do", strings.NewReader(`{"do":"disconnect"}`))
	require.NoError(t, err)
	req.Header.Set("Origin", "https://elsewhere.example")
	req.Header.Set("Sec-Fetch-Site", "cross-site")
	resp2, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	require.NoError(t, resp2.Body.Close())
	require.Equal(t, http.StatusForbidden, resp2.StatusCode, "another site presses no buttons")
}

// What a host was told once is true in the next run: its settings hold addresses and secrets.
func TestTheProgramTellsAHostWhatItNeeds(t *testing.T) {
	t.Parallel()
	free, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	_, err = newBoard(settings{graph: free.Addr().String(), number: "+1 555-010-0199"})
	require.ErrorContains(t, err, "choose another address with -graph")
	require.NoError(t, free.Close())

	told := func() string {
		ctx, cancel := context.WithCancel(t.Context())
		var out safeBuffer
		ended := make(chan error, 1)
		go func() {
			ended <- run(ctx, &out, settings{
				graph: free.Addr().String(), listen: "127.0.0.1:0", secret: "s", verify: "v", number: "+1 555-010-0199", version: "2.23.1",
			})
		}()
		require.Eventually(t, func() bool { return strings.Contains(out.String(), "webhooks to") }, 10*time.Second, time.Millisecond)
		resp, err := http.Get("http://" + free.Addr().String() + "/en_US/sdk.js")
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		require.Equal(t, http.StatusOK, resp.StatusCode)
		cancel()
		require.NoError(t, <-ended)
		_, lines, _ := strings.Cut(out.String(), "\n") // without the page, whose port was left open
		lines, _, _ = strings.Cut(lines, "webhooks to")
		return lines
	}
	first := told()
	for _, name := range []string{"graph API", "sdk.js", "configuration", "app id", "app secret     s\n", "system token", "verify token   v\n"} {
		require.Contains(t, first, name)
	}
	require.Equal(t, first, told())
}

func TestAnOldAppCannotBeConnected(t *testing.T) {
	t.Parallel()
	closeSink, url, err := sink()
	require.NoError(t, err)
	t.Cleanup(closeSink)
	b, err := newBoard(settings{webhook: url, secret: "s", verify: "v", number: "+1 555-010-0199", version: "2.23.1"})
	require.NoError(t, err)
	t.Cleanup(b.close)
	b.obey(t.Context(), order{Do: "open"})
	b.obey(t.Context(), order{Do: "number", Text: "+1 555-010-0199"})
	v := b.view("")
	require.True(t, v.Bad)
	require.Contains(t, v.Note, "4563015")
	before := len(v.Chats)
	b.obey(t.Context(), order{Do: "customer", Text: "12"})
	require.Len(t, b.view("").Chats, before, "a number that is none makes no customer")
}

// A safeBuffer is written by the program while the test reads it.
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
