// Package sqlite opens one SQLite file for everything that the SDK stores about WhatsApp
// coexistence numbers: their state, messages and contacts, tokens, signups, the inbox and the
// outbox. The driver is pure Go, so nothing has to be installed and every build cross-compiles.
//
//	db, err := sqlite.Open(ctx, sqlite.Config{Path: "data/whatsapp.db"})
//	if err != nil {
//		return err
//	}
//	defer db.Close()
//	tracker, err := coexistence.NewTracker(coexistence.Config{Store: db.Store(), Client: clientOf})
//	…
//	in, err := db.Inbox(webhook.MultiHandler(tracker, &mux), inbox.Config{Logger: logger})
//	…
//	err = in.Start(ctx)
//
// # What it is good for
//
// One process on one machine, with a disk of its own. What was stored, or acknowledged to Meta,
// survives a crash of the process and a loss of power. The file is locked as long as it is open: a
// second process, or a second Open, is refused. Never put it on a network file system. For several
// processes or machines, see package
// [github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/postgres].
//
// SQLite has one writer at a time. What the SDK writes waits in turn; a transaction of the host
// ([storage.DB.SQL]) competes with it, and gets "database is locked" when it waited for 10 seconds.
// Within inbox.InTx, write with the transaction that inbox.Tx returns: what another connection
// writes, a call of the tracker for instance, would wait for that transaction to end.
//
// # The file
//
// It is readable by its owner alone, and so is its folder if Open has made it: Open changes the
// mode of a file that others may read, and leaves that of a folder which is there. SQLite keeps two
// files beside it (-wal, -shm), and Open a third (-lock). Bodies of deliveries go when all of their
// events are done; the file does not shrink, but uses its room again. A full disk makes the
// endpoint answer 503, so that Meta keeps what it has, until there is room again.
//
// A copy of the file while it is in use is incomplete. Let SQLite write the copy:
//
//	_, err := db.SQL().ExecContext(ctx, "VACUUM INTO ?", "backup.db")
//
// # The tables
//
// Their names begin with coexistence_, signup_, webhook_ and outbox_; [Schema] returns them as SQL,
// and docs/schema/sqlite.sql is the same. Open makes them, and brings those of an older release up
// to date; it refuses those of a newer one. Reading them with SQL is fine, but they change from
// release to release. Changing them is not: columns are derived from documents.
//
// Guide: https://github.com/seed-9f2bcc2b/whatsapp-coexistence/blob/main/docs/storage.md
package sqlite

import (
	"context"
	"errors"
	"fmt"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/sqlite/migrations"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/storage"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/sqldb/migrate"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/sqlinbox"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/sqlitedb"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/signup"
)

// Config names the file.
type Config struct {
	// Path names the file. It and its folder are made if they do not exist.
	Path string

	// Keyring seals tokens: see [storage.DB.Tokens]. Without it, none can be kept.
	Keyring *signup.Keyring
}

// A DB is an open file with everything that the SDK stores.
type DB = storage.DB

// Open opens the file, checks that it keeps what it acknowledges, and brings its tables up to date.
// Close it when the program ends.
func Open(ctx context.Context, cfg Config) (*DB, error) {
	file, err := sqlitedb.Open(ctx, cfg.Path)
	if err != nil {
		return nil, fmt.Errorf("sqlite: %w", err)
	}
	in, err := sqlinbox.Open(ctx, file.DB)
	if err == nil {
		// The process that held numbers of the outbox is gone.
		_, err = file.Write(ctx, "UPDATE outbox_numbers SET held_until = 0")
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("sqlite: %w", err), file.Close())
	}
	return storage.New(file.DB, cfg.Keyring, in, file.Close), nil
}

// Schema returns the SQL that makes the tables in an empty file, for people and tools to read.
func Schema() string { return migrate.SQL(migrations.FS) }
