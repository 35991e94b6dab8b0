package outbox

import (
	"context"
	"database/sql"
	"errors"
	"strings"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/sqldb"
)

// A database is where entries are. In statements, {now} is its time in milliseconds since 1970:
// what several processes decide together, they decide by one clock.
type database struct{ *sqldb.DB }

// sql replaces {now} by the database's expression of its time. In PostgreSQL that is the time of
// the statement and not of the transaction, which a host may have begun long before.
func (d database) sql(query string) string {
	now := "CAST(unixepoch('subsec') * 1000 AS INTEGER)"
	if d.Dialect == sqldb.PostgreSQL {
		now = "CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT)"
	}
	return strings.ReplaceAll(query, "{now}", now)
}

// exec runs a statement, in the transaction tx if that is not nil, and returns how many rows it
// changed. what names the exported method in the error.
func (d database) exec(ctx context.Context, tx *sql.Tx, what, query string, args ...any) (int, error) {
	if tx == nil {
		n, err := d.Write(ctx, d.sql(query), args...)
		return int(n), sqldb.Explain("outbox: "+what, err)
	}
	n, err := d.Exec(ctx, tx, d.sql(query), args...)
	return int(n), sqldb.Explain("outbox: "+what, err)
}

// row reads a single row into dest, and reports whether there is one.
func (d database) row(ctx context.Context, what, query string, args []any, dest ...any) (bool, error) {
	ctx, answered := d.Statement(ctx)
	defer answered()
	err := d.QueryRowContext(ctx, d.Dialect.Rebind(d.sql(query)), args...).Scan(dest...)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return err == nil, sqldb.Explain("outbox: "+what, err)
}

// rows calls scan for each row, and ends with its first error.
func (d database) rows(ctx context.Context, what, query string, args []any, scan func(*sql.Rows) error) error {
	return sqldb.Explain("outbox: "+what, d.Read(ctx, d, scan, d.sql(query), args...))
}
