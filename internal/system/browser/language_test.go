package browser_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/coexistencetest"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/signup"
)

// speaks gives the browser of a host's visitor its languages, such as "pt-PT,en".
func (h *host) speaks(languages string) {
	h.t.Helper()
	require.NoError(h.t, chromedp.Do(h.ctx, func(ctx context.Context, t *chromedp.Target) (chromedp.Void, error) {
		_, err := cdp.Call(ctx, t, emulation.SetUserAgentOverride, emulation.SetUserAgentOverrideParams{
			UserAgent: "Mozilla/5.0", AcceptLanguage: languages,
		})
		return chromedp.Void{}, err
	}))
}

// served returns a file of the page.
func (h *host) served(name string) []byte {
	h.t.Helper()
	w := httptest.NewRecorder()
	r := httptest.NewRequestWithContext(h.t.Context(), http.MethodGet, "/signup/"+name, nil)
	h.flow.Handler().ServeHTTP(w, r)
	require.Equal(h.t, http.StatusOK, w.Code, name)
	return w.Body.Bytes()
}

// A wording is some of the texts of a language.
type wording struct {
	Check       string              `json:"check"`
	Changes     string              `json:"changes"`
	CheckButton string              `json:"checkButton"`
	Refused     string              `json:"refused"`
	Title       string              `json:"title"`
	Button      string              `json:"button"`
	Done        string              `json:"done"`
	Start       string              `json:"start"`
	Anew        string              `json:"anew"`
	Features    map[string]string   `json:"features"`
	Steps       []string            `json:"steps"`
	Codes       map[string]string   `json:"codes"`
	Reasons     map[string][]string `json:"reasons"`
	Notes       map[string]string   `json:"notes"`
	Outcomes    map[string]string   `json:"outcomes"`
}

func (h *host) words() wording {
	h.t.Helper()
	var w wording
	require.NoError(h.t, json.Unmarshal(h.served("texts/"+h.lang+".json"), &w))
	return w
}

// heading waits for the heading of what is shown.
func (h *host) heading(text string) {
	h.t.Helper()
	h.await(inside("h2") + "?.textContent === " + fmt.Sprintf("%q", text))
}

func TestThePageInTheLanguageOfTheBrowser(t *testing.T) {
	t.Parallel()
	for languages, want := range map[string]struct{ lang, locale, country, day string }{
		"pt-PT,pt,en": {"pt-BR", "pt_BR", "Nigéria", "15 de abril de 2026"},
		"es-MX,en":    {"es", "es_LA", "Nigeria", "15 de abril de 2026"},
		"id":          {"id", "id_ID", "Nigeria", "15 April 2026"},
		"hi-IN":       {"hi", "hi_IN", "नाइजीरिया", "15 अप्रैल 2026"},
		"ar-EG,en":    {"ar", "ar_AR", "نيجيريا", "15 أبريل 2026"},
		"fr-CA":       {"fr", "fr_FR", "Nigeria", "15 avril 2026"},
		"nl,de,en":    {"de", "de_DE", "Nigeria", "15. April 2026"},
		"it-CH":       {"it", "it_IT", "Nigeria", "15 aprile 2026"},
	} {
		t.Run(want.lang, func(t *testing.T) {
			t.Parallel()
			h := newHost(t, hostConfig{raw: true, page: autoTag, change: func(_ *host, c *signup.Config) {
				c.Page.Check = checkEligibility
			}})
			h.lang = want.lang
			require.NoError(t, chromedp.Do(h.ctx, chromedp.EmulateViewport(390, 844)))
			h.speaks(languages)
			h.visit()
			words := h.words()
			h.shows("check")
			h.heading(words.Check)
			right := want.lang == "ar"
			require.Equal(t, right, evaluate[string](h.window, inside("section")+".dir") == "rtl")
			require.Equal(t, "ltr", evaluate[string](h.window, "getComputedStyle("+inside("#number")+").direction"))
			aligned := evaluate[string](h.window, "getComputedStyle("+inside("#number")+").textAlign")
			require.Equal(t, right, aligned == "right")
			h.inspect("60-check-" + want.lang)

			h.fill(inside("#number"), "+234 803 555 0101")
			h.fill(inside("#app_version"), "2.23.1")
			h.click(button(words.CheckButton))
			h.shows("refused")
			refused := evaluate[string](h.window, inside(".note.bad")+".textContent")
			for _, part := range []string{words.Refused, want.country, "+234", want.day, "2.23.1", "2.24.17"} {
				require.Contains(t, refused, part)
			}
			require.NotContains(t, refused, "{")
			h.inspect("61-refused-" + want.lang)

			h.fill(inside("#number"), h.phone.PhoneNumber())
			h.fill(inside("#app_version"), "2.24.17.79")
			for state, code := range map[signup.AppState]string{
				signup.AppMessenger: "consumer_app", signup.AppUnverified: "phone_not_verified",
				signup.AppInactive: "account_inactive",
			} {
				h.choose(inside("#app_state"), string(state))
				h.click(button(words.CheckButton))
				h.await(inside(".note.bad") + fmt.Sprintf("?.textContent.includes(%q)", words.Reasons[code][0]))
			}
			h.choose(inside("#app_state"), string(signup.AppWorks))
			h.click(button(words.CheckButton))
			h.shows("invite")
			h.heading(words.Title)
			notes := evaluate[string](h.window, inside(".note.good")+".textContent")
			require.Contains(t, notes, words.Notes["activity"])
			require.True(t, evaluate[bool](h.window, `[...document.scripts].some(
				s => s.src === "https://connect.facebook.net/`+want.locale+`/sdk.js")`), "Meta speaks it too")
			invite := evaluate[string](h.window, inside(".view")+".textContent")
			require.Contains(t, invite, words.Changes)
			for _, text := range slices.Concat(slices.Collect(maps.Values(words.Features)), words.Steps) {
				require.Contains(t, invite, text)
			}
			h.inspect("62-invite-" + want.lang)
			h.click(button(words.Button))
			popup := h.open("/dialog/oauth")
			h.shows("popup")
			h.inspect("63-popup-" + want.lang)
			h.complete(popup)
			h.shows("done")
			h.heading(words.Done)
			h.inspect("64-done-" + want.lang)
		})
	}
}

