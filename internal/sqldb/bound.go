package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"time"
)

const (
	// statementTimeout is how long a server may take for one statement, the beginning or the end of
	// a transaction. A connection can die without a word: packets are dropped, or a pooler hangs.
	// It is given up then, and the work continues with a fresh one; so a delivery of Meta's waits
	// for this long at most, and for a statement more.
	statementTimeout = 10 * time.Second

	// unhurriedTimeout is for statements that take as long as there is much to change.
	unhurriedTimeout = 10 * time.Minute

	// renewPause keeps many statements that find out at once from closing connections that were
	// just made.
	renewPause = time.Second
)

// errSilent is why a transaction was given up.
var errSilent = errors.New("the server did not answer in time, and the connection was given up")

// Silent reports whether a transaction whose own context has no end failed because the server did
// not answer. It may have been committed.
func Silent(err error) bool {
	return errors.Is(err, errSilent) || errors.Is(err, context.DeadlineExceeded)
}

type unhurriedKey struct{}

// Unhurried returns a context for statements that may take long: those that change or count as many
// rows as there are.
func Unhurried(ctx context.Context) context.Context {
	return context.WithValue(ctx, unhurriedKey{}, true)
}

func (d *DB) timeout(ctx context.Context) time.Duration {
	if ctx.Value(unhurriedKey{}) != nil {
		return unhurriedTimeout
	}
	return statementTimeout
}

// Statement returns the context for one statement, and what to call when its rows were read. SQLite
// has no connection that could be silent.
func (d *DB) Statement(ctx context.Context) (context.Context, func()) {
	if d.Dialect != PostgreSQL {
		return ctx, func() {}
	}
	bound, cancel := context.WithTimeoutCause(ctx, d.timeout(ctx), errSilent)
	return bound, func() {
		if errors.Is(context.Cause(bound), errSilent) {
			d.renew()
		}
		cancel()
	}
}

// LimitIdle is what PostgreSQL selects to end a transaction in which nothing comes for 5 seconds. A
// transaction that locks rows needs it: if its process has stopped in the middle of it, or its
// machine is gone, the others would wait for the rows for as long as the connection lives.
const LimitIdle = "set_config('idle_in_transaction_session_timeout', '5s', true)"

// Run runs fn in a transaction, without waiting for the turn. An error of fn is returned as it is.
// Neither the beginning nor the end of the transaction waits for a silent connection; statements of
// fn are bounded by [DB.Statement]. A transaction that could not be begun for that is begun once
// more, on a fresh connection.
func (d *DB) Run(ctx context.Context, fn func(*sql.Tx) error) error {
	tx, txCtx, cancel, err := d.begin(ctx)
	if errors.Is(err, errSilent) {
		tx, txCtx, cancel, err = d.begin(ctx)
	}
	if err != nil {
		return err
	}
	defer cancel(nil)
	done := false
	defer func() {
		if !done { // even when fn panics
			_ = d.answered(txCtx, cancel, tx.Rollback)
		}
	}()
	if err := fn(tx); err != nil {
		return err
	}
	done = true
	err = d.answered(txCtx, cancel, tx.Commit)
	if err == nil {
		d.committed()
		d.prepareWanted(ctx)
	}
	return err
}

// begin begins a transaction that ends with the context it returns. cancel is to be called when
// there is no error.
func (d *DB) begin(ctx context.Context) (tx *sql.Tx, txCtx context.Context, cancel context.CancelCauseFunc, err error) {
	txCtx, cancel = context.WithCancelCause(ctx)
	err = d.answered(txCtx, cancel, func() (err error) {
		tx, err = d.BeginTx(txCtx, d.Dialect.TxOptions())
		return err
	})
	if err != nil {
		cancel(nil)
	}
	return tx, txCtx, cancel, err
}

// answered calls a method of database/sql that knows no context but that of the transaction, and
// ends the transaction if the server does not answer.
func (d *DB) answered(ctx context.Context, cancel context.CancelCauseFunc, call func() error) error {
	if d.Dialect != PostgreSQL {
		return call()
	}
	timer := time.AfterFunc(d.timeout(ctx), func() { cancel(errSilent) })
	err := call()
	if !timer.Stop() && errors.Is(context.Cause(ctx), errSilent) {
		d.renew()
		return errors.Join(errSilent, err)
	}
	return err
}

// renew closes the connections that wait in the pool: one was silent, and they lead the same way.
func (d *DB) renew() {
	now := time.Now().UnixNano()
	last := d.renewed.Load()
	if d.Renew == nil || now-last < int64(renewPause) || !d.renewed.CompareAndSwap(last, now) {
		return
	}
	d.Renew()
}
