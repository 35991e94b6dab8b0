package postgres_test

import (
	"database/sql"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/sqldb"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/sqlstore"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/sqlstore/storetest"
)

// Whatever a screen asks for, an index leads to, and nothing is sorted that grows; also what is
// forgotten. Without one of the indexes, that shows.
func TestNoScreenReadsAWholeTable(t *testing.T) {
	t.Parallel()
	url := database(t)
	db := open(t, url)
	require.NoError(t, storetest.Crowd(t.Context(), db.Store, db.SQL(), 20_000))
	_, err := db.SQL().ExecContext(t.Context(), "ANALYZE")
	require.NoError(t, err)
	statements := storetest.NewStatements(db.SQL(), url)
	noted := sql.OpenDB(statements)
	defer func() { require.NoError(t, noted.Close()) }()
	require.NoError(t, storetest.ShowScreens(t.Context(), sqlstore.New(sqldb.New(noted, sqldb.PostgreSQL))))
	require.NoError(t, statements.Unbounded(t.Context(), db.SQL(), sqldb.PostgreSQL))
	for _, index := range []string{
		"coexistence_messages_page", "coexistence_conversations_list", "coexistence_conversations_unread",
	} {
		_, err := db.SQL().ExecContext(t.Context(), "DROP INDEX "+index)
		require.NoError(t, err)
		require.Error(t, statements.Unbounded(t.Context(), db.SQL(), sqldb.PostgreSQL), "without %s", index)
	}
}