// Advice of the server comes in the language too: of an outcome, and after one of Meta's errors.
func TestAdviceInTheLanguageOfTheBrowser(t *testing.T) {
	t.Parallel()
	const refusal = graph.CodeSignupMoreActivityNeeded
	for _, lang := range []string{"ar", "pt-BR"} {
		t.Run(lang, func(t *testing.T) {
			t.Parallel()
			h := newHost(t, hostConfig{raw: true, page: autoTag, phone: coexistencetest.PhoneConfig{Refuse: refusal}})
			h.lang = lang
			h.speaks(lang)
			require.NoError(t, chromedp.Do(h.ctx, chromedp.EmulateViewport(390, 844)))
			h.visit()
			words := h.words()
			h.shows("invite")
			h.click(button(words.Button))
			popup := h.open("/dialog/oauth")
			popup.click(id("close"))
			h.shows("stopped")
			require.Equal(t, words.Outcomes["canceled"], evaluate[string](h.window, inside(".note")+".textContent"))
			h.click(button(words.Anew))
			h.shows("invite")
			h.click(button(words.Button))
			popup = h.open("/dialog/oauth")
			popup.click(id("existing"))
			popup.fill(id("number"), h.phone.PhoneNumber())
			popup.click(id("next"))
			popup.click(id("report"))
			h.shows("stopped")
			advice := evaluate[string](h.window, inside(".note")+".textContent")
			require.Equal(t, words.Codes[fmt.Sprint(int(refusal))], advice)
			require.Contains(t, evaluate[string](h.window, inside("p small")+".textContent"), fmt.Sprint(int(refusal)))
			h.inspect("65-failed-" + lang)
		})
	}
}

