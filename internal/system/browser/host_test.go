package browser_test

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/coexistencetest"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/eligibility"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/signup"
)

// A host is a SaaS of one test, with a page and a business that wants to connect its phone.
type host struct {
	*window
	name  string
	url   string // of its page
	lang  string // of its page; English if empty
	flow  *signup.Flow
	phone *coexistencetest.Phone

	mu        sync.Mutex
	connected []*signup.Connection
}

var hostNumber atomic.Int64

// A hostConfig says what is different in a test.
type hostConfig struct {
	simulate string
	phone    coexistencetest.PhoneConfig
	change   func(h *host, c *signup.Config)
	page     string // of the host, around the tag; the tag alone if empty
	headers  map[string]string
	raw      bool // do not open the page
	plain    bool // http on this machine, with the simulator's own SDK, as in examples/signup
}

const tag = `<script src="/signup/connect.js" defer></script>`

// newHost starts the server of a SaaS at a name of its own, and opens its page in a tab with its
// own cookies and storage.
func newHost(t *testing.T, cfg hostConfig) *host {
	t.Helper()
	needBrowser(t)
	n := hostNumber.Add(1)
	h := &host{name: fmt.Sprintf("tenant%d.saas.example", n)}
	if cfg.phone.Business == "" {
		cfg.phone.Business = "Ovenbird Bakery"
	}
	h.phone = theStage.world.NewPhone(cfg.phone)
	client, err := cloudapi.NewClient(theStage.world.ClientConfig())
	require.NoError(t, err)
	sdk := signup.DefaultSDKURL
	if cfg.simulate != "" {
		sdk += "?simulate=" + cfg.simulate
	}
	sc := signup.Config{
		ConfigurationID: theStage.world.ConfigurationID(), Client: client,
		Page: signup.PageConfig{Tenant: func(*http.Request) (string, error) { return h.name, nil }, SDKURL: sdk},
		Connected: func(_ context.Context, b *signup.Connection) error {
			h.mu.Lock()
			defer h.mu.Unlock()
			h.connected = append(h.connected, b)
			return nil
		},
	}
	if cfg.plain {
		sc.Page.SDKURL = theStage.world.SDKURL()
	}
	if cfg.change != nil {
		cfg.change(h, &sc)
	}
	h.flow, err = signup.NewFlow(sc)
	require.NoError(t, err)
	mux := http.NewServeMux()
	mux.Handle("/signup/", h.flow.Handler())
	mux.HandleFunc("/{$}", func(w http.ResponseWriter, _ *http.Request) {
		maps.Copy(w.Header(), h.flow.PageHeaders())
		for name, value := range cfg.headers {
			w.Header().Set(name, value)
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		page := cfg.page
		if page == "" {
			page = `<main><h1>Your number</h1>` + tag + `</main>`
		}
		_, _ = fmt.Fprint(w, `<!doctype html><html lang="en"><meta charset="utf-8"><title>A SaaS</title>
			<link rel="icon" href="data:,"><link rel="stylesheet" href="/signup/page.css"><body>`+page)
	})
	theStage.hosts.Store(h.name, http.Handler(mux))
	h.url = "https://" + h.name + "/"
	if cfg.plain {
		srv := httptest.NewServer(mux)
		t.Cleanup(srv.Close)
		h.url = srv.URL + "/"
	}
	t.Cleanup(func() { theStage.hosts.Delete(h.name) })

	ctx, cancel := chromedp.NewContext(theStage.ctx, chromedp.WithNewBrowserContext())
	t.Cleanup(cancel)
	h.window = &window{t, ctx}
	require.NoError(t, chromedp.Do(ctx, chromedp.EmulateViewport(900, 820)))
	var mu sync.Mutex
	var thrown []string
	require.NoError(t, chromedp.Listen(ctx, func(ev any) {
		if e, ok := ev.(*runtime.EventExceptionThrown); ok {
			mu.Lock()
			defer mu.Unlock()
			thrown = append(thrown, e.ExceptionDetails.Text)
		}
	}))
	t.Cleanup(func() {
		mu.Lock()
		defer mu.Unlock()
		require.Empty(t, strings.Join(thrown, "\n"), "the page throws")
	})
	if !cfg.raw {
		h.visit()
	}
	return h
}

// visit opens the page, for a test that has prepared something before.
func (h *host) visit() {
	h.t.Helper()
	require.NoError(h.t, chromedp.Do(h.ctx, chromedp.Navigate(h.url)))
}

// inside is a JavaScript expression for an element of the component.
func inside(selector string) string {
	return `document.querySelector("whatsapp-signup")?.shadowRoot.querySelector(` + "`" + selector + "`" + `)`
}

// button is the component's button with a text.
func button(text string) string {
	return `[...(document.querySelector("whatsapp-signup")?.shadowRoot.querySelectorAll("button") ?? [])]` +
		`.find(b => b.textContent === "` + text + `")`
}

// shows waits for a view of the component.
func (h *host) shows(view string) {
	h.t.Helper()
	h.await(`document.querySelector("whatsapp-signup")?.dataset.view === "` + view + `"`)
}

// outcome is what the component says of the end, an Outcome of package signup.
func (h *host) outcome() string {
	h.t.Helper()
	return evaluate[string](h.window, `document.querySelector("whatsapp-signup").dataset.outcome ?? ""`)
}

const start = "Continue with Facebook"

// start clicks on the button and returns the popup.
func (h *host) start() *window {
	h.t.Helper()
	h.shows("invite")
	h.click(button(start))
	return h.open("/dialog/oauth")
}

// business returns the one that was connected.
func (h *host) business() *signup.Connection {
	h.t.Helper()
	h.mu.Lock()
	defer h.mu.Unlock()
	require.Len(h.t, h.connected, 1)
	return h.connected[0]
}

// notConnected fails if a business was connected.
func (h *host) notConnected() {
	h.t.Helper()
	h.mu.Lock()
	defer h.mu.Unlock()
	require.Empty(h.t, h.connected)
}

// id is an element of the popup.
func id(name string) string { return `document.getElementById("` + name + `")` }

// screen waits for a screen of the popup.
func (w *window) screen(name coexistencetest.Screen) {
	w.t.Helper()
	w.await(id("screen") + `?.dataset.screen === "` + string(name) + `"`)
}

// toVerification goes through the popup until the phone is asked.
func (h *host) toVerification(popup *window) {
	h.t.Helper()
	popup.click(id("existing"))
	popup.fill(id("number"), h.phone.PhoneNumber())
	popup.click(id("next"))
	popup.screen(coexistencetest.ScreenVerify)
}

// toReview goes through the popup until its last screen.
func (h *host) toReview(popup *window) {
	h.t.Helper()
	h.toVerification(popup)
	require.NoError(h.t, h.phone.Confirm(coexistencetest.HistoryShared))
	popup.fill(id("code"), h.phone.LastCode())
	popup.click(id("verify"))
	popup.screen(coexistencetest.ScreenReview)
}

// complete goes through the popup to its end.
func (h *host) complete(popup *window) {
	h.t.Helper()
	h.toReview(popup)
	popup.click(id("finish"))
}

// checkEligibility refuses Nigerian numbers, whatever the day of the test.
var checkEligibility = eligibility.PageCheck(func(time.Time) eligibility.Policy { return eligibility.DefaultPolicy })
