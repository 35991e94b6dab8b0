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
	"strings"

	_ "modernc.org/sqlite" // the driver

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/sqldb"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/sqlstore"
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
	if dsn, err = sqldb.SQLiteFile(path); err != nil {
		return "", fmt.Errorf("sqlite: %w", err)
	}
	return dsn, nil
}

// verify refuses a file that would not keep what it acknowledges.
func verify(ctx context.Context, db *sql.DB) error {
	if err := sqldb.VerifySQLite(ctx, db); err != nil {
		return fmt.Errorf("sqlite: %w", err)
	}
	return nil
}
