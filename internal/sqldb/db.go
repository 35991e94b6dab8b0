package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"sync/atomic"
)

// A DB is a database that several of our stores share.
type DB struct {
	*sql.DB

	// Dialect is the SQL of the database. Statements with question marks go through its Rebind.
	Dialect Dialect

	// Turn is held by the one transaction that writes to a SQLite file; nil for PostgreSQL. Waiting
	// for it is fair and ends with the context. Waiting for the file's own lock is polling, and a
	// poller can find it taken each time.
	Turn chan struct{}

	// Renew closes the connections of the pool that are not in use. It is called when one did not
	// answer, and may be nil.
	Renew func()

	// Committed is called after each commit, if it is not nil.
	Committed func()

	statements statements

	renewed atomic.Int64           // when, in Unix nanoseconds
	writer  atomic.Pointer[sql.Tx] // the transaction that has the turn, of Transact
}

// New returns a database that speaks the dialect. Stores over one SQLite file share one DB, and
// with it the turn to write.
func New(db *sql.DB, dialect Dialect) *DB {
	d := &DB{DB: db, Dialect: dialect}
	if dialect == SQLite {
		d.Turn = make(chan struct{}, 1)
	}
	return d
}

// Transact runs fn in a transaction, in its turn, and commits it if fn returns nil. An error of fn
// is returned as it is. Within fn, another Transact or Write with the context of WithTx is refused,
// because it would wait for its own turn.
func (d *DB) Transact(ctx context.Context, fn func(*sql.Tx) error) error {
	end, err := d.takeTurn(ctx)
	if err != nil {
		return err
	}
	defer end()
	return d.Run(ctx, func(tx *sql.Tx) error {
		d.writer.Store(tx)
		defer d.writer.CompareAndSwap(tx, nil)
		return fn(tx)
	})
}

// Write runs one statement that changes something, in its turn, and returns how many rows it
// changed. Its placeholders are question marks.
func (d *DB) Write(ctx context.Context, query string, args ...any) (int64, error) {
	end, err := d.takeTurn(ctx)
	if err != nil {
		return 0, err
	}
	defer end()
	n, err := d.Exec(ctx, d, query, args...)
	if err == nil {
		d.committed()
	}
	return n, err
}

func (d *DB) committed() {
	if d.Committed != nil {
		d.Committed()
	}
}

// takeTurn waits for the turn, if there is one, and returns what gives it back.
func (d *DB) takeTurn(ctx context.Context) (end func(), err error) {
	if d.Turn == nil {
		return func() {}, nil
	}
	if tx, ok := TxOf(ctx); ok && d.writer.Load() == tx {
		return nil, errWithinTx
	}
	select {
	case d.Turn <- struct{}{}:
		return func() { <-d.Turn }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// errWithinTx is returned instead of waiting forever: the transaction that the caller runs in has
// the turn.
var errWithinTx = errors.New("this would wait for the transaction of inbox.InTx that it is called in, since " +
	"SQLite has one writer at a time: " +
	"write with inbox.Tx, or do it in a handler before or behind InTx")

type txKey struct{}

// WithTx returns a context for code that runs within a transaction.
func WithTx(ctx context.Context, tx *sql.Tx) context.Context {
	return context.WithValue(ctx, txKey{}, tx)
}

// TxOf returns the transaction that code with this context runs within.
func TxOf(ctx context.Context) (*sql.Tx, bool) {
	tx, ok := ctx.Value(txKey{}).(*sql.Tx)
	return tx, ok
}
