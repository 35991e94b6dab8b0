// Package storage holds the type that package sqlite and package postgres return: an open database
// with everything that the SDK stores about WhatsApp numbers. A host that runs on either names it;
// it links no driver.
//
// Everything about one number goes, where a host has to forget it, by deleting the rows with its
// phone number id, while nothing more is stored:
//
//	DELETE FROM coexistence_tokens WHERE phone = ?
//	DELETE FROM coexistence_messages WHERE phone = ?
//	DELETE FROM coexistence_aliases WHERE phone = ?
//	DELETE FROM coexistence_contacts WHERE phone = ?
//	DELETE FROM coexistence_number_wabas WHERE phone = ?
//	DELETE FROM coexistence_numbers WHERE phone = ?
package storage

import (
	"database/sql"
	"errors"
	"sync/atomic"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/outbox"
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
func (db *DB) Store() coexistence.Store { return sqlstore.New(db.db) }

// Signups returns the store of a [signup.Flow]: signups survive a restart, and with PostgreSQL
// every process knows them.
func (db *DB) Signups() signup.Store { return sqlsignup.New(db.db) }

// Tokens returns the tokens of the businesses that have connected numbers, sealed by
// Config.Keyring. Without a keyring, all of its methods that need one return an error.
func (db *DB) Tokens() *Tokens { return &Tokens{db.db, db.keys} }

// Outbox returns an outbox in the database. Nothing is sent before its Start. Several processes may
// each have one over PostgreSQL.
func (db *DB) Outbox(cfg outbox.Config) (*outbox.Outbox, error) { return outbox.New(db.db, cfg) }

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

// SQL returns the database, for tables of the host: they are in the same backup, and [inbox.InTx]
// and the outbox write in the host's transactions. With SQLite, transactions begin with the lock of
// the file (BEGIN IMMEDIATE), so keep them short. Closing it is for [DB.Close].
func (db *DB) SQL() *sql.DB { return db.db.DB }

// Close closes the file, or the connections that are not the host's. Shut the inbox down before.
// What was stored stays.
func (db *DB) Close() error { return db.close() }
