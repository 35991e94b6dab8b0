package sqlite_test

import (
	"database/sql"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/sqldb"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/sqlstore"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/sqlstore/storetest"
)

// Whatever a screen asks for, an index leads to, and nothing is sorted; also what is forgotten.
// Without one of the indexes, that shows.
func TestNoScreenReadsAWholeTable(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "coexistence.db")
	file := open(t, path)
	require.NoError(t, storetest.Crowd(t.Context(), file.Store, file.SQL(), 11_000))
	statements := storetest.NewStatements(file.SQL(), "file:"+path+
		"?_txlock=immediate&_pragma=busy_timeout(10000)&_pragma=foreign_keys(1)")
	noted := sql.OpenDB(statements)
	defer func() { require.NoError(t, noted.Close()) }()
	require.NoError(t, storetest.ShowScreens(t.Context(), sqlstore.New(sqldb.New(noted, sqldb.SQLite))))
	require.NoError(t, statements.Unbounded(t.Context(), file.SQL(), sqldb.SQLite))
	_, err := file.SQL().ExecContext(t.Context(), "ANALYZE")
	require.NoError(t, err)
	require.NoError(t, statements.Unbounded(t.Context(), file.SQL(), sqldb.SQLite), "with statistics")
	for _, index := range []string{
		"coexistence_messages_page", "coexistence_conversations_list", "coexistence_conversations_unread",
	} {
		_, err := file.SQL().ExecContext(t.Context(), "DROP INDEX "+index)
		require.NoError(t, err)
		require.Error(t, statements.Unbounded(t.Context(), file.SQL(), sqldb.SQLite), "without %s", index)
	}
}
