package browser_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/coexistencetest"
)

// A stage is what all tests share: one browser, and one TLS server that is every host it talks to.
type stage struct {
	world *coexistencetest.World
	hosts sync.Map // host name → http.Handler
	ctx   context.Context
}

var theStage *stage

// needBrowser skips a test where there is no browser. Whatever touches the stage before it has a
// host calls it first.
func needBrowser(t *testing.T) {
	t.Helper()
	if theStage == nil {
		t.Skip("no Chromium on this machine; install the package chromium")
	}
}

func TestMain(m *testing.M) { os.Exit(run(m)) }

// run starts the browser once for all tests: that takes seconds. The true names of Meta and of all
// hosts resolve to one TLS server of the test, whose certificate the browser does not look at.
func run(m *testing.M) int {
	var path string
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "headless-shell"} {
		if p, err := exec.LookPath(name); err == nil {
			path = p
			break
		}
	}
	if path == "" {
		return m.Run() // every test skips
	}
	s := &stage{world: coexistencetest.NewWorld(coexistencetest.Config{})}
	defer s.world.Close()
	meta, err := url.Parse(s.world.URL)
	if err != nil {
		panic(err)
	}
	proxy := httputil.NewSingleHostReverseProxy(meta)
	for _, host := range []string{"www.facebook.com", "connect.facebook.net"} {
		s.hosts.Store(host, http.Handler(proxy))
	}
	srv := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h, ok := s.hosts.Load(r.Host)
		if !ok {
			http.NotFound(w, r)
			return
		}
		h.(http.Handler).ServeHTTP(w, r)
	}))
	defer srv.Close()
	_, port, _ := strings.Cut(strings.TrimPrefix(srv.URL, "https://"), ":")
	data, err := os.MkdirTemp("", "browser")
	if err != nil {
		panic(err)
	}
	defer func() { _ = os.RemoveAll(data) }()
	opts := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path), chromedp.UserDataDir(data),
		chromedp.NoSandbox, chromedp.DisableGPU, chromedp.IgnoreCertErrors,
		chromedp.Flag("host-resolver-rules", "MAP * 127.0.0.1:"+port+", EXCLUDE 127.0.0.1"),
		chromedp.Flag("disable-popup-blocking", false), chromedp.Flag("disable-quic", true),
		chromedp.Flag("no-first-run", true), chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-sync", true),
	)
	alloc, cancel := chromedp.NewExecAllocator(context.Background(), opts...)
	defer cancel()
	ctx, cancel := chromedp.NewContext(alloc)
	defer cancel()
	if err := chromedp.Do(ctx, chromedp.Navigate("about:blank")); err != nil {
		panic(fmt.Sprintf("browser: Chromium is there and does not start: %v", err))
	}
	s.ctx = ctx
	theStage = s
	return m.Run()
}

// A window is a tab or a popup.
type window struct {
	t   *testing.T
	ctx context.Context
}

// timeout is how long a condition may take on a slow machine.
const timeout = 40 * time.Second

// evaluate returns what a JavaScript expression yields.
func evaluate[T any](w *window, js string) T {
	w.t.Helper()
	v, err := chromedp.Run(w.ctx, chromedp.Evaluate[T](js))
	require.NoError(w.t, err, js)
	return v
}

// await waits until a JavaScript expression is true.
func (w *window) await(js string) {
	w.t.Helper()
	w.awaitWithin(timeout, js)
}

// awaitWithin is await for what takes its time on any machine.
func (w *window) awaitWithin(limit time.Duration, js string) {
	w.t.Helper()
	deadline := time.Now().Add(limit)
	for {
		ok, err := chromedp.Run(w.ctx, chromedp.Evaluate[bool]("Boolean("+js+")"))
		if err == nil && ok {
			return
		}
		if time.Now().After(deadline) {
			text, _ := chromedp.Run(w.ctx, chromedp.Evaluate[string](`document.body.innerText + " | " +
				(document.querySelector("whatsapp-signup")?.shadowRoot.textContent ?? "")`))
			require.FailNow(w.t, "the page does not get there", "%s\nerror %v\nshown: %s", js, err, text)
		}
		time.Sleep(30 * time.Millisecond) // a condition is polled, nothing depends on the pause
	}
}

