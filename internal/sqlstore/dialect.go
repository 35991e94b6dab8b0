package sqlstore

import (
	"context"
	"strings"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/sqldb"
)

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

// execTable runs a statement with rows as a table named r between before and after, and returns how
// many rows it changed. Without rows it runs nothing.
func (s *Store) execTable(
	ctx context.Context, q querier, before string, columns []string, rows [][]sqldb.Cell, after string,
) (int64, error) {
	if len(rows) == 0 {
		return 0, nil
	}
	from, args := s.db.Dialect.Table(columns, rows)
	return s.exec(ctx, q, before+from+after, args...)
}

// text returns s in a form that every database can store. Valid ids stay as they are; an invalid
// one is still stored and found, and does not affect other rows.
func text[S ~string](s S) string { return sqldb.Clean(string(s)) }
