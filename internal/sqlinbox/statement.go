package sqlinbox

import (
	"context"
	"database/sql"
	"sync"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/sqldb"
)

// statements are prepared statements, for SQLite only: pgx has its own. They are never closed:
// there are few, and they end with the database.
type statements struct {
	known  sync.Map // query → *sql.Stmt
	wanted sync.Map // queries that a transaction has run and that are not prepared
}

// prepared returns the prepared statement of a query, for q, or nil if it runs unprepared: with
// PostgreSQL, and with a single connection, which is in use, so that preparing would wait forever.
// Within a transaction nothing is prepared, because that takes another connection, and all of them
// may be waiting for this transaction; the query is recorded instead.
func (s *Store) prepared(ctx context.Context, q querier, query string) *sql.Stmt {
	if s.db.Dialect == sqldb.PostgreSQL || s.db.Stats().MaxOpenConnections == 1 {
		return nil
	}
	tx, within := q.(*sql.Tx)
	stmt := s.known(query)
	switch {
	case stmt != nil && within:
		return tx.StmtContext(ctx, stmt)
	case stmt != nil:
		return stmt
	case within:
		s.statements.wanted.Store(query, nil)
		return nil
	}
	return s.prepare(context.WithoutCancel(ctx), query)
}

// known returns the prepared statement of a query, or nil.
func (s *Store) known(query string) *sql.Stmt {
	known, _ := s.statements.known.Load(query)
	stmt, _ := known.(*sql.Stmt)
	return stmt
}

// prepare returns nil if the query cannot be prepared. It may still work within a transaction that
// has created the table; if not, running it returns the reason.
func (s *Store) prepare(ctx context.Context, query string) *sql.Stmt {
	stmt, err := s.db.PrepareContext(ctx, query)
	if err != nil {
		return nil
	}
	if _, loaded := s.statements.known.LoadOrStore(query, stmt); loaded {
		_ = stmt.Close()
	}
	return s.known(query)
}

// prepareWanted prepares recorded queries after a commit, when no caller waits. Without a free
// connection, the next transaction records them again.
func (s *Store) prepareWanted(ctx context.Context) {
	s.statements.wanted.Range(func(key, _ any) bool {
		s.statements.wanted.Delete(key)
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), prepareTimeout)
		defer cancel()
		query, _ := key.(string)
		s.prepare(ctx, query)
		return true
	})
}

// prepareTimeout is how long prepareWanted waits for a connection.
const prepareTimeout = 10 * time.Millisecond
