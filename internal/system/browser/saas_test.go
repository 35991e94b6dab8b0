package browser_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/coexistencetest"
)

// A product is examples/saas as a process, with its own simulator.
type product struct {
	url string
}

var productAddress = regexp.MustCompile(`http://[0-9.:]+`)

// startProduct builds and starts it, and stops it at the end of the test as a service manager
// would.
func startProduct(t *testing.T) *product {
	t.Helper()
	needBrowser(t)
	binary := filepath.Join(t.TempDir(), "saas")
	const path = "github.com/seed-9f2bcc2b/whatsapp-coexistence/examples/saas"
	out, err := exec.CommandContext(t.Context(), "go", "build", "-o", binary, path).CombinedOutput()
	require.NoError(t, err, string(out))
	cmd := exec.Command(binary, "-addr", "127.0.0.1:0", "-ops", "", "-dir", t.TempDir())
	cmd.Stderr = os.Stderr
	stdout, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		require.NoError(t, cmd.Process.Signal(syscall.SIGTERM))
		require.NoError(t, cmd.Wait(), "it ends by itself")
	})
	line, err := bufio.NewReader(stdout).ReadString('\n')
	require.NoError(t, err)
	go func() { _, _ = io.Copy(io.Discard, stdout) }()
	return &product{url: productAddress.FindString(line)}
}

// visit opens a browser of its own on a page of the product.
func (p *product) visit(t *testing.T, path string) *window {
	t.Helper()
	ctx, cancel := chromedp.NewContext(theStage.ctx, chromedp.WithNewBrowserContext())
	t.Cleanup(cancel)
	w := &window{t, ctx}
	require.NoError(t, chromedp.Do(ctx, chromedp.EmulateViewport(1440, 900), chromedp.Navigate(p.url+path)))
	return w
}

// q is an element of the page, and text the text of one, or an empty one.
func q(selector string) string { return "document.querySelector(`" + selector + "`)" }

// onPhone is an element of the simulated phone beside the page.
func onPhone(selector string) string {
	return "document.querySelector(`#phone iframe`).contentDocument.querySelector(`" + selector + "`)"
}

func text(js string) string { return "(" + js + "?.innerText ?? ``)" }

// press does on the phone what one of its buttons does.
func (w *window) press(do string) {
	w.t.Helper()
	w.await(onPhone(`[data-do="`+do+`"]`) + " !== null")
	evaluate[bool](w, onPhone(`[data-do="`+do+`"]`)+".click() === undefined")
}

// talks writes a message on the phone, as the business or as the customer whose chat is open there.
func (w *window) talks(as, said string) {
	w.t.Helper()
	w.await(onPhone("#compose") + " && !" + onPhone("#compose") + ".hidden")
	evaluate[bool](w, fmt.Sprintf(`(() => {
		const f = %s; f.elements.as.value = %q; f.elements.text.value = %q; f.requestSubmit(); return true })()`,
		onPhone("#compose"), as, said))
}

// stumbles lists what a person with bad eyes, a keyboard, a screen reader or a small screen would
// stumble over on a page of the product.
const stumbles = `(() => {
	const bad = [], shown = (e) => e.checkVisibility() && !e.closest(".hidden, .skip, svg");
	const numbers = (color) => color.match(/-?[\d.]+(e-?\d+)?/g).map(Number).map((n, i) => color.startsWith("color(") && i < 3 ? n * 255 : n);
	const light = ([r, g, b]) => {
		const [x, y, z] = [r, g, b].map((c) => (c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
		return 0.2126 * x + 0.7152 * y + 0.0722 * z;
	};
	const contrast = (a, b) => { const [x, y] = [light(a), light(b)].sort((a, b) => b - a); return (x + 0.05) / (y + 0.05) };
	const behind = (e) => {
		for (let n = e; n; n = n.parentElement) {
			const c = numbers(getComputedStyle(n).backgroundColor);
			if (c.length < 4 || c[3] > 0) return c;
		}
		return [255, 255, 255];
	};
	for (const e of document.body.querySelectorAll("*")) {
		const says = [...e.childNodes].some((n) => n.nodeType === Node.TEXT_NODE && n.textContent.trim() !== "");
		if (!says || !shown(e)) continue;
		const c = contrast(numbers(getComputedStyle(e).color), behind(e));
		if (c < 4.5) bad.push("contrast " + c.toFixed(2) + ": " + e.textContent.trim().slice(0, 40));
	}
	for (const e of document.querySelectorAll("input:not([type=hidden]), select, textarea")) if (e.labels.length === 0) bad.push("a field without a label: " + e.name);
	for (const e of document.querySelectorAll("a, button")) if (e.textContent.trim() === "" && !e.ariaLabel) bad.push("a link or button without a name");
	for (const e of document.querySelectorAll("img")) if (!e.hasAttribute("alt")) bad.push("a picture without words");
	const ids = [...document.querySelectorAll("[id]")].map((e) => e.id);
	for (const id of new Set(ids)) if (ids.filter((i) => i === id).length > 1) bad.push("an id that is there twice: " + id);
	if (document.querySelectorAll("h1").length !== 1) bad.push("not one first heading");
	if (document.querySelectorAll("main").length !== 1) bad.push("not one main part");
	const wide = document.scrollingElement.scrollWidth - document.documentElement.clientWidth;
	if (wide > 0) bad.push("scrolls sideways by " + wide);
	return [...new Set(bad)].join("\n");
})()`

