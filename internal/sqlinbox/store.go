package sqlinbox

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/sqldb"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/inbox"
)

// A Dialect is the SQL that a database speaks.
type Dialect string

const (
	SQLite     Dialect = "sqlite"     // 3.38 or newer
	PostgreSQL Dialect = "postgresql" // 12 or newer; tested with 15
)

// A Store is an [inbox.Store] in a SQL database. It is safe for concurrent use, and so are several Stores over one PostgreSQL
// database, in one process or in many. A SQLite file belongs to one Store.
type Store struct {
	db      *sql.DB
	dialect Dialect
	commits *group // of appends; with SQLite, of everything
	bulk    *group // of appends in bulk; with SQLite, the same

	// The clock of a SQLite store goes on from when it was made, however often the system's clock is set.
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

// New returns a store over a database that speaks the dialect. It does no I/O: call [Store.Migrate] before the first use. The modules
// sqliteinbox and pginbox open a database with the settings that the store relies on, and start an inbox on it, in one call.
func New(db *sql.DB, dialect Dialect) (*Store, error) {
	var errs []error
	if db == nil {
		errs = append(errs, errors.New("sqlinbox: the database is nil; open it first"))
	}
	if dialect != SQLite && dialect != PostgreSQL {
		errs = append(errs, fmt.Errorf("sqlinbox: the dialect %q is unknown; use SQLite or PostgreSQL", dialect))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	s := &Store{db: db, dialect: dialect, epoch: time.Now()}
	if s.bulk = newGroup(s, 1); dialect == SQLite {
		s.commits = s.bulk
	} else {
		s.commits = newGroup(s, 2) // one collects while the other commits
	}
	return s, nil
}

// DB returns the database, for whatever else the host does with it.
func (s *Store) DB() *sql.DB { return s.db }

// Close closes the database. What was stored stays.
func (s *Store) Close() error { return s.db.Close() }

// in is a parameter: the moment in so long, to be added to what $now stands for.
func (s *Store) in(d time.Duration) int64 {
	if s.dialect == PostgreSQL {
		return d.Microseconds()
	}
	return s.epoch.Add(time.Since(s.epoch) + d).UnixMicro()
}

// query writes a statement for the dialect.
func (s *Store) query(query string) string {
	now := "0" // the parameter is a moment already
	if s.dialect == PostgreSQL {
		now = "CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS BIGINT)"
	}
	return sqldb.Dialect(s.dialect).Rebind(strings.ReplaceAll(query, "$now", now))
}

// forUpdate keeps rows that were read from changing until the transaction ends. In SQLite, nobody else writes meanwhile.
func (s *Store) forUpdate() string {
	if s.dialect == PostgreSQL {
		return " FOR UPDATE"
	}
	return ""
}

// maxTries is how often a transaction is tried that loses against others.
const maxTries = 20

// write runs fn in a transaction. With SQLite, it may share one with others, and so be run again, and if it is in bulk, it waits behind
// what is live. what names the method in errors.
func (s *Store) write(ctx context.Context, what string, bulk bool, fn func(*sql.Tx) error) error {
	if s.dialect == SQLite {
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
	tx, err := s.begin(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // also when fn panics; after a commit it does nothing
	if err := s.limitIdle(ctx, tx); err != nil {
		return err
	}
	if err := fn(tx); err != nil {
		return err
	}
	if err := tx.Commit(); err != nil {
		return err
	}
	s.prepareWanted(ctx)
	return nil
}

// limitIdle lets a transaction that locks rows of the inbox end when its process has stopped in the middle of it, or its machine is gone. The
// others would wait for as long as that lasts, however short its leases are.
func (s *Store) limitIdle(ctx context.Context, tx *sql.Tx) error {
	if s.dialect != PostgreSQL {
		return nil
	}
	_, err := tx.ExecContext(ctx, "SET LOCAL idle_in_transaction_session_timeout = '5s'")
	return err
}

func (s *Store) begin(ctx context.Context) (*sql.Tx, error) {
	return s.db.BeginTx(ctx, sqldb.Dialect(s.dialect).TxOptions())
}

func explain(what string, err error) error {
	if errors.Is(err, inbox.ErrFenced) {
		return inbox.ErrFenced
	}
	return sqldb.Explain("sqlinbox: "+what, err)
}

// A querier is the database or a transaction.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
}

// read hands every row to each. The rows are gone when it returns.
func (s *Store) read(ctx context.Context, q querier, each func(*sql.Rows) error, query string, args ...any) error {
	query = s.query(query)
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
