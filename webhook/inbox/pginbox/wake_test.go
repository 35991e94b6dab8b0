package pginbox_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/pgdb"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/inbox"
)

// What a process has appended itself it knows; to be told would be a query for nothing, for each
// delivery.
func TestAProcessIsNotifiedOnlyOfWhatOthersAppend(t *testing.T) {
	t.Parallel()
	url := database(t)
	var stores [2]*pgdb.Inbox
	for i := range stores {
		var err error
		stores[i], err = pgdb.OpenInbox(t.Context(), pgdb.Config{URL: url})
		require.NoError(t, err)
		defer func() { require.NoError(t, stores[i].Close()) }()
		require.NoError(t, stores[i].Wait(t.Context()), "it listens from here on")
	}
	for i, key := range []string{"a", "b"} {
		n, err := stores[i].Append(t.Context(), []inbox.Record{{
			DedupKey: key, ReceivedAt: time.Now(), Body: []byte("{}"),
		}})
		require.NoError(t, err)
		require.Equal(t, 1, n)
	}
	for _, store := range stores {
		require.NoError(t, store.Wait(t.Context()), "for what the other one has appended")
		// Notifications come in the order of commits, and at once.
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		require.ErrorIs(t, store.Wait(ctx), context.DeadlineExceeded, "and not for its own")
	}
}
