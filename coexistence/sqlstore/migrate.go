package sqlstore

import (
	"context"
	"database/sql"
	"fmt"
)

// migrationLock is a number of our own among PostgreSQL's advisory locks.
const migrationLock = 0x636f6578697374 // "coexist"

// Migrate creates the store's tables, or brings those of an older release up to date. Call it at every start: it only looks if there is
// nothing to do, which takes no right to create tables. Several processes may call it at once. Each step is all or nothing.
//
// It refuses tables of a newer release than this one. Within a rolling upgrade, older processes that are already running go on.
func (s *Store) Migrate(ctx context.Context) error {
	have, err := s.schemaVersion(ctx, s.db)
	if err == nil && have >= len(migrations) {
		return explain("Migrate", tooNew(have))
	}
	// Without the table, there is no version to be read. Anything else that is wrong shows now.
	return s.write(ctx, "Migrate", func(tx *sql.Tx) error {
		if s.dialect == PostgreSQL {
			if _, err := s.exec(ctx, tx, "SELECT pg_advisory_xact_lock(?)", int64(migrationLock)); err != nil {
				return err
			}
		}
		if _, err := s.exec(ctx, tx, "CREATE TABLE IF NOT EXISTS coexistence_schema (version INTEGER PRIMARY KEY)"); err != nil {
			return err
		}
		have, err := s.schemaVersion(ctx, tx)
		if err != nil {
			return err
		}
		if have > len(migrations) {
			return tooNew(have)
		}
		for i, step := range migrations[have:] {
			for _, statement := range step(s.dialect) {
				if _, err := tx.ExecContext(ctx, statement); err != nil {
					return err
				}
			}
			if _, err := s.exec(ctx, tx, "INSERT INTO coexistence_schema (version) VALUES (?)", have+i+1); err != nil {
				return err
			}
		}
		return nil
	})
}

func (s *Store) schemaVersion(ctx context.Context, q querier) (int, error) {
	var version int
	err := s.read(ctx, q, func(rows *sql.Rows) error { return rows.Scan(&version) }, "SELECT COALESCE(MAX(version), 0) FROM coexistence_schema")
	return version, err
}

func tooNew(have int) error {
	if have <= len(migrations) {
		return nil
	}
	return fmt.Errorf("the tables are of version %d and this release knows %d; run the newer release that made them", have, len(migrations))
}
