package browser_test

import (
	"bytes"
	"context"
	"fmt"
	"image/png"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"
	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/cloudapitest"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/coexistencetest"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/signup"
)

// What comes back comes as a string or an object, in either order, and each of it may stay away.
func TestBothHalvesComeInEveryForm(t *testing.T) {
	t.Parallel()
	for _, simulate := range []string{
		"", "object", "code-first", "code-first,object,gap-900", "gap-0", "no-message",
	} {
		t.Run("simulate "+simulate, func(t *testing.T) {
			t.Parallel()
			h := newHost(t, hostConfig{simulate: simulate})
			h.complete(h.start())
			h.shows("done")
			b := h.business()
			require.Equal(t, h.phone.ID(), b.Phone.ID)
			require.Equal(t, simulate == "no-message", b.Session == nil)
		})
	}
}

func TestAFinishWithoutACode(t *testing.T) {
	t.Parallel()
	for _, simulate := range []string{"unknown", "no-code"} {
		t.Run("simulate "+simulate, func(t *testing.T) {
			t.Parallel()
			h := newHost(t, hostConfig{simulate: simulate})
			h.complete(h.start())
			h.shows("stopped")
			require.Equal(t, string(signup.OutcomeNoCode), h.outcome())
			h.shoot("20-no-code")
		})
	}
}

func TestTheBusinessLeavesAtEveryScreen(t *testing.T) {
	t.Parallel()
	for screen, goTo := range map[coexistencetest.Screen]func(*host, *window){
		coexistencetest.ScreenBusiness: func(*host, *window) {},
		coexistencetest.ScreenNumber:   func(_ *host, popup *window) { popup.click(id("existing")) },
		coexistencetest.ScreenVerify:   (*host).toVerification,
	} {
		t.Run(string(screen), func(t *testing.T) {
			t.Parallel()
			h := newHost(t, hostConfig{})
			popup := h.start()
			goTo(h, popup)
			popup.screen(screen)
			popup.click(id("close"))
			h.shows("stopped")
			require.Equal(t, "canceled", h.outcome())
			h.shoot("21-canceled")
			h.click(button("Start again"))
			h.complete(h.start())
			h.shows("done")
			h.business()
		})
	}
}

// To Meta the last screen is the end, however it is left.
func TestTheBusinessLeavesAtTheLastScreen(t *testing.T) {
	t.Parallel()
	h := newHost(t, hostConfig{})
	popup := h.start()
	h.toReview(popup)
	popup.click(id("close"))
	h.shows("done")
	h.business()
}

func TestAWindowThatIsJustClosed(t *testing.T) {
	t.Parallel()
	h := newHost(t, hostConfig{})
	popup := h.start()
	h.toVerification(popup)
	_, _ = chromedp.Run(popup.ctx, chromedp.Evaluate[chromedp.Void]("window.close()")) // it may be gone by the answer
	h.shows("closed")
	h.shoot("22-closed")
	h.click(button("Start again"))
	h.complete(h.start())
	h.shows("done")
}

func TestMetaRefusesTheNumber(t *testing.T) {
	t.Parallel()
	h := newHost(t, hostConfig{phone: coexistencetest.PhoneConfig{Refuse: graph.CodeSignupMoreActivityNeeded}})
	popup := h.start()
	popup.click(id("existing"))
	popup.fill(id("number"), h.phone.PhoneNumber())
	popup.click(id("next"))
	popup.await(id("report"))
	popup.shoot("23-popup-refused")
	popup.click(id("report"))
	h.shows("stopped")
	require.Equal(t, "failed", h.outcome())
	info, ok := graph.Lookup(graph.CodeSignupMoreActivityNeeded, 0)
	require.True(t, ok)
	require.Contains(t, evaluate[string](h.window, inside(".note")+".textContent.toLowerCase()"), info.Advice[:10])
	h.shoot("24-failed")
}

func TestThePhoneRefuses(t *testing.T) {
	t.Parallel()
	h := newHost(t, hostConfig{})
	popup := h.start()
	h.toVerification(popup)
	popup.click(id("phone"))
	phone := popup.open("/phone")
	phone.click(id("refuse"))
	popup.await(id("other"))
	popup.shoot("25-popup-phone-refused")
	h.shows("popup")
	popup.click(id("close"))
	h.shows("stopped")
	require.Equal(t, "canceled", h.outcome())
	require.False(t, h.phone.Coexists())
}

