package signup_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/signup"
)

// Texts are those of a page by their place, such as "parts.access" or "steps.0".
type texts map[string]string

// add puts everything below a place.
func (t texts) add(tb testing.TB, place string, value json.RawMessage) {
	tb.Helper()
	below := strings.TrimPrefix(place+".", ".")
	var object map[string]json.RawMessage
	var list []json.RawMessage
	switch value[0] {
	case '{':
		require.NoError(tb, json.Unmarshal(value, &object))
		for name, v := range object {
			t.add(tb, below+name, v)
		}
	case '[':
		require.NoError(tb, json.Unmarshal(value, &list))
		for i, v := range list {
			t.add(tb, below+strconv.Itoa(i), v)
		}
	default:
		var text string
		require.NoError(tb, json.Unmarshal(value, &text), place)
		t[place] = text
	}
}

var (
	jsWord     = regexp.MustCompile(`"(?:[^"\\]|\\.)*"|//[^\n]*|\w+:`)
	jsComma    = regexp.MustCompile(`,(\s*[}\]])`)
	brace      = regexp.MustCompile(`\{\w+\}`)
	anyOutcome = regexp.MustCompile(`Outcome = "(\w+)"`)
)

// literal reads an object of strings and lists out of the script, by the name that it has there.
func literal(tb testing.TB, script, name string) json.RawMessage {
	tb.Helper()
	_, rest, found := strings.Cut(script, "\nconst "+name+" = ")
	require.True(tb, found, name)
	body, _, found := strings.Cut(rest, "\n};\n")
	require.True(tb, found, name)
	body = jsWord.ReplaceAllStringFunc(body, func(word string) string {
		switch word[0] {
		case '"':
			return word
		case '/':
			return ""
		default:
			return strconv.Quote(strings.TrimSuffix(word, ":")) + ":"
		}
	})
	return json.RawMessage(jsComma.ReplaceAllString(body+"\n}", "$1"))
}

func readFile(tb testing.TB, name string) string {
	tb.Helper()
	b, err := os.ReadFile(name)
	require.NoError(tb, err)
	return string(b)
}

// english has every text that the page shows: its own, and what the server says to a business.
func english(tb testing.TB) texts {
	tb.Helper()
	script := readFile(tb, "web/connect.js")
	all := texts{}
	all.add(tb, "", literal(tb, script, "TEXTS"))
	all.add(tb, "ordinary", literal(tb, script, "ORDINARY"))
	for _, m := range anyOutcome.FindAllStringSubmatch(readFile(tb, "outcome.go"), -1) {
		o := signup.Outcome(m[1])
		if o.Actor() == graph.ActorBusiness || o.Actor() == graph.ActorNone {
			all["outcomes."+m[1]] = o.Advice()
		}
	}
	// What the handler answers to requests that are none.
	all["outcomes.unauthorized"] = "Sign in, then start again."
	all["outcomes.internal"] = "Try again later."
	for _, info := range graph.Codes() {
		if info.Class == graph.ErrSignup && info.Subcode == 0 && (info.Actor == graph.ActorBusiness ||
			info.Actor == graph.ActorNone || info.Code == graph.CodeSignupCountryNotSupported) {
			failed := signup.Error{Outcome: signup.OutcomeFailed, Code: info.Code}
			all[fmt.Sprintf("codes.%d", info.Code)] = failed.Advice()
		}
	}
	return all
}

// translation reads a file, with a text for each of the codes that share one. Reasons and notes are
// held by a test of package coexistence/eligibility, whose codes they have.
func translation(tb testing.TB, name string) texts {
	tb.Helper()
	file, all := texts{}, texts{}
	file.add(tb, "", json.RawMessage(readFile(tb, "web/texts/"+name)))
	for place, text := range file {
		codes, shared := strings.CutPrefix(place, "codes.")
		switch {
		case shared:
			for code := range strings.FieldsSeq(codes) {
				require.NotContains(tb, all, "codes."+code, "%s has the code twice", name)
				all["codes."+code] = text
			}
		case !strings.HasPrefix(place, "reasons.") && !strings.HasPrefix(place, "notes."):
			all[place] = text
		}
	}
	return all
}

func places(t texts) []string { return slices.Sorted(maps.Keys(t)) }

