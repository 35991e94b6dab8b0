package browser_test

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
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

// visit opens a browser of its own on a page of the product. At the end of the test, there must be
// no errors in its console but those that have an expected text in them.
func (p *product) visit(t *testing.T, path string, expected ...string) *window {
	t.Helper()
	ctx, cancel := chromedp.NewContext(theStage.ctx, chromedp.WithNewBrowserContext())
	t.Cleanup(cancel)
	w := &window{t, ctx}
	var mu sync.Mutex
	var found []string
	require.NoError(t, chromedp.Listen(ctx, func(ev any) {
		problem := ""
		switch e := ev.(type) {
		case *runtime.EventExceptionThrown:
			problem = e.ExceptionDetails.Text
		case *log.EventEntryAdded:
			if e.Entry.Level == log.EntryLevelError {
				problem = e.Entry.Text + " " + e.Entry.URL
			}
		}
		fits := func(text string) bool { return strings.Contains(problem, text) }
		if problem != "" && !slices.ContainsFunc(append(expected, axeStyle), fits) {
			mu.Lock()
			defer mu.Unlock()
			found = append(found, problem)
		}
	}))
	t.Cleanup(func() {
		mu.Lock()
		defer mu.Unlock()
		require.Empty(t, strings.Join(found, "\n"), "errors in the console")
	})
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
	w.sends(as, "", said)
}

// talksToANewCustomer opens the chat of +1 555-010-0142 on the phone.
func (w *window) talksToANewCustomer() {
	w.t.Helper()
	w.await(onPhone("#chats button")) // its script runs
	evaluate[bool](w, `(() => {
		const f = document.querySelector("#phone iframe").contentWindow; f.prompt = () => "+1 555-010-0142";
		f.document.querySelector("#add").click(); return true })()`)
	chat := `[...document.querySelector("#phone iframe").contentDocument.querySelectorAll("#chats button")]` +
		`.find(b => b.innerText.includes("+15550100142"))`
	w.await(chat)
	evaluate[bool](w, chat+".click() === undefined")
}

// sends is talks for another kind of message, such as a picture.
func (w *window) sends(as, kind, said string) {
	w.t.Helper()
	w.await(onPhone("#compose") + " && !" + onPhone("#compose") + ".hidden")
	evaluate[bool](w, fmt.Sprintf(`(() => {
		const f = %s; f.elements.as.value = %q; f.elements.kind.value = %q; f.elements.text.value = %q; f.requestSubmit();
		f.elements.kind.value = ""; return true })()`, onPhone("#compose"), as, kind, said))
}

