package sqlite_test

import (
	"context"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/coexistencetest"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/sqlite"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/storage"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/sqlstore/storetest"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/inbox"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/webhooktest"
)

// A store is that of a file of its own.
type store struct {
	storage.Store
	*sqlite.DB
}

// open opens a file, a new one if path is empty.
func open(t testing.TB, path string) store {
	t.Helper()
	if path == "" {
		path = filepath.Join(t.TempDir(), "coexistence.db")
	}
	db, err := sqlite.Open(t.Context(), sqlite.Config{Path: path})
	require.NoError(t, err)
	t.Cleanup(func() { _ = db.Close() }) // a test may have closed it
	return store{db.Store(), db}
}

func TestAFileKeepsThePromisesOfAStore(t *testing.T) {
	t.Parallel()
	store := open(t, "")
	require.NoError(t, coexistencetest.TestStore(t.Context(),
		func(context.Context) (coexistence.Store, error) { return store.Store, nil }))
}

func TestNothingIsLeftInAnyTableOfWhatWasForgotten(t *testing.T) {
	t.Parallel()
	store := open(t, "")
	require.NoError(t, storetest.Forgetting(t.Context(), store.Store, store.SQL(),
		"SELECT name FROM sqlite_master WHERE type = 'table'"))
}

// One process may use a file. Within it, several stores may: their transactions wait for each
// other.
func TestConcurrentStoresEndInTheStateOfOne(t *testing.T) {
	t.Parallel()
	for range 2 {
		seed := rand.Uint64()
		events, err := storetest.Events(seed, 120)
		require.NoError(t, err)
		want, err := storetest.Expected(t.Context(), events)
		require.NoError(t, err)
		a := open(t, "")
		b := store{a.DB.Store(), a.DB}
		require.NoError(t, storetest.HandleConcurrently(t.Context(), seed, events, a, b), "seed %d", seed)
		require.NoError(t, storetest.Differs(t.Context(), a, want), "seed %d", seed)
		require.NoError(t, storetest.Differs(t.Context(), b, want), "seed %d", seed)
	}
}

// A writer that only polls the file's lock gets it by luck, and an error when there was none for
// long enough.
func TestTheStoresOfAFileWaitInTurn(t *testing.T) {
	t.Parallel()
	a := open(t, "")
	b := store{a.DB.Store(), a.DB}
	a.SQL().SetMaxOpenConns(2)
	var conns []*sql.Conn
	for range 2 {
		conn, err := a.SQL().Conn(t.Context())
		require.NoError(t, err)
		_, err = conn.ExecContext(t.Context(), "PRAGMA busy_timeout = 0")
		require.NoError(t, err)
		conns = append(conns, conn)
	}
	for _, conn := range conns {
		require.NoError(t, conn.Close()) // back into the pool
	}
	nothing := func(s coexistence.Number) (coexistence.Number, error) { return s, nil }
	_, err := a.UpdateNumber(t.Context(), "106540352242922", func(s coexistence.Number) (coexistence.Number, error) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		_, err := b.UpdateNumber(ctx, "106540352242922", nothing)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		return s, nil
	})
	require.NoError(t, err)
	_, err = b.UpdateNumber(t.Context(), "106540352242922", nothing)
	require.NoError(t, err)
}

func TestEverythingIsThereAfterARestart(t *testing.T) {
	t.Parallel()
	events, err := storetest.Events(1, 200)
	require.NoError(t, err)
	chunk, err := storetest.Chunk(0, 350)
	require.NoError(t, err)
	events = append(events, chunk...)
	want, err := storetest.Expected(t.Context(), events)
	require.NoError(t, err)
	path := filepath.Join(t.TempDir(), "with spaces, 100% and #?.db")
	for i := range 4 { // a restart in the middle of the events, three times
		store := open(t, path)
		require.NoError(t, storetest.Handle(t.Context(), store, events[i*len(events)/4:(i+1)*len(events)/4]))
		require.NoError(t, store.Close())
	}
	require.NoError(t, storetest.Differs(t.Context(), open(t, path), want))
}

func TestALongConversationIsReadInOrderWhileItGrows(t *testing.T) {
	t.Parallel()
	store := open(t, "")
	ids := make([]string, 1200)
	for i := range ids {
		ids[i] = fmt.Sprintf("wamid.%05d", i)
	}
	require.NoError(t, storetest.Talk(t.Context(), store, "15550100101", ids...))
	n := 0
	for m, err := range store.Messages(t.Context(), storetest.Phone, "15550100101") {
		require.NoError(t, err)
		require.Equal(t, ids[n], string(m.ID))
		if n++; n == 600 {
			require.NoError(t, storetest.Talk(t.Context(), store, "15550100101", "wamid.00000.5"))
		}
	}
	require.Equal(t, len(ids), n)
}

