// Package pgdb opens a PostgreSQL database in which several of our stores keep what they have:
// package coexistence/postgres and package pginbox hand it on.
//
// Besides the pool that all stores use, an inbox has one connection that waits for notifications:
// without it, a process would learn of what others have stored only by polling. Where that
// connection comes from depends on how the host names the database; see listenAlone, listenInPool
// and listenInDB.
//
// No error of this package holds the URL, because that holds a password.
package pgdb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"strconv"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/postgres/migrations"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/sqldb"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/sqldb/migrate"
)

const (
	// maxConns is the size of a pool of our own. It is enough to keep a server's disk busy, and few
	// enough for a server with its default of 100 connections to take several processes.
	maxConns = 16

	// minConns is what our stores need of a host's pool: one connection waits for notifications,
	// one can wait for a lock, and the others work.
	minConns = 4
)

// A Config says where the database is: one of URL, Pool and DB.
type Config struct {
	// URL is for a pool of our own: postgres://user:password@host:5432/database. The pool has up to
	// 16 connections; the parameter pool_max_conns, as pgxpool has it, changes that.
	URL string

	// Pool is the host's. It stays open.
	Pool *pgxpool.Pool

	// DB is the host's, of any driver for PostgreSQL. It stays open.
	DB *sql.DB

	// Check only checks the tables, and does not make them.
	Check bool

	// Logger gets a warning if a failover would lose what was stored. If nil, it is not looked for.
	Logger *slog.Logger
}

// A DB is an open database. Its stores share one pool.
type DB struct {
	*sqldb.DB

	listen func(context.Context) (*listener, error) // opens a connection for notifications
	close  func() error                             // closes what Open has opened
	schema string                                   // of the tables: the first of the search path
}

// Open connects to the database, checks that it keeps what it acknowledges, and brings the tables
// up to date. It warns if a failover would lose what was acknowledged.
func Open(ctx context.Context, cfg Config) (*DB, error) {
	db, err := connect(cfg)
	if err != nil {
		return nil, err
	}
	if err := db.prepare(ctx, cfg.Check); err != nil {
		return nil, errors.Join(explain(err), db.close())
	}
	warnOfStandbys(ctx, db.DB.DB, cfg.Logger)
	return db, nil
}

// connect makes a DB of what the Config names, and refuses a pool that is too small for our stores.
// It does no I/O.
func connect(cfg Config) (*DB, error) {
	switch {
	case cfg.URL != "" && cfg.Pool == nil && cfg.DB == nil:
		return connectURL(cfg.URL)
	case cfg.URL == "" && cfg.Pool != nil && cfg.DB == nil:
		if n := cfg.Pool.Config().MaxConns; n < minConns {
			return nil, fmt.Errorf(
				"the pool has up to %d connections; give it %d at least (pool_max_conns)", n, minConns,
			)
		}
		db := openPool(cfg.Pool)
		return newDB(db, func() { go testIdlePool(cfg.Pool) }, listenInPool(cfg.Pool), db.Close), nil
	case cfg.URL == "" && cfg.Pool == nil && cfg.DB != nil:
		if n := cfg.DB.Stats().MaxOpenConnections; n > 0 && n < minConns {
			return nil, fmt.Errorf(
				"the pool has up to %d connections; give it %d at least (SetMaxOpenConns)", n, minConns,
			)
		}
		renew := func() { go testIdle(cfg.DB) }
		return newDB(cfg.DB, renew, listenInDB(cfg.DB), func() error { return nil }), nil
	}
	return nil, errors.New("name the database in one way: by its URL, by a pool of pgx, or by a pool of database/sql")
}

// connectURL makes a pool. The error of a URL would quote it, and with it the password, so it is
// not passed on.
func connectURL(url string) (*DB, error) {
	cfg, err := pgx.ParseConfig(url)
	if err != nil {
		return nil, errors.New("this is not the URL of a database; " +
			"write postgres://user:password@host:5432/database, " +
			"with what is no letter or digit in the password escaped (@ as %40)")
	}
	size, err := poolSize(cfg.RuntimeParams)
	if err != nil {
		return nil, err
	}
	db := stdlib.OpenDB(*cfg)
	db.SetMaxOpenConns(size)
	db.SetMaxIdleConns(size)
	renew := func() {
		db.SetMaxIdleConns(0) // closes them
		db.SetMaxIdleConns(size)
	}
	return newDB(db, renew, listenAlone(cfg.Copy()), db.Close), nil
}

// poolSize takes pool_max_conns out of a URL's parameters: pgx alone hands it to the server, which
// refuses it.
func poolSize(params map[string]string) (int, error) {
	text, ok := params["pool_max_conns"]
	if !ok {
		return maxConns, nil
	}
	delete(params, "pool_max_conns")
	size, err := strconv.Atoi(text)
	if err != nil || size < minConns {
		return 0, fmt.Errorf(
			"pool_max_conns in the URL is %.20q; make it a number, %d at least", text, minConns,
		)
	}
	return size, nil
}

func newDB(db *sql.DB, renew func(), listen func(context.Context) (*listener, error), end func() error) *DB {
	d := &DB{DB: sqldb.New(db, sqldb.PostgreSQL), listen: listen, close: end}
	d.Renew = renew
	return d
}

// testTimeout is how soon an idle connection answers that is to be kept.
const testTimeout = 2 * time.Second

// testIdle asks all idle connections of a pool of the host's at once whether the server answers.
// database/sql closes those that it does not answer on; it has no other way to close them, and
// their number is the host's.
func testIdle(db *sql.DB) {
	ctx, cancel := context.WithTimeout(context.Background(), testTimeout)
	defer cancel()
	var all sync.WaitGroup
	for range db.Stats().Idle {
		all.Go(func() { _ = db.PingContext(ctx) })
	}
	all.Wait()
}

// Close closes what Open has opened. A pool of the host stays open.
func (db *DB) Close() error { return db.close() }

// prepare verifies the database, brings the tables up to date or checks them, and looks which
// schema they are in.
func (db *DB) prepare(ctx context.Context, check bool) error {
	if err := verify(ctx, db.DB.DB); err != nil {
		return err
	}
	up := migrate.Up
	if check {
		up = migrate.Check
	}
	if err := up(ctx, db.DB, migrations.FS); err != nil {
		return err
	}
	return db.QueryRowContext(ctx, "SELECT current_schema()").Scan(&db.schema)
}

// explain says what the host can do about a database that cannot be opened.
func explain(err error) error {
	advice := ""
	_, dns := errors.AsType[*net.DNSError](err)
	_, dial := errors.AsType[*net.OpError](err)
	switch state := sqldb.State(err); {
	case state == "28P01" || state == "28000":
		advice = "the server refuses this user or its password; look at both in the URL: "
	case state == "3D000":
		advice = "there is no such database; create it, or look at the end of the URL: "
	case state == "53300":
		advice = "the server has no connection left; raise max_connections, or make the pools of its clients smaller: "
	case dns:
		advice = "the host in the URL is not known: "
	case dial || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded):
		advice = "the server does not answer there; look at host and port, and whether it runs: "
	}
	return fmt.Errorf("%s%w", advice, err)
}
