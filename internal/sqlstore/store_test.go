package sqlstore_test

import (
	"database/sql"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/sqlstore"
)

func TestNewTellsEveryMistake(t *testing.T) {
	t.Parallel()
	_, err := sqlstore.New(nil, "mysql")
	require.ErrorContains(t, err, "the database is nil")
	require.ErrorContains(t, err, `the dialect "mysql" is unknown; use SQLite or PostgreSQL`)
	store, err := sqlstore.New(new(sql.DB), sqlstore.SQLite)
	require.NoError(t, err)
	require.NotNil(t, store.DB())
}
