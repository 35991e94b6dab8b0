package sqlite_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence"
)

// A long word is looked for among those with its first three letters. If many other words begin
// with these, what has the whole word is found behind them, and pages go on where they ended.
func TestARareWordIsFoundBehindManyThatBeginAlike(t *testing.T) {
	t.Parallel()
	store := open(t, "")
	const phone = "106540352242922"
	say := func(from, n int, word string) {
		t.Helper()
		ids := make([]graph.MessageID, n)
		for i := range ids {
			ids[i] = graph.MessageID(fmt.Sprint("wamid.", from+i))
		}
		require.NoError(t, store.UpdateMessages(t.Context(), phone, ids, func(m *coexistence.Message) {
			m.Person, m.At = "15550100101", time.Unix(1795953329, 0).UTC()
			m.Content = coexistence.Content{Type: "text", Text: word}
		}))
	}
	say(0, 3, "breadcrumbs")
	say(1000, 1200, "bread")
	say(5000, 2, "breadcrumbs")
	found := func(words string, limit int) (ids []graph.MessageID) {
		t.Helper()
		var after coexistence.Cursor
		for {
			list, next, err := store.SearchMessages(t.Context(), phone, words, after, limit)
			require.NoError(t, err)
			for _, m := range list {
				ids = append(ids, m.ID)
			}
			if after = next; after == "" {
				return ids
			}
		}
	}
	crumbs := []graph.MessageID{"wamid.5001", "wamid.5000", "wamid.2", "wamid.1", "wamid.0"}
	require.Equal(t, crumbs, found("breadcr", 10))
	require.Equal(t, crumbs, found("breadcr", 2))
	require.Len(t, found("bread", 100), 1205)
	require.Len(t, found("b", 1000), 1205)
	require.Empty(t, found("breadth", 10))
}