// pictures looks at the page as a small and a large screen have it, by day and by night, and leaves
// pictures as shoot does.
func (w *window) pictures(name string) {
	w.t.Helper()
	for _, l := range looks {
		media := func(ctx context.Context, t *chromedp.Target) (chromedp.Void, error) {
			_, err := cdp.Call(ctx, t, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
				Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: l.scheme}},
			})
			return chromedp.Void{}, err
		}
		require.NoError(w.t, chromedp.Do(w.ctx, media, chromedp.EmulateViewport(l.width, 860)))
		w.await(fmt.Sprintf("innerWidth === %d && matchMedia(`(prefers-color-scheme: %s)`).matches", l.width, l.scheme))
		w.await(`document.getAnimations().every(
			(a) => a.playState !== "running" || a.effect.getTiming().iterations === Infinity)`)
		require.Empty(w.t, evaluate[string](w, stumbles), "%s, %s", name, l)
		w.shoot("saas-" + name + "-" + l.String())
	}
	require.NoError(w.t, chromedp.Do(w.ctx, chromedp.EmulateViewport(1440, 900)))
}

// signsUp creates a business and ends on the page where it connects its number.
func (w *window) signsUp(name, email string) {
	w.t.Helper()
	form := `#create `
	w.fill(q(form+"[name=name]"), name)
	w.fill(q(form+"[name=email]"), email)
	w.fill(q(form+"[name=password]"), "a long password")
	w.click(q(form + "button"))
	w.await(q("whatsapp-signup") + " !== null")
}

// connects takes the number of the phone beside the page through everything, and shares the chats.
func (w *window) connects() {
	w.t.Helper()
	w.await(text(onPhone("#number")))
	number := evaluate[string](w, text(onPhone("#number")))
	w.fill(inside("#number"), number)
	w.fill(inside("#app_version"), "2.24.17.79")
	w.click(button("Check"))
	w.await(q("whatsapp-signup") + ".dataset.view === `invite`")
	w.click(button(start))
	popup := w.open("/dialog/oauth")
	popup.click(id("existing"))
	popup.fill(id("number"), number)
	popup.click(id("next"))
	popup.screen(coexistencetest.ScreenVerify)
	w.await(text(onPhone("#shown")))
	w.pictures("connect-asked")
	popup.fill(id("code"), evaluate[string](w, text(onPhone("#shown"))))
	popup.click(id("verify"))
	w.press("share")
	popup.screen(coexistencetest.ScreenReview)
	popup.click(id("finish"))
	w.await(q("whatsapp-signup") + ".dataset.view === `done`")
}