func TestAWrongCodeCanBeCorrected(t *testing.T) {
	t.Parallel()
	h := newHost(t, hostConfig{})
	popup := h.start()
	h.toVerification(popup)
	popup.click(id("phone"))
	popup.open("/phone").click(id("keep"))
	wrong := "000000"
	if h.phone.LastCode() == wrong {
		wrong = "111111"
	}
	popup.fill(id("code"), wrong)
	popup.click(id("verify"))
	popup.await(id("report"))
	popup.fill(id("code"), h.phone.LastCode())
	popup.click(id("verify"))
	popup.screen(coexistencetest.ScreenReview)
	popup.click(id("finish"))
	h.shows("done")
}

// The picture on the screen is read by a reader of QR codes, and what it says is scanned by the
// phone.
func TestTheQRCodeCanBeScanned(t *testing.T) {
	t.Parallel()
	h := newHost(t, hostConfig{})
	popup := h.start()
	h.toVerification(popup)
	popup.await(id("qr") + ".complete && " + id("qr") + ".naturalWidth > 0")
	shot, err := chromedp.Run(popup.ctx, chromedp.FullScreenshot(100))
	require.NoError(t, err)
	picture, err := png.Decode(bytes.NewReader(shot))
	require.NoError(t, err)
	bitmap, err := gozxing.NewBinaryBitmapFromImage(picture)
	require.NoError(t, err)
	hints := map[gozxing.DecodeHintType]any{gozxing.DecodeHintType_TRY_HARDER: true}
	code, err := qrcode.NewQRCodeReader().Decode(bitmap, hints)
	require.NoError(t, err)
	require.NoError(t, h.phone.ScanQR(code.GetText()))
	require.NoError(t, h.phone.Confirm(coexistencetest.HistoryShared))
	popup.screen(coexistencetest.ScreenReview)
	popup.click(id("finish"))
	h.shows("done")
}

func TestABlockedPopupIsNoticed(t *testing.T) {
	t.Parallel()
	h := newHost(t, hostConfig{})
	h.shows("invite")
	h.await("!" + button(start) + ".disabled")
	evaluate[bool](h.window, button(start)+`.click() === undefined`) // no gesture of a person, so the browser blocks
	h.shows("popup_blocked")
	h.shoot("26-blocked")
	h.click(button("Try again"))
	h.complete(h.start())
	h.shows("done")
}

func TestADoubleClickOpensOneWindow(t *testing.T) {
	t.Parallel()
	h := newHost(t, hostConfig{})
	h.shows("invite")
	h.await("!" + button(start) + ".disabled")
	evaluate[bool](h.window, `(() => { window.opened = 0; const open = window.open;
		window.open = (...args) => { window.opened++; return open.apply(window, args) }; return true })()`)
	evaluate[bool](h.window, button(start)+
		`.addEventListener("mousedown", e => { window.which = e.target }) === undefined`)
	h.click(button(start), 2)
	popup := h.open("/dialog/oauth")
	h.complete(popup)
	h.shows("done")
	require.Equal(t, 1, evaluate[int](h.window, "window.opened"))
	h.business()
}

// A page with such a name passes the check of Meta's own sample.
func TestAnEvilOriginIsNotHeard(t *testing.T) {
	t.Parallel()
	needBrowser(t)
	const evil = "evilfacebook.com"
	forged := `{"type":"WA_EMBEDDED_SIGNUP","event":"FINISH_WHATSAPP_BUSINESS_APP_ONBOARDING","data":{"waba_id":"666"}}`
	theStage.hosts.Store(evil, http.Handler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = fmt.Fprint(w, `<script>setInterval(() => parent.postMessage('`+forged+`', "*"), 20)</script>`)
	})))
	h := newHost(t, hostConfig{
		page: tag + `<iframe src="https://` + evil + `/"></iframe><script>
			window.heard = 0
			addEventListener("message", e => {
				if (e.origin.endsWith("facebook.com") && !e.origin.includes("www")) window.heard++
			})
		</script>`,
		headers: map[string]string{"Content-Security-Policy": ""},
	})
	popup := h.start()
	before := evaluate[int](h.window, "window.heard")
	h.toReview(popup)
	require.Greater(t, evaluate[int](h.window, "window.heard"), before, "the naive check lets the messages in")
	h.shows("popup")
	popup.click(id("finish"))
	h.shows("done")
	require.Equal(t, h.phone.WABA(), h.business().Session.WABAID)
}

