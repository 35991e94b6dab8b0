package sqliteinbox_test

import (
	"context"
	"database/sql"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/sqlitedb"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/inbox"
)

// A watchedContext calls waits when a caller begins to wait for its end, which is when the caller's
// job is in the queue.
type watchedContext struct {
	context.Context

	waits func()
}

func (c watchedContext) Done() <-chan struct{} {
	c.waits()
	return c.Context.Done()
}

// While chunks of history wait for the disk, what a customer writes goes ahead of them.
func TestWhatIsLiveIsStoredAheadOfAFlood(t *testing.T) {
	t.Parallel()
	const chunks = 12
	store, err := sqlitedb.OpenInbox(t.Context(), filepath.Join(t.TempDir(), "inbox.db"))
	require.NoError(t, err)
	defer func() { require.NoError(t, store.Close()) }()
	var all sync.WaitGroup
	begun, free := make(chan struct{}), make(chan struct{})
	wait := func(ch <-chan struct{}, what string) {
		select {
		case <-ch:
		case <-within(t).Done():
			assert.Fail(t, "it never comes", what)
		}
	}
	all.Go(func() {
		assert.NoError(t, store.Transact(t.Context(), func(*sql.Tx) error {
			close(begun)
			wait(free, "the end of what the disk is at")
			return nil
		}))
	})
	wait(begun, "a transaction")
	var mu sync.Mutex
	var order []string
	appended := func(rec inbox.Record) {
		queued := make(chan struct{})
		ctx := watchedContext{t.Context(), sync.OnceFunc(func() { close(queued) })}
		all.Go(func() {
			if _, err := store.Append(ctx, []inbox.Record{rec}); err != nil {
				t.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			order = append(order, rec.DedupKey)
		})
		wait(queued, "the queue for "+rec.DedupKey)
	}
	for i := range chunks {
		appended(inbox.Record{
			DedupKey: fmt.Sprint("chunk ", i), Backfill: true, Body: make([]byte, 2<<20), ReceivedAt: time.Now(),
		})
	}
	appended(inbox.Record{DedupKey: "live", Body: []byte("hello"), ReceivedAt: time.Now()})
	close(free)
	all.Wait()
	require.Less(t, slices.Index(order, "live"), 3, "a chunk may have ended at the same time: %v", order)
}

// A flood makes headway all the same, however much is live.
func TestAFloodIsNotHeldUpForEver(t *testing.T) {
	t.Parallel()
	store, err := sqlitedb.OpenInbox(t.Context(), filepath.Join(t.TempDir(), "inbox.db"))
	require.NoError(t, err)
	defer func() { require.NoError(t, store.Close()) }()
	ctx, stop := context.WithCancel(t.Context())
	var all sync.WaitGroup
	for c := range 8 { // there is always one that waits
		all.Go(func() {
			for i := 0; ctx.Err() == nil; i++ {
				_, _ = store.Append(ctx, []inbox.Record{{DedupKey: fmt.Sprint(c, " ", i), ReceivedAt: time.Now()}})
			}
		})
	}
	for i := range 20 {
		_, err := store.Append(t.Context(), []inbox.Record{{
			DedupKey: fmt.Sprint("chunk ", i), Backfill: true, Body: make([]byte, 100<<10), ReceivedAt: time.Now(),
		}})
		require.NoError(t, err)
	}
	stop()
	all.Wait()
}
