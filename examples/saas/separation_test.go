package main

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/outbox"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/storage"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/signup"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

// newTestApp is the product within the test, on a platform of the simulator's.
func newTestApp(t *testing.T, change ...func(*settings)) (*app, *httptest.Server) {
	t.Helper()
	keys, err := openKeys("")
	require.NoError(t, err)
	db, err := open(t.Context(), settings{dir: t.TempDir()}, keys)
	require.NoError(t, err)
	return newTestAppOn(t, db, keys, change...)
}

// newTestAppOn is newTestApp on a database of the test's own.
func newTestAppOn(
	t *testing.T, db *storage.DB, keys *signup.Keyring, change ...func(*settings),
) (*app, *httptest.Server) {
	t.Helper()
	meta := newSimulator("http://127.0.0.1:0")
	t.Cleanup(meta.simulator.World.Close)
	dir := t.TempDir()
	brief := settings{dir: dir, files: filepath.Join(dir, "files"), lease: time.Second, unknownTimeout: time.Second}
	for _, fn := range change {
		fn(&brief)
	}
	a, err := newApp(t.Context(), brief, meta, db, keys, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	require.NoError(t, a.inbox.Start(t.Context()))
	srv := httptest.NewServer(a.routes())
	working, stop := context.WithCancel(t.Context())
	var work sync.WaitGroup
	work.Go(func() { a.changes.run(working) })
	t.Cleanup(func() {
		a.changes.news.Close()
		srv.Close()
		stop()
		work.Wait()
		require.NoError(t, a.inbox.Shutdown(context.WithoutCancel(t.Context())))
		require.NoError(t, a.closeQueues(context.WithoutCancel(t.Context())))
		require.NoError(t, db.Close())
	})
	a.url = srv.URL
	return a, srv
}

// furnish gives a tenant one of everything that has an id, and returns the ids by their names in
// paths.
func furnish(t *testing.T, a *app, name string) (v *visitor, ids map[string]string) {
	t.Helper()
	ctx := t.Context()
	who, err := a.createTenant(ctx, name, name+"@example.com", "a long password")
	require.NoError(t, err)
	phone := graph.PhoneNumberID("phone-of-" + name)
	waba := graph.WABAID("waba-of-" + name)
	require.NoError(t, a.db.Tokens().Put(ctx, &signup.Connection{
		Tenant: who.id, Token: "a-made-up-token", WABAID: waba, Phone: &cloudapi.Phone{ID: phone},
		Onboarding: cloudapi.Onboarding{
			PhoneNumberID: phone, WABAIDs: []graph.WABAID{waba}, DisplayPhoneNumber: "+1 555 010 0100",
		},
	}))
	require.NoError(t, a.tracker.Onboard(ctx, cloudapi.Onboarding{
		PhoneNumberID: phone, WABAIDs: []graph.WABAID{waba}, OnboardedAt: time.Now(),
	}))

	// A customer writes, with a picture; and something comes that does not fit its type.
	picture := fmt.Sprintf(`{"from":"1555010%d142","id":"wamid.%s","timestamp":"%d","type":"image",
		"image":{"id":"77","mime_type":"image/jpeg"}}`, len(name), name, time.Now().Unix())
	for i, message := range []string{picture, `"no message"`} {
		require.NoError(t, a.inbox.Receive(ctx, webhook.Delivery{ReceivedAt: time.Now(), Body: fmt.Appendf(nil,
			`{"object":"whatsapp_business_account","entry":[{"id":%q,"changes":[{"field":"messages","value":{
			"messaging_product":"whatsapp","metadata":{"display_phone_number":"15550100100","phone_number_id":%q},
			"messages":[%s]}}],"time":%d}]}`, waba, phone, message, i)}))
	}
	require.NoError(t, a.inbox.WaitIdle(ctx))
	a.keep(t, string(phone), "wamid."+name, aPicture)
	n, err := a.db.Tokens().Get(ctx, phone)
	require.NoError(t, err)
	var letter string
	require.Eventually(t, func() bool {
		dead, err := a.deadLetters(ctx, &n, 2)
		require.NoError(t, err)
		if len(dead) == 1 {
			letter = fmt.Sprint(dead[0].ID)
		}
		return letter != ""
	}, time.Minute, 10*time.Millisecond)
	var chat string
	for c, err := range a.tracker.Store().Conversations(ctx, phone) {
		require.NoError(t, err)
		chat = c.ID
	}
	campaign := "campaign-of-" + name
	_, err = a.db.SQL().ExecContext(ctx, `INSERT INTO saas_campaigns (id, phone, template, launched_at)
		VALUES ($1, $2, 'made_up', 1)`, campaign, string(phone))
	require.NoError(t, err)
	_, err = a.outbox.Enqueue(ctx, outbox.Message{
		ID: "campaign-" + name, PhoneNumberID: phone, Campaign: campaign, ConversationID: chat,
		Payload: cloudapi.Message{
			To: cloudapi.ToPhone("+1 555 010 0142"), Content: &cloudapi.Template{Name: "made_up", Language: "en_US"},
		},
	})
	require.NoError(t, err)

	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	stay := func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	v = &visitor{t, &http.Client{Jar: jar, CheckRedirect: stay}, a.url}
	status, _ := v.post("/signin", url.Values{"email": {name + "@example.com"}, "password": {"a long password"}})
	require.Equal(t, http.StatusSeeOther, status)
	return v, map[string]string{
		"phone": string(phone), "chat": chat, "campaign": campaign, "letter": letter, "message": "wamid." + name,
		"change": "pause", "person": chat,
	}
}

// ask requests a route with these ids in its path, and returns the status.
func (v *visitor) ask(t *testing.T, pattern string, ids map[string]string) int {
	t.Helper()
	method, path, ok := strings.Cut(pattern, " ")
	if !ok {
		method, path = http.MethodGet, pattern
	}
	for name, id := range ids {
		path = strings.ReplaceAll(path, "{"+name+"}", url.PathEscape(id))
	}
	path = strings.ReplaceAll(path, "{$}", "")
	require.NotContains(t, path, "{", "an id has no value here: give it one in furnish")
	form := strings.NewReader("text=hello&nonce=1&template=made_up&to=x")
	req, err := http.NewRequestWithContext(t.Context(), method, v.url+path, form)
	require.NoError(t, err)
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := v.client.Do(req)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	return resp.StatusCode
}

// Every route that takes an id answers 404 to another tenant's, as it does to one that is not
// there; and the owner's own are there, or the test would prove nothing.
func TestTenantsAreStrangers(t *testing.T) {
	t.Parallel()
	a, _ := newTestApp(t)
	baker, bread := furnish(t, a, "bakery")
	butcher, meat := furnish(t, a, "butcher")
	visitor := &visitor{t, &http.Client{CheckRedirect: baker.client.CheckRedirect}, a.url} // signed out
	// What Meta would have to answer with the token of a real business is not there for the owner
	// either.
	atMeta := map[string]bool{"POST /numbers/{phone}/campaigns": true}
	routes := 0
	for pattern := range a.pages() {
		if !strings.Contains(pattern, "{") || strings.Contains(pattern, "{$}") {
			continue // takes no id
		}
		routes++
		t.Run(pattern, func(t *testing.T) {
			require.Equal(t, http.StatusNotFound, butcher.ask(t, pattern, bread), "it shows all to a stranger")
			for name := range bread { // one thing of the baker's among the butcher's own
				if name == "change" || !strings.Contains(pattern, "{"+name+"}") {
					continue
				}
				mixed := maps.Clone(meat)
				mixed[name] = bread[name]
				require.Equal(t, http.StatusNotFound, butcher.ask(t, pattern, mixed), "it takes the baker's %s", name)
			}
			if status := baker.ask(t, pattern, bread); !atMeta[pattern] {
				require.NotEqual(t, http.StatusNotFound, status, "it is not there for its owner")
			}
			require.Equal(t, http.StatusSeeOther, visitor.ask(t, pattern, bread), "it needs no sign-in")
		})
	}
	require.GreaterOrEqual(t, routes, 10)
}

func TestRoutesWithoutIDsAreTheSameForAll(t *testing.T) {
	t.Parallel()
	a, _ := newTestApp(t)
	baker, _ := furnish(t, a, "bakery")
	butcher, _ := furnish(t, a, "butcher")
	for pattern := range a.pages() {
		if !strings.Contains(pattern, "{") || strings.Contains(pattern, "{$}") {
			t.Run(pattern, func(t *testing.T) {
				require.Equal(t, baker.ask(t, pattern, nil), butcher.ask(t, pattern, nil))
			})
		}
	}
}

func TestANumberThatATenantHasIsNotTakenOver(t *testing.T) {
	t.Parallel()
	a, _ := newTestApp(t)
	_, bread := furnish(t, a, "bakery")
	err := a.db.Tokens().Reserve(t.Context(), "another tenant", "waba", graph.PhoneNumberID(bread["phone"]))
	require.ErrorIs(t, err, signup.ErrTaken)
}

func TestATokenThatIsCopiedIntoAnotherRowDoesNotDecrypt(t *testing.T) {
	t.Parallel()
	a, _ := newTestApp(t)
	_, bread := furnish(t, a, "bakery")
	_, meat := furnish(t, a, "butcher")
	_, err := a.db.SQL().ExecContext(t.Context(), `UPDATE coexistence_tokens
		SET token = (SELECT token FROM coexistence_tokens WHERE phone = $1) WHERE phone = $2`,
		bread["phone"], meat["phone"])
	require.NoError(t, err)
	_, err = a.tracker.Client(t.Context(), graph.PhoneNumberID(meat["phone"]))
	require.Error(t, err)
	_, err = a.tracker.Client(t.Context(), graph.PhoneNumberID(bread["phone"]))
	require.NoError(t, err)
}

func TestOtherSitesPostNothing(t *testing.T) {
	t.Parallel()
	a, srv := newTestApp(t)
	baker, bread := furnish(t, a, "bakery")
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost,
		srv.URL+"/numbers/"+bread["phone"]+"/campaigns/"+bread["campaign"]+"/pause", nil)
	require.NoError(t, err)
	req.Header.Set("Origin", "https://elsewhere.example")
	req.Header.Set("Sec-Fetch-Site", "cross-site")
	resp, err := baker.client.Do(req)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.Equal(t, http.StatusForbidden, resp.StatusCode)
}

func TestAWrongPasswordSignsNoOneIn(t *testing.T) {
	t.Parallel()
	a, srv := newTestApp(t)
	furnish(t, a, "bakery")
	resp, err := http.PostForm(srv.URL+"/signin", url.Values{
		"email": {"bakery@example.com"}, "password": {"wrong password"},
	})
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.Equal(t, http.StatusUnprocessableEntity, resp.StatusCode)
	require.Empty(t, resp.Cookies())
}

func TestTheSessionIsTheOnlyCookie(t *testing.T) {
	t.Parallel()
	a, srv := newTestApp(t)
	baker, _ := furnish(t, a, "bakery")
	at, err := url.Parse(srv.URL)
	require.NoError(t, err)
	cookies := baker.client.Jar.Cookies(at)
	require.Len(t, cookies, 1)
	require.Equal(t, cookieName, cookies[0].Name)
}

func TestPagesShowNoToken(t *testing.T) {
	t.Parallel()
	a, _ := newTestApp(t)
	baker, _ := furnish(t, a, "bakery")
	status, body := baker.get("/connect")
	require.Equal(t, http.StatusOK, status)
	require.NotContains(t, body, "a-made-up-token")
}
