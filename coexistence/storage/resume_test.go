package storage_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/postgres"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/sqlite"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/storage"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/pgdb/pgtest"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/sqldb"
)

// A dyingContext ends when it was asked for its end so often. database/sql asks before and in each
// statement, so each count is another place within the work.
type dyingContext struct {
	context.Context

	cancel context.CancelFunc
	left   atomic.Int64
}

func (c *dyingContext) Done() <-chan struct{} {
	if c.left.Add(-1) == 0 {
		c.cancel()
	}
	return c.Context.Done()
}

// forgetUntil has a process forget that ends at the n-th place, and reports whether it was faster.
func forgetUntil(t *testing.T, db *storage.DB, n int64) (done bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	dying := &dyingContext{Context: ctx, cancel: cancel}
	dying.left.Store(n)
	err := db.Forget(dying, coexistence.ForgetRequest{PhoneNumberID: forgottenPhone, Person: "US.4242424242"})
	if n := dying.left.Load(); n <= 0 {
		return false // a statement can have ended before it was noticed
	}
	require.NoError(t, err)
	return true
}

// resumed checks that another process ends what was begun, if anything was: the person is there as
// before, or nothing is left.
func resumed(t *testing.T, db *storage.DB, dialect sqldb.Dialect, before int, n int64) {
	t.Helper()
	require.NoError(t, db.Store().FinishForgetting(t.Context()))
	left := 0
	for _, err := range db.Store().Messages(t.Context(), forgottenPhone, "US.4242424242") {
		require.NoError(t, err)
		left++
	}
	if left == before {
		_, err := db.Store().Contact(t.Context(), forgottenPhone, coexistence.IdentityOf("US.4242424242"))
		require.NoError(t, err)
		return
	}
	require.Zero(t, left, "place %d", n)
	clean(t, "tables", everything(t, db.SQL(), dialect))
	require.NoError(t, db.Export(t.Context(), forgottenPhone, "15550100143", new(strings.Builder)), "others stay")
}

// However far a process comes before it is killed, the next one ends it. Each place is tried on a
// copy of the same file.
func TestForgettingIsResumedWhereverItStops(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	path := filepath.Join(folder, "full.db")
	openFile := func(path string) *storage.DB {
		db, err := sqlite.Open(t.Context(), sqlite.Config{Path: path})
		require.NoError(t, err)
		return db
	}
	db := openFile(path)
	fill(t, db, time.Now().Add(-time.Hour).Truncate(time.Second).UTC())
	require.NoError(t, db.Close())
	full, err := os.ReadFile(path)
	require.NoError(t, err)
	const stride = 11
	for n, done := int64(1), false; !done; n += stride {
		copied := filepath.Join(folder, "copy.db")
		require.NoError(t, os.WriteFile(copied, full, 0o600))
		db := openFile(copied)
		done = forgetUntil(t, db, n)
		require.NoError(t, db.Close())
		db = openFile(copied)
		resumed(t, db, sqldb.SQLite, 41, n)
		require.NoError(t, db.Close())
	}
}

// A server is filled once: each process goes a little further than the one before, until all is
// gone.
func TestForgettingOnAServerIsResumedWhereverItStops(t *testing.T) {
	t.Parallel()
	if pgtest.Server() == "" {
		t.Skip(pgtest.Missing)
	}
	url, drop, err := pgtest.Schema(t.Context())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, drop(context.WithoutCancel(t.Context()))) })
	open := func() *storage.DB {
		db, err := postgres.Open(t.Context(), postgres.Config{URL: url})
		require.NoError(t, err)
		return db
	}
	db := open()
	fill(t, db, time.Now().Add(-time.Hour).Truncate(time.Second).UTC())
	require.NoError(t, db.Close())
	const stride = 9
	for n, done := int64(1), false; !done; n += stride {
		db := open()
		done = forgetUntil(t, db, n)
		require.NoError(t, db.Close())
	}
	db = open()
	defer db.Close()
	resumed(t, db, sqldb.PostgreSQL, 41, 0)
	clean(t, "tables", everything(t, db.SQL(), sqldb.PostgreSQL))
}
