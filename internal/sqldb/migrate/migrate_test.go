package migrate_test

import (
	"database/sql"
	"io/fs"
	"path/filepath"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"
	_ "modernc.org/sqlite" // the driver

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/sqldb"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/sqldb/migrate"
)

const first = "CREATE TABLE coexistence_migrations (version INTEGER PRIMARY KEY); INSERT INTO " +
	"coexistence_migrations VALUES (1); " +
	"CREATE TABLE people (name TEXT);"

// files are those of a release.
func files(texts ...string) fs.FS {
	all := fstest.MapFS{}
	for i, text := range texts {
		all["000"+string(rune('1'+i))+"_step.sql"] = &fstest.MapFile{Data: []byte(text)}
	}
	return all
}

func open(t *testing.T) *sqldb.DB {
	t.Helper()
	db, err := sql.Open(
		"sqlite",
		"file:"+filepath.ToSlash(filepath.Join(t.TempDir(), "x.db"))+"?_txlock=immediate&_pragma=journal_mode(WAL)",
	)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	return sqldb.New(db, sqldb.SQLite)
}

func TestAReleaseAddsItsSteps(t *testing.T) {
	t.Parallel()
	db := open(t)
	require.ErrorIs(t, migrate.Check(t.Context(), db, files(first)), migrate.ErrPending)
	require.NoError(t, migrate.Up(t.Context(), db, files(first)))
	next := files(first, "ALTER TABLE people ADD COLUMN age INTEGER; INSERT INTO coexistence_migrations VALUES (2);")
	require.ErrorContains(t, migrate.Check(t.Context(), db, next), "they are of version 1 and this release needs 2")
	for range 2 { // the second time, there is nothing to do
		require.NoError(t, migrate.Up(t.Context(), db, next))
	}
	_, err := db.ExecContext(t.Context(), "INSERT INTO people (name, age) VALUES ('Ada', 36)")
	require.NoError(t, err)
	require.ErrorContains(t, migrate.Up(t.Context(), db, files(first)), "of version 2 and this release knows 1")
}

func TestAStepThatFailsLeavesNothing(t *testing.T) {
	t.Parallel()
	db := open(t)
	err := migrate.Up(t.Context(), db, files(first, "ALTER TABLE nobody ADD COLUMN age INTEGER;"))
	require.ErrorContains(t, err, "migration 0002_step.sql")
	require.ErrorContains(t, migrate.Check(t.Context(), db, files(first)), "they are of version 0")
	require.NoError(t, migrate.Up(t.Context(), db, files(first)))
}

func TestFilesAreNumberedWithoutGaps(t *testing.T) {
	t.Parallel()
	for name, all := range map[string]fs.FS{
		"none":        fstest.MapFS{},
		"no first":    fstest.MapFS{"0002_step.sql": &fstest.MapFile{}},
		"not a digit": fstest.MapFS{"first.sql": &fstest.MapFile{}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.Error(t, migrate.Check(t.Context(), open(t), all))
		})
	}
}
