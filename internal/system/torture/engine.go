package main

import (
	"context"
	"database/sql"
	"errors"
	"io/fs"
	"net/url"
	"path/filepath"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"

	coexpostgres "github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/postgres"
	postgres "github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/postgres/migrations"
	coexsqlite "github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/sqlite"
	sqlite "github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/sqlite/migrations"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/storage"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/pgdb"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/sqldb"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/sqldb/migrate"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/sqlinbox"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/sqlitedb"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/inbox"
)

// An opened is a store, and the database beside which the handlers' effects are written. An engine
// without a SQL database leaves db nil: its handlers then note what they did in a file, and are
// judged by "at least once".
type opened struct {
	store inbox.Store
	db    *sql.DB
	close func() error

	// shared is what a tracker's store is made over. It is nil if db is.
	shared *sqldb.DB
}

// An engine is what an inbox can be kept in. A place is where: a folder or a URL.
type engine struct {
	open    func(ctx context.Context, place string) (opened, error)
	dialect sqldb.Dialect // "" for an engine without a SQL database

	// storage opens everything that a host stores, as hosts do; nil for an engine that has no more
	// than an inbox.
	storage func(ctx context.Context, place string) (*storage.DB, error)

	// serve returns a server in a folder, of which several processes may share the store; nil if
	// the store belongs to one process. It is not started. fresh says that the folder is empty.
	serve func(ctx context.Context, dir string, fresh bool, settings ...string) (server, error)
}

// A server keeps what an engine stores, and can be hurt. It is started in its folder, any number of
// times.
type server interface {
	start(ctx context.Context) error
	interrupt() // ends it, and lets it write down what it has
	kill()
	place() string // what open takes
}

// hasEffects reports whether handlers can leave their effects in the engine's own database.
func hasEffects(name string) bool { return engines[name].dialect != "" }

// hasServer reports whether several processes may share a store of the engine.
func hasServer(name string) bool { return engines[name].serve != nil }

// engines are those by name. A lazy one is like the engine it is named after, with the setting that
// a store must refuse: it forgets what it acknowledged when the power fails, and a test that does
// not notice is worth nothing.
var engines = map[string]engine{
	"sqlite":        {openSQLite, sqldb.SQLite, storeInSQLite, nil},
	"sqlite-lazy":   {openLazySQLite, sqldb.SQLite, nil, nil},
	"postgres":      {openPostgreSQL, sqldb.PostgreSQL, storeInPostgreSQL, servePostgreSQL},
	"postgres-lazy": {openLazyPostgreSQL, sqldb.PostgreSQL, nil, servePostgreSQL},
	"nats":          {openNATS, "", nil, serveNATS},
	"nats-lazy":     {openNATS, "", nil, serveLazyNATS},
}

// storeInSQLite opens the file of a whole host.
func storeInSQLite(ctx context.Context, dir string) (*storage.DB, error) {
	return coexsqlite.Open(ctx, coexsqlite.Config{Path: filepath.Join(dir, "whatsapp.db")})
}

// storeInPostgreSQL opens the database of a whole host.
func storeInPostgreSQL(ctx context.Context, server string) (*storage.DB, error) {
	return coexpostgres.Open(ctx, coexpostgres.Config{URL: server})
}

// openSQLite opens the engine as hosts do.
func openSQLite(ctx context.Context, dir string) (opened, error) {
	file, err := sqlitedb.Open(ctx, filepath.Join(dir, "inbox.db"))
	if err != nil {
		return opened{}, err
	}
	s, err := sqlinbox.Open(ctx, file.DB)
	if err != nil {
		return opened{}, errors.Join(err, file.Close())
	}
	return opened{s, s.DB(), file.Close, file.DB}, nil
}

// openLazySQLite has synchronous=NORMAL, which is what most programs that use SQLite with a WAL
// have. It loses the last commits when the power fails.
func openLazySQLite(ctx context.Context, dir string) (opened, error) {
	db, err := sql.Open("sqlite", "file:"+filepath.Join(dir, "inbox.db")+
		"?_txlock=immediate&_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)&_pragma=synchronous(NORMAL)")
	if err != nil {
		return opened{}, err
	}
	return unverified(ctx, db, sqldb.SQLite)
}

// openPostgreSQL opens the engine as hosts do.
func openPostgreSQL(ctx context.Context, server string) (opened, error) {
	db, err := pgdb.Open(ctx, pgdb.Config{URL: server})
	if err != nil {
		return opened{}, err
	}
	s, err := db.Inbox(ctx)
	if err != nil {
		return opened{}, errors.Join(err, db.Close())
	}
	return opened{s, s.DB(), func() error { return errors.Join(s.Close(), db.Close()) }, db.DB}, nil
}

// openLazyPostgreSQL has synchronous_commit=off, which loses the last commits.
func openLazyPostgreSQL(ctx context.Context, server string) (opened, error) {
	server, err := withParameter(server, "synchronous_commit", "off")
	if err != nil {
		return opened{}, err
	}
	cfg, err := pgx.ParseConfig(server)
	if err != nil {
		return opened{}, err
	}
	return unverified(ctx, stdlib.OpenDB(*cfg), sqldb.PostgreSQL)
}

// unverified opens a store without the checks that would refuse the database's settings.
func unverified(ctx context.Context, db *sql.DB, dialect sqldb.Dialect) (opened, error) {
	db.SetMaxOpenConns(8)
	shared, files := sqldb.New(db, dialect), fs.FS(sqlite.FS)
	if dialect == sqldb.PostgreSQL {
		files = postgres.FS
	}
	err := migrate.Up(ctx, shared, files)
	if err != nil {
		return opened{}, errors.Join(err, db.Close())
	}
	s, err := sqlinbox.Open(ctx, shared)
	if err != nil {
		return opened{}, errors.Join(err, db.Close())
	}
	return opened{s, db, db.Close, shared}, nil
}

// withParameter adds a parameter to a URL.
func withParameter(server, name, value string) (string, error) {
	u, err := url.Parse(server)
	if err != nil {
		return "", err
	}
	q := u.Query()
	q.Set(name, value)
	u.RawQuery = q.Encode()
	return u.String(), nil
}
