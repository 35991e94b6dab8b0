package sqlstore

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/sqldb"
)

// The tests against real databases are in the modules below. These are the rules of quoting that
// they rely on.

func TestPlaceholdersAreNumberedForPostgreSQL(t *testing.T) {
	t.Parallel()
	require.Equal(t, "a = $1 AND b IN ($2, $3)", sqldb.PostgreSQL.Rebind("a = ? AND b IN (?, ?)"))
	require.Equal(t, "a = ? AND b IN (?, ?)", sqldb.SQLite.Rebind("a = ? AND b IN (?, ?)"))
	require.Equal(t, "a", sqldb.PostgreSQL.Rebind("a"))
}

func TestTextsTravelQuoted(t *testing.T) {
	t.Parallel()
	rows := [][]sqldb.Cell{{sqldb.Text(`a"b\c`), sqldb.Number(-7), {}},
		{sqldb.Text("{NULL,'}"), nullable(new(int64(1) << 62)), sqldb.Number(0)}}
	columns := []string{"a text", "b bigint", "c bigint"}
	_, args := sqldb.PostgreSQL.Table(columns, rows)
	require.Equal(t, []any{`{"a\"b\\c","{NULL,'}"}`, `{-7,4611686018427387904}`, `{NULL,0}`}, args)
	_, args = sqldb.SQLite.Table(columns, rows)
	require.Equal(t, []any{`a"b\c`, int64(-7), nil, `{NULL,'}`, int64(1) << 62, int64(0), 2}, args)
	_, arg := sqldb.SQLite.AmongTexts("a", []string{`"`, "b"})
	require.Equal(t, `["\"","b"]`, arg)
	_, arg = sqldb.PostgreSQL.AmongTexts("a", []string{"", "b"})
	require.Equal(t, `{"","b"}`, arg)
}

func TestTextsThatNoDatabaseKeepsAreMended(t *testing.T) {
	t.Parallel()
	require.Equal(t, "a\uFFFDb\uFFFD", text("a\x00b\xff"))
	require.Equal(t, "wamid.1\u00e9", text("wamid.1\u00e9"))
}