// A text that is new on the page belongs into each file of web/texts. Until then the page shows it
// in English.
func TestThePageHasEveryTextInEveryLanguage(t *testing.T) {
	t.Parallel()
	want := english(t)
	require.Greater(t, len(want), 150, "the texts of the script are found")
	var locales map[string]string
	require.NoError(t, json.Unmarshal(literal(t, readFile(t, "web/connect.js"), "LOCALES"), &locales))
	files, err := os.ReadDir("web/texts")
	require.NoError(t, err)
	require.Len(t, files, len(locales)-1, "LOCALES of connect.js has English and a line for each file")
	for _, file := range files {
		t.Run(file.Name(), func(t *testing.T) {
			t.Parallel()
			got := translation(t, file.Name())
			require.Empty(t, wrong(want, got))
			require.Equal(t, strings.TrimSuffix(file.Name(), ".json"), got["lang"])
			require.Contains(t, locales, got["lang"])
			require.Contains(t, []string{"ltr", "rtl"}, got["dir"])
		})
	}
}

// wrong lists what is not right with a translation, each with its place.
func wrong(want, got texts) []string {
	var all []string
	for _, place := range places(want) {
		text, there := got[place]
		switch {
		case !there:
			all = append(all, "missing: "+place)
		case strings.TrimSpace(text) == "" || strings.TrimSpace(text) != text:
			all = append(all, "empty, or with spaces around: "+place)
		case !slices.Equal(slices.Sorted(slices.Values(brace.FindAllString(want[place], -1))),
			slices.Sorted(slices.Values(brace.FindAllString(text, -1)))):
			all = append(all, "other words in braces than in English: "+place)
		case text == want[place] && len(strings.Fields(text)) > 2:
			all = append(all, "still in English: "+place)
		}
	}
	for _, place := range places(got) {
		if _, there := want[place]; !there {
			all = append(all, "left over: "+place)
		}
	}
	return all
}

func TestAWrongTranslationIsNamed(t *testing.T) {
	t.Parallel()
	want := texts{"a": "Call {phone}.", "b": "Go", "c": "One two three", "d": "Stop", "steps.0": "First"}
	got := texts{"a": "Llamar a {fone}.", "b": "Go", "c": "One two three", "d": " ", "steps.1": "Segundo"}
	require.Equal(t, []string{
		"other words in braces than in English: a", "still in English: c", "empty, or with spaces around: d",
		"missing: steps.0", "left over: steps.1",
	}, wrong(want, got))
}

// The page takes Meta's SDK in its language only where the host has not set another address.
func TestThePageKnowsMetasOwnAddress(t *testing.T) {
	t.Parallel()
	require.Contains(t, readFile(t, "web/connect.js"), `const SDK = "`+signup.DefaultSDKURL+`";`)
	require.Contains(t, newPage(t, happy()).post("/begin", "").body, `"sdk":"`+signup.DefaultSDKURL+`"`)
}

func TestThePagesTextsAreServed(t *testing.T) {
	t.Parallel()
	p := newPage(t, happy())
	w := record(p.handler, request(http.MethodGet, "/texts/pt-BR.json", ""))
	require.Equal(t, http.StatusOK, w.Code)
	require.Equal(t, "application/json", w.Header().Get("Content-Type"))
	require.Equal(t, "no-cache", w.Header().Get("Cache-Control"))
	require.JSONEq(t, readFile(t, "web/texts/pt-BR.json"), w.Body.String())
	r := request(http.MethodGet, "/texts/pt-BR.json", "")
	r.Header.Set("If-None-Match", w.Header().Get("ETag"))
	require.Equal(t, http.StatusNotModified, record(p.handler, r).Code)
	for _, path := range []string{"/texts/nl.json", "/texts/", "/texts/../connect.js"} {
		require.NotEqual(t, http.StatusOK, record(p.handler, request(http.MethodGet, path, "")).Code, path)
	}
}

func TestAPageOfATrustedOriginMayReadTheTexts(t *testing.T) {
	t.Parallel()
	const origin = "https://app.example.com"
	p := newPage(t, happy(), func(c *signup.Config) { c.Page.TrustedOrigins = []string{origin} })
	r := request(http.MethodGet, "/texts/de.json", "")
	r.Header.Set("Origin", origin)
	w := record(p.handler, r)
	require.Equal(t, http.StatusOK, w.Code)
	require.Equal(t, origin, w.Header().Get("Access-Control-Allow-Origin"))
	require.Equal(t, "true", w.Header().Get("Access-Control-Allow-Credentials"))
}
