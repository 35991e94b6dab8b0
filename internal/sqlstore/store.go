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

// pageSize is how many rows are read at a time. A larger page is wasted if the caller stops early,
// a smaller one costs more round trips.
const pageSize = 500

// A Store is a [coexistence.Store] in a SQL database. It is safe for concurrent use, and so are
// several Stores, in one process or in many, over one PostgreSQL database. All state is in the
// tables, so making a Store costs nothing.
type Store struct {
	db  *sqldb.DB
	key atomic.Pointer[tombstone.Key] // of the database; nil until it was read
}

var (
	_ coexistence.BatchStore = (*Store)(nil)
	_ coexistence.Forgetter  = (*Store)(nil)
)

// New returns a store over a database that has the tables. Package sqlite and package postgres
// create them.
func New(db *sqldb.DB) *Store { return &Store{db: db} }

// errAgain says that another transaction has changed the same data: the step has to be retried. It
// reaches the caller only after [maxTries] attempts.
var errAgain = errors.New("another writer came between")

// A refusal is an error of the caller's function. It ends the transaction and is returned
// unchanged: an error of the function that looks like one of the database must not cause a retry.
type refusal struct{ cause error }

func (r *refusal) Error() string { return r.cause.Error() }

// maxTries is how often a transaction is attempted that conflicts with others. Conflicts are rare,
// because rows are locked: rows that two transactions insert at once, and deadlocks.
const maxTries = 50

// write runs fn in a transaction, and retries it after a conflict. what names the method in errors.
// From the second retry on it pauses for a random time, which grows, so that the same transactions
// do not conflict again.
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
		// The first retry is immediate: the conflict shows that the other transaction has ended.
		if try > 0 {
			pause := rand.N(time.Duration(try) * time.Millisecond) //nolint:gosec // a pause is no secret
			if err := sqldb.Pause(ctx, pause); err != nil {
				return explain(what, err)
			}
		}
	}
	return explain(what, err)
}

// lost reports whether a transaction conflicted with another: a new row, a serialization failure, a
// deadlock. Nothing of it was stored, so it can be retried.
func lost(err error) bool {
	return errors.Is(err, errAgain) || sqldb.Lost(err)
}

// explain adds the name of the method and, if it is known, what the host can do. Call it once for
// each error that leaves the package; nil stays nil.
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

// read calls each for every row. The rows are closed when it returns, so each must copy what it
// keeps. An error of each ends it.
func (s *Store) read(ctx context.Context, q querier, each func(*sql.Rows) error, query string, args ...any) error {
	return s.db.Read(ctx, q, each, query, args...)
}

// usual is up to how many rows PostgreSQL looks up by an index in any case. For more, it may scan
// the whole table if that is small.
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
	return s.db.Exec(ctx, q, query, args...)
}

// eachRow yields rows that are read a page at a time, until a page is short, an error occurs or the
// caller stops. next reads the following page and keeps its own position; no connection or lock is
// held between two pages. A row is decoded when it is yielded, so that a caller who stops early
// does not pay for the rest.
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
