package sqldb

import (
	"context"
	"database/sql"
	"time"
)

// A Querier is the database or a transaction: what reads outside of a transaction reads what is
// committed, and does not wait for the writer.
type Querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
}

// Read hands every row of a query to each, and ends with its first error. Its placeholders are
// question marks. The rows are closed when it returns, so that the connection is free.
func (d *DB) Read(ctx context.Context, q Querier, each func(*sql.Rows) error, query string, args ...any) error {
	ctx, answered := d.Statement(ctx)
	defer answered()
	rows, err := d.query(ctx, q, query, args)
	if err != nil {
		return err
	}
	return EachRow(rows, each)
}

// EachRow hands every row to each, ends with its first error, and closes the rows.
func EachRow(rows *sql.Rows, each func(*sql.Rows) error) error {
	defer rows.Close()
	for rows.Next() {
		if err := each(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// Set changes settings for the rest of a transaction, in PostgreSQL: calls of set_config, with
// commas between.
func (d *DB) Set(ctx context.Context, tx *sql.Tx, settings string) error {
	if d.Dialect != PostgreSQL {
		return nil
	}
	return d.Read(ctx, tx, func(*sql.Rows) error { return nil }, "SELECT "+settings)
}

// Pause waits before another try. The error is that of ctx, if that ends before.
func Pause(ctx context.Context, pause time.Duration) error {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