// A tenant's first day, by hand: sign in, connect, watch five thousand messages arrive, answer, be
// interrupted by the phone, send a campaign, change the phone. Another tenant, who does the same
// with its own phone, sees none of it.
func TestATenantsFirstDay(t *testing.T) {
	t.Parallel()
	p := startProduct(t)
	w := p.visit(t, "/")
	w.await(q(`#enter`))
	w.pictures("signin")
	w.click(q(`#enter button`))
	w.await(q("whatsapp-signup") + "?.dataset.view === `check`")
	w.pictures("connect")
	w.connects()
	w.await(text(q("#numbers .messages")))
	w.pictures("connect-syncing")
	w.await(q("#numbers progress") + "?.value === 100")
	w.await("Number(" + text(q("#numbers .messages")) + ") > 4800")
	w.pictures("connect-synced")

	// A customer asks, the bot answers.
	w.click(q(`nav a[href$="/inbox"]`))
	w.await(q("#chats li a"))
	w.await(onPhone("#chats button")) // its script runs
	evaluate[bool](w, `(() => {
		const f = document.querySelector("#phone iframe").contentWindow; f.prompt = () => "+1 555-010-0142";
		f.document.querySelector("#add").click(); return true })()`)
	chat := `[...document.querySelector("#phone iframe").contentDocument.querySelectorAll("#chats button")]` +
		`.find(b => b.innerText.includes("+15550100142"))`
	w.await(chat)
	evaluate[bool](w, chat+".click() === undefined")
	w.talks("customer", "Until when are you open today?")
	w.await(text(q("#chats li small")))
	w.await(q("#chats li .dot"))
	w.pictures("inbox")
	w.click(q("#chats li a"))
	w.await(text(q("#thread")) + ".includes(`7 to 18 h`)")
	w.await(text(q("#about")) + ".includes(`bot on duty`)")

	// A person of the team answers in the inbox.
	w.fill(q("#text"), "We keep a loaf for you.")
	require.NoError(t, chromedp.Do(w.ctx, chromedp.KeyEvent("\r")))
	w.await(`[...document.querySelectorAll("#thread .bubble")].some(
		b => b.innerText.includes("We keep a loaf") && b.innerText.includes("read"))`)
	w.await(onPhone("#messages") + ".innerText.includes(`We keep a loaf`)")

	// The owner answers from the phone, and the bot keeps out of it.
	w.talks("business", "It is me, the owner.")
	w.await(text(q("#thread")) + ".includes(`It is me, the owner.`)")
	w.await(text(q("#about")) + ".includes(`bot silent`)")
	w.talks("customer", "And what does it cost?")
	w.await(text(q("#thread")) + ".includes(`what does it cost`)")
	w.talks("customer", "Thank you!")
	w.await(text(q("#thread")) + ".includes(`Thank you!`)")
	require.NotContains(t, evaluate[string](w, text(q("#thread"))), "4.20")
	w.pictures("chat")

	// A campaign, paused and resumed.
	w.click(q(`nav a[href$="/campaigns"]`))
	w.await(q("[data-all]"))
	w.pictures("campaigns")
	everybody := evaluate[string](w, "String(document.getElementsByName(`to`).length)")
	w.click(q("[data-all]"))
	w.click(q("main form button.main"))
	w.await(q("#toggle"))
	w.await("Number(" + text(q("#count-sent")) + ") > 20")
	w.click(q("#toggle"))
	w.await(text(q("#toggle")) + " === `Resume`")
	w.pictures("campaign-paused")
	paused := evaluate[string](w, text(q("#count-sent")))
	w.click(q("#toggle"))
	w.await(text(q("#count-sent")) + " !== `" + paused + "`")
	for range 6 { // a quarter of a minute where nothing else happens
		if evaluate[bool](w, text(q("#stage"))+" === `done`") {
			break
		}
		before := evaluate[string](w, text(q("#count-sent")))
		more := "Number(" + text(q("#count-sent")) + ") > Number(`" + before + "`) + 100"
		w.await(text(q("#stage")) + " === `done` || " + more)
	}
	w.await(text(q("#stage")) + " === `done`")
	w.pictures("campaign")
	require.Equal(t, everybody, evaluate[string](w, text(q("#count-sent"))))

	// Another phone, and back.
	w.click(q(`nav a[href*="/numbers/"]:not([href$="s"]):not([href$="x"])`))
	w.await(text(q("#stage")) + " === `active`")
	w.pictures("number")
	w.press("device")
	w.await(text(q("#stage")) + " === `offboarded`")
	w.pictures("number-offboarded")
	w.press("reconnect")
	w.await(text(q("#stage")) + " === `active`")

	// The other tenant.
	first := evaluate[string](w, "location.pathname")
	o := p.visit(t, "/signin")
	o.signsUp("Lakeside Butcher", "butcher@example.com")
	require.NoError(t, chromedp.Do(o.ctx, chromedp.Navigate(p.url+first)))
	o.await(text(q("h1")) + " === `Not Found`")
	for _, path := range []string{first + "/inbox", first + "/campaigns"} {
		require.NoError(t, chromedp.Do(o.ctx, chromedp.Navigate(p.url+path)))
		o.await(text(q("h1")) + " === `Not Found`")
	}
	o.pictures("notfound")
	require.NoError(t, chromedp.Do(o.ctx, chromedp.Navigate(p.url+"/connect")))
	o.connects()
	o.await("Number(" + text(q("#numbers .messages")) + ") > 4800")
	require.Equal(t, int64(1), evaluate[int64](o, `document.querySelectorAll("#numbers article").length`))
	require.NotContains(t, evaluate[string](o, "document.querySelector('nav').innerHTML"),
		strings.TrimPrefix(first, "/numbers/"))
}