func TestAReloadWhileThePopupIsOpen(t *testing.T) {
	t.Parallel()
	h := newHost(t, hostConfig{})
	popup := h.start()
	h.toVerification(popup)
	require.NoError(t, chromedp.Do(h.ctx, chromedp.Reload()))
	h.shows("invite")
	h.await(inside(".note.info"))
	h.shoot("27-reloaded")
	require.NoError(t, h.phone.Confirm(coexistencetest.HistoryShared))
	popup.fill(id("code"), h.phone.LastCode())
	popup.click(id("verify"))
	popup.screen(coexistencetest.ScreenReview)
	popup.click(id("close")) // its last words reach a page that has not asked for them
	h.shows("invite")
	h.notConnected()
}

func TestAReloadWhileTheServerWorks(t *testing.T) {
	t.Parallel()
	reached, release := make(chan bool, 8), make(chan bool)
	free := sync.OnceFunc(func() { close(release) })
	t.Cleanup(free)
	h := newHost(t, hostConfig{change: func(_ *host, c *signup.Config) {
		c.Progress = func(ctx context.Context, step signup.Step, _ *signup.Connection) error {
			if step == signup.StepVerify {
				reached <- true
				<-release
			}
			return nil
		}
	}})
	h.complete(h.start())
	select {
	case <-reached:
	case <-time.After(timeout):
		require.FailNow(t, "the signup does not get to its verification")
	}
	h.shows("working")
	h.await(`(` + inside(".parts .done") + `)`)
	h.shoot("28-working")
	require.NoError(t, chromedp.Do(h.ctx, chromedp.Reload()))
	h.shows("working")
	free()
	h.shows("done")
	h.business()
}

func TestOneOfTwoNumbersIsChosen(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var other cloudapitest.Phone
	h := newHost(t, hostConfig{change: func(h *host, c *signup.Config) {
		c.Progress = func(_ context.Context, step signup.Step, _ *signup.Connection) error {
			mu.Lock()
			defer mu.Unlock()
			if step == signup.StepInspect && other.ID == "" { // the business has another one that coexists
				other = theStage.world.Graph().AddPhone(cloudapitest.Phone{
					WABAs: h.phone.WABAs(), PhoneNumber: "+1 555-010-0188", Name: "Ovenbird Café",
				})
			}
			return nil
		}
	}})
	h.complete(h.start())
	h.shows("choose")
	h.shoot("29-choose")
	mu.Lock()
	want := other.ID
	mu.Unlock()
	h.click(inside(`input[value="` + string(want) + `"]`))
	h.click(button("Connect this number"))
	h.shows("done")
	require.Equal(t, want, h.business().Phone.ID)
}

func TestTheSDKIsBlockedAndARedirectHelps(t *testing.T) {
	t.Parallel()
	h := newHost(t, hostConfig{change: func(h *host, c *signup.Config) {
		c.Page.SDKURL = "https://connect.facebook.net/blocked/sdk.js"
		c.Page.RedirectURI = "https://" + h.name + "/signup/back"
		c.Page.PageURL = "/"
	}})
	h.shows("sdk_blocked")
	h.shoot("30-sdk-blocked")
	h.click(button("Continue in this window"))
	h.await(`location.hostname === "www.facebook.com" && ` + id("existing"))
	h.complete(h.window)
	h.await(`location.hostname === "` + h.name + `"`)
	h.shows("done")
	require.Equal(t, "/", evaluate[string](h.window, "location.pathname + location.search"))
	require.Equal(t, h.phone.ID(), h.business().Phone.ID)
}

func TestARedirectIsCanceled(t *testing.T) {
	t.Parallel()
	h := newHost(t, hostConfig{change: func(h *host, c *signup.Config) {
		c.Page.SDKURL = "https://connect.facebook.net/blocked/sdk.js"
		c.Page.RedirectURI = "https://" + h.name + "/signup/back"
	}})
	h.shows("sdk_blocked")
	h.click(button("Continue in this window"))
	h.await(`location.hostname === "www.facebook.com" && ` + id("close"))
	h.click(id("close"))
	h.await(`location.hostname === "` + h.name + `"`)
	h.shows("stopped")
	require.Equal(t, "canceled", h.outcome())
	require.Equal(t, "/signup/", evaluate[string](h.window, "location.pathname + location.search"),
		"the handler's own page")
}

