// Package sqlsignup keeps signups in SQLite or PostgreSQL, on database/sql: a signup.Store that survives a restart and, with
// PostgreSQL, is shared by any number of processes.
//
//	db, err := postgres.Open(ctx, os.Getenv("DATABASE_URL")) // coexistence/sqlstore/postgres, or .../sqlite
//	…
//	store, err := sqlstore.Open(ctx, db.DB(), sqlstore.PostgreSQL)
//	…
//	cipher, err := signup.ParseKeyring(keys) // from the host's secrets
//	…
//	flow, err := signup.NewFlow(signup.Config{Store: store, Cipher: cipher, …})
//
// The modules coexistence/sqlstore/sqlite and coexistence/sqlstore/postgres open a database with the settings that make it durable;
// any other way to get a *sql.DB is fine if it does, too. The table begins with signup_ and lies beside whatever else is there.
//
// What is stored is sealed by the Flow: whoever reads the database sees ids, owners and times, and no token.
package sqlsignup

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/sqldb"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/signup"
)

// A Dialect is the SQL that a database speaks.
type Dialect string

const (
	SQLite     Dialect = "sqlite"     // 3.24 or newer
	PostgreSQL Dialect = "postgresql" // 12 or newer; tested with 15
)

// A Store is a [signup.Store] in a SQL database. It is safe for concurrent use, in one process or, with PostgreSQL, in many.
type Store struct {
	db      *sql.DB
	dialect Dialect
}

var _ signup.Store = (*Store)(nil)

// Open returns a store over a database, and makes its table if it is not there, or brings that of an older release up to date.
// Several processes may do so at once. It refuses a table of a newer release.
func Open(ctx context.Context, db *sql.DB, dialect Dialect) (*Store, error) {
	switch {
	case db == nil:
		return nil, errors.New("sqlsignup: the database is nil; open it first")
	case dialect != SQLite && dialect != PostgreSQL:
		return nil, fmt.Errorf("sqlsignup: the dialect %q is unknown; use SQLite or PostgreSQL", dialect)
	}
	s := &Store{db, dialect}
	if err := schema.Migrate(ctx, db, sqldb.Dialect(dialect)); err != nil {
		return nil, fmt.Errorf("sqlsignup: the table could not be made: %w", err)
	}
	return s, nil
}

// exec returns how many rows a statement changed.
func (s *Store) exec(ctx context.Context, what, query string, args ...any) (int64, error) {
	res, err := s.db.ExecContext(ctx, sqldb.Dialect(s.dialect).Rebind(query), args...)
	if err != nil {
		return 0, explain(what, err)
	}
	n, err := res.RowsAffected()
	return n, explain(what, err)
}

func explain(what string, err error) error {
	switch {
	case err == nil:
		return nil
	case strings.Contains(err.Error(), "SQLITE_BUSY"):
		return fmt.Errorf("sqlsignup: %s: something else writes to the file; one process may use it: %w", what, err)
	}
	return fmt.Errorf("sqlsignup: %s: %w", what, err)
}

const columns = "id, owner, version, began_at, keep_until, sealed"

func scan(row interface{ Scan(dest ...any) error }) (signup.Record, error) {
	var r signup.Record
	var began, keep int64
	if err := row.Scan(&r.ID, &r.Owner, &r.Version, &began, &keep, &r.Sealed); err != nil {
		return signup.Record{}, err
	}
	r.BeganAt, r.KeepUntil = time.UnixMicro(began).UTC(), time.UnixMicro(keep).UTC()
	return r, nil
}

// Get returns a record.
func (s *Store) Get(ctx context.Context, id string) (signup.Record, error) {
	r, err := scan(s.db.QueryRowContext(ctx, sqldb.Dialect(s.dialect).Rebind("SELECT "+columns+" FROM signup_attempts WHERE id = ?"), id))
	if errors.Is(err, sql.ErrNoRows) {
		return signup.Record{}, signup.ErrNoRecord
	}
	return r, explain("Get", err)
}

// Put stores a record that nobody else has changed. It is one statement, so the database decides who is first.
func (s *Store) Put(ctx context.Context, r signup.Record) error {
	began, keep := r.BeganAt.UnixMicro(), r.KeepUntil.UnixMicro()
	var n int64
	var err error
	if r.Version == 0 {
		n, err = s.exec(ctx, "Put", "INSERT INTO signup_attempts ("+columns+") VALUES (?, ?, 1, ?, ?, ?) ON CONFLICT (id) DO NOTHING",
			r.ID, r.Owner, began, keep, r.Sealed)
	} else {
		n, err = s.exec(ctx, "Put",
			"UPDATE signup_attempts SET owner = ?, version = version + 1, began_at = ?, keep_until = ?, sealed = ? WHERE id = ? AND version = ?",
			r.Owner, began, keep, r.Sealed, r.ID, r.Version)
	}
	if err == nil && n == 0 {
		return signup.ErrConflict
	}
	return err
}

// Delete removes a record.
func (s *Store) Delete(ctx context.Context, id string) error {
	_, err := s.exec(ctx, "Delete", "DELETE FROM signup_attempts WHERE id = ?", id)
	return err
}

// List returns the records of an owner, or of everybody.
func (s *Store) List(ctx context.Context, owner string) ([]signup.Record, error) {
	query, args := "SELECT "+columns+" FROM signup_attempts", []any(nil)
	if owner != "" {
		query, args = query+" WHERE owner = ?", []any{owner}
	}
	rows, err := s.db.QueryContext(ctx, sqldb.Dialect(s.dialect).Rebind(query+" ORDER BY began_at, id"), args...)
	if err != nil {
		return nil, explain("List", err)
	}
	defer rows.Close()
	var records []signup.Record
	for rows.Next() {
		r, err := scan(rows)
		if err != nil {
			return nil, explain("List", err)
		}
		records = append(records, r)
	}
	return records, explain("List", rows.Err())
}

// Purge removes what nobody needs any more.
func (s *Store) Purge(ctx context.Context, now time.Time) (int, error) {
	n, err := s.exec(ctx, "Purge", "DELETE FROM signup_attempts WHERE keep_until <= ?", now.UnixMicro())
	return int(n), err
}
