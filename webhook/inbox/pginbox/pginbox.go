// Package pginbox keeps an inbox in PostgreSQL, for one process or for many on several machines.
//
//	in, err := pginbox.Open(ctx, os.Getenv("DATABASE_URL"), &mux, inbox.Config{Logger: logger})
//	if err != nil {
//		return err
//	}
//	endpoint, err := webhook.NewEndpoint(cfg, in)
//
// Every process opens an inbox of its own on the same database. Each of them receives, and each handles conversations: a conversation is
// handled by one process at a time, and if that dies, another one takes over when the lease is over. Leases are measured by
// the database's clock. A process that was stopped longer than its lease finds that it can settle nothing any more.
//
// # Settings
//
// The tables begin with webhook_ and are made in the first schema of the search path. To keep them in one of their own, create it and
// add search_path=NAME to the URL. The role needs the right to create tables only for the first start and for the first start
// of a release that changes them.
//
// Processes tell each other about new deliveries by LISTEN and NOTIFY, which need a connection that lasts. Behind a pooler that gives each
// transaction another connection, nothing is lost, but new deliveries are found by asking once a second ([inbox.Config.Poll]).
//
// The pool has up to 16 connections; DB of the store is where to change that.
//
// # Effects exactly once
//
// With [inbox.InTx], a handler's rows and the fact that the event is done are one commit in this database.
package pginbox

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/sqldb"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/sqlinbox"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/inbox"
)

const maxConns = 16

// Open opens the inbox in the database that the URL names (postgres://user:password@host/database), and starts to handle what is in it.
// Shutdown closes it.
func Open(ctx context.Context, url string, h webhook.Handler, cfg inbox.Config) (*inbox.Inbox, error) {
	store, err := OpenStore(ctx, url)
	if err != nil {
		return nil, err
	}
	cfg.Closer = store
	in, err := inbox.New(store, h, cfg)
	if err == nil {
		err = in.Start(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, store.Close())
	}
	return in, nil
}

// A Store is a store in a PostgreSQL database that tells when another process has appended something.
type Store struct {
	*sqlinbox.Store

	listen *pgx.ConnConfig
	ears   chan *pgx.Conn // the connection that listens, once there is one
	schema string
}

var (
	_ inbox.TxSettler = (*Store)(nil)
	_ inbox.Sweeper   = (*Store)(nil)
	_ inbox.Waker     = (*Store)(nil)
)

// OpenStore connects to the database that the URL names, checks that it keeps what it acknowledges, and brings the tables up to date.
// Most hosts call [Open].
func OpenStore(ctx context.Context, url string) (*Store, error) {
	cfg, err := pgx.ParseConfig(url)
	if err != nil {
		// The error would quote the URL, which holds a password.
		return nil, errors.New("pginbox: this is not a URL of a database; write postgres://user:password@host:5432/database")
	}
	db := stdlib.OpenDB(*cfg)
	db.SetMaxOpenConns(maxConns)
	db.SetMaxIdleConns(maxConns)
	store, err := newStore(ctx, cfg, db)
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return store, nil
}

func newStore(ctx context.Context, cfg *pgx.ConnConfig, db *sql.DB) (*Store, error) {
	store, err := sqlinbox.New(db, sqlinbox.PostgreSQL)
	if err != nil {
		return nil, err
	}
	if err := sqldb.VerifyPostgreSQL(ctx, db); err != nil {
		return nil, fmt.Errorf("pginbox: %w", err)
	}
	if err := store.Migrate(ctx); err != nil {
		return nil, err
	}
	s := &Store{Store: store, listen: cfg.Copy(), ears: make(chan *pgx.Conn, 1)}
	s.ears <- nil
	if err := db.QueryRowContext(ctx, "SELECT current_schema()").Scan(&s.schema); err != nil {
		return nil, fmt.Errorf("pginbox: %w", err)
	}
	return s, nil
}

// Wait implements [inbox.Waker]. It has a connection of its own.
func (s *Store) Wait(ctx context.Context) error {
	var conn *pgx.Conn
	select {
	case conn = <-s.ears:
	case <-ctx.Done():
		return ctx.Err()
	}
	keep := false
	defer func() {
		if !keep && conn != nil {
			end, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
			defer cancel()
			_ = conn.Close(end)
			conn = nil
		}
		s.ears <- conn
	}()
	if conn == nil {
		var err error
		if conn, err = pgx.ConnectConfig(ctx, s.listen); err != nil {
			return errors.New("pginbox: the database cannot be reached for LISTEN") // its error can quote the URL
		}
		if _, err := conn.Exec(ctx, "LISTEN "+sqlinbox.Channel); err != nil {
			return fmt.Errorf("pginbox: LISTEN: %w", err)
		}
		keep = true
		return nil // what was appended before is found by asking once
	}
	for {
		n, err := conn.WaitForNotification(ctx)
		if err != nil {
			return fmt.Errorf("pginbox: LISTEN: %w", err)
		}
		if n.Payload == s.schema {
			keep = true
			return nil
		}
	}
}

// Close closes all connections. What was stored stays.
func (s *Store) Close() error {
	err := s.Store.Close()
	select {
	case conn := <-s.ears:
		if conn != nil {
			err = errors.Join(err, conn.PgConn().Conn().Close())
		}
		s.ears <- nil
	default: // Wait has it, and closes it when its context ends
	}
	return err
}
