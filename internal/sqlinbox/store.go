package sqlinbox

import (
	"context"
	"database/sql"
	"errors"
	"math/rand/v2"
	"strings"
	"sync"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/sqldb"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/inbox"
)

// A Store is an [inbox.Store] in a SQL database. It is safe for concurrent use, and so are several
// Stores over one PostgreSQL database, in one process or in many. A SQLite file belongs to one
// Store.
type Store struct {
	db      *sqldb.DB
	commits *group // of appends; with SQLite, of everything
	bulk    *group // of appends in bulk; with SQLite, the same

	// The clock of a SQLite store goes on from when it was made, however often the system's clock
	// is set.
	epoch time.Time

	arrivals arrivals // with SQLite

	statements statements

	statsMu sync.Mutex
	stats   inbox.Stats
	statsAt time.Time
	statsIn time.Duration // how long counting took
}

var (
	_ inbox.TxSettler = (*Store)(nil)
	_ inbox.Sweeper   = (*Store)(nil)
)

// longestPause is the longest a lane rests after a restart of the only process.
const longestPause = time.Hour

// Open returns a store over a database whose tables are there. With SQLite, whose file one process
// may use, it also frees what the process before it had in hand, and there may be one Store for a
// file.
func Open(ctx context.Context, db *sqldb.DB) (*Store, error) {
	s := New(db)
	if db.Dialect == sqldb.PostgreSQL {
		return s, nil
	}
	if err := s.loadArrivals(ctx); err != nil {
		return nil, explain("Open", err)
	}
	return s, explain("Open", db.Transact(ctx, func(tx *sql.Tx) error {
		// A pause that is longer than any was begun under a clock that has been set back.
		_, err := s.exec(ctx, tx, `UPDATE webhook_lanes SET token = NULL, held = 0,
			next_at = CASE WHEN token IS NULL THEN MIN(next_at, ? + $now) ELSE 0 END`, s.in(longestPause))
		return err
	}))
}

// New returns a store that has not looked into the database: Open is for stores in use.
func New(db *sqldb.DB) *Store {
	s := &Store{db: db, epoch: time.Now()}
	if db.Dialect == sqldb.SQLite {
		s.bulk = newGroup(s, db.Turn)
		s.commits = s.bulk
		return s
	}
	s.bulk = newGroup(s, make(chan struct{}, 1))
	s.commits = newGroup(s, make(chan struct{}, 2)) // one collects while the other commits
	return s
}

// DB returns the database.
func (s *Store) DB() *sql.DB { return s.db.DB }

// in is a parameter: the moment in so long, to be added to what $now stands for.
func (s *Store) in(d time.Duration) int64 {
	if s.db.Dialect == sqldb.PostgreSQL {
		return d.Microseconds()
	}
	return s.epoch.Add(time.Since(s.epoch) + d).UnixMicro()
}

// query writes a statement for the dialect.
func (s *Store) query(query string) string {
	now := "0" // the parameter is a moment already
	if s.db.Dialect == sqldb.PostgreSQL {
		now = "CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS BIGINT)"
	}
	return s.db.Dialect.Rebind(strings.ReplaceAll(query, "$now", now))
}

// maxTries is how often a transaction is tried that loses against others.
const maxTries = 20

// write runs fn in a transaction. With SQLite, it may share one with others, and so be run again,
// and if it is in bulk, it waits behind what is live. what names the method in errors.
func (s *Store) write(ctx context.Context, what string, bulk bool, fn func(*sql.Tx) error) error {
	if s.db.Dialect == sqldb.SQLite {
		return explain(what, s.commits.do(ctx, &job{ctx: ctx, bulk: bulk, fn: fn}))
	}
	return s.direct(ctx, what, fn)
}

// direct runs fn in a transaction of its own, until no other one came between.
func (s *Store) direct(ctx context.Context, what string, fn func(*sql.Tx) error) error {
	var err error
	for try := range maxTries {
		if err = s.transact(ctx, fn); !sqldb.Lost(err) {
			break
		}
		pause := time.NewTimer(rand.N(time.Duration(try+1) * time.Millisecond)) //nolint:gosec // a pause is no secret
		select {
		case <-ctx.Done():
			pause.Stop()
			return explain(what, ctx.Err())
		case <-pause.C:
		}
	}
	return explain(what, err)
}

func (s *Store) transact(ctx context.Context, fn func(*sql.Tx) error) error {
	err := s.db.Run(ctx, func(tx *sql.Tx) error {
		if err := s.limitIdle(ctx, tx); err != nil {
			return err
		}
		return fn(tx)
	})
	if err == nil {
		s.prepareWanted(ctx)
	}
	return err
}

// limitIdle lets a transaction that locks rows of the inbox end when its process has stopped in the
// middle of it, or its machine is gone. The others would wait for as long as that lasts, however
// short its leases are.
func (s *Store) limitIdle(ctx context.Context, tx *sql.Tx) error {
	if s.db.Dialect != sqldb.PostgreSQL {
		return nil
	}
	ctx, answered := s.db.Statement(ctx)
	defer answered()
	_, err := tx.ExecContext(ctx, "SET LOCAL idle_in_transaction_session_timeout = '5s'")
	return err
}

func explain(what string, err error) error {
	if errors.Is(err, inbox.ErrLeaseLost) {
		return inbox.ErrLeaseLost
	}
	return sqldb.Explain("inbox: "+what, err)
}

// A querier is the database or a transaction.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
}

// read hands every row to each. The rows are gone when it returns.
func (s *Store) read(ctx context.Context, q querier, each func(*sql.Rows) error, query string, args ...any) error {
	query = s.query(query)
	ctx, answered := s.db.Statement(ctx)
	defer answered()
	var rows *sql.Rows
	var err error
	if stmt := s.prepared(ctx, q, query); stmt != nil {
		rows, err = stmt.QueryContext(ctx, args...)
	} else {
		rows, err = q.QueryContext(ctx, query, args...)
	}
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
	query = s.query(query)
	ctx, answered := s.db.Statement(ctx)
	defer answered()
	var res sql.Result
	var err error
	if stmt := s.prepared(ctx, q, query); stmt != nil {
		res, err = stmt.ExecContext(ctx, args...)
	} else {
		res, err = q.ExecContext(ctx, query, args...)
	}
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}