func TestOnlyItsOwnerReadsTheFile(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		return // modes mean nothing there
	}
	path := filepath.Join(t.TempDir(), "coexistence.db")
	require.NoError(t, storetest.Talk(t.Context(), open(t, path), "15550100101", "wamid.1"))
	for _, suffix := range []string{"", "-wal", "-shm"} {
		info, err := os.Stat(path + suffix)
		require.NoError(t, err)
		require.Equal(t, os.FileMode(0o600), info.Mode().Perm(), suffix)
	}
}

func TestAFileThatOthersMayReadBecomesItsOwners(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		return // modes mean nothing there
	}
	path := filepath.Join(t.TempDir(), "coexistence.db")
	for _, suffix := range []string{"", "-lock"} {
		require.NoError(t, os.WriteFile(path+suffix, nil, 0o644))
	}
	open(t, path)
	for _, suffix := range []string{"", "-lock", "-wal", "-shm"} {
		info, err := os.Stat(path + suffix)
		require.NoError(t, err)
		require.Equal(t, os.FileMode(0o600), info.Mode().Perm(), suffix)
	}
}

func TestEveryConnectionIsDurable(t *testing.T) {
	t.Parallel()
	store := open(t, "")
	for range 5 { // held, so that each is another one
		conn, err := store.SQL().Conn(t.Context())
		require.NoError(t, err)
		defer conn.Close()
		for name, want := range map[string]string{"journal_mode": "wal", "synchronous": "2", "foreign_keys": "1",
			"busy_timeout": "10000"} {
			var got string
			require.NoError(t, conn.QueryRowContext(t.Context(), "PRAGMA "+name).Scan(&got))
			require.Equal(t, want, got, name)
		}
	}
}

func TestWhatIsNoFileIsRefused(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	text := filepath.Join(dir, "text")
	require.NoError(t, os.WriteFile(text, []byte("this is a letter to a friend and no database, as everybody can see"),
		0o600))
	for name, tt := range map[string]struct{ path, want string }{
		"empty":             {"", "not the name of a file"},
		"memory":            {":memory:", "coexistence.MemStore"},
		"URI":               {"file:x.db", "not the name of a file"},
		"folder":            {dir, "names a folder"},
		"below a file":      {filepath.Join(text, "x.db"), "the folder of the file cannot be made"},
		"something written": {text, "is it one, and whole"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := sqlite.Open(t.Context(), sqlite.Config{Path: tt.path})
			require.ErrorContains(t, err, tt.want)
		})
	}
}

// Root may write to every file, so tests that run as root give that right up in one thread.
func TestAFileThatCannotBeWrittenToIsRefused(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "coexistence.db")
	require.NoError(t, open(t, path).Close())
	require.NoError(t, os.Chmod(path, 0o400))
	require.NoError(t, os.Chmod(filepath.Dir(dir), 0o755))
	defer asAnybody(t)()
	_, err := sqlite.Open(t.Context(), sqlite.Config{Path: path})
	require.ErrorContains(t, err, "let this user write to it and to its folder")
}

func TestTablesOfANewerReleaseAreRefused(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "coexistence.db")
	db := open(t, path)
	_, err := db.SQL().ExecContext(t.Context(), "INSERT INTO coexistence_migrations (version) VALUES (99)")
	require.NoError(t, err)
	require.NoError(t, db.Close())
	_, err = sqlite.Open(t.Context(), sqlite.Config{Path: path})
	require.ErrorContains(t, err, "the tables are of version 99 and this release knows 1; run the newer release")
}

func TestMissingTablesAreExplained(t *testing.T) {
	t.Parallel()
	store := open(t, "")
	_, err := store.SQL().ExecContext(t.Context(), "DROP TABLE coexistence_messages")
	require.NoError(t, err)
	_, err = store.Message(t.Context(), storetest.Phone, "wamid.1")
	require.ErrorContains(t, err, "open the database with package sqlite or postgres")
}