// A host's header cuts the popup off from the page. Nothing comes back then, and the page must not
// wait forever.
func TestAnOpenerPolicyThatCutsThePopupOff(t *testing.T) {
	t.Parallel()
	h := newHost(t, hostConfig{headers: map[string]string{"Cross-Origin-Opener-Policy": "same-origin"}})
	h.shows("invite")
	h.click(button(start))
	h.shows("closed")
}

func TestTheServerCannotBeReachedForAWhile(t *testing.T) {
	t.Parallel()
	h := newHost(t, hostConfig{raw: true})
	handler, _ := theStage.hosts.Load(h.name)
	var up atomic.Bool
	theStage.hosts.Store(h.name, http.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !up.Load() && r.Method == http.MethodPost {
			panic(http.ErrAbortHandler)
		}
		handler.(http.Handler).ServeHTTP(w, r)
	})))
	h.visit()
	h.shows("offline")
	h.shoot("31-offline")
	up.Store(true)
	h.click(button("Try again"))
	h.shows("invite")
}

func TestAWindowThatStaysOpenForTooLong(t *testing.T) {
	t.Parallel()
	h := newHost(t, hostConfig{change: func(_ *host, c *signup.Config) { c.AttemptTTL = 10 * time.Second }})
	h.shows("invite")
	h.click(button(start))
	h.shows("timed_out")
	h.shoot("32-timed-out")
}

// A page that stood open over lunch still has a state that is good for a whole signup.
func TestAPageThatStaysOpenForTooLong(t *testing.T) {
	t.Parallel()
	h := newHost(t, hostConfig{change: func(_ *host, c *signup.Config) {
		c.AttemptTTL = time.Minute // for a whole signup, on a slow machine
	}})
	h.shows("invite")
	evaluate[bool](h.window, `(() => {
		window.begun = 0; const f = window.fetch;
		window.fetch = (url, ...more) => { if (String(url).endsWith("begin")) window.begun++; return f(url, ...more) };
		return true })()`)
	h.awaitWithin(time.Minute+timeout, "window.begun > 0")
	h.complete(h.start())
	h.shows("done")
	h.business()
}

// Versions that ended lead to the flow for new numbers, and everything looks like success.
func TestAnEndedVersionFallsBackAndIsNoticed(t *testing.T) {
	t.Parallel()
	h := newHost(t, hostConfig{change: func(_ *host, c *signup.Config) {
		c.Page.LaunchFor = func(context.Context, string) (signup.LaunchOptions, error) {
			return signup.LaunchOptions{Version: signup.Version3}, nil
		}
	}})
	popup := h.start()
	popup.await(id("new") + " && !" + id("existing"))
	popup.shoot("33-popup-fallback")
	popup.click(id("new"))
	popup.fill(id("number"), "+1 555 010 0177")
	popup.click(id("next"))
	popup.screen(coexistencetest.ScreenVerify)
	texted := theStage.world.TextedCode("+1 555 010 0177")
	popup.fill(id("code"), texted)
	popup.click(id("verify"))
	popup.screen(coexistencetest.ScreenReview)
	popup.click(id("finish"))
	h.shows("stopped")
	require.Equal(t, "fell_back", h.outcome())
	h.shoot("34-fell-back")
	h.notConnected()
}

func TestANumberOfAnotherTenant(t *testing.T) {
	t.Parallel()
	h := newHost(t, hostConfig{change: func(_ *host, c *signup.Config) {
		c.Reserve = func(context.Context, string, graph.WABAID, graph.PhoneNumberID) error { return signup.ErrTaken }
	}})
	h.complete(h.start())
	h.shows("stopped")
	require.Equal(t, "taken", h.outcome())
	h.shoot("35-taken")
	h.notConnected()
}

// On some phones the browser leaves the page instead of opening a window, and comes back to it with
// the code.
func TestAPopupThatTurnsIntoARedirect(t *testing.T) {
	t.Parallel()
	h := newHost(t, hostConfig{simulate: "redirect"})
	h.shows("invite")
	h.click(button(start))
	h.await(`location.hostname === "www.facebook.com" && ` + id("existing"))
	h.complete(h.window)
	h.shows("done")
	require.Equal(t, h.url, evaluate[string](h.window, "location.href"), "the code does not stay in the address")
	require.Nil(t, h.business().Session)
}

