// Package sqliteinbox keeps an inbox in a SQLite file: one machine, nothing to install.
//
//	in, err := sqliteinbox.Open(ctx, "inbox", &mux, inbox.Config{Logger: logger})
//	if err != nil {
//		return err
//	}
//	endpoint, err := webhook.NewEndpoint(cfg, in)
//	…
//	err = server.Shutdown(ctx) // first nothing more arrives,
//	err = in.Shutdown(ctx)     // then nothing more is handled
//
// It is a module of its own because it brings a driver, modernc.org/sqlite, which is pure Go: hosts of package webhook that keep
// their events elsewhere do not link it.
//
// # What it is good for
//
// One process on one machine, with a disk of its own: the folder is locked, and a second process is refused. Never use it over a network
// file system. A delivery that was acknowledged survives a crash of the process and a loss of power. For several machines, see
// package pginbox.
//
// Deliveries that arrive at the same time are synced to the disk together. Over 64 connections, an endpoint acknowledges about 44 % as many
// deliveries a second as one that stores nothing, on two processors that also run the load: some 20,000 to 28,000 of one text
// (BenchmarkAcknowledgement).
//
// # The folder
//
// It is readable by its owner alone. inbox.db holds bodies of deliveries until all of their events are done, and hashed keys for 8 days
// after. The file does not shrink, but uses its room again. A copy of it that is made while it is in use is of no use; let SQLite write one:
//
//	VACUUM INTO 'backup.db'
//
// A full disk makes the endpoint answer 503, so that Meta keeps what it has, until there is room again.
package sqliteinbox

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	_ "modernc.org/sqlite" // the driver

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/sqldb"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/sqlinbox"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/inbox"
)

// maxConns is one connection that writes, and some that read meanwhile.
const maxConns = 8

// Open opens the inbox in the folder dir, makes it if it is not there, and starts to handle what is in it. Shutdown closes it.
func Open(ctx context.Context, dir string, h webhook.Handler, cfg inbox.Config) (*inbox.Inbox, error) {
	store, err := OpenStore(ctx, dir)
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

// A Store is a store in a folder that no other process uses.
type Store struct {
	*sqlinbox.Store

	lock *sql.DB
}

// Close closes the store and unlocks the folder.
func (s *Store) Close() error { return errors.Join(s.Store.Close(), s.lock.Close()) }

// OpenStore opens the store in the folder dir, and makes it if it is not there. It checks that it is as durable as it has to be. Most
// hosts call [Open].
func OpenStore(ctx context.Context, dir string) (*Store, error) {
	if dir == "" || strings.HasPrefix(dir, ":memory:") || strings.HasPrefix(dir, "file:") {
		return nil, errors.New("sqliteinbox: dir is not the name of a folder; for an inbox in memory give an inbox.MemStore to inbox.New")
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("sqliteinbox: the folder cannot be made: %w", err)
	}
	lock, err := lockFolder(ctx, dir)
	if err != nil {
		return nil, err
	}
	store, err := openFile(ctx, filepath.Join(dir, "inbox.db"))
	if err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	return &Store{store, lock}, nil
}

func openFile(ctx context.Context, path string) (*sqlinbox.Store, error) {
	dsn, err := sqldb.SQLiteFile(path)
	if err != nil {
		return nil, fmt.Errorf("sqliteinbox: %w", err)
	}
	db, err := sql.Open("sqlite", dsn)
	if err != nil {
		return nil, fmt.Errorf("sqliteinbox: %w", err)
	}
	db.SetMaxOpenConns(maxConns)
	db.SetMaxIdleConns(maxConns)
	store, err := sqlinbox.New(db, sqlinbox.SQLite)
	if err == nil {
		if err = sqldb.VerifySQLite(ctx, db); err != nil {
			err = fmt.Errorf("sqliteinbox: %w", err)
		}
	}
	if err == nil {
		err = store.Migrate(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return store, nil
}

// lockFolder takes a lock that the system gives back when the process ends, however it ends: the exclusive lock of a database of its own,
// held by a transaction that never ends.
func lockFolder(ctx context.Context, dir string) (*sql.DB, error) {
	dsn, err := sqldb.SQLiteFile(filepath.Join(dir, "lock.db"))
	if err != nil {
		return nil, fmt.Errorf("sqliteinbox: %w", err)
	}
	name, _, _ := strings.Cut(dsn, "?")
	db, err := sql.Open("sqlite", name+"?_pragma=busy_timeout(0)&_pragma=journal_mode(DELETE)")
	if err != nil {
		return nil, fmt.Errorf("sqliteinbox: %w", err)
	}
	db.SetMaxOpenConns(1)
	db.SetMaxIdleConns(1)
	if _, err := db.ExecContext(ctx, "BEGIN EXCLUSIVE"); err != nil {
		return nil, errors.Join(fmt.Errorf("sqliteinbox: another process uses the folder, or it cannot be written to: %w", err), db.Close())
	}
	return db, nil
}