// click clicks with the mouse on what a JavaScript expression yields, once or so many times. A
// script's click() would not do: browsers open popups for people only.
func (w *window) click(js string, times ...int64) {
	w.t.Helper()
	// While a page still loads, what is on it moves.
	w.await("document.readyState === `complete` && " + js + ` && !(` + js + `).disabled`)
	type point struct{ X, Y float64 }
	p := evaluate[point](w, `(() => {
		const e = `+js+`; e.scrollIntoView({block: "center"}); const r = e.getBoundingClientRect();
		return {X: r.x + r.width / 2, Y: r.y + r.height / 2} })()`)
	n := int64(1)
	if len(times) > 0 {
		n = times[0]
	}
	for range n {
		require.NoError(w.t, chromedp.Do(w.ctx, chromedp.MouseClickXY(p.X, p.Y)))
	}
}

// fill types into what a JavaScript expression yields.
func (w *window) fill(js, text string) {
	w.t.Helper()
	w.await(js)
	evaluate[bool](w, `(() => { const e = `+js+`; e.focus(); e.value = ""; return true })()`)
	require.NoError(w.t, chromedp.Do(w.ctx, chromedp.KeyEvent(text)))
}

// choose chooses a value of the list that a JavaScript expression yields.
func (w *window) choose(js, value string) {
	w.t.Helper()
	w.await(js)
	evaluate[bool](w, fmt.Sprintf(`(() => { (%s).value = %q; return true })()`, js, value))
}

// shoot leaves a picture in the folder that COEXISTENCE_SCREENSHOTS names, if it names one.
func (w *window) shoot(name string) {
	w.t.Helper()
	dir := os.Getenv("COEXISTENCE_SCREENSHOTS")
	if dir == "" {
		return
	}
	time.Sleep(250 * time.Millisecond) // for what is on its way onto the picture; nothing depends on it
	png, err := chromedp.Run(w.ctx, chromedp.FullScreenshot(100))
	require.NoError(w.t, err)
	require.NoError(w.t, os.WriteFile(filepath.Join(dir, name+".png"), png, 0o600))
}

// judge has axe-core look at the page, and leaves a picture.
func (w *window) judge(name string) {
	w.t.Helper()
	w.accessible(name, allRules)
	w.shoot(name)
}

// open attaches to a window that this one opened, when it is there.
func (w *window) open(part string) *window {
	w.t.Helper()
	own := chromedp.FromContext(w.ctx).Target.TargetID
	deadline := time.Now().Add(timeout)
	for {
		infos, err := chromedp.Targets(w.ctx)
		require.NoError(w.t, err)
		for _, info := range infos {
			if info.Type == "page" && info.OpenerID == own && strings.Contains(info.URL, part) {
				return w.attach(info.TargetID)
			}
		}
		require.True(w.t, time.Now().Before(deadline), "no window of %s opens", part)
		time.Sleep(30 * time.Millisecond)
	}
}

// opened counts the windows that this one has open.
func (w *window) opened() int {
	w.t.Helper()
	own := chromedp.FromContext(w.ctx).Target.TargetID
	infos, err := chromedp.Targets(w.ctx)
	require.NoError(w.t, err)
	var n int
	for _, info := range infos {
		if info.OpenerID == own {
			n++
		}
	}
	return n
}

// attach returns a window that is open already, with which this test can do the same.
func (w *window) attach(id target.ID) *window {
	ctx, cancel := chromedp.NewContext(w.ctx, chromedp.WithTargetID(id))
	w.t.Cleanup(cancel)
	other := &window{w.t, ctx}
	require.NoError(w.t, chromedp.Do(ctx, chromedp.Evaluate[chromedp.Void]("0")))
	return other
}