// The page is at one name, and the handler that its script talks to at another.
func TestAPageOfAnotherOrigin(t *testing.T) {
	t.Parallel()
	h := newHost(t, hostConfig{raw: true, change: func(h *host, c *signup.Config) {
		c.Page.TrustedOrigins = []string{"https://" + h.name}
	}})
	v, _ := theStage.hosts.Load(h.name)
	api := "api-" + h.name
	theStage.hosts.Store(api, v)
	t.Cleanup(func() { theStage.hosts.Delete(api) })
	theStage.hosts.Store(h.name, http.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/" {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = fmt.Fprint(w, `<!doctype html><title>A SaaS</title><main>
			<script src="https://`+api+`/signup/connect.js" defer></script></main>`)
	})))
	h.visit()
	h.complete(h.start())
	h.shows("done")
	h.business()
}

// A stranger's code in the address is not submitted in the name of a business that has a window of
// Facebook open, or had one.
func TestACodeInTheAddressOfAPageThatOpenedAWindow(t *testing.T) {
	t.Parallel()
	h := newHost(t, hostConfig{raw: true})
	v, _ := theStage.hosts.Load(h.name)
	handler := v.(http.Handler)
	var finished atomic.Int64
	theStage.hosts.Store(h.name, http.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/signup/finish" {
			finished.Add(1)
		}
		handler.ServeHTTP(w, r)
	})))
	h.visit()
	h.start()
	h.shows("popup")
	for range 2 {
		require.NoError(t, chromedp.Do(h.ctx, chromedp.Navigate(h.url+"?code=of-somebody-else&state=x")))
		h.shows("invite")
	}
	require.NoError(t, chromedp.Do(h.ctx, chromedp.Navigate(h.url)))
	h.shows("invite")
	require.Zero(t, finished.Load())
	h.notConnected()
}

// The answer gets lost while the server goes on. The page must neither give up nor submit the code
// for nothing.
func TestTheAnswerToAFinishGetsLost(t *testing.T) {
	t.Parallel()
	release := make(chan bool)
	free := sync.OnceFunc(func() { close(release) })
	t.Cleanup(free)
	h := newHost(t, hostConfig{raw: true, change: func(_ *host, c *signup.Config) {
		c.Progress = func(_ context.Context, step signup.Step, _ *signup.Connection) error {
			if step == signup.StepDiscover {
				<-release
			}
			return nil
		}
	}})
	v, _ := theStage.hosts.Load(h.name)
	handler := v.(http.Handler)
	var lost atomic.Bool
	var server sync.WaitGroup
	t.Cleanup(func() { free(); server.Wait() })
	theStage.hosts.Store(h.name, http.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/signup/finish" || lost.Swap(true) {
			handler.ServeHTTP(w, r)
			return
		}
		body, err := io.ReadAll(r.Body)
		if err != nil {
			panic(http.ErrAbortHandler)
		}
		again := r.Clone(context.WithoutCancel(r.Context()))
		again.Body = io.NopCloser(bytes.NewReader(body))
		server.Go(func() { handler.ServeHTTP(httptest.NewRecorder(), again) })
		w.WriteHeader(http.StatusBadGateway) // of a proxy that did not wait
	})))
	h.visit()
	h.complete(h.start())
	h.shows("offline")
	h.click(button("Try again"))
	h.shows("working")
	free()
	h.shows("done")
	h.business()
}

// The page of another product, with the listener as Meta's documentation has it, works as it is.
func TestMetasDocumentedListenerWorksUnchanged(t *testing.T) {
	t.Parallel()
	h := newHost(t, hostConfig{raw: true})
	b, err := os.ReadFile("../clients/listener.html")
	require.NoError(t, err)
	app := theStage.world.ClientConfig()
	page := strings.NewReplacer(
		"APP_ID", string(app.AppID), "CONFIGURATION_ID", theStage.world.ConfigurationID()).Replace(string(b))
	theStage.hosts.Store(h.name, http.Handler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write([]byte(page))
	})))
	h.visit()
	h.await(`document.body?.dataset.ready === "yes"`)
	h.click(id("login"))
	popup := h.open("/dialog/oauth")
	require.Equal(t, "https://www.facebook.com", evaluate[string](popup, "location.origin"))
	h.complete(popup)
	h.await(id("session") + ".textContent && " + id("response") + ".textContent")
	session, err := signup.ParseSessionInfo([]byte(evaluate[string](h.window, id("session")+".textContent")))
	require.NoError(t, err)
	require.Equal(t, signup.EventFinishBusinessApp, session.Event)
	response, err := signup.ParseLoginResponse([]byte(evaluate[string](h.window, id("response")+".textContent")))
	require.NoError(t, err)
	require.NotEmpty(t, response.Code)
}
