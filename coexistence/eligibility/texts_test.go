package eligibility_test

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/eligibility"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/signup"
)

// translations are the texts of the signup page that belong to this package, by language.
func translations(t *testing.T) map[string]translation {
	t.Helper()
	files, err := filepath.Glob("../../signup/web/texts/*.json")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	all := map[string]translation{}
	for _, file := range files {
		b, err := os.ReadFile(file)
		require.NoError(t, err)
		var one translation
		require.NoError(t, json.Unmarshal(b, &one), file)
		all[strings.TrimSuffix(filepath.Base(file), ".json")] = one
	}
	return all
}

type translation struct {
	Reasons map[string][]string `json:"reasons"`
	Notes   map[string]string   `json:"notes"`
}

// declared returns the values of the constants of a type, as result.go has them, in order.
func declared(t *testing.T, name string) []string {
	t.Helper()
	b, err := os.ReadFile("result.go")
	require.NoError(t, err)
	var all []string
	for _, m := range regexp.MustCompile(name+` += "(\w+)"`).FindAllStringSubmatch(string(b), -1) {
		all = append(all, m[1])
	}
	slices.Sort(all)
	require.NotEmpty(t, all)
	return all
}

// named are the parameters that the page gets for a reason. The others have none.
var named = map[string][]string{
	string(eligibility.ReasonCountry):    {"calling_code", "country", "date"},
	string(eligibility.ReasonSanctions):  {"calling_code", "country"},
	string(eligibility.ReasonAppVersion): {"min_version", "version"},
}

func TestEveryReasonAndNoteIsThereInEveryLanguage(t *testing.T) {
	t.Parallel()
	brace := regexp.MustCompile(`\{(\w+)\}`)
	for language, texts := range translations(t) {
		t.Run(language, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, declared(t, "ReasonCode"), slices.Sorted(maps.Keys(texts.Reasons)))
			require.Equal(t, declared(t, "NoteCode"), slices.Sorted(maps.Keys(texts.Notes)))
			for code, sentences := range texts.Reasons {
				require.GreaterOrEqual(t, len(sentences), 2, "%s: what is the matter, and what to do", code)
				var found []string
				for _, sentence := range sentences {
					require.NotEmpty(t, strings.TrimSpace(sentence), code)
					for _, m := range brace.FindAllStringSubmatch(sentence, -1) {
						found = append(found, m[1])
					}
				}
				slices.Sort(found)
				require.Equal(t, named[code], found, "%s: words in braces", code)
			}
			for code, text := range texts.Notes {
				require.NotEmpty(t, strings.TrimSpace(text), code)
				require.NotRegexp(t, brace, text, "%s: notes have no parameters", code)
			}
		})
	}
}

// What the texts of other languages name is what the English ones say.
func TestParametersAreThoseOfTheEnglishText(t *testing.T) {
	t.Parallel()
	own := eligibility.DefaultPolicy
	own.Since = time.Time{} // Meta did not lift what Meta did not ask for
	tests := map[string]struct {
		policy          eligibility.Policy
		number, version string
		code            eligibility.ReasonCode
		params          map[string]string
	}{
		"excluded until a day": {eligibility.DefaultPolicy, "+234 803 000 0123", "2.24.17", eligibility.ReasonCountry,
			map[string]string{"country": "NG", "calling_code": "+234", "date": "2026-04-15"}},
		"excluded": {own, "+27 82 000 0123", "2.24.17", eligibility.ReasonCountry,
			map[string]string{"country": "ZA", "calling_code": "+27"}},
		"sanctioned": {own, "+53 5 000 0123", "2.24.17", eligibility.ReasonSanctions,
			map[string]string{"country": "CU", "calling_code": "+53"}},
		"old": {own, "+1 201 555 0123", "24.16.3", eligibility.ReasonAppVersion,
			map[string]string{"version": "2.24.16.3", "min_version": "2.24.17"}},
		"nothing to name": {own, "", "2.24.17", eligibility.QuestionPhone, nil},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			check := eligibility.PageCheck(func(time.Time) eligibility.Policy { return tt.policy })
			asked := signup.CheckParams{PhoneNumber: tt.number, AppVersion: tt.version}
			got, err := check(t.Context(), "tenant-1", asked)
			require.NoError(t, err)
			require.Len(t, got.Reasons, 1)
			reason := got.Reasons[0]
			require.Equal(t, string(tt.code), reason.Code)
			require.Equal(t, tt.params, reason.Params)
			for name, value := range reason.Params {
				if name != "country" {
					require.Contains(t, reason.Text+" "+reason.Remedy, value, name)
				}
				require.Contains(t, named[reason.Code], name)
			}
			for _, note := range got.Notes {
				require.Contains(t, declared(t, "NoteCode"), note.Code)
			}
		})
	}
}
