// Package sqlite opens a SQLite file as a store for a coexistence.Tracker. The driver is pure Go, so nothing has to be installed and every
// build cross-compiles.
//
//	store, err := sqlite.Open(ctx, "coexistence.db")
//	if err != nil {
//		return err
//	}
//	defer store.Close()
//	tracker, err := coexistence.NewTracker(coexistence.Config{Store: store, AppID: appID})
//
// # What it is good for
//
// One process on one machine, with a disk of its own. What a method has stored survives a crash of the process and a loss of power. Only one
// process may use the file, and never over a network file system. For several machines, or several processes, see the module
// postgres.
//
// # Backups
//
// Copying the file while it is in use copies half of the truth. Let SQLite write the copy:
//
//	_, err := store.DB().ExecContext(ctx, "VACUUM INTO ?", "backup.db")
package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	_ "modernc.org/sqlite" // the driver

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/sqlstore"
)

// maxConns is one connection that writes and some that read meanwhile.
const maxConns = 8

// Open opens the file at path, creates it if it is not there (readable by its owner alone), checks that it is as durable as it
// has to be, and brings its tables up to date. Close the store when the program ends.
func Open(ctx context.Context, path string) (*sqlstore.Store, error) {
	dsn, err := prepare(path)
	if err != nil {
		return nil, err
	}
	db, err := sql.Open("sqlite", dsn)
	if err != nil {
		return nil, fmt.Errorf("sqlite: %w", err)
	}
	db.SetMaxOpenConns(maxConns)
	db.SetMaxIdleConns(maxConns)
	store, err := sqlstore.New(db, sqlstore.SQLite)
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

// prepare creates the file and returns the name under which the driver opens it with the right settings.
func prepare(path string) (dsn string, err error) {
	if path == "" || strings.HasPrefix(path, ":memory:") || strings.HasPrefix(path, "file:") {
		return "", errors.New("sqlite: path is not the name of a file; for a store in memory use coexistence.MemStore")
	}
	if path, err = filepath.Abs(path); err != nil {
		return "", fmt.Errorf("sqlite: %w", err)
	}
	// SQLite gives the files beside it the same mode.
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return "", fmt.Errorf("sqlite: the file cannot be opened; its folder has to exist and to be writable: %w", err)
	}
	if err := file.Close(); err != nil {
		return "", fmt.Errorf("sqlite: %w", err)
	}
	path = filepath.ToSlash(path)
	if !strings.HasPrefix(path, "/") {
		path = "/" + path // C:/…
	}
	u := url.URL{Scheme: "file", Path: path, RawQuery: strings.Join([]string{
		"_txlock=immediate", // a transaction that reads first must not lose against one that has written meanwhile
		"_pragma=busy_timeout(10000)",
		"_pragma=journal_mode(WAL)",
		"_pragma=synchronous(FULL)", // NORMAL loses what was acknowledged when the power fails
		"_pragma=foreign_keys(1)",
		"_pragma=journal_size_limit(67108864)",
	}, "&")}
	return u.String(), nil
}

// verify refuses a file that would not keep what it acknowledges.
func verify(ctx context.Context, db *sql.DB) error {
	for _, setting := range []struct{ name, want string }{{"journal_mode", "wal"}, {"synchronous", "2"}, {"foreign_keys", "1"}} {
		var got string
		if err := db.QueryRowContext(ctx, "PRAGMA "+setting.name).Scan(&got); err != nil {
			return fmt.Errorf("sqlite: the file cannot be read; is it a SQLite database: %w", err)
		}
		if got != setting.want {
			return fmt.Errorf("sqlite: %s is %s and not %s; put the file on a local disk that allows it", setting.name, got, setting.want)
		}
	}
	return nil
}
