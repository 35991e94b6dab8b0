package sqlinbox

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	mathrand "math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/sqldb"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/inbox"
)

// A Store is an [inbox.Store] in a SQL database. It is safe for concurrent use, and so are several
// Stores over one PostgreSQL database, in one process or in many. A SQLite file belongs to one
// Store.
type Store struct {
	db       *sqldb.DB
	name     string     // random, in notifications
	commits  *committer // of appends; with SQLite, of everything
	backfill *committer // of appends of the backfill; with SQLite, the same one

	// The clock of a SQLite store is monotonic from its start, however often the system's clock is
	// set. With PostgreSQL, the clock is the server's.
	epoch time.Time

	keys knownKeys // with SQLite

	turns turns

	// sharedUntil is when batches of deliveries stop being short, in nanoseconds since 1970.
	sharedUntil atomic.Int64

	// The last result of Stats.
	statsMu sync.Mutex
	stats   inbox.Stats
	statsAt time.Time
	statsIn time.Duration // how long counting took
}

var (
	_ inbox.TxSettler = (*Store)(nil)
	_ inbox.Forgetter = (*Store)(nil)
	_ inbox.Sweeper   = (*Store)(nil)
)

// longestPause is the longest pause of a lane after a restart of the only process. A longer one
// comes from a clock that was ahead.
const longestPause = time.Hour

// Open returns a store over a database that has the tables. With SQLite, whose file belongs to one
// process and one Store, it also ends the leases of the previous process.
func Open(ctx context.Context, db *sqldb.DB) (*Store, error) {
	s := New(db)
	if db.Dialect == sqldb.PostgreSQL {
		return s, nil
	}
	if err := s.loadArrivals(ctx); err != nil {
		return nil, explain("Open", err)
	}
	s.keys.reading = new(keySet)
	return s, explain("Open", db.Transact(ctx, func(tx *sql.Tx) error {
		// No worker has this token, and the next claim finds that the lease has ended.
		_, err := s.exec(ctx, tx, `UPDATE webhook_lanes SET token = kind || '.' || bulk || '.', next_at = 0
			WHERE token IS NOT NULL`)
		if err != nil {
			return err
		}
		latest := s.in(longestPause)
		_, err = s.exec(ctx, tx, "UPDATE webhook_lanes SET next_at = ? + $now WHERE state > 0 AND next_at > ? + $now",
			latest, latest)
		return err
	}))
}

// New returns a store without reading the database; use Open. SQLite has one writer, so all of its
// transactions go through one committer; with PostgreSQL, only appends do, because only they gain
// by sharing a commit.
func New(db *sqldb.DB) *Store {
	s := &Store{db: db, name: rand.Text(), epoch: time.Now()}
	if db.Dialect == sqldb.SQLite {
		s.backfill = newCommitter(s, db.Turn)
		s.commits = s.backfill
		return s
	}
	s.backfill = newCommitter(s, make(chan struct{}, 1))
	s.commits = newCommitter(s, make(chan struct{}, 2))
	return s
}

// DB returns the database, for the host's own statements within InTx.
func (s *Store) DB() *sql.DB { return s.db.DB }

// in returns a parameter for the moment after a duration, to be added to $now. PostgreSQL adds its
// own clock. SQLite has no monotonic clock, so there the parameter is the moment itself and $now is
// 0.
func (s *Store) in(d time.Duration) int64 {
	if s.db.Dialect == sqldb.PostgreSQL {
		return d.Microseconds()
	}
	return s.epoch.Add(time.Since(s.epoch) + d).UnixMicro()
}

// query puts in what $now is in the dialect.
func (s *Store) query(query string) string {
	now := "0" // the parameter is the moment
	if s.db.Dialect == sqldb.PostgreSQL {
		now = "CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS BIGINT)"
	}
	return strings.ReplaceAll(query, "$now", now)
}

// maxTries is how often a transaction is attempted that ends with a deadlock or a serialization
// failure. More than that is no coincidence.
const maxTries = 20

// write runs fn in a transaction. With SQLite, fn may share one with others, and so may run again,
// and one of the backfill waits behind live ones. what names the method in errors.
func (s *Store) write(ctx context.Context, what string, backfill bool, fn func(*sql.Tx) error) error {
	if s.db.Dialect == sqldb.SQLite {
		return explain(what, s.commits.do(ctx, &job{ctx: ctx, backfill: backfill, fn: fn}))
	}
	return s.direct(ctx, what, fn)
}

// direct runs fn in a transaction of its own, and retries it after conflicts, with short pauses.
func (s *Store) direct(ctx context.Context, what string, fn func(*sql.Tx) error) error {
	var err error
	for try := range maxTries {
		if err = s.transact(ctx, fn); !sqldb.Lost(err) {
			break
		}
		pause := mathrand.N(time.Duration(try+1) * time.Millisecond) //nolint:gosec // no secret
		if err := sqldb.Pause(ctx, pause); err != nil {
			return explain(what, err)
		}
	}
	return explain(what, err)
}

// transact runs fn in a transaction, once.
func (s *Store) transact(ctx context.Context, fn func(*sql.Tx) error) error {
	return s.db.Run(ctx, func(tx *sql.Tx) error {
		if err := s.db.Set(ctx, tx, sqldb.LimitIdle+", "+goByIndex); err != nil {
			return err
		}
		return fn(tx)
	})
}

// goByIndex makes PostgreSQL use indexes. All statements here look up few rows, or take the first
// rows of an index. A planner without statistics, or with those of an empty table, would read and
// sort the whole table.
const goByIndex = "set_config('enable_seqscan', 'off', true), set_config('enable_bitmapscan', 'off', true), " +
	"set_config('enable_hashjoin', 'off', true), set_config('enable_mergejoin', 'off', true), " +
	"set_config('jit', 'off', true)"

// explain adds the name of the method and what the host can do. ErrLeaseLost is no failure of the
// database, and stays as it is.
func explain(what string, err error) error {
	if errors.Is(err, inbox.ErrLeaseLost) {
		return inbox.ErrLeaseLost
	}
	return sqldb.Explain("inbox: "+what, err)
}

// A querier is the database or a transaction.
type querier = sqldb.Querier

// read calls each for every row. It closes the rows before it returns, so that the connection is
// free.
func (s *Store) read(ctx context.Context, q querier, each func(*sql.Rows) error, query string, args ...any) error {
	return s.db.Read(ctx, q, each, s.query(query), args...)
}

// exec runs a statement and returns how many rows it changed.
func (s *Store) exec(ctx context.Context, q querier, query string, args ...any) (int64, error) {
	return s.db.Exec(ctx, q, s.query(query), args...)
}
