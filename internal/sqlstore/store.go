package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/sqldb"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/tombstone"
)

// pageSize is how many rows a reading holds at a time. A page is what a caller that stops early has
// paid for too much, and a round trip to the database.
const pageSize = 500

// A Store is a [coexistence.Store] in a SQL database. It is safe for concurrent use, and so are
// several Stores, in one process or in many, over one PostgreSQL database. Everything is in the
// tables, so a Store costs nothing to make.
type Store struct {
	db  *sqldb.DB
	key atomic.Pointer[tombstone.Key] // of the database; nil until it was read
}

var (
	_ coexistence.BatchStore = (*Store)(nil)
	_ coexistence.Forgetter  = (*Store)(nil)
)

// New returns a store over a database whose tables are there. Making them is for package sqlite and
// package postgres, which have the migrations.
func New(db *sqldb.DB) *Store { return &Store{db: db} }

// errAgain says that another transaction came between: the same step has to be done again on what
// is stored now. It does not reach the caller unless that happens [maxTries] times in a row.
var errAgain = errors.New("another writer came between")

// A refusal is an error of the caller's own function. It ends a transaction and comes back as it
// is, whatever it is: an error of the function that looks like one of the database must not be
// tried again.
type refusal struct{ cause error }

func (r *refusal) Error() string { return r.cause.Error() }

// maxTries is how often a transaction is tried that loses against others. Losing is rare, because
// rows are locked; what is left are rows that two transactions insert at once, and deadlocks.
const maxTries = 50

// write runs fn in a transaction until no other transaction came between. what names the method in
// errors. From the second try on it pauses for a random time, which grows, so that those that
// collided do not meet again.
func (s *Store) write(ctx context.Context, what string, fn func(*sql.Tx) error) error {
	var err error
	for try := range maxTries {
		err = s.db.Transact(ctx, func(tx *sql.Tx) error {
			if err := s.db.Set(ctx, tx, sqldb.LimitIdle); err != nil {
				return err
			}
			return fn(tx)
		})
		if !lost(err) {
			break
		}
		// The first repeat is made at once: the other transaction has ended, or this one would not
		// have lost.
		if try > 0 {
			pause := rand.N(time.Duration(try) * time.Millisecond) //nolint:gosec // a pause is no secret
			if err := sqldb.Pause(ctx, pause); err != nil {
				return explain(what, err)
			}
		}
	}
	return explain(what, err)
}

// lost reports whether a transaction lost against another: a row appeared meanwhile, a
// serialization failure, a deadlock. Nothing of it was stored, so it can be tried again.
func lost(err error) bool {
	return errors.Is(err, errAgain) || sqldb.Lost(err)
}

// explain says what was being done and, where it is known, what the host can do about it. It has to
// be called once for each error that leaves the package; nil stays nil.
func explain(what string, err error) error {
	if err == nil {
		return nil
	}
	if r, ok := errors.AsType[*refusal](err); ok {
		return r.cause
	}
	if errors.Is(err, errAgain) {
		return fmt.Errorf("coexistence: store: %s: others write the same rows all the time; try again later: %w", what,
			err)
	}
	return sqldb.Explain("coexistence: store: "+what, err)
}

// A querier is the database or a transaction. What is read to be changed has to be read in the
// transaction that changes it.
type querier = sqldb.Querier

// read hands every row to each. The rows are gone when it returns, so each must copy what it keeps.
// An error of each ends it.
func (s *Store) read(ctx context.Context, q querier, each func(*sql.Rows) error, query string, args ...any) error {
	return s.db.Read(ctx, q, each, query, args...)
}

// usual is how many rows PostgreSQL looks up by an index, however many there are. For more, it may
// prefer to read the whole of a table that is not very large.
const usual = 150

// readMany is read for a statement that needs so many rows and has an index to each of them, which
// PostgreSQL is told to use.
func (s *Store) readMany(
	ctx context.Context, n int, each func(*sql.Rows) error, query string, args ...any,
) error {
	if s.db.Dialect != sqldb.PostgreSQL || n <= usual {
		return s.read(ctx, s.db, each, query, args...)
	}
	return s.db.Run(ctx, func(tx *sql.Tx) error {
		err := s.db.Set(ctx, tx, "set_config('enable_seqscan', 'off', true), set_config('enable_sort', 'off', true)")
		if err != nil {
			return err
		}
		return s.read(ctx, tx, each, query, args...)
	})
}

// exec runs a statement, with ? for its parameters in either dialect, and returns how many rows it
// changed. A row that stays as it was because of a conflict does not count.
func (s *Store) exec(ctx context.Context, q querier, query string, args ...any) (int64, error) {
	ctx, answered := s.db.Statement(ctx)
	defer answered()
	res, err := q.ExecContext(ctx, s.db.Dialect.Rebind(query), args...)
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

// eachRow yields rows that are read a page at a time, until a page is short, an error or the caller
// ends it. next reads the page behind the one before, and keeps for itself where it is; nothing is
// held between two pages. A row is decoded when it is its turn, so that a caller who stops early
// pays for what it took.
func eachRow[R, T any](
	yield func(T, error) bool, what string, decode func(R) (T, error), next func() ([]R, error),
) {
	var none T
	for {
		page, err := next()
		if err != nil {
			yield(none, explain(what, err))
			return
		}
		for _, row := range page {
			v, err := decode(row)
			if err != nil {
				yield(none, explain(what, err))
				return
			}
			if !yield(v, nil) {
				return
			}
		}
		if len(page) < pageSize {
			return
		}
	}
}
