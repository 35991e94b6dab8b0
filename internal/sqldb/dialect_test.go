package sqldb_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/sqldb"
)

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