// pictures is inEveryLook for a page of the product.
func (w *window) pictures(name string) {
	w.t.Helper()
	w.inEveryLook("saas-" + name)
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

// shownPeople is to how many people a campaign could go by the page that is shown.
func shownPeople(w *window) int64 {
	w.t.Helper()
	return evaluate[int64](w, "document.getElementsByName(`to`).length")
}

// count is how many elements there are.
func (w *window) count(selector string) int64 {
	w.t.Helper()
	return evaluate[int64](w, "document.querySelectorAll(`"+selector+"`).length")
}

// scrollsTheList goes down the list of conversations to its end and up again, and opens one of the
// last without losing its place.
func (w *window) scrollsTheList() {
	w.t.Helper()
	first := evaluate[string](w, q("#chats li a")+".id")
	for w.count("#chats .more") > 0 {
		before := w.count("#chats li a")
		evaluate[bool](w, q("#chats .more")+"?.scrollIntoView() === undefined")
		w.await(fmt.Sprintf("document.querySelectorAll(`#chats li a`).length > %d", before))
	}
	require.Greater(w.t, w.count("#chats li a"), int64(200))
	ids := evaluate[[]string](w, "[...document.querySelectorAll(`#chats li a`)].map((a) => a.id)")
	slices.Sort(ids)
	require.Len(w.t, slices.Compact(slices.Clone(ids)), len(ids), "each is there once")
	evaluate[bool](w, "(() => { const b = "+q("#chats")+"; b.scrollTop = b.scrollHeight; return true })()")
	w.pictures("inbox-end")
	at := evaluate[float64](w, q("#chats")+".scrollTop")
	evaluate[bool](w, "[...document.querySelectorAll(`#chats li a`)].at(-2).click() === undefined")
	w.await(q("#thread .bubble") + " && location.pathname.split(`/`).length === 5")
	require.InDelta(w.t, at, evaluate[float64](w, q("#chats")+".scrollTop"), 60)
	w.await("document.querySelectorAll(`#chats [aria-current]`).length === 1")
	evaluate[bool](w, "history.back() === undefined")
	w.await(q(".chat.empty"))
	evaluate[bool](w, "(() => { "+q("#chats")+".scrollTop = 0; return true })()")
	require.Equal(w.t, first, evaluate[string](w, q("#chats li a")+".id"))
}

// search enters words into the search of the inbox, and waits for the page with the results.
func (w *window) search(words string) {
	w.t.Helper()
	w.fill(q("#q"), words)
	require.NoError(w.t, chromedp.Do(w.ctx, chromedp.KeyEvent("\r")))
	const asked = "new URLSearchParams(location.search).get(`q`) === %q && document.readyState === `complete`"
	w.await(fmt.Sprintf(asked, words))
}

// searches finds a person by a part of the number, and nothing by what is nowhere.
func (w *window) searches() {
	w.t.Helper()
	inbox := evaluate[string](w, "location.pathname")
	w.search("+1 555-010-0142")
	w.await(q("#hits ul li a"))
	w.search("no such words")
	w.await("!" + q("#hits ul li a") + " && " + text(q("#hits")) + ".includes(`No messages found`)")
	require.NoError(w.t, chromedp.Do(w.ctx, chromedp.Navigate(w.origin()+inbox)))
	w.await(q("#chats li a"))
}

func (w *window) origin() string {
	w.t.Helper()
	return evaluate[string](w, "location.origin")
}

// readsFromAFoundTextOn opens an old text of the longest conversation that a search finds, and goes
// up and down from it to both ends.
func (w *window) readsFromAFoundTextOn() {
	w.t.Helper()
	inbox := evaluate[string](w, "location.pathname.split(`/`).slice(0, 4).join(`/`)")
	require.NoError(w.t, chromedp.Do(w.ctx, chromedp.Navigate(w.origin()+inbox+"?q=the")))
	w.await(q("#hits .items li a"))
	w.pictures("search")
	for i := range w.count("#hits .items li a") {
		hit := fmt.Sprintf("document.querySelectorAll(`#hits .items li a`)[%d]", i)
		evaluate[bool](w, hit+".click() === undefined")
		w.await(q("#thread .hit") + " && " + hit + ".hasAttribute(`aria-current`)")
		if w.count("#thread .more") > 0 {
			break
		}
	}
	w.pictures("search-found")
	goesOn, opened := w.count("#thread .more") > 0, int(w.count("#thread .bubble"))
	for _, rel := range []string{"prev", "next"} {
		for link := q("#thread .more[rel=" + rel + "]"); evaluate[bool](w, link+" !== null"); {
			before := w.count("#thread .bubble")
			evaluate[bool](w, link+"?.scrollIntoView() === undefined")
			grown := fmt.Sprintf("document.querySelectorAll(`#thread .bubble`).length > %d", before)
			w.await(link + " === null || " + grown)
		}
	}
	ids := evaluate[[]string](w, "[...document.querySelectorAll(`#thread .bubble`)].map((a) => a.id)")
	slices.Sort(ids)
	require.Len(w.t, slices.Compact(slices.Clone(ids)), len(ids), "each is there once")
	require.True(w.t, !goesOn || len(ids) > opened, "%d messages at first, %d in all", opened, len(ids))
	require.Positive(w.t, w.count("#hits .items li a"), "the search is still beside it")
}

// choosesARetention has messages kept for a year.
func (w *window) choosesARetention() {
	w.t.Helper()
	w.click(q(`nav a[href="/settings"]`))
	w.await(q("#retention select"))
	evaluate[bool](w, "(() => { "+q("#retention select")+".value = `365`; return true })()")
	w.click(q("#retention button"))
	w.await(text(q(".note.good")) + ".includes(`Saved`)")
	w.pictures("settings")
}

// forgetsAPerson opens the page of the customer who wrote first in the list, and has the person
// forgotten.
func (w *window) forgetsAPerson() {
	w.t.Helper()
	w.click(q(`nav a[href$="/inbox"]`))
	w.await(q("#chats li a"))
	evaluate[bool](w, q("#chats li a")+".click() === undefined")
	w.await(q("#who a"))
	gone := evaluate[string](w, text(q("#who a")))
	w.click(q("#who a"))
	w.await(q("#forget"))
	w.pictures("person")
	require.Equal(w.t, "PK", evaluate[string](w, `(() => { const r = new XMLHttpRequest(); r.open("GET", `+q("#export")+
		`.href, false); r.send(); return r.responseText.slice(0, 2) })()`), "a zip file")
	w.click(q("#forget [name=confirmed]"))
	w.click(q("#forget button"))
	w.await(q("#chats li a"))
	require.NotEqual(w.t, gone, evaluate[string](w, text(q("#chats li b"))))
}

// A click whose element is replaced between the press and the release of the mouse's button is
// lost, so news leaves alone what has not changed.
func TestNewsReplacesOnlyWhatHasChanged(t *testing.T) {
	t.Parallel()
	p := startProduct(t)
	w := p.visit(t, "/")
	w.click(q(`#enter button`))
	w.await(q("whatsapp-signup") + "?.dataset.view === `check`")
	w.connects()
	w.await(q("#numbers progress") + "?.value === 100")
	w.click(q(`nav a[href$="/inbox"]`))
	w.await(q("#chats li a"))
	evaluate[bool](w, q("#nav")+".mark = true")
	w.talksToANewCustomer()
	w.talks("customer", "Until when are you open today?")
	w.await(text(q("#chats li small")) + ".includes(`7 to 18 h`)")
	require.True(t, evaluate[bool](w, q("#nav")+".mark === true"), "the navigation is the same element")
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
	w.await(q("#numbers progress"))
	w.pictures("connect-syncing")
	w.await(q("#numbers progress") + "?.value === 100")
	w.pictures("connect-synced")

	// A customer asks, the bot answers.
	w.click(q(`nav a[href$="/inbox"]`))
	w.await(q("#chats li a"))
	w.talksToANewCustomer()
	w.talks("customer", "Until when are you open today?")
	w.await(text(q("#chats li small")))
	w.await(q("#chats li .unread"))
	w.pictures("inbox")
	w.scrollsTheList()
	w.searches()
	// News may replace the list between the press and the release of a mouse's button.
	evaluate[bool](w, q("#chats li a")+".click() === undefined")
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

	// Pictures of both sides are shown once they are in the archive.
	w.sends("customer", "image", "Is it this one?")
	w.sends("business", "image", "Yes.")
	w.await(`[...document.querySelectorAll("#thread img")].filter(
		(i) => i.complete && i.naturalWidth > 0).length === 2`)
	w.pictures("chat")

	w.readsFromAFoundTextOn()
	w.choosesARetention()

	// A campaign, paused and resumed.
	w.click(q(`nav a[href$="/campaigns"]`))
	w.await(q("[data-all]"))
	w.pictures("campaigns")
	all := shownPeople(w)
	require.Equal(t, int64(100), all, "of three hundred")
	for w.count(".people .more") > 0 {
		evaluate[bool](w, q(".people .more")+"?.scrollIntoView() === undefined")
		w.await(fmt.Sprintf("document.getElementsByName(`to`).length > %d", shownPeople(w)))
	}
	require.Contains(t, evaluate[string](w, text(q("#found"))), fmt.Sprint(shownPeople(w)))
	name := evaluate[string](w, text(q(".people .choice span")))
	w.fill(q("#search [name=q]"), name)
	w.click(q("#search button"))
	w.await("location.search.includes(`q=`) && document.readyState === `complete`")
	some := shownPeople(w)
	require.Positive(t, some)
	require.Less(t, some, all)
	require.True(t, evaluate[bool](w, fmt.Sprintf(
		"[...document.querySelectorAll(`.people .choice`)].every(e => e.innerText.includes(%q))", name)))
	w.click(q("[data-all]"))
	require.Equal(t, some, evaluate[int64](w, "document.querySelectorAll(`[name=to]:checked`).length"))
	w.pictures("campaigns-found")
	evaluate[bool](w, q("#search [name=q]")+".value = ``, "+q("#search [name=days]")+".value = `1`, true")
	w.click(q("#search button"))
	w.await("location.search.includes(`days=1`) && document.readyState === `complete`")
	require.Equal(t, int64(1), shownPeople(w), "the others wrote before the number was connected")
	w.click(q(`nav a[href$="/campaigns"]`))
	w.await("location.search === `` && " + q("[data-all]"))
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

	w.forgetsAPerson()

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
	number := evaluate[string](w, "location.pathname")
	o := p.visit(t, "/signin", "status of 404") // which it is meant to get
	o.signsUp("Lakeside Butcher", "butcher@example.com")
	require.NoError(t, chromedp.Do(o.ctx, chromedp.Navigate(p.url+number)))
	o.await(text(q("h1")) + " === `Not Found`")
	for _, path := range []string{number + "/inbox", number + "/campaigns"} {
		require.NoError(t, chromedp.Do(o.ctx, chromedp.Navigate(p.url+path)))
		o.await(text(q("h1")) + " === `Not Found`")
	}
	o.pictures("notfound")
	require.NoError(t, chromedp.Do(o.ctx, chromedp.Navigate(p.url+"/connect")))
	o.connects()
	o.await(q("#numbers progress") + "?.value === 100")
	require.Equal(t, int64(1), evaluate[int64](o, `document.querySelectorAll("#numbers article").length`))
	require.NotContains(t, evaluate[string](o, "document.querySelector('nav').innerHTML"),
		strings.TrimPrefix(number, "/numbers/"))
}
