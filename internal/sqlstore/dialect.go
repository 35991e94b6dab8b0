package sqlstore

import (
	"context"
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

// columnNames returns the names of columns that are written like "id bigint", joined by commas.
func columnNames(columns []string) string {
	names := make([]string, len(columns))
	for i, c := range columns {
		names[i], _, _ = strings.Cut(c, " ")
	}
	return strings.Join(names, ", ")
}

// execTable runs a statement in which rows stand between before and after, as a table named r, and
// returns how many rows it changed. No rows are no statement.
func (s *Store) execTable(
	ctx context.Context, q querier, before string, columns []string, rows [][]sqldb.Cell, after string,
) (int64, error) {
	if len(rows) == 0 {
		return 0, nil
	}
	from, args := s.table(columns, rows)
	return s.exec(ctx, q, before+from+after, args...)
}

// table is what stands behind FROM for a table named r, and its parameters.
func (s *Store) table(columns []string, rows [][]sqldb.Cell) (from string, args []any) {
	from, texts := s.db.Dialect.Table(columns, rows)
	for _, t := range texts {
		args = append(args, t)
	}
	return from, args
}

// text is s as every database keeps it. Ids have nothing that is lost; a broken one is still stored
// and found, and spoils nothing else.
func text[S ~string](s S) string { return sqldb.Clean(string(s)) }
