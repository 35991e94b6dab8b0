package sqlinbox

import (
	"context"
	"database/sql"
	"sync"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/sqldb"
)

// The statements are prepared ones, for SQLite alone: pgx keeps its own.
type statements struct {
	known  sync.Map // query → *sql.Stmt
	wanted sync.Map // queries that a transaction has run and that are not known
}

// prepared returns the statement of a query, for q, or nil if it runs without.
func (s *Store) prepared(ctx context.Context, q querier, query string) *sql.Stmt {
	if s.db.Dialect == sqldb.PostgreSQL || s.db.Stats().MaxOpenConnections == 1 { // one is in use, and preparing would wait for it for ever
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
		// Not now: it takes a connection, and the host may have them all waiting for this
		// transaction to end.
		s.statements.wanted.Store(query, nil)
		return nil
	}
	return s.prepare(context.WithoutCancel(ctx), query)
}

func (s *Store) known(query string) *sql.Stmt {
	known, _ := s.statements.known.Load(query)
	stmt, _ := known.(*sql.Stmt)
	return stmt
}

// prepare returns nil if the query cannot be prepared. It may work where it runs, within a
// transaction that has made the table; if not, that says why.
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

// prepareWanted prepares what transactions have run, once nobody waits for one, unless there is no
// connection for it: then it is wanted again.
func (s *Store) prepareWanted(ctx context.Context) {
	s.statements.wanted.Range(func(key, _ any) bool {
		s.statements.wanted.Delete(key)
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), preparePatience)
		defer cancel()
		query, _ := key.(string)
		s.prepare(ctx, query)
		return true
	})
}

const preparePatience = 10 * time.Millisecond
