package browser_test

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/cloudapitest"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/coexistencetest"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/signup"
)

// A look is how a person sees the page.
type look struct {
	width  int64
	scheme string
}

func (l look) String() string { return fmt.Sprintf("%d-%s", l.width, l.scheme) }

// looks has each width twice. The first two looks differ in everything.
var looks = []look{{390, "dark"}, {1440, "light"}, {390, "light"}, {1440, "dark"}}

// scheme has the page seen by day or by night, and waits until it is.
func (w *window) scheme(name string) {
	w.t.Helper()
	require.NoError(w.t, chromedp.Do(w.ctx, chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		_, err := cdp.Call(ctx, target, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: name}},
		})
		return err
	})))
	w.await("matchMedia(`(prefers-color-scheme: " + name + ")`).matches && document.getAnimations().every(" +
		"(a) => a.playState !== `running` || a.effect.getTiming().iterations === Infinity)")
}

// inEveryLook looks at the page on small and large screens, by day and by night, and leaves
// pictures. All rules look at each width once. Day and night differ in colors alone (light-dark()
// and custom properties of colors), so the rules about colors look at both.
func (w *window) inEveryLook(name string) {
	w.t.Helper()
	for i, l := range looks {
		require.NoError(w.t, chromedp.Do(w.ctx, chromedp.EmulateViewport(l.width, 860)))
		w.await(fmt.Sprintf("innerWidth === %d", l.width))
		w.scheme(l.scheme)
		wide := evaluate[int](w, `document.scrollingElement.scrollWidth - document.documentElement.clientWidth`)
		require.LessOrEqual(w.t, wide, 0, "%s, %s: it scrolls sideways", name, l)
		rules := allRules
		if i >= 2 {
			rules = colorRules
		}
		w.accessible(name+"-"+l.String(), rules)
		w.shoot(name + "-" + l.String())
	}
}

const autoTag = `<meta name="viewport" content="width=device-width, initial-scale=1">
	<main><h1>Your number</h1><script src="/signup/connect.js" defer data-theme="auto"></script></main>`

// through opens the page of a host in a look.
func (l look) through(t *testing.T, cfg hostConfig) *host {
	t.Helper()
	cfg.page, cfg.raw = autoTag, true
	h := newHost(t, cfg)
	require.NoError(t, chromedp.Do(h.ctx, chromedp.EmulateViewport(l.width, 844)))
	h.scheme(l.scheme)
	h.visit()
	return h
}

// faults lists what axe-core does not look for: edges of fields, what is low for a thumb, what is
// wider than its place, what is read aloud and in which language.
const faults = `(() => {
	const host = document.querySelector("whatsapp-signup"), root = host.shadowRoot, bad = [];
	const numbers = (color) => color.match(/[\d.]+/g).map(Number);
	const light = ([r, g, b]) => {
		const [x, y, z] = [r, g, b].map((c) => (c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
		return 0.2126 * x + 0.7152 * y + 0.0722 * z;
	};
	const contrast = (a, b) => { const [x, y] = [light(a), light(b)].sort((a, b) => b - a); return (x + 0.05) / (y + 0.05) };
	const behind = (e) => {
		for (let n = e; n; n = n.parentElement ?? n.getRootNode().host) {
			const c = numbers(getComputedStyle(n).backgroundColor);
			if (c.length < 4 || c[3] > 0) return c;
		}
		return [255, 255, 255];
	};
	for (const e of root.querySelectorAll("input:not([type=radio]), select")) {
		if (contrast(numbers(getComputedStyle(e).borderTopColor), behind(e.parentElement)) < 3) bad.push("a field whose edge is faint: " + e.name);
	}
	for (const e of root.querySelectorAll("button")) {
		if (e.getBoundingClientRect().height < 40) bad.push("a button that is low for a thumb: " + e.textContent);
	}
	const live = root.querySelector("[aria-live]");
	if (live === null || live.lang !== "en" /* or the language of the test */) bad.push("nothing is read aloud, or in no language");
	const wide = document.scrollingElement.scrollWidth - document.documentElement.clientWidth;
	if (wide > 0) bad.push("scrolls sideways by " + wide);
	for (const e of root.querySelectorAll(".view *")) if (e.scrollWidth > e.clientWidth + 1 && getComputedStyle(e).display === "block" && !e.matches(".hidden")) bad.push("spills over: " + e.textContent.slice(0, 40));
	return bad.join("\n");
})()`

// inspect fails if the page has faults, and leaves a picture.
func (h *host) inspect(name string) {
	h.t.Helper()
	h.inspectBy(name, allRules)
}

