package sqlstore

import (
	"strconv"
	"strings"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/sqldb"
)

// oneOf is a condition behind a column: it is one of any number of texts. It takes one parameter,
// so that there are few different statements for the database to prepare, whose number would
// otherwise grow with the length of the list.
func oneOf(d sqldb.Dialect, texts []string) (string, any) {
	cells := make([]sqldb.Cell, len(texts))
	for i, t := range texts {
		cells[i] = sqldb.Text(t)
	}
	// One array in PostgreSQL, one JSON array in SQLite.
	if d == sqldb.PostgreSQL {
		return " = ANY(CAST(? AS text[]))", sqldb.Array(cells)
	}
	return " IN (SELECT value FROM json_each(?))", sqldb.JSONArray(cells)
}

// nullable is a number, or NULL if there is none.
func nullable(n *int64) sqldb.Cell {
	if n == nil {
		return sqldb.Cell{}
	}
	return sqldb.Number(*n)
}

// table is a SELECT of constant columns followed by those of the rows, to insert from. The rows
// travel as one parameter (SQLite) or as one for each column (PostgreSQL), however many there are,
// and in a form that every driver passes on: as text. So there is one statement for any number of
// rows, which the database prepares once. types are PostgreSQL's names of the columns' types.
func table(d sqldb.Dialect, constants []string, types []string, rows [][]sqldb.Cell) (string, []any) {
	args := make([]any, 0, len(constants)+len(types))
	for _, c := range constants {
		args = append(args, c)
	}
	var b strings.Builder
	b.WriteString("SELECT ")
	if d != sqldb.PostgreSQL {
		b.WriteString(strings.Repeat("?, ", len(constants)))
		for i := range types {
			if i > 0 {
				b.WriteString(", ")
			}
			b.WriteString("value ->> " + strconv.Itoa(i))
		}
		b.WriteString(" FROM json_each(?)")
		return b.String(), append(args, sqldb.JSONTable(rows))
	}
	b.WriteString(strings.Repeat("CAST(? AS text), ", len(constants)))
	b.WriteString("r.* FROM unnest(")
	for i, typ := range types {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString("CAST(? AS " + typ + "[])")
		column := make([]sqldb.Cell, len(rows))
		for j, row := range rows {
			column[j] = row[i]
		}
		args = append(args, sqldb.Array(column))
	}
	b.WriteString(") AS r")
	return b.String(), args
}

// text is s as every database keeps it. Ids have nothing that is lost; a broken one is still stored
// and found, and spoils nothing else.
func text[S ~string](s S) string { return sqldb.Clean(string(s)) }
