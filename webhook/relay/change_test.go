package relay_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/payloads"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/relay"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/webhooktest"
)

// mixed is a delivery of two accounts with changes about two numbers and about an account.
func mixed() []byte {
	account := `{"field":"account_update","value":{"event":"PARTNER_REMOVED","waba_info":{"waba_id":"2000001"}}}`
	return fmt.Appendf(nil, `{"object":"whatsapp_business_account","later":{"a":[1]},"entry":[`+
		`{"id":"2000001","time":1767261601,"changes":[%s,%s,%s]},{"id":"2000002","changes":[%s]}]}`,
		change("messages", "3000001", "wamid.1"), change("standby", "3000002", "wamid.2"), account,
		change("messages", "3000002", "wamid.3"))
}

func TestKeepDecidesWhatGoesOn(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		keep func(relay.Change) bool
		want []string // parts of the body that go on
	}{
		"by number": {
			func(c relay.Change) bool { return c.PhoneNumberID == "3000002" }, []string{"wamid.2", "wamid.3"},
		},
		"by field": {
			func(c relay.Change) bool { return c.Field == webhook.FieldMessages }, []string{"wamid.1", "wamid.3"},
		},
		"by account": {
			func(c relay.Change) bool { return c.WABAID == "2000001" },
			[]string{"wamid.1", "wamid.2", "PARTNER_REMOVED"},
		},
		"what is of an account": {
			func(c relay.Change) bool { return c.PhoneNumberID == "" }, []string{"PARTNER_REMOVED"},
		},
		"nothing": {func(relay.Change) bool { return false }, nil},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newReceiver(t, nil)
			h := newHost(t, relay.Config{URL: r.URL, Keep: tt.keep}, 1)
			h.post(mixed())
			h.drain()
			require.Empty(t, h.letters())
			if tt.want == nil {
				require.Empty(t, r.got())
				return
			}
			require.Len(t, r.got(), 1)
			body := r.got()[0]
			for _, part := range []string{"wamid.1", "wamid.2", "wamid.3", "PARTNER_REMOVED"} {
				require.Equal(t, strings.Contains(strings.Join(tt.want, " "), part), strings.Contains(body, part), part)
			}
			require.Contains(t, body, `"later":{"a":[1]}`)
			for _, id := range []string{"wamid.1", "wamid.2", "wamid.3"} {
				if strings.Contains(body, id) {
					require.Contains(t, body, fmt.Sprintf(`"id":%q,"timestamp":"1767261601","type":"text","text":`+
						`{"body":"<b>1 & 2</b>"}`, id), "a change that goes on keeps its bytes")
				}
			}
		})
	}
}

func TestWhatIsKeptAsAWholeIsNotWrittenAnew(t *testing.T) {
	t.Parallel()
	r := newReceiver(t, nil)
	h := newHost(t, relay.Config{URL: r.URL, Keep: func(relay.Change) bool { return true }}, 1)
	spaced := bytes.ReplaceAll(mixed(), []byte(`,"`), []byte(`  , "`))
	lone := []byte(`{ "field":"messages", "value": {"metadata":{"phone_number_id":"3000001"},"messages":[]} }`)
	h.post(spaced)
	h.post(lone)
	h.drain()
	require.ElementsMatch(t, []string{string(spaced), string(lone)}, r.got())
}

// about returns what the events of a body tell that are about a number, and the keys of all.
func about(t *testing.T, body []byte, number graph.PhoneNumberID) (of, all []string) {
	t.Helper()
	events, err := webhook.Decode(body)
	require.NoError(t, err)
	for _, ev := range events {
		info := ev.Info()
		all = append(all, fmt.Sprintf("%T %s %s", ev, info.DedupKey, info.Raw))
		if info.PhoneNumberID == number {
			of = append(of, all[len(all)-1])
		}
	}
	return of, all
}

// bodies returns all samples and, where there is one, the conformance corpus.
func bodies(t *testing.T) [][]byte {
	t.Helper()
	var all [][]byte
	for _, s := range webhooktest.Samples() {
		all = append(all, webhooktest.Sample(s.Field, s.Case))
	}
	dir := payloads.Folder("webhooks")
	for _, pattern := range []string{"coexistence/*.json", "signup/webhook.*.json", "webhooks/*.json"} {
		paths, err := filepath.Glob(filepath.Join(dir, pattern))
		require.NoError(t, err)
		for _, path := range paths {
			if strings.HasPrefix(filepath.Base(path), "_") || dir == "" {
				continue
			}
			body, err := os.ReadFile(path)
			require.NoError(t, err)
			all = append(all, body)
		}
	}
	return all
}

// What is about a number goes on with the keys that it had, so that a receiver which gets it from
// two relays handles it once; what is about another does not.
func TestEventsOfANumberGoOnUnchanged(t *testing.T) {
	t.Parallel()
	const ours = "3000009"
	r := newReceiver(t, nil)
	h := newHost(t, relay.Config{URL: r.URL, Keep: func(c relay.Change) bool { return c.PhoneNumberID == ours }}, 1)
	sent := 0
	for i, body := range bodies(t) {
		joined := bytes.Replace(body, []byte(`"changes": [`),
			[]byte(`"changes": [`+change("messages", ours, fmt.Sprint("wamid.", i))+`,`), 1)
		if _, err := webhook.Decode(joined); err != nil || bytes.Equal(joined, body) {
			continue // not a delivery
		}
		want, _ := about(t, joined, ours)
		h.post(joined)
		h.drain()
		sent++
		require.Len(t, r.got(), sent, "%d: %s", i, body)
		_, got := about(t, []byte(r.got()[sent-1]), ours)
		require.Equal(t, want, got)
	}
	require.Greater(t, sent, 100)
}

// Both forms are in samples of Meta's.
func TestLoneChangesAreJudged(t *testing.T) {
	t.Parallel()
	lone := func(n string) string { return strings.Trim(change("messages", n, "wamid."+n), "{}") + "}" }
	tests := map[string]struct{ body, want string }{
		"in an entry": {
			`{"entry":[{"id":"2",` + lone("1") + `},{"id":"3",` + lone("2") + `}]}`,
			`{"entry":[{"id":"3",` + lone("2") + `}]}`,
		},
		"beside changes": {
			`{"entry":[{"changes":[` + change("messages", "2", "wamid.2") + `],` + lone("1") + `}]}`,
			`{"entry":[{"changes":[` + change("messages", "2", "wamid.2") + `],"field":"messages"}]}`,
		},
		"beside entries": {
			`{"entry":[{"changes":[` + change("messages", "2", "wamid.2") + `]}],` + lone("1") + `}`,
			`{"entry":[{"changes":[` + change("messages", "2", "wamid.2") + `]}],"field":"messages"}`,
		},
		"a list of bodies": {
			`[{"entry":[{` + lone("1") + `}]},{"entry":[{` + lone("2") + `}]}]`, `[{"entry":[{` + lone("2") + `}]}]`,
		},
		"of another product": {
			`{"object":"page","entry":[{"changes":[` + change("messages", "2", "wamid.2") + `]}]}`, "",
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newReceiver(t, nil)
			keep := func(c relay.Change) bool { return c.PhoneNumberID == "2" }
			h := newHost(t, relay.Config{URL: r.URL, Keep: keep}, 1)
			h.post([]byte(tt.body))
			h.drain()
			require.Equal(t, tt.want, strings.Join(r.got(), "\n"))
		})
	}
}