// SQLite has one writer. What a handler within InTx writes past its transaction would wait for that
// one, forever.
func TestAHandlerDoesNotWaitForItsOwnTransaction(t *testing.T) {
	t.Parallel()
	db := open(t, "")
	handled := make(chan error, 1)
	in, err := db.Inbox(inbox.InTx(webhook.HandlerFunc(func(ctx context.Context, _ webhook.Event) error {
		_, err := db.UpdateNumber(ctx, storetest.Phone,
			func(s coexistence.Number) (coexistence.Number, error) { return s, nil })
		handled <- err
		return nil
	})), inbox.Config{})
	require.NoError(t, err)
	require.NoError(t, in.Start(t.Context()))
	require.NoError(t, in.Receive(t.Context(),
		webhook.Delivery{Body: webhooktest.Sample("messages", "text"), ReceivedAt: time.Now()}))
	select {
	case err := <-handled:
		require.ErrorContains(t, err, "write with inbox.Tx")
	case <-time.After(time.Minute):
		require.Fail(t, "the handler waits for its own transaction")
	}
	require.NoError(t, in.Shutdown(t.Context()))
}

// The text in docs is for people who have no Go at hand.
func TestTheSchemaInDocsIsTrue(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "schema", "sqlite.sql"))
	require.NoError(t, err)
	require.Equal(t, sqlite.Schema(), string(text), "write what Schema returns into docs/schema/sqlite.sql")
}

func TestAFileIsOpenOnce(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "coexistence.db")
	db := open(t, path)
	_, err := sqlite.Open(t.Context(), sqlite.Config{Path: path})
	require.ErrorContains(t, err, "the file is in use")
	require.NoError(t, db.Close())
	require.NoError(t, open(t, path).Close())
}

func TestAnotherWriterOfTheFileIsNamed(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "coexistence.db")
	store := open(t, path)
	other, err := sql.Open("sqlite", path)
	require.NoError(t, err)
	defer other.Close()
	store.SQL().SetMaxOpenConns(1)
	_, err = store.SQL().ExecContext(t.Context(), "PRAGMA busy_timeout = 0")
	require.NoError(t, err)
	tx, err := other.BeginTx(t.Context(), nil)
	require.NoError(t, err)
	_, err = tx.ExecContext(t.Context(), "CREATE TABLE another (n INTEGER)")
	require.NoError(t, err)
	require.ErrorContains(t, storetest.Talk(t.Context(), store, "15550100101", "wamid.1"), "one process may use it")
	require.NoError(t, tx.Rollback())
	require.NoError(t, storetest.Talk(t.Context(), store, "15550100101", "wamid.1"))
}

func TestAFullDiskLosesNothing(t *testing.T) {
	t.Parallel()
	store := open(t, "")
	require.NoError(t, storetest.Talk(t.Context(), store, "15550100101", "wamid.0"))
	store.SQL().SetMaxOpenConns(1)
	_, err := store.SQL().ExecContext(t.Context(), "PRAGMA max_page_count = 30")
	require.NoError(t, err)
	var ids []string
	for i := range 1000 {
		ids = append(ids, fmt.Sprintf("wamid.1.%d", i))
	}
	require.ErrorContains(t, storetest.Talk(t.Context(), store, "15550100101", ids...), "the disk is full")
	chat, err := store.Conversation(t.Context(), storetest.Phone, "15550100101")
	require.NoError(t, err)
	require.Equal(t, 1, chat.MessageCount) // all of a call or none
	_, err = store.SQL().ExecContext(t.Context(), "PRAGMA max_page_count = 100000")
	require.NoError(t, err)
	require.NoError(t, storetest.Talk(t.Context(), store, "15550100101", ids...))
}

// A chunk of 3,000 new messages in thirty conversations goes through the tracker, and then a repeat
// of it.
func BenchmarkHistoryChunk(b *testing.B) {
	for name, open := range map[string]func(*testing.B) coexistence.Store{
		"memory": func(*testing.B) coexistence.Store { return new(coexistence.MemStore) },
		"sqlite": func(b *testing.B) coexistence.Store { return open(b, "").Store },
	} {
		b.Run(name+"/new", func(b *testing.B) { benchmarkChunk(b, open(b), 3000) })
		b.Run(name+"/repeat", func(b *testing.B) { benchmarkChunk(b, open(b), 0) })
	}
}

// benchmarkChunk stores a chunk again and again, whose ids go on by step.
func benchmarkChunk(b *testing.B, store coexistence.Store, step int) {
	first := 0
	for b.Loop() {
		b.StopTimer()
		events, err := storetest.Chunk(first, 3000)
		require.NoError(b, err)
		b.StartTimer()
		require.NoError(b, storetest.Handle(b.Context(), store, events))
		first += step
	}
	b.ReportMetric(float64(b.N)*3000/b.Elapsed().Seconds(), "messages/s")
}