func TestAHostChoosesTheLanguage(t *testing.T) {
	t.Parallel()
	const own = `data-texts="#words"`
	for name, tt := range map[string]struct{ words, attributes, lang, button string }{
		"by the tag":                 {"", `data-lang="es"`, "es", "Continuar con Facebook"},
		"one that the page has not":  {"", `data-lang="nl"`, "en", start},
		"by its own words":           {`{"lang":"it","title":"Colleghi"}`, own, "it", "Continua con Facebook"},
		"by words of no language":    {`{"title":"Connect now"}`, own, "en", start},
		"by words of another":        {`{"lang":"nl","button":"Verder"}`, own, "nl", "Verder"},
		"its words on top of a file": {`{"lang":"es","button":"Seguir"}`, own, "es", "Seguir"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHost(t, hostConfig{raw: true, page: `<script type="application/json" id="words">` + tt.words +
				`</script><main><script src="/signup/connect.js" defer ` + tt.attributes + `></script></main>`})
			h.speaks("de")
			h.visit()
			h.shows("invite")
			require.Equal(t, tt.lang, evaluate[string](h.window, inside("section")+".lang"))
			h.await(button(tt.button))
		})
	}
}

func TestThePageIsEnglishWhereItsTextsDoNotLoad(t *testing.T) {
	t.Parallel()
	h := newHost(t, hostConfig{raw: true})
	v, _ := theStage.hosts.Load(h.name)
	handler := v.(http.Handler)
	theStage.hosts.Store(h.name, http.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/signup/texts/") {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		handler.ServeHTTP(w, r)
	})))
	h.speaks("hi")
	h.visit()
	h.shows("invite")
	require.Equal(t, "en", evaluate[string](h.window, inside("section")+".lang"))
	h.await(button(start))
}

// A screen reader takes the language of the page, and the tab has its title.
func TestTheHandlersOwnPageIsInTheLanguageToo(t *testing.T) {
	t.Parallel()
	h := newHost(t, hostConfig{raw: true})
	h.lang = "ar"
	h.speaks("ar")
	require.NoError(t, chromedp.Do(h.ctx, chromedp.Navigate(h.url+"signup/")))
	h.shows("invite")
	require.Equal(t, "ar rtl "+h.words().Start, evaluate[string](h.window,
		"[document.documentElement.lang, document.documentElement.dir, document.title].join(` `)"))
	h.accessible("the handler's own page", allRules)
}

func TestTheFirstLanguageThatThereAreTextsInIsTaken(t *testing.T) {
	t.Parallel()
	h := newHost(t, hostConfig{})
	script := string(h.served("connect.js"))
	code := regexp.MustCompile(`(?s)const LOCALES = .*?};`).FindString(script) +
		regexp.MustCompile(`(?s)function languageOf\(.*?\n}\n`).FindString(script)
	for wanted, lang := range map[string]string{
		"": "en", "en-GB,de": "en", "de-AT": "de", "nl,fr-BE,de": "fr", "ja,ko": "en", "PT-br": "pt-BR", "pt": "pt-BR",
		"es-419": "es", "hi-Latn-IN": "hi", "zh-Hant-TW,id": "id", "ar_SA": "ar", "fil,it": "it",
	} {
		list, err := json.Marshal(strings.FieldsFunc(wanted, func(r rune) bool { return r == ',' }))
		require.NoError(t, err)
		got := evaluate[string](h.window, "(() => { "+code+"; return languageOf("+string(list)+") })()")
		require.Equal(t, lang, got, wanted)
	}
}

// The words are the host's to change, in another language too, and so is the advice that the server
// gives.
func TestThePageInAnotherLanguage(t *testing.T) {
	t.Parallel()
	words, err := json.Marshal(map[string]any{ //nolint:forbidigo // the page's own format
		"lang": "pt-BR", "title": "Conecte o app", "button": "Continuar com o Facebook", "left": "Você saiu",
		"outcomes": map[string]string{"canceled": "Comece de novo quando quiser."},
	})
	require.NoError(t, err)
	h := newHost(t, hostConfig{page: `<script type="application/json" id="words">` + string(words) + `</script>
		<main><script src="/signup/connect.js" defer data-texts="#words"></script></main>`})
	h.shows("invite")
	require.Equal(t, "pt-BR", evaluate[string](h.window, inside("section")+".lang"))
	h.click(button("Continuar com o Facebook"))
	popup := h.open("/dialog/oauth")
	popup.click(id("close"))
	h.shows("stopped")
	require.Equal(t, "Você saiu", evaluate[string](h.window, inside("h2")+".textContent"))
	require.Equal(t, "Comece de novo quando quiser.", evaluate[string](h.window, inside(".note")+".textContent"))
}
