package sqldb

import (
	"context"
	"database/sql"
)

// A DB is a database that several of our stores share.
type DB struct {
	*sql.DB

	Dialect Dialect

	// Turn is held by the one transaction that writes to a SQLite file; nil for PostgreSQL. Waiting for
	// it is fair and ends with the context. Waiting for the file's own lock is polling, and a poller can
	// find it taken each time.
	Turn chan struct{}
}

// New returns a database that speaks the dialect. Stores over one SQLite file share one DB.
func New(db *sql.DB, dialect Dialect) *DB {
	d := &DB{DB: db, Dialect: dialect}
	if dialect == SQLite {
		d.Turn = make(chan struct{}, 1)
	}
	return d
}

// Begin begins a transaction. It does not take the turn.
func (d *DB) Begin(ctx context.Context) (*sql.Tx, error) { return d.BeginTx(ctx, d.Dialect.TxOptions()) }

// Transact runs fn in a transaction, in its turn. An error of fn is returned as it is.
func (d *DB) Transact(ctx context.Context, fn func(*sql.Tx) error) error {
	end, err := d.takeTurn(ctx)
	if err != nil {
		return err
	}
	defer end()
	tx, err := d.Begin(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // also when fn panics; after a commit it does nothing
	if err := fn(tx); err != nil {
		return err
	}
	return tx.Commit()
}

// Write runs one statement that changes something, in its turn, and returns how many rows it changed. Its
// placeholders are question marks.
func (d *DB) Write(ctx context.Context, query string, args ...any) (int64, error) {
	end, err := d.takeTurn(ctx)
	if err != nil {
		return 0, err
	}
	defer end()
	res, err := d.ExecContext(ctx, d.Dialect.Rebind(query), args...)
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

func (d *DB) takeTurn(ctx context.Context) (end func(), err error) {
	if d.Turn == nil {
		return func() {}, nil
	}
	select {
	case d.Turn <- struct{}{}:
		return func() { <-d.Turn }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
