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

	postgres "github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/postgres/migrations"
	sqlite "github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/sqlite/migrations"
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
}

// An engine is what an inbox can be kept in. A place is where: a folder or a URL.
type engine struct {
	open    func(ctx context.Context, place string) (opened, error)
	dialect sqldb.Dialect // "" for an engine without a SQL database

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
	"sqlite":        {openSQLite, sqldb.SQLite, nil},
	"sqlite-lazy":   {openLazySQLite, sqldb.SQLite, nil},
	"postgres":      {openPostgreSQL, sqldb.PostgreSQL, servePostgreSQL},
	"postgres-lazy": {openLazyPostgreSQL, sqldb.PostgreSQL, servePostgreSQL},
	"nats":          {openNATS, "", serveNATS},
	"nats-lazy":     {openNATS, "", serveLazyNATS},
}

// openSQLite opens the engine as hosts do.
func openSQLite(ctx context.Context, dir string) (opened, error) {
	s, err := sqlitedb.OpenInbox(ctx, filepath.Join(dir, "inbox.db"))
	if err != nil {
		return opened{}, err
	}
	return opened{s, s.DB(), s.Close}, nil
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
	s, err := pgdb.OpenInbox(ctx, pgdb.Config{URL: server})
	if err != nil {
		return opened{}, err
	}
	return opened{s, s.DB(), s.Close}, nil
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
	return opened{s, db, db.Close}, nil
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
