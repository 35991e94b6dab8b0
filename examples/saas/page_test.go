package main

import (
	"fmt"
	"html"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

func TestTemplatesAreNotServed(t *testing.T) {
	t.Parallel()
	a, _ := newTestApp(t)
	status := func(path string) int {
		w := httptest.NewRecorder()
		a.routes().ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil))
		return w.Code
	}
	require.Equal(t, http.StatusOK, status("/static/app.css"))
	for _, path := range []string{
		"/static/..%2flayout.html", "/static/%2e%2e%2flayout.html", "/static/..%2fstatic%2fapp.css",
		"/static/layout.html",
		"/static/static/app.css",
	} {
		require.Equal(t, http.StatusNotFound, status(path), path)
	}
}

var pictureAt = regexp.MustCompile(`<img src="(/numbers/[^"]+)"`)

// A picture's address leads to its message, whatever Meta puts into ids.
func TestIDsArePathEscaped(t *testing.T) {
	t.Parallel()
	a, _ := newTestApp(t)
	baker, bread := furnish(t, a, "bakery")
	const id = `wamid.a/b?c#d"e'f&g%2fh+i`
	a.receive(t, bread["phone"], fmt.Sprintf(`{"from":"15550100177","id":%q,"timestamp":"%d","type":"image",
		"image":{"id":"77","mime_type":"image/jpeg"}}`, id, time.Now().Unix()))
	a.keep(t, bread["phone"], id, aPicture)
	status, body := baker.get("/numbers/" + bread["phone"] + "/inbox/15550100177")
	require.Equal(t, http.StatusOK, status)
	found := pictureAt.FindStringSubmatch(body)
	require.NotNil(t, found, body)
	at, err := url.Parse(html.UnescapeString(found[1]))
	require.NoError(t, err)
	var got string
	mux := http.NewServeMux()
	mux.HandleFunc("GET /numbers/{phone}/media/{message}", func(_ http.ResponseWriter, r *http.Request) {
		got = r.PathValue("message")
	})
	mux.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(t.Context(), http.MethodGet, at.String(), nil))
	require.Equal(t, id, got)
}

// receive delivers messages to a number, as Meta writes them, and waits until they are handled.
func (a *app) receive(t *testing.T, phone, messages string) {
	t.Helper()
	require.NoError(t, a.inbox.Receive(t.Context(), webhook.Delivery{
		ReceivedAt: time.Now(), Body: delivered(phone, messages),
	}))
	require.NoError(t, a.inbox.WaitIdle(t.Context()))
}

// delivered is a delivery of messages to a number, as Meta writes it.
func delivered(phone, messages string) []byte {
	return fmt.Appendf(nil,
		`{"object":"whatsapp_business_account","entry":[{"id":"a-made-up-account","changes":[{"field":"messages","value":{
		"messaging_product":"whatsapp","metadata":{"display_phone_number":"15550100100","phone_number_id":%q},
		"messages":[%s]}}],"time":1}]}`, phone, messages)
}

var (
	chatLink = regexp.MustCompile(`<a id="to-([^"]+)"`)
	bubble   = regexp.MustCompile(`<p dir="auto">(question \d+)</p>`)
	nextPage = regexp.MustCompile(`<a class="more" rel="(?:next|prev)" href="([^"]+)"`)
)

// Whatever a number has, a page shows fifty conversations and fifty messages, and links to the
// rest.
func TestPagesAreOfLimitedSize(t *testing.T) {
	t.Parallel()
	a, _ := newTestApp(t)
	baker, bread := furnish(t, a, "bakery")
	a.fill(t, bread["phone"], 120)
	chat := "/numbers/" + bread["phone"] + "/inbox/15550109999"
	var messages []string
	for i := range 120 {
		messages = append(messages, fmt.Sprintf(`{"from":"15550109999","id":"wamid.a/%d?","timestamp":"%d","type":"text",
			"text":{"body":"question %d"}}`, i, time.Now().Add(time.Duration(i-200)*time.Second).Unix(), i))
	}
	a.receive(t, bread["phone"], strings.Join(messages, ","))
	for path, tt := range map[string]struct {
		thing *regexp.Regexp
		want  int
	}{
		"/numbers/" + bread["phone"] + "/inbox": {chatLink, 122}, // with that of furnish
		chat:                                    {bubble, 120},
	} {
		seen := map[string]bool{}
		for next, pages := path, 1; next != ""; pages++ {
			require.LessOrEqual(t, pages, 3, path)
			status, body := baker.get(next)
			require.Equal(t, http.StatusOK, status)
			found := tt.thing.FindAllStringSubmatch(body, -1)
			require.LessOrEqual(t, len(found), 50, path)
			for _, f := range found {
				require.False(t, seen[f[1]], "%s is there twice", f[1])
				seen[f[1]] = true
			}
			next = ""
			for _, f := range nextPage.FindAllStringSubmatch(body, -1) {
				if strings.Contains(f[0], `"prev"`) == (tt.thing == bubble) {
					next = html.UnescapeString(f[1])
				}
			}
		}
		require.Len(t, seen, tt.want, path)
	}
	status, body := baker.get(chat + "?page=99&before=nothing&around=nothing")
	require.Equal(t, http.StatusOK, status)
	require.Contains(t, body, "question 119")
}

// fill has customers write to a number, the first one last.
func (a *app) fill(t testing.TB, phone string, customers int) {
	t.Helper()
	for i := 0; i < customers; i += 100 {
		var contacts, messages []string
		for j := i; j < min(i+100, customers); j++ {
			at := time.Now().Add(-time.Duration(j) * time.Hour).Unix()
			contacts = append(contacts,
				fmt.Sprintf(`{"profile":{"name":"Customer %04[1]d"},"wa_id":"1555020%04[1]d"}`, j))
			messages = append(messages, fmt.Sprintf(`{"from":"1555020%04[1]d","id":"wamid.fill%[1]d","timestamp":"%[2]d",
				"type":"text","text":{"body":"Is the rye loaf back?"}}`, j, at))
		}
		require.NoError(t, a.inbox.Receive(t.Context(), webhook.Delivery{ReceivedAt: time.Now(), Body: fmt.Appendf(nil,
			`{"object":"whatsapp_business_account","entry":[{"id":"a-made-up-account","changes":[{"field":"messages","value":{
			"messaging_product":"whatsapp","metadata":{"display_phone_number":"15550100100","phone_number_id":%q},
			"contacts":[%s],"messages":[%s]}}],"time":1}]}`,
			phone, strings.Join(contacts, ","), strings.Join(messages, ","))}))
	}
	require.NoError(t, a.inbox.WaitIdle(t.Context()))
}
