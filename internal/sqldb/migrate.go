package sqldb

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
)

// A Schema is the tables of a store, as the steps from an empty database to them. A released step is never changed; what changes comes as a
// further one, which older processes must survive while they are being replaced.
type Schema struct {
	// Name begins the name of the table that says which steps were taken: Name_schema.
	Name string

	// Lock is the store's own among PostgreSQL's advisory locks.
	Lock int64

	// Steps are statements in which $str, $number, $bytes and $serial stand for types. $serial is a key that counts up. A step without
	// statements is one that the dialect does not need.
	Steps [][]string
}

// Migrate takes the steps that were not taken yet, all or none. Several processes may do so at once. It only looks if there is nothing to
// do, which takes no right to create tables, and refuses tables of a newer release.
func (s Schema) Migrate(ctx context.Context, db *sql.DB, dialect Dialect) error {
	if have, err := s.version(ctx, db); err == nil && have >= len(s.Steps) {
		return s.tooNew(have)
	}
	// Without the table, there is no version to be read. Anything else that is wrong shows now.
	tx, err := db.BeginTx(ctx, dialect.TxOptions()) // whoever has waited for the lock has to see what the one before has done
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // after a commit it does nothing
	if dialect == PostgreSQL {
		if _, err := tx.ExecContext(ctx, "SELECT pg_advisory_xact_lock($1)", s.Lock); err != nil {
			return err
		}
	}
	if _, err := tx.ExecContext(ctx, "CREATE TABLE IF NOT EXISTS "+s.Name+"_schema (version INTEGER PRIMARY KEY)"); err != nil {
		return err
	}
	have, err := s.version(ctx, tx)
	if err != nil {
		return err
	}
	if err := s.tooNew(have); err != nil {
		return err
	}
	// Go compares strings byte by byte, and so does SQLite. PostgreSQL is told to.
	types := strings.NewReplacer("$str", "TEXT", "$number", "INTEGER", "$bytes", "BLOB", "$serial", "INTEGER PRIMARY KEY AUTOINCREMENT")
	if dialect == PostgreSQL {
		types = strings.NewReplacer("$str", `TEXT COLLATE "C"`, "$number", "BIGINT", "$bytes", "BYTEA",
			"$serial", "BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY")
	}
	for i, step := range s.Steps[have:] {
		for _, statement := range append(step[:len(step):len(step)], fmt.Sprintf("INSERT INTO %s_schema (version) VALUES (%d)", s.Name, have+i+1)) {
			if _, err := tx.ExecContext(ctx, types.Replace(statement)); err != nil {
				return err
			}
		}
	}
	return tx.Commit()
}

func (s Schema) version(ctx context.Context, q interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}) (version int, err error) {
	err = q.QueryRowContext(ctx, "SELECT COALESCE(MAX(version), 0) FROM "+s.Name+"_schema").Scan(&version)
	return version, err
}

func (s Schema) tooNew(have int) error {
	if have <= len(s.Steps) {
		return nil
	}
	return fmt.Errorf("the tables are of version %d and this release knows %d; run the newer release that made them", have, len(s.Steps))
}
