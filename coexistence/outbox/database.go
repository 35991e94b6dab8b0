package outbox

import (
	"context"
	"database/sql"
	"errors"
	"strings"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/sqldb"
)

// A database is where entries are. In statements, {now} is its time in milliseconds since 1970: what several processes decide together,
// they decide by one clock.
type database struct {
	*sql.DB

	dialect sqldb.Dialect
}

// schema is the tables. Moments are milliseconds since 1970, 0 for never.
var schema = sqldb.Schema{Name: "outbox", Lock: 0x6f7574626f78, Steps: [][]string{{
	`CREATE TABLE outbox_entries (
		seq $serial, id $str NOT NULL UNIQUE, phone $str NOT NULL, person $str NOT NULL, campaign $str NOT NULL, rank $number NOT NULL,
		message TEXT NOT NULL, state $str NOT NULL, reason TEXT NOT NULL, code $number NOT NULL, wamid $str NOT NULL, attempts $number NOT NULL,
		put_at $number NOT NULL, until_at $number NOT NULL, tried_at $number NOT NULL, next_at $number NOT NULL, sent_at $number NOT NULL,
		delivered_at $number NOT NULL, read_at $number NOT NULL, failed_at $number NOT NULL)`,
	`CREATE INDEX outbox_entries_work ON outbox_entries (phone, state, rank, seq)`,
	`CREATE INDEX outbox_entries_state ON outbox_entries (state, until_at)`,
	`CREATE INDEX outbox_entries_person ON outbox_entries (phone, person, seq)`,
	`CREATE INDEX outbox_entries_campaign ON outbox_entries (campaign, seq)`,
	`CREATE INDEX outbox_entries_wamid ON outbox_entries (phone, wamid)`,
	`CREATE TABLE outbox_campaigns (id $str NOT NULL PRIMARY KEY, paused $number NOT NULL)`,
	`CREATE TABLE outbox_numbers (
		phone $str NOT NULL PRIMARY KEY, holder $str NOT NULL, held_until $number NOT NULL, rests_until $number NOT NULL)`,
}}}

func (d database) migrate(ctx context.Context) error {
	err := schema.Migrate(ctx, d.DB, d.dialect)
	if err == nil && d.dialect == sqldb.SQLite { // the file is this process's alone, so whoever held numbers is dead
		_, err = d.ExecContext(ctx, "UPDATE outbox_numbers SET held_until = 0")
	}
	return err
}

// A querier is a database or a transaction.
type querier interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

func (d database) sql(query string) string {
	now := "CAST(unixepoch('subsec') * 1000 AS INTEGER)"
	if d.dialect == sqldb.PostgreSQL {
		now = "CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT)"
	}
	return d.dialect.Rebind(strings.ReplaceAll(query, "{now}", now))
}

// exec runs a statement and says how many rows it changed.
func (d database) exec(ctx context.Context, q querier, what, query string, args ...any) (int, error) {
	r, err := q.ExecContext(ctx, d.sql(query), args...)
	if err != nil {
		return 0, sqldb.Explain("outbox: "+what, err)
	}
	n, err := r.RowsAffected()
	return int(n), sqldb.Explain("outbox: "+what, err)
}

// row reads a single row into dest, and reports whether there is one.
func (d database) row(ctx context.Context, what, query string, args []any, dest ...any) (bool, error) {
	err := d.QueryRowContext(ctx, d.sql(query), args...).Scan(dest...)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return err == nil, sqldb.Explain("outbox: "+what, err)
}

// rows calls scan for each row.
func (d database) rows(ctx context.Context, what, query string, args []any, scan func(*sql.Rows) error) error {
	rows, err := d.QueryContext(ctx, d.sql(query), args...)
	if err != nil {
		return sqldb.Explain("outbox: "+what, err)
	}
	defer rows.Close()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return sqldb.Explain("outbox: "+what, err)
		}
	}
	return sqldb.Explain("outbox: "+what, rows.Err())
}
