package webhook

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/bench/payload"
)

// The tests of decode_fast_test.go compare the fast shapes with the slow path. They prove nothing
// about bodies that no matcher takes: these tests count which are taken.

// changesIn returns the changes of a body as they are written.
func changesIn(t *testing.T, body []byte) []json.RawMessage {
	t.Helper()
	var delivery struct {
		Entry []struct {
			Changes []json.RawMessage `json:"changes"`
		} `json:"entry"`
	}
	require.NoError(t, json.Unmarshal(body, &delivery))
	require.Len(t, delivery.Entry, 1)
	return delivery.Entry[0].Changes
}

// takes reports whether a change has the fast shape, and checks that it is then read to its end and
// makes one event.
func takes(t *testing.T, change []byte) bool {
	t.Helper()
	d := new(decoder)
	d.s.Reset(change)
	taken := d.fastChange()
	if !taken {
		require.Empty(t, d.events, "a change that is not taken makes no event")
		require.Len(t, d.s.Rest(), len(change), "a change that is not taken is not read")
		return false
	}
	d.s.End()
	require.NoError(t, d.s.Err())
	require.Len(t, d.events, 1)
	return true
}

func TestFastChangesAreTaken(t *testing.T) {
	t.Parallel()
	bodies := map[string]struct {
		body []byte
		want int
	}{
		"text":   {payload.Text(), 1},
		"status": {payload.Status(), 1},
		"batch":  {payload.Batch(100), 90}, // not the failures, and not the contacts of the address book
	}
	for name, tt := range bodies {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			taken := 0
			for _, change := range changesIn(t, tt.body) {
				if takes(t, change) {
					taken++
				}
			}
			require.Equal(t, tt.want, taken)
		})
	}
}

func TestFastMessagesAreTaken(t *testing.T) {
	t.Parallel()
	var value struct {
		Value struct {
			History []struct {
				Threads []struct {
					Messages []json.RawMessage `json:"messages"`
				} `json:"threads"`
			} `json:"history"`
		} `json:"value"`
	}
	require.NoError(t, json.Unmarshal(changesIn(t, payload.History(300, 3))[0], &value))
	taken := 0
	for _, thread := range value.Value.History[0].Threads {
		w := new(historyWalker)
		w.texts.size = slabSize
		for _, raw := range thread.Messages {
			var kind struct {
				Type MessageType `json:"type"`
			}
			require.NoError(t, json.Unmarshal(raw, &kind))
			want := 0
			if kind.Type == TypeText || kind.Type == TypeMediaPlaceholder {
				want = len(raw)
				taken++
			}
			size, text := fastMessageSize(raw)
			require.Equal(t, want, size, "%s", raw)
			require.Equal(t, kind.Type == TypeText, text, "%s", raw)
			w.s.Reset(raw)
			require.Equal(t, want, w.fastMessage(&w.s, new(HistoryMessage), new(HistoryThread), raw), "%s", raw)
		}
	}
	require.Greater(t, taken, 270)
}
