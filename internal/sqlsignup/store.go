// Package sqlsignup keeps signups in SQLite or PostgreSQL. What is stored is sealed by the Flow:
// the database holds ids, tenants, numbers and times in the clear, and no token.
package sqlsignup

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/sqldb"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/signup"
)

// A Store is a [signup.Store] in a SQL database. It is safe for concurrent use, in one process or,
// with PostgreSQL, in many.
type Store struct{ db *sqldb.DB }

var _ signup.Forgetter = (*Store)(nil)

// New returns a store over a database whose tables are there. It needs no key: records come sealed.
func New(db *sqldb.DB) *Store { return &Store{db} }

// exec returns how many rows a statement changed.
func (s *Store) exec(ctx context.Context, what, query string, args ...any) (int64, error) {
	n, err := s.db.Write(ctx, query, args...)
	return n, explain(what, err)
}

// explain says what was being done; nil stays nil.
func explain(what string, err error) error { return sqldb.Explain("signup: store: "+what, err) }

// columns are those of a record, in the order in which scan reads them. sealed is opaque here.
const columns = "id, tenant, version, began_at, keep_until, phone, sealed"

// scan reads a row with the columns in their order. Times are stored in microseconds and come back
// in UTC.
func scan(row interface{ Scan(dest ...any) error }) (signup.Record, error) {
	var r signup.Record
	var began, keep int64
	if err := row.Scan(&r.ID, &r.Tenant, &r.Version, &began, &keep, &r.PhoneNumberID, &r.Ciphertext); err != nil {
		return signup.Record{}, err
	}
	r.BeganAt, r.KeepUntil = time.UnixMicro(began).UTC(), time.UnixMicro(keep).UTC()
	return r, nil
}

// Get returns a record, or [signup.ErrNotFound].
func (s *Store) Get(ctx context.Context, id string) (signup.Record, error) {
	ctx, answered := s.db.Statement(ctx)
	defer answered()
	r, err := scan(s.db.QueryRowContext(ctx,
		s.db.Dialect.Rebind("SELECT "+columns+" FROM signup_attempts WHERE id = ?"), id))
	if errors.Is(err, sql.ErrNoRows) {
		return signup.Record{}, signup.ErrNotFound
	}
	return r, explain("Get", err)
}

// Put stores a record if it is still as the caller has read it, and else returns
// [signup.ErrConflict]. Version 0 is a new one. It is one statement, so the database decides who is
// first, and two processes that finish one signup cannot both go on.
func (s *Store) Put(ctx context.Context, r signup.Record) error {
	began, keep := r.BeganAt.UnixMicro(), r.KeepUntil.UnixMicro()
	var n int64
	var err error
	if r.Version == 0 {
		n, err = s.exec(ctx, "Put", "INSERT INTO signup_attempts ("+columns+") VALUES (?, ?, 1, ?, ?, ?, ?) "+
			"ON CONFLICT (id) DO NOTHING",
			r.ID, r.Tenant, began, keep, string(r.PhoneNumberID), r.Ciphertext)
	} else {
		n, err = s.exec(ctx, "Put",
			"UPDATE signup_attempts SET tenant = ?, version = version + 1, began_at = ?, keep_until = ?, phone = ?, "+
				"sealed = ? WHERE id = ? AND version = ?",
			r.Tenant, began, keep, string(r.PhoneNumberID), r.Ciphertext, r.ID, r.Version)
	}
	if err == nil && n == 0 {
		return signup.ErrConflict
	}
	return err
}

// Delete removes a record. One that is not there is no error.
func (s *Store) Delete(ctx context.Context, id string) error {
	_, err := s.exec(ctx, "Delete", "DELETE FROM signup_attempts WHERE id = ?", id)
	return err
}

// List returns the records of a tenant, or all of them if tenant is empty, the oldest first.
func (s *Store) List(ctx context.Context, tenant string) ([]signup.Record, error) {
	// An empty tenant is all of them: a job that cleans up has no tenant.
	query, args := "SELECT "+columns+" FROM signup_attempts", []any(nil)
	if tenant != "" {
		query, args = query+" WHERE tenant = ?", []any{tenant}
	}
	ctx, answered := s.db.Statement(ctx)
	defer answered()
	rows, err := s.db.QueryContext(ctx, s.db.Dialect.Rebind(query+" ORDER BY began_at, id"), args...)
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

// DeleteExpired removes the records whose time to be kept is over, and returns how many there were.
func (s *Store) DeleteExpired(ctx context.Context, now time.Time) (int, error) {
	n, err := s.exec(ctx, "DeleteExpired", "DELETE FROM signup_attempts WHERE keep_until <= ?", now.UnixMicro())
	return int(n), err
}

// Forget implements [signup.Forgetter].
func (s *Store) Forget(ctx context.Context, phone graph.PhoneNumberID) error {
	if phone == "" {
		return errors.New("signup: Forget needs the id of a number")
	}
	_, err := s.exec(ctx, "Forget", "DELETE FROM signup_attempts WHERE phone = ?", string(phone))
	return err
}
