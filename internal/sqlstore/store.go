package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/sqldb"
)

// pageSize is how many rows a reading holds at a time.
const pageSize = 500

// A Store is a [coexistence.Store] in a SQL database. It is safe for concurrent use, and so are several Stores, in one process or
// in many, over one PostgreSQL database.
type Store struct {
	db      *sql.DB
	dialect Dialect

	mu     sync.Mutex
	writer chan struct{} // see [Store.turn]
}

// turns are those of the files, by their paths: several stores of a process may be over the same.
var turns sync.Map // string → chan struct{}

var _ coexistence.Store = (*Store)(nil)

// New returns a store over a database that speaks the dialect. It does no I/O: call [Store.Migrate] before the first use. The
// module sqlite and the module postgres open a database with the settings that the store relies on, and migrate it, in one call.
func New(db *sql.DB, dialect Dialect) (*Store, error) {
	var errs []error
	if db == nil {
		errs = append(errs, errors.New("sqlstore: the database is nil; open it first"))
	}
	if dialect != SQLite && dialect != PostgreSQL {
		errs = append(errs, fmt.Errorf("sqlstore: the dialect %q is unknown; use SQLite or PostgreSQL", dialect))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return &Store{db: db, dialect: dialect}, nil
}

// DB returns the database, for whatever else the host does with it: backups, tables of its own, statistics of the pool.
func (s *Store) DB() *sql.DB { return s.db }

// Close closes the database. What was stored stays.
func (s *Store) Close() error { return s.db.Close() }

// errAgain says that another transaction came between: the same step has to be done again on what is stored now.
var errAgain = errors.New("another writer came between")

// A refusal is an error of the caller's own function. It ends a transaction and comes back as it is, whatever it is.
type refusal struct{ cause error }

func (r *refusal) Error() string { return r.cause.Error() }

// maxTries is how often a transaction is tried that loses against others. Losing is rare, because rows are locked.
const maxTries = 50

// write runs fn in a transaction until no other transaction came between. what names the method in errors.
func (s *Store) write(ctx context.Context, what string, fn func(*sql.Tx) error) error {
	var err error
	for try := range maxTries {
		err = s.transact(ctx, fn)
		if !lost(err) {
			break
		}
		if try > 0 {
			pause := time.NewTimer(rand.N(time.Duration(try) * time.Millisecond)) //nolint:gosec // a pause is no secret
			select {
			case <-ctx.Done():
				pause.Stop()
				return explain(what, ctx.Err())
			case <-pause.C:
			}
		}
	}
	return explain(what, err)
}

// turn is held by the one transaction that writes to a SQLite file. Waiting for it is fair and ends with the context; waiting for the file's
// own lock is polling, and whoever polls can find it taken each time.
func (s *Store) turn(ctx context.Context) (chan struct{}, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.writer != nil {
		return s.writer, nil
	}
	var path string // "" of a database in memory
	if err := s.db.QueryRowContext(ctx, "SELECT file FROM pragma_database_list WHERE name = 'main'").Scan(&path); err != nil {
		return nil, err
	}
	s.writer = make(chan struct{}, 1)
	if path != "" {
		shared, _ := turns.LoadOrStore(path, s.writer)
		s.writer, _ = shared.(chan struct{})
	}
	return s.writer, nil
}

func (s *Store) transact(ctx context.Context, fn func(*sql.Tx) error) error {
	if s.dialect == SQLite {
		turn, err := s.turn(ctx)
		if err != nil {
			return err
		}
		select {
		case turn <- struct{}{}:
			defer func() { <-turn }()
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	tx, err := s.db.BeginTx(ctx, sqldb.Dialect(s.dialect).TxOptions())
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // also when fn panics; after a commit it does nothing
	if err := fn(tx); err != nil {
		return err
	}
	return tx.Commit()
}

// lost reports whether a transaction lost against another: a row appeared meanwhile, a serialization failure, a deadlock.
func lost(err error) bool {
	return errors.Is(err, errAgain) || sqldb.Lost(err)
}

// explain says what was being done and, where it is known, what the host can do about it.
func explain(what string, err error) error {
	if err == nil {
		return nil
	}
	if r, ok := errors.AsType[*refusal](err); ok {
		return r.cause
	}
	advice := ""
	switch {
	case lost(err):
		advice = "others write the same rows all the time; try again later: "
	case sqldb.State(err) == "42P01" || strings.Contains(err.Error(), "no such table"): // SQLite has no code for it
		advice = "the tables are missing; call Store.Migrate first: "
	case strings.Contains(err.Error(), "SQLITE_BUSY"):
		advice = "something else writes to the file; one process may use it: "
	case strings.Contains(err.Error(), "disk is full") || sqldb.State(err) == "53100":
		advice = "the disk is full; make room, nothing is lost that was stored: "
	}
	return fmt.Errorf("sqlstore: %s: %s%w", what, advice, err)
}

// A querier is the database or a transaction.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
}

// read hands every row to each. The rows are gone when it returns.
func (s *Store) read(ctx context.Context, q querier, each func(*sql.Rows) error, query string, args ...any) error {
	rows, err := q.QueryContext(ctx, sqldb.Dialect(s.dialect).Rebind(query), args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := each(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// exec returns how many rows the statement changed.
func (s *Store) exec(ctx context.Context, q querier, query string, args ...any) (int64, error) {
	res, err := q.ExecContext(ctx, sqldb.Dialect(s.dialect).Rebind(query), args...)
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}
