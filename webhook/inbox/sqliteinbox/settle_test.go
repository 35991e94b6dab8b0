package sqliteinbox_test

import (
	"database/sql"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/sqlitedb"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/inbox"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/inbox/sqliteinbox"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/webhooktest"
)

// split stores a delivery of so many events, each in a conversation of its own.
func split(t *testing.T, store *sqlitedb.Inbox, events int) {
	t.Helper()
	appendKeys(t, store, "large")
	b, _ := claimDeliveries(t, store, 1)
	out := inbox.Settlement{ID: b.Records[0].ID}
	for i := range events {
		out.Events = append(out.Events, inbox.Record{
			Kind: inbox.KindEvent, DedupKey: fmt.Sprint("event ", i), Lane: fmt.Sprint("lane ", i), Index: i,
		})
	}
	require.NoError(t, store.Settle(t.Context(), b.LeaseToken, []inbox.Settlement{out}))
	tables(t, store, "UPDATE webhook_deliveries SET changed_at = 1")
}

// settleOne settles one event.
func settleOne(t *testing.T, store *sqlitedb.Inbox, kind inbox.Disposition) (id inbox.ID) {
	t.Helper()
	b, err := store.Claim(t.Context(), inbox.ClaimRequest{
		Kind: inbox.KindEvent, Lanes: 1, PerLane: 1, LeaseDuration: time.Hour,
	})
	require.NoError(t, err)
	require.Len(t, b.Records, 1)
	require.Equal(t, "body of large", string(b.Records[0].Body))
	require.NoError(t, store.Transact(t.Context(), func(tx *sql.Tx) error {
		return store.SettleTx(t.Context(), tx, b.LeaseToken, []inbox.Settlement{
			{ID: b.Records[0].ID, Disposition: kind},
		})
	}))
	return b.Records[0].ID
}

// bodyOf says whether the row with the body was written since the split, and whether the body is
// there.
func bodyOf(t *testing.T, store *sqlitedb.Inbox) (written, there bool) {
	t.Helper()
	row := store.DB().QueryRowContext(t.Context(), "SELECT changed_at <> 1, body IS NOT NULL FROM webhook_deliveries")
	require.NoError(t, row.Scan(&written, &there))
	return written, there
}

// A body can have 3 MB and thousands of events, and SQLite reads or writes all of a row that it
// changes.
func TestOnlyTheLastEventTouchesTheBody(t *testing.T) {
	t.Parallel()
	store := open(t, filepath.Join(t.TempDir(), "inbox.db"))
	defer store.Close()
	split(t, store, 4)
	dead := settleOne(t, store, inbox.DispositionDead)
	for range 3 {
		written, there := bodyOf(t, store)
		require.False(t, written)
		require.True(t, there)
		settleOne(t, store, inbox.DispositionDone)
	}
	_, there := bodyOf(t, store)
	require.True(t, there, "as long as there is a dead letter")
	n, err := store.DeleteDeadLetters(t.Context(), []inbox.ID{dead})
	require.NoError(t, err)
	require.Equal(t, 1, n)
	written, there := bodyOf(t, store)
	require.True(t, written)
	require.False(t, there)
}

// A thousand messages in one delivery among others, in a transaction for all or for each of them.
func TestAnInboxConforms(t *testing.T) {
	t.Parallel()
	recorder := new(webhooktest.Recorder)
	for name, h := range map[string]webhook.Handler{
		"handler": recorder,
		"InTx":    inbox.InTx(recorder),
	} {
		in, err := sqliteinbox.Open(t.Context(), filepath.Join(t.TempDir(), "inbox.db"), h, inbox.Config{})
		require.NoError(t, err)
		endpoint, err := webhook.NewEndpoint(webhook.Config{AppSecret: "made-up", VerifyToken: "made-up"}, in)
		require.NoError(t, err)
		require.NoError(t, webhooktest.Conformance(t.Context(), webhooktest.Target{
			Handler: endpoint, AppSecret: "made-up", VerifyToken: "made-up", Handled: recorder.Handled,
			HandleTimeout: time.Minute, // it takes a second, and many more under the race detector
		}), name)
		require.NoError(t, in.Shutdown(t.Context()))
	}
}
