package coexistence_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence"
)

// A chunk says what arrived with it and what of that is lost, however often it comes.
func TestHistorySaysWhatCouldNotBeRead(t *testing.T) {
	t.Parallel()
	good, noID := past("wamid.1", ada, 1, text("hi")), `{"timestamp":"1","type":"text","text":{"body":"x"}}`
	broken := past("wamid.2", ada, 2, `"type":"text","text":7`)
	whole := history(0, 1, 50, ada, good, past("wamid.2", ada, 2, text("there")))
	damaged := history(0, 1, 50, ada, good, broken)
	other := history(1, 3, 60, ada, noID, past("wamid.3", ada, -9, text("old")))

	store := delivered(t, damaged, other, damaged, other)
	h := stateOf(t, store).History
	require.Equal(t, []coexistence.PhaseSync{
		{Phase: 0, Chunks: coexistence.Ranges{{First: 1, Last: 1}},
			UnreadableChunks: []coexistence.UnreadableChunk{{Order: 1, Messages: 1}}},
		{Phase: 1, Chunks: coexistence.Ranges{{First: 3, Last: 3}},
			UnreadableChunks: []coexistence.UnreadableChunk{{Order: 3, Messages: 1}}},
	}, h.Phases)
	require.Equal(t, 2, h.Unreadable())
	require.Equal(t, "hi", message(t, store, "wamid.1").Text) // a damaged one spoils no other

	deliver(t, store, whole, damaged) // the same chunk, by a decoder that knows more
	h = stateOf(t, store).History
	require.Equal(t, 1, h.Unreadable())
	require.Nil(t, h.Phases[0].UnreadableChunks)
}

// The reducer alone counts as the tracker does.
func TestApplyCountsWhatCannotBeRead(t *testing.T) {
	t.Parallel()
	s := coexistence.Number{PhoneNumberID: phone}
	for _, ev := range decode(t, history(2, 1, 10, ada, past("wamid.1", ada, 1, text("hi")),
		past("", ada, 1, text("no id")))) {
		s = s.Apply(ev).Apply(ev)
	}
	require.Equal(t, 1, s.History.Unreadable())
}

func stateOf(t *testing.T, store coexistence.Store) coexistence.Number {
	t.Helper()
	s, err := store.Number(t.Context(), phone)
	require.NoError(t, err)
	return s
}
