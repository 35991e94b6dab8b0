package sqldb_test

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	_ "modernc.org/sqlite" // the driver of the test below

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/sqldb"
)

// However many rows a table has, SQLite has few statements for it, and finds them in their order.
func TestATableOfAnySizeArrives(t *testing.T) {
	t.Parallel()
	db, err := sql.Open("sqlite", ":memory:")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	statements := map[string]bool{}
	for size := range 300 {
		var rows [][]sqldb.Cell
		var want []string
		for i := range size {
			name := fmt.Sprintf(`a "name" \ of %d, 🥖`, i)
			rows = append(rows, []sqldb.Cell{sqldb.Text(name), sqldb.Number(int64(-i)), {}})
			want = append(want, fmt.Sprint(i, " ", name, " ", -i, " text integer null"))
		}
		from, args := sqldb.SQLite.Table([]string{"name text", "number bigint", "missing text"}, rows)
		statements[from] = true
		found, err := db.QueryContext(t.Context(), `SELECT n || ' ' || name || ' ' || number || ' ' || typeof(name) || ' ' ||
			typeof(number) || ' ' || typeof(missing) FROM `+from+" ORDER BY n", args...)
		require.NoError(t, err)
		var got []string
		for found.Next() {
			var row string
			require.NoError(t, found.Scan(&row))
			got = append(got, row)
		}
		require.NoError(t, found.Err())
		require.NoError(t, found.Close())
		require.Equal(t, want, got, "%d rows", size)
	}
	require.LessOrEqual(t, len(statements), 9)
}

func FuzzJSONTable(f *testing.F) {
	for _, text := range []string{
		"delivery:0a1b", "", `say "hello"`, `back\slash`, "line\nbreak", "\x00", "\x7f", "olá 🥖", "<&>", "\xff",
	} {
		f.Add(text, int64(-7))
	}
	f.Fuzz(func(t *testing.T, text string, number int64) {
		var rows [][]any
		table := sqldb.JSONTable([][]sqldb.Cell{{sqldb.Text(text), sqldb.Number(number)}, {{}, sqldb.TextOrNull(text)}})
		require.NoError(t, json.Unmarshal([]byte(table), &rows))
		clean := sqldb.Clean(text)
		require.Equal(t, clean, rows[0][0])
		require.Nil(t, rows[1][0])
		if clean == "" {
			require.Nil(t, rows[1][1])
		} else {
			require.Equal(t, clean, rows[1][1])
		}
	})
}
