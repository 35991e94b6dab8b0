// Package storage holds the type that package sqlite and package postgres return: an open database
// with everything that the SDK stores about WhatsApp numbers. A host that runs on either names it;
// it links no driver.
//
// Guide: https://github.com/seed-9f2bcc2b/whatsapp-coexistence/blob/main/docs/storage.md
package storage

import (
	"context"
	"database/sql"
	"errors"
	"io"
	"sync/atomic"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/outbox"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/usage"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/sqldb"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/sqlsignup"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/sqlstore"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/signup"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/inbox"
)

// A DB is an open database. It is safe for concurrent use. Get one from sqlite.Open or
// postgres.Open, and close it when the program ends.
type DB struct {
	// keys is nil if the host has configured none; then no token can be kept. opened is set by
	// Inbox.
	db     *sqldb.DB
	keys   *signup.Keyring
	inbox  inbox.Store
	opened atomic.Bool
	close  func() error
}

// New returns a DB for what sqlite.Open and postgres.Open have opened: hosts call one of those.
func New(db *sqldb.DB, keys *signup.Keyring, in inbox.Store, end func() error) *DB {
	return &DB{db: db, keys: keys, inbox: in, close: end}
}

// Store returns what a [coexistence.Tracker] keeps: numbers, messages, contacts. Each call returns
// another value over the same tables.
func (db *DB) Store() Store { return store{sqlstore.New(db.db), db} }

// Forget forgets a person, what is old, or everything about a number, everywhere in the database,
// and does not let it come back: see [coexistence.Forgetter]. It is idempotent: if it fails, or the
// process ends, call it again, or leave the rest to [coexistence.Tracker.Run].
//
//   - Messages, contacts and the state of the number go, and so do its token, its signups and what
//     was counted of its messages ([DB.Usage]).
//   - What was received and waits goes, dead letters go, and so does what is about the person in
//     bodies that others need. What is being handled is waited for, so it is an error to call this
//     within a handler; the request is stored, and [coexistence.Tracker.Run] finishes it. Of
//     ForgetRequest.Before, dead letters that arrived before.
//   - Messages in the outbox go that were to be sent, and those that were sent. Of
//     ForgetRequest.Before, those that were sent or failed before.
//
// [coexistence.Tracker.Forget] does the same, and what has to be done elsewhere.
//
// With SQLite, the file is searched for what deleted rows have left, which is overwritten with
// zeros. (Of a rare word, its beginning can stay as the border between two pages of the index of
// words, until SQLite merges them.) With PostgreSQL, that is up to its vacuum, and to how long you
// keep backups and its log.
func (db *DB) Forget(ctx context.Context, r coexistence.ForgetRequest) error {
	return db.Store().Forget(ctx, r)
}

// Signups returns the store of a [signup.Flow]: signups survive a restart, and with PostgreSQL
// every process knows them.
func (db *DB) Signups() signup.Store { return sqlsignup.New(db.db) }

// Tokens returns the tokens of the businesses that have connected numbers, sealed by
// Config.Keyring. Without a keyring, all of its methods that need one return an error.
func (db *DB) Tokens() *Tokens { return &Tokens{db.db, db.keys} }

// Outbox returns an outbox in the database. Nothing is sent before its Start. Several processes may
// each have one over PostgreSQL.
func (db *DB) Outbox(cfg outbox.Config) (*outbox.Outbox, error) { return outbox.New(db.db, cfg) }

// Usage returns a meter of what numbers are billed for. Several processes may each have one over
// PostgreSQL.
func (db *DB) Usage(cfg usage.Config) (*usage.Meter, error) { return usage.New(db.db, cfg) }

// Inbox returns this process's inbox, for one handler of everything: its Start begins to handle,
// its Shutdown ends that. A second call is an error.
func (db *DB) Inbox(h webhook.Handler, cfg inbox.Config) (*inbox.Inbox, error) {
	if db.opened.Swap(true) {
		return nil, errors.New("storage: the inbox of this database is open; give one inbox all handlers, joined by " +
			"webhook.MultiHandler")
	}
	in, err := inbox.New(db.inbox, h, cfg)
	if err != nil {
		db.opened.Store(false)
	}
	return in, err
}

// Export writes what is stored of a person as lines of JSON, each an [coexistence.ExportLine]: what
// [coexistence.Export] writes, then what the outbox holds for the person, then the dead letters of
// the conversation. What waits in the inbox is a message once it is handled.
func (db *DB) Export(ctx context.Context, phone graph.PhoneNumberID, person string, w io.Writer) error {
	return db.export(ctx, phone, person, w)
}

// SQL returns the database, for tables of the host: they are in the same backup, and [inbox.InTx]
// and the outbox write in the host's transactions. With SQLite, transactions begin with the lock of
// the file (BEGIN IMMEDIATE), so keep them short. Closing it is for [DB.Close].
func (db *DB) SQL() *sql.DB { return db.db.DB }

// Close closes the file, or the connections that are not the host's. Shut the inbox down before.
// What was stored stays.
func (db *DB) Close() error { return db.close() }
