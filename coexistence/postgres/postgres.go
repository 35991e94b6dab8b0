// Package postgres opens a PostgreSQL database as a store for a coexistence.Tracker, for one process or for many on several machines.
//
//	store, err := postgres.Open(ctx, os.Getenv("DATABASE_URL"))
//	if err != nil {
//		return err
//	}
//	defer store.Close()
//	tracker, err := coexistence.NewTracker(coexistence.Config{Store: store, AppID: appID})
//
// Every process makes a Tracker of its own over the same database. They may handle the same events, in any order and at once: the
// result is that of one.
//
// # Settings
//
// The tables begin with coexistence_ and are made in the first schema of the search path. To keep them in one of their own,
// create it and add search_path=NAME to the URL. The role needs the right to create tables only for the first start and
// for the first start of a release that changes them.
//
// Behind a pooler that gives each transaction another connection, add default_query_exec_mode=exec unless the pooler knows
// prepared statements (PgBouncer does since 1.21).
//
// The pool has up to 16 connections; [sqlstore.Store.DB] is where to change that.
package postgres

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/sqlstore"
)

const maxConns = 16

// Open connects to the database that the URL names (postgres://user:password@host/database), checks that it keeps what it
// acknowledges, and brings the tables up to date. Close the store when the program ends.
func Open(ctx context.Context, url string) (*sqlstore.Store, error) {
	cfg, err := pgx.ParseConfig(url)
	if err != nil {
		// The error would quote the URL, which holds a password.
		return nil, errors.New("postgres: this is not a URL of a database; write postgres://user:password@host:5432/database")
	}
	db := stdlib.OpenDB(*cfg)
	db.SetMaxOpenConns(maxConns)
	db.SetMaxIdleConns(maxConns)
	store, err := sqlstore.New(db, sqlstore.PostgreSQL)
	if err == nil {
		err = verify(ctx, db)
	}
	if err == nil {
		err = store.Migrate(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return store, nil
}

// verify refuses a database that would not keep what it acknowledges.
func verify(ctx context.Context, db *sql.DB) error {
	var commit string
	if err := db.QueryRowContext(ctx, "SELECT current_setting('synchronous_commit')").Scan(&commit); err != nil {
		return fmt.Errorf("postgres: the database cannot be reached: %w", err)
	}
	if commit == "off" {
		return errors.New("postgres: synchronous_commit is off, so a crash of the server would lose what was stored; " +
			"turn it on for this role or database")
	}
	return nil
}
