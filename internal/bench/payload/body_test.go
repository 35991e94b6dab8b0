package payload_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/bench/payload"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

func TestBodiesAreWhatTheyAreSaidToBe(t *testing.T) {
	t.Parallel()
	history := payload.History(3000, 40)
	require.InDelta(t, 1_000_000, len(history), 100_000)
	require.Equal(t, history, payload.History(3000, 40))
	for name, body := range map[string][]byte{
		"text": payload.Text(), "status": payload.Status(), "batch": payload.Batch(100), "history": history,
	} {
		t.Logf("%s: %d bytes", name, len(body))
		require.NoError(t, json.Unmarshal(body, new(payload.Delivery)), name)
		events, err := webhook.Decode(body)
		require.NoError(t, err)
		for _, ev := range events {
			require.Empty(t, ev.Info().Unknown, name)
			switch ev := ev.(type) {
			case *webhook.UnknownEvent, *webhook.UndecodableEvent:
				t.Errorf("%s holds a %T", name, ev)
			case *webhook.HistoryChunk:
				n := 0
				for _, m := range ev.Messages() {
					require.NoError(t, m.Err)
					require.Empty(t, m.Unknown)
					n++
				}
				require.Equal(t, 3000, n)
			}
		}
	}
}
