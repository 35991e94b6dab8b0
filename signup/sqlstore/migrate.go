package sqlstore

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
)

// migrations are the steps from an empty database to the present table. A released step is never changed; what changes comes as a
// further one, which older processes must survive while they are being replaced. Moments are microseconds since 1970.
var migrations = [][]string{{
	`CREATE TABLE signup_attempts (
		id $str NOT NULL PRIMARY KEY, owner $str NOT NULL, version $number NOT NULL, began_at $number NOT NULL,
		keep_until $number NOT NULL, sealed $bytes NOT NULL)`,
	`CREATE INDEX signup_attempts_owner ON signup_attempts (owner, began_at)`,
	`CREATE INDEX signup_attempts_keep ON signup_attempts (keep_until)`,
}}

// migrationLock is a number of our own among PostgreSQL's advisory locks.
const migrationLock = 0x7369676e7570 // "signup"

func (s *Store) migrate(ctx context.Context) error {
	if have, err := schemaVersion(ctx, s.db); err == nil && have >= len(migrations) {
		return tooNew(have)
	}
	// Go compares strings byte by byte, and so does SQLite. PostgreSQL is told to.
	types := strings.NewReplacer("$str", "TEXT", "$number", "INTEGER", "$bytes", "BLOB")
	if s.dialect == PostgreSQL {
		types = strings.NewReplacer("$str", `TEXT COLLATE "C"`, "$number", "BIGINT", "$bytes", "BYTEA")
	}
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // after a commit it does nothing
	if s.dialect == PostgreSQL {
		if _, err := tx.ExecContext(ctx, "SELECT pg_advisory_xact_lock($1)", int64(migrationLock)); err != nil {
			return err
		}
	}
	if _, err := tx.ExecContext(ctx, "CREATE TABLE IF NOT EXISTS signup_schema (version INTEGER PRIMARY KEY)"); err != nil {
		return err
	}
	have, err := schemaVersion(ctx, tx)
	if err != nil {
		return err
	}
	if err := tooNew(have); err != nil {
		return err
	}
	for i, step := range migrations[have:] {
		for _, statement := range append(step, fmt.Sprintf("INSERT INTO signup_schema (version) VALUES (%d)", have+i+1)) {
			if _, err := tx.ExecContext(ctx, types.Replace(statement)); err != nil {
				return err
			}
		}
	}
	return tx.Commit()
}

func schemaVersion(ctx context.Context, q interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}) (version int, err error) {
	err = q.QueryRowContext(ctx, "SELECT COALESCE(MAX(version), 0) FROM signup_schema").Scan(&version)
	return version, err
}

func tooNew(have int) error {
	if have <= len(migrations) {
		return nil
	}
	return fmt.Errorf("it is of version %d and this release knows %d; run the newer release that made it", have, len(migrations))
}
