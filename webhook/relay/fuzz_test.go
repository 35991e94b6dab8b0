package relay

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/webhooktest"
)

// Whatever is signed, what waits for it is one event, and what comes out is what was kept.
func FuzzWrap(f *testing.F) {
	for _, s := range webhooktest.Samples() {
		f.Add(webhooktest.Sample(s.Field, s.Case), "messages")
	}
	for _, body := range []string{
		`[]`, `null`, `"}]}]}"`, `{"entry":null}`, `{"entry":[null,1,{}]}`, `{"entry":[{"changes":[null,{}]}]}`,
		`{"entry":[{"id":1,"field":"messages","value":{}}],"entry":[]}`, `{"field":"relay.delivery","value":{}}`,
	} {
		f.Add([]byte(body), "")
	}
	f.Fuzz(func(t *testing.T, body []byte, field string) {
		all := func(Change) bool { return true }
		some := func(c Change) bool { return string(c.Field) == field }
		for i, keep := range []func(Change) bool{nil, all, some} {
			stored := wrap(body, keep)
			if stored == nil {
				continue
			}
			require.True(t, json.Valid(stored), "%s", stored)
			events, err := webhook.Decode(stored)
			if err != nil {
				return // nested too deep: a dead letter
			}
			require.Len(t, events, 1)
			got, ok := unwrap(events[0])
			require.True(t, ok)
			switch {
			case len(got) == 0: // without entries, as what was forgotten
			case i < 2:
				require.Equal(t, string(bytes.TrimSpace(body)), string(got))
			default:
				again, _ := filter(got, some)
				require.Equal(t, string(got), string(again), "something went on that is not kept")
			}
		}
	})
}
