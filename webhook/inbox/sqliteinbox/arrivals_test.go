package sqliteinbox_test

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/sqlitedb"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/inbox"
)

func open(t *testing.T, path string) *sqlitedb.Inbox {
	t.Helper()
	store, err := sqlitedb.OpenInbox(t.Context(), path)
	require.NoError(t, err)
	return store
}

func appendKeys(t *testing.T, store inbox.Store, keys ...string) (added int) {
	t.Helper()
	recs := make([]inbox.Record, len(keys))
	for i, key := range keys {
		recs[i] = inbox.Record{DedupKey: key, ReceivedAt: time.Unix(1795168800, 0), Body: []byte("body of " + key)}
	}
	added, err := store.Append(t.Context(), recs)
	require.NoError(t, err)
	return added
}

func claimDeliveries(t *testing.T, store inbox.Store, limit int) (b inbox.Batch, keys []string) {
	t.Helper()
	b, err := store.Claim(t.Context(), inbox.ClaimRequest{
		Kind: inbox.KindDelivery, Lanes: 1, PerLane: limit, LeaseDuration: time.Hour, WorkerID: "test",
	})
	require.NoError(t, err)
	for _, rec := range b.Records {
		require.Equal(t, "body of "+rec.DedupKey, string(rec.Body))
		keys = append(keys, rec.DedupKey)
	}
	return b, keys
}

// tables runs a statement that only a test would.
func tables(t *testing.T, store *sqlitedb.Inbox, statement string) {
	t.Helper()
	_, err := store.DB().ExecContext(t.Context(), statement)
	require.NoError(t, err)
}

func TestWhatArrivedIsKnownAfterARestart(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "inbox.db")
	store := open(t, path)
	require.Equal(t, 3, appendKeys(t, store, "a", "b", "a", "c"))
	require.NoError(t, store.Close())

	store = open(t, path)
	defer store.Close()
	st, err := store.Stats(t.Context())
	require.NoError(t, err)
	require.Equal(t, 3, st.Deliveries)
	require.NotZero(t, st.OldestLive)
	require.Equal(t, 1, appendKeys(t, store, "c", "d", "a"))
	b, keys := claimDeliveries(t, store, 10)
	require.Equal(t, []string{"a", "b", "c", "d"}, keys)
	require.Zero(t, appendKeys(t, store, "a", "b", "c", "d"), "while they are being split")
	outs := make([]inbox.Settlement, len(b.Records))
	for i, rec := range b.Records {
		outs[i] = inbox.Settlement{ID: rec.ID, Disposition: inbox.DispositionDone, DropKey: rec.DedupKey == "b"}
	}
	require.NoError(t, store.Settle(t.Context(), b.LeaseToken, outs))
	require.Equal(t, 1, appendKeys(t, store, "a", "b", "c", "d"), "what is to be forgotten comes again")
}

func TestWhatArrivesWaitsBehindWhatIsTriedAgain(t *testing.T) {
	t.Parallel()
	store := open(t, filepath.Join(t.TempDir(), "inbox.db"))
	defer store.Close()
	appendKeys(t, store, "a")
	b, _ := claimDeliveries(t, store, 10)
	appendKeys(t, store, "b")
	require.NoError(t, store.Settle(t.Context(), b.LeaseToken, []inbox.Settlement{
		{ID: b.Records[0].ID, Disposition: inbox.DispositionRetry},
	}))
	appendKeys(t, store, "c")
	b, keys := claimDeliveries(t, store, 2)
	require.Equal(t, []string{"a", "b"}, keys)
	require.Equal(t, 1, b.Records[0].Attempts)
}

// A claim takes whole commits out of the arrivals, and leaves the others there.
func TestClaimsTakeNoMoreThanTheyAskedFor(t *testing.T) {
	t.Parallel()
	store := open(t, filepath.Join(t.TempDir(), "inbox.db"))
	defer store.Close()
	var want, got []string
	for i := range 20 {
		keys := []string{fmt.Sprintf("%02d a", i), fmt.Sprintf("%02d b", i), fmt.Sprintf("%02d c", i)}
		require.Equal(t, 3, appendKeys(t, store, keys...))
		want = append(want, keys...)
	}
	for len(got) < len(want) {
		b, keys := claimDeliveries(t, store, 7)
		require.LessOrEqual(t, len(keys), 7)
		require.NotEmpty(t, keys)
		got = append(got, keys...)
		var outs []inbox.Settlement
		for _, rec := range b.Records {
			outs = append(outs, inbox.Settlement{ID: rec.ID, Disposition: inbox.DispositionDone})
		}
		require.NoError(t, store.Settle(t.Context(), b.LeaseToken, outs))
	}
	require.Equal(t, want, got)
}

// Two stores over one file are a mistake. They count what both get, but do not keep it twice.
func TestTwoStoresOverOneFileKeepNothingTwice(t *testing.T) {
	t.Parallel()
	store := open(t, filepath.Join(t.TempDir(), "inbox.db"))
	defer store.Close()
	appendKeys(t, store, "a", "b")
	tables(
		t, store,
		"INSERT INTO webhook_arrivals (received_at, deliveries, heads, bodies) SELECT received_at, deliveries, "+
			"heads, bodies FROM webhook_arrivals",
	)
	_, keys := claimDeliveries(t, store, 10)
	require.Equal(t, []string{"a", "b"}, keys)
}

func TestADamagedRowIsNamed(t *testing.T) {
	t.Parallel()
	for name, damage := range map[string]string{
		"bodies":   "UPDATE webhook_arrivals SET bodies = substr(bodies, 2)",
		"heads":    "UPDATE webhook_arrivals SET heads = substr(heads, 2)",
		"negative": "UPDATE webhook_arrivals SET heads = replace(heads, '\"size\":', '\"size\":-')",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "inbox.db")
			store := open(t, path)
			appendKeys(t, store, "a")
			tables(t, store, damage)
			_, err := store.Claim(t.Context(), inbox.ClaimRequest{
				Kind: inbox.KindDelivery, Lanes: 1, PerLane: 1, LeaseDuration: time.Hour,
			})
			require.ErrorContains(t, err, "row 1 of webhook_arrivals is damaged")
			require.NoError(t, store.Close())
			if name == "heads" { // the others are found when they are claimed
				_, err = sqlitedb.OpenInbox(t.Context(), path)
				require.ErrorContains(t, err, "row 1 of webhook_arrivals is damaged")
			}
		})
	}
}
