package sqlitedb_test

import (
	"database/sql"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/sqlitedb"
)

// row is what each transaction writes: about 50 pages.
const row = 200 << 10

// write commits n rows, and replaces old ones, so that the file stays small.
func write(t *testing.T, file *sqlitedb.File, n int) {
	t.Helper()
	for i := range n {
		require.NoError(t, file.Transact(t.Context(), func(tx *sql.Tx) error {
			_, err := tx.ExecContext(t.Context(),
				"INSERT OR REPLACE INTO many (id, body) VALUES (?, randomblob(?))", i%20, row)
			return err
		}))
	}
}

// open opens a file with a table.
func open(t *testing.T) (file *sqlitedb.File, path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "a.db")
	file, err := sqlitedb.Open(t.Context(), path)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, file.Close()) })
	_, err = file.Write(t.Context(), "CREATE TABLE many (id INTEGER PRIMARY KEY, body BLOB)")
	require.NoError(t, err)
	return file, path
}

// logSize is how long the log of a file is, in bytes.
func logSize(t *testing.T, path string) int64 {
	t.Helper()
	info, err := os.Stat(path + "-wal")
	require.NoError(t, err)
	return info.Size()
}

// With a writer that never pauses, the log is never copied to its end unless the writers wait a
// moment for it. Commits would copy it themselves at 64 MB.
func TestTheLogStaysShortWhileOthersWrite(t *testing.T) {
	t.Parallel()
	file, path := open(t)
	write(t, file, 500) // 100 MB
	require.Less(t, logSize(t, path), int64(60<<20))
	require.Greater(t, logSize(t, path), int64(8<<20), "a log that is copied often is copied more than is needed")
}

// A reader needs the log as it is: it grows, and is copied when the reader has ended.
func TestTheLogIsCopiedWhenAReaderEnds(t *testing.T) {
	t.Parallel()
	file, path := open(t)
	write(t, file, 1)
	reader, err := file.BeginTx(t.Context(), &sql.TxOptions{ReadOnly: true})
	require.NoError(t, err)
	defer reader.Rollback() //nolint:errcheck // it has ended
	var n int
	require.NoError(t, reader.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM many").Scan(&n))
	write(t, file, 400)
	require.Greater(t, logSize(t, path), int64(70<<20))
	require.NoError(t, reader.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM many").Scan(&n))
	require.Equal(t, 1, n, "the reader sees what was there when it began")
	require.NoError(t, reader.Rollback())
	require.NoError(t, file.Checkpoint(t.Context()))
	write(t, file, 1)
	require.LessOrEqual(t, logSize(t, path), int64(64<<20))
	require.NoError(t, file.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM many").Scan(&n))
	require.Equal(t, 20, n)
}
