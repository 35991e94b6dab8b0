package sqldb

import (
	"context"
	"database/sql"
	"sync"
	"sync/atomic"
	"time"
)

// maxStatements is how many statements stay prepared. Our stores have fewer; a text with a value in
// it would make more without an end.
const maxStatements = 1000

// prepareTimeout is how long prepareWanted waits for a connection.
const prepareTimeout = 10 * time.Millisecond

// statements are prepared statements, for SQLite only: pgx has its own. Parsing a statement takes
// SQLite as long as running it for a few rows. They are never closed: there are few, and they end
// with the database.
type statements struct {
	known  sync.Map // query → *sql.Stmt
	wanted sync.Map // queries that a transaction has run and that are not prepared
	count  atomic.Int64
}

// query runs a statement that returns rows, a prepared one if there is one. Its placeholders are
// question marks.
func (d *DB) query(ctx context.Context, q Querier, query string, args []any) (*sql.Rows, error) {
	query = d.Dialect.Rebind(query)
	if stmt := d.prepared(ctx, q, query); stmt != nil {
		return stmt.QueryContext(ctx, args...)
	}
	return q.QueryContext(ctx, query, args...)
}

// Exec runs a statement that returns no rows, a prepared one if there is one, and returns how many
// rows it changed. Its placeholders are question marks.
func (d *DB) Exec(ctx context.Context, q Querier, query string, args ...any) (int64, error) {
	ctx, answered := d.Statement(ctx)
	defer answered()
	query = d.Dialect.Rebind(query)
	var res sql.Result
	var err error
	if stmt := d.prepared(ctx, q, query); stmt != nil {
		res, err = stmt.ExecContext(ctx, args...)
	} else {
		res, err = q.ExecContext(ctx, query, args...)
	}
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

// prepared returns the prepared statement of a query, for q, or nil if it runs unprepared: with
// PostgreSQL, and with a single connection, which is in use, so that preparing would wait forever.
// Within a transaction nothing is prepared, because that takes another connection, and all of them
// may be waiting for this transaction; the query is recorded instead.
func (d *DB) prepared(ctx context.Context, q Querier, query string) *sql.Stmt {
	if d.Dialect == PostgreSQL || d.Stats().MaxOpenConnections == 1 {
		return nil
	}
	tx, within := q.(*sql.Tx)
	stmt := d.known(query)
	switch {
	case stmt != nil && within:
		return tx.StmtContext(ctx, stmt)
	case stmt != nil:
		return stmt
	case d.statements.count.Load() >= maxStatements:
		return nil
	case within:
		d.statements.wanted.Store(query, nil)
		return nil
	}
	return d.prepare(ctx, query)
}

// known returns the prepared statement of a query, or nil.
func (d *DB) known(query string) *sql.Stmt {
	known, _ := d.statements.known.Load(query)
	stmt, _ := known.(*sql.Stmt)
	return stmt
}

// prepare returns nil if the query cannot be prepared. It may still work within a transaction that
// has created the table; if not, running it returns the reason.
func (d *DB) prepare(ctx context.Context, query string) *sql.Stmt {
	stmt, err := d.PrepareContext(ctx, query)
	if err != nil {
		return nil
	}
	if _, loaded := d.statements.known.LoadOrStore(query, stmt); loaded {
		_ = stmt.Close()
	} else {
		d.statements.count.Add(1)
	}
	return d.known(query)
}

// prepareWanted prepares recorded queries after a commit, when no caller waits. Without a free
// connection, the next transaction records them again.
func (d *DB) prepareWanted(ctx context.Context) {
	d.statements.wanted.Range(func(key, _ any) bool {
		d.statements.wanted.Delete(key)
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), prepareTimeout)
		defer cancel()
		query, _ := key.(string)
		d.prepare(ctx, query)
		return true
	})
}
