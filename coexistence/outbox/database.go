package outbox

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/sqldb"
)

// A database is where entries are. In statements, {now} is its time in milliseconds since 1970: what several processes decide together,
// they decide by one clock.
type database struct {
	*sql.DB

	dialect sqldb.Dialect
}

// migrations are the steps from an empty database to the present tables. A released step is never changed; what changes comes as a
// further one, which older processes must survive while they are being replaced. Moments are milliseconds since 1970, 0 for never.
var migrations = [][]string{{
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
}}

// migrationLock is a number of our own among PostgreSQL's advisory locks.
const migrationLock = 0x6f7574626f78 // "outbox"

func (d database) migrate(ctx context.Context) error {
	have, err := d.version(ctx, d.DB)
	if err == nil && have > len(migrations) {
		return tooNew(have)
	}
	tx, err := d.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // after a commit it does nothing
	if d.dialect == sqldb.PostgreSQL {
		if _, err := tx.ExecContext(ctx, "SELECT pg_advisory_xact_lock($1)", int64(migrationLock)); err != nil {
			return err
		}
	}
	if _, err := tx.ExecContext(ctx, "CREATE TABLE IF NOT EXISTS outbox_schema (version INTEGER PRIMARY KEY)"); err != nil {
		return err
	}
	if have, err = d.version(ctx, tx); err != nil {
		return err
	}
	if have > len(migrations) {
		return tooNew(have)
	}
	// Go compares strings byte by byte, and so does SQLite. PostgreSQL is told to.
	types := strings.NewReplacer("$str", "TEXT", "$number", "INTEGER", "$serial", "INTEGER PRIMARY KEY AUTOINCREMENT")
	if d.dialect == sqldb.PostgreSQL {
		types = strings.NewReplacer("$str", `TEXT COLLATE "C"`, "$number", "BIGINT", "$serial", "BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY")
	}
	for i, step := range migrations[have:] {
		for _, statement := range append(step, fmt.Sprintf("INSERT INTO outbox_schema (version) VALUES (%d)", have+i+1)) {
			if _, err := tx.ExecContext(ctx, types.Replace(statement)); err != nil {
				return err
			}
		}
	}
	if d.dialect == sqldb.SQLite { // the file is this process's alone, so whoever held numbers is dead
		if _, err := tx.ExecContext(ctx, "UPDATE outbox_numbers SET held_until = 0"); err != nil {
			return err
		}
	}
	return tx.Commit()
}

func (d database) version(ctx context.Context, q querier) (version int, err error) {
	err = q.QueryRowContext(ctx, "SELECT COALESCE(MAX(version), 0) FROM outbox_schema").Scan(&version)
	return version, err
}

func tooNew(have int) error {
	return fmt.Errorf("the tables are of version %d and this release knows %d; run the newer release that made them", have, len(migrations))
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
