package sqlinbox_test

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/sqlitedb"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/inbox"
)

// Keys move from the arrivals to the table while it is being read, more than one commit reads and
// more than the first filter takes. A repeat is never counted as new, wherever its key is, and a
// new delivery always is.
func TestARepeatIsKnownWhereverItsKeyIs(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "inbox.db")
	const deliveries, batch = 20000, 2000
	records := func(from, to int) (recs []inbox.Record) {
		for i := from; i < to; i++ {
			recs = append(recs, inbox.Record{
				DedupKey: fmt.Sprint("key ", i), ReceivedAt: time.Now(), Body: []byte("{}"), Backfill: i%5 == 0,
			})
		}
		return recs
	}
	add := func(store inbox.Store, from, to int) int {
		n, err := store.Append(t.Context(), records(from, to))
		require.NoError(t, err)
		return n
	}
	store, err := sqlitedb.OpenInbox(t.Context(), path)
	require.NoError(t, err)
	for from := 0; from < deliveries; from += batch {
		require.Equal(t, batch, add(store, from, from+batch))
		require.Zero(t, add(store, from, from+batch), "they have arrived")
		splitAll(t, store)
		require.Zero(t, add(store, from, from+batch), "they are in the table")
	}
	require.NoError(t, store.Close())

	store, err = sqlitedb.OpenInbox(t.Context(), path)
	require.NoError(t, err)
	defer func() { require.NoError(t, store.Close()) }()
	for i := range 2 * deliveries / 512 { // more commits than it takes to read the table
		require.Zero(t, add(store, i, i+1), "before the reopened store has read it")
		require.Equal(t, 1, add(store, deliveries+i, deliveries+i+1))
		require.Zero(t, add(store, deliveries+i, deliveries+i+1))
		splitAll(t, store)
	}
	require.Zero(t, add(store, 0, deliveries+2*deliveries/512), "when it has read it")
	require.Equal(t, 1000, add(store, 50000, 51000))
}

// When keys expire, most of the set is useless. It is read again, and repeats of the remaining keys
// are known all the time.
func TestWhatExpiredIsNewAgain(t *testing.T) {
	t.Parallel()
	store, err := sqlitedb.OpenInbox(t.Context(), filepath.Join(t.TempDir(), "inbox.db"))
	require.NoError(t, err)
	defer func() { require.NoError(t, store.Close()) }()
	add := func(keys ...string) int {
		var recs []inbox.Record
		for _, key := range keys {
			recs = append(recs, inbox.Record{DedupKey: key, ReceivedAt: time.Now(), Body: []byte("{}")})
		}
		n, err := store.Append(t.Context(), recs)
		require.NoError(t, err)
		return n
	}
	require.Equal(t, 3, add("a", "b", "c"))
	splitAll(t, store)
	_, err = store.DeleteExpired(t.Context(), -time.Hour)
	require.NoError(t, err)
	require.Equal(t, 2, add("a", "d"))
	for range 3 {
		require.Zero(t, add("a", "d"))
		splitAll(t, store)
	}
	require.Equal(t, 2, add("b", "c", "a"))
}

// splitAll claims all deliveries, and settles them as empty.
func splitAll(t *testing.T, store inbox.Store) {
	t.Helper()
	for _, backfill := range []bool{false, true} {
		for {
			b, err := store.Claim(t.Context(), inbox.ClaimRequest{
				Kind: inbox.KindDelivery, Backfill: backfill, Lanes: 1, PerLane: 1024, LeaseDuration: time.Hour,
			})
			require.NoError(t, err)
			if len(b.Records) == 0 {
				break
			}
			outs := make([]inbox.Settlement, len(b.Records))
			for i, rec := range b.Records {
				outs[i] = inbox.Settlement{ID: rec.ID, Disposition: inbox.DispositionDone}
			}
			require.NoError(t, store.Settle(t.Context(), b.LeaseToken, outs))
		}
	}
}