func (h *host) inspectBy(name, rules string) {
	h.t.Helper()
	inLanguage := strings.Replace(faults, `"en"`, strconv.Quote(cmp.Or(h.lang, "en")), 1)
	require.Empty(h.t, evaluate[string](h.window, inLanguage), name)
	h.accessible(name, rules)
	h.shoot(name)
}

// inspectByDayAndNight is inspect by day, and by night for what colors change.
func (h *host) inspectByDayAndNight(name string, width int64) {
	h.t.Helper()
	for scheme, rules := range map[string]string{"light": allRules, "dark": colorRules} {
		h.scheme(scheme)
		h.inspectBy(name+"-"+look{width, scheme}.String(), rules)
	}
}

// focused waits until the focus is on the heading of a view, for people who listen to the page or
// use a keyboard.
func (h *host) focused() {
	h.t.Helper()
	h.await(`document.querySelector("whatsapp-signup").shadowRoot.activeElement?.tagName === "H2"`)
}

const hostile = `<img src=x onerror="window.pwned=1"><script>window.pwned=1</script>"'&` + "\u202e"

func TestThePageInEveryLook(t *testing.T) {
	t.Parallel()
	for _, l := range looks[:2] {
		t.Run(l.String(), func(t *testing.T) {
			t.Parallel()
			h := l.through(t, hostConfig{change: func(_ *host, c *signup.Config) { c.Page.Check = checkEligibility }})
			h.shows("check")
			require.False(t, evaluate[bool](h.window,
				`document.activeElement === `+
					`document.querySelector("whatsapp-signup")`), "a page that opens keeps its focus")
			h.inspectByDayAndNight("40-check", l.width)
			h.fill(inside("#number"), "+234 803 555 0101")
			h.fill(inside("#app_version"), "2.23.1")
			h.click(button("Check"))
			h.shows("refused")
			h.inspectByDayAndNight("41-refused", l.width)
			h.fill(inside("#number"), h.phone.PhoneNumber())
			h.fill(inside("#app_version"), "2.24.17.79")
			h.click(button("Check"))
			h.shows("invite")
			h.focused()
			h.inspectByDayAndNight("42-invite", l.width)
			popup := h.start()
			h.shows("popup")
			h.focused()
			h.inspectByDayAndNight("43-popup", l.width)
			h.complete(popup)
			h.shows("done")
			h.focused()
			h.inspectByDayAndNight("44-done", l.width)
		})
	}
}

func TestAStoppedSignupInEveryLook(t *testing.T) {
	t.Parallel()
	for _, l := range looks[:2] {
		t.Run(l.String(), func(t *testing.T) {
			t.Parallel()
			h := l.through(t, hostConfig{})
			popup := h.start()
			popup.click(id("close"))
			h.shows("stopped")
			h.focused()
			h.inspect("45-left-" + l.String())
		})
	}
}

// Names and numbers are what strangers wrote.
func TestHostileWordsAreJustWords(t *testing.T) {
	t.Parallel()
	for _, l := range looks[:2] {
		t.Run(l.String(), func(t *testing.T) {
			t.Parallel()
			name := hostile + strings.Repeat("W", 3000)
			added := make(chan bool, 1)
			phone := coexistencetest.PhoneConfig{Business: name}
			h := l.through(t, hostConfig{phone: phone, change: func(h *host, c *signup.Config) {
				c.Page.Check = func(context.Context, string, signup.CheckParams) (signup.CheckResult, error) {
					if len(added) == 0 {
						added <- true
						return signup.CheckResult{Reasons: []signup.CheckReason{{Text: name, Remedy: hostile}}}, nil
					}
					return signup.CheckResult{Eligible: true, Notes: []signup.CheckNote{{Text: name}}}, nil
				}
				once := make(chan bool, 1)
				c.Progress = func(_ context.Context, step signup.Step, _ *signup.Connection) error {
					if step == signup.StepInspect && len(once) == 0 {
						once <- true
						theStage.world.Graph().AddPhone(cloudapitest.Phone{
							WABAs: h.phone.WABAs(), PhoneNumber: "+1 555-010-0189", Name: name,
						})
					}
					return nil
				}
			}})
			h.shows("check")
			h.fill(inside("#number"), hostile)
			h.fill(inside("#app_version"), hostile)
			h.click(button("Check"))
			h.shows("refused")
			h.inspect("46-hostile-reasons-" + l.String())
			h.click(button("Check"))
			h.shows("invite")
			h.inspect("47-hostile-notes-" + l.String())
			popup := h.start()
			h.complete(popup)
			h.shows("choose")
			h.inspect("48-hostile-names-" + l.String())
			require.Contains(t, evaluate[string](h.window, inside("fieldset")+".textContent"), "<img src=x onerror")
			require.False(t, evaluate[bool](h.window, `"pwned" in window ||
				document.querySelector("whatsapp-signup").shadowRoot.querySelector("img, script") !== null`))
		})
	}
}

