package coexistencetest

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestQuote(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"":             `""`,
		"plain":        `"plain"`,
		"é":            `"\u00e9"`,
		"\U0001F600":   `"\ud83d\ude00"`,
		`a/b"c\d`:      `"a\/b\"c\\d"`,
		"\t\r\n\x00":   `"\t\r\n\u0000"`,
		"<&>":          `"<&>"`,
		"\u2028\ufeff": `"\u2028\ufeff"`,
		"a\xffb":       `"a\ufffdb"`,
	} {
		t.Run(in, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, want, string(quote(in)))
		})
	}
}

// What is quoted is ASCII, valid JSON, and means the same.
func FuzzQuote(f *testing.F) {
	for _, s := range []string{"", "plain", "👨‍👩‍👧‍👦/\\\"", "\x00\x7f\u0080", "\xed\xa0\x80", "אבג"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		b := quote(s)
		require.Equal(t, -1, strings.IndexFunc(string(b), func(r rune) bool { return r < 0x20 || r > 0x7e }))
		var back string
		require.NoError(t, json.Unmarshal(b, &back))
		require.Equal(t, string([]rune(s)), back)
	})
}

// Launch options of any kind open a popup or are refused, and asking for coexistence takes the
// exact words.
func FuzzLaunch(f *testing.F) {
	f.Add(`{"config_id":"1","extras":{"featureType":"whatsapp_business_app_onboarding","version":"v4"}}`)
	f.Add(`{"init":{"appId":"1"},"login":{"config_id":"1","extras":{}}}`)
	f.Add(`{"config_id":1}`)
	f.Add(`[]`)
	f.Add(``)
	f.Fuzz(func(t *testing.T, options string) {
		l, err := parseLaunch([]byte(options))
		if err != nil {
			require.Empty(t, l)
			return
		}
		require.NotEmpty(t, l.Config)
		if l.asksForCoexistence(time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)) {
			require.Equal(t, featureCoexistence, l.Feature)
			require.False(t, strings.HasPrefix(l.Version, "v3"))
		}
	})
}

func TestVersionsAreComparedByNumbers(t *testing.T) {
	t.Parallel()
	for version, older := range map[string]bool{
		"2.24.17": false, "2.24.17.79": false, "2.24.18": false, "2.100": false, "3": false,
		"2.24.16.99": true, "2.24": true, "2.9.99": true, "1.99": true, "": true, "new": true,
	} {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, older, olderThan(version, minimumVersion))
		})
	}
}

func TestEveryBehaviourIsKnownOrAssumed(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, b := range Fidelity() {
		require.NotEmpty(t, b.What)
		require.False(t, seen[b.What], b.What)
		seen[b.What] = true
		require.Equal(t, b.Assumed, b.Source == "", b.What)
		require.True(t, !b.Assumed || b.Date == "", b.What)
	}
}
