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
	for name, body := range map[string][]byte{
		"text": payload.Text(), "status": payload.Status(), "batch": payload.Batch(100),
		"history": payload.History(3000, 40),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			t.Logf("%d bytes", len(body))
			require.NoError(t, json.Unmarshal(body, new(payload.Delivery)))
			events, err := webhook.Decode(body)
			require.NoError(t, err)
			for _, ev := range events {
				require.NotEmpty(t, ev.Info().Field)
				require.Empty(t, ev.Info().Unknown)
				switch ev.(type) {
				case *webhook.UnknownEvent, *webhook.UndecodableEvent:
					t.Errorf("it holds a %T", ev)
				}
			}
		})
	}
}

func TestAHistoryHasItsMessagesAndSize(t *testing.T) {
	t.Parallel()
	body := payload.History(3000, 40)
	require.InDelta(t, 1_000_000, len(body), 100_000)
	require.Equal(t, body, payload.History(3000, 40), "it is the same in every run")
	events, err := webhook.Decode(body)
	require.NoError(t, err)
	require.Len(t, events, 1)
	chunk, ok := events[0].(*webhook.HistoryChunk)
	require.True(t, ok)
	n := 0
	for _, m := range chunk.Messages() {
		require.NoError(t, m.Err)
		require.Empty(t, m.Unknown)
		n++
	}
	require.Equal(t, 3000, n)
}