// The flow for new numbers can end with one that is not verified. The page asks for what is
// missing.
func TestAnOrdinaryNumberIsVerifiedOnThePage(t *testing.T) {
	t.Parallel()
	for _, l := range looks[:2] {
		t.Run(l.String(), func(t *testing.T) {
			t.Parallel()
			h := l.through(t, hostConfig{change: func(_ *host, c *signup.Config) {
				c.Mode = signup.ModeStandard
				c.PIN = func(context.Context, *signup.Connection) (graph.Secret, error) { return "482913", nil }
			}})
			h.shows("invite")
			require.Contains(t, evaluate[string](h.window, inside("h2")+".textContent"), "Connect a number")
			h.inspect("50-ordinary-" + l.String())
			popup := h.start()
			popup.click(id("new"))
			popup.fill(id("number"), "+1 555 019 0"+fmt.Sprint(l.width)[:3]) // of no phone of another test
			popup.click(id("next"))
			popup.screen(coexistencetest.ScreenVerify)
			popup.shoot("51-popup-texted-" + l.String())
			popup.click(id("later"))
			popup.screen(coexistencetest.ScreenReview)
			popup.click(id("finish"))
			h.shows("verify")
			h.inspect("52-verify-" + l.String())
			h.click(button("Send a text message"))
			h.await(inside("#verification"))
			h.focused()
			h.inspect("53-verify-code-" + l.String())
			h.fill(inside("#verification"), "000 000")
			h.click(button("Continue"))
			h.await(inside(".note.bad"))
			h.inspect("54-verify-wrong-" + l.String())
			require.NoError(t, chromedp.Do(h.ctx, chromedp.Reload()))
			h.shows("verify")
			h.await(inside("#verification"))
			all, err := h.flow.Attempts(t.Context(), h.name)
			require.NoError(t, err)
			server := theStage.world.Graph()
			var code string
			for _, a := range all {
				for _, p := range server.Phones(a.Claimed) {
					code = server.VerificationCode(p.ID)
				}
			}
			require.Len(t, code, 6)
			h.fill(inside("#verification"), code)
			h.click(button("Continue"))
			h.shows("done")
			h.inspect("55-ordinary-done-" + l.String())
			b := h.business()
			require.Equal(t, signup.OutcomeReady, b.Outcome)
			got, _ := server.Phone(b.Phone.ID)
			require.False(t, got.Unregistered || got.Unverified)
		})
	}
}

// The check of origins, as the page has it, against every trick that is known.
func TestOnlyMetasOriginsAreHeard(t *testing.T) {
	t.Parallel()
	h := newHost(t, hostConfig{})
	script := httptest.NewRecorder()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/signup/connect.js", nil)
	h.flow.Handler().ServeHTTP(script, r)
	check := regexp.MustCompile(`(?s)function fromMeta\(.*?\n}\n`).FindString(script.Body.String())
	require.NotEmpty(t, check)
	heard := func(t *testing.T, origin, simulator string) bool {
		args, err := json.Marshal([]string{origin, simulator})
		require.NoError(t, err)
		return evaluate[bool](h.window, "(() => { "+check+"; return fromMeta(..."+string(args)+") })()")
	}
	for _, origin := range []string{
		"https://www.facebook.com", "https://web.facebook.com", "https://facebook.com",
		"https://business.facebook.com", "https://www.facebook.com:443",
	} {
		t.Run(origin, func(t *testing.T) { require.True(t, heard(t, origin, "")) })
	}
	for _, origin := range []string{
		"http://www.facebook.com", "https://www.facebook.com:8443", "https://evilfacebook.com",
		"https://facebook.com.evil.example", "https://evil.example/facebook.com",
		"https://evil.example?.facebook.com", "https://evil.example#.facebook.com",
		"https://www.facebook.com@evil.example", "https://www.facebook.com.", "https://xn--facebok-y0a.com",
		"https://faceb\u043e\u043ek.com", "https://www.facebook.com\u3002evil.example", "https://.facebook.com",
		"null", "", "javascript:facebook.com", "blob:https://evil.example/.facebook.com",
		"https://connect.facebook.net", "https://www.facebook.com%2eevil.example", "file:///www.facebook.com",
	} {
		t.Run(origin, func(t *testing.T) { require.False(t, heard(t, origin, "")) })
	}
	t.Run("a simulator", func(t *testing.T) {
		require.True(t, heard(t, "http://127.0.0.1:9", "http://127.0.0.1:9"))
	})
}
