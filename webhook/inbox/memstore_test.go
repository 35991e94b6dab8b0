package inbox_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/inbox"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/inbox/inboxtest"
)

func TestMemoryKeepsThePromisesOfAStore(t *testing.T) {
	t.Parallel()
	require.NoError(t, inboxtest.TestStore(t.Context(), inboxtest.Engine{
		New: func(context.Context) (inboxtest.Storage, error) {
			store := new(inbox.MemStore)
			return inboxtest.Storage{
				Open:  func(context.Context) (inbox.Store, error) { return store, nil },
				Close: func() error { return nil },
			}, nil
		},
	}))
}

func TestAFullMemoryTakesNoMore(t *testing.T) {
	t.Parallel()
	store := &inbox.MemStore{MaxBytes: 10}
	n, err := store.Append(t.Context(), []inbox.Record{{DedupKey: "a", Body: make([]byte, 8)}})
	require.NoError(t, err)
	require.Equal(t, 1, n)
	_, err = store.Append(t.Context(), []inbox.Record{{DedupKey: "b", Body: make([]byte, 8)}})
	require.ErrorIs(t, err, inbox.ErrFull)
	_, err = store.Append(t.Context(), []inbox.Record{{DedupKey: "a", Body: make([]byte, 8)}})
	require.NoError(t, err, "a repeat takes no room")
	b, err := store.Claim(t.Context(), inbox.ClaimRequest{Lanes: 1, PerLane: 1, LeaseDuration: 1e9})
	require.NoError(t, err)
	require.NoError(t, store.Settle(t.Context(), b.LeaseToken, []inbox.Settlement{{ID: b.Records[0].ID}}))
	n, err = store.Append(t.Context(), []inbox.Record{{DedupKey: "b", Body: make([]byte, 8)}})
	require.NoError(t, err)
	require.Equal(t, 1, n)
}
