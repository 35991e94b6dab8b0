package main

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/outbox"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/postgres"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/sqlite"
	signupstore "github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/sqlsignup"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/sqlstore"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/inbox"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/inbox/pginbox"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/inbox/sqliteinbox"
)

// A storage is one database with the tables of the packages and our own: PostgreSQL if there is a URL, or else SQLite in a folder, which one
// process uses at a time. Placeholders like $1 are good for both.
type storage struct {
	*sql.DB
	coexistence *sqlstore.Store
	signups     *signupstore.Store
	url, dir    string
}

// schema is for both databases. Times are seconds since 1970, zero for never.
const schema = `
CREATE TABLE IF NOT EXISTS saas_tenants (id TEXT PRIMARY KEY, name TEXT NOT NULL, email TEXT NOT NULL UNIQUE, password TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS saas_sessions (id TEXT PRIMARY KEY, tenant TEXT NOT NULL REFERENCES saas_tenants, ends_at BIGINT NOT NULL);
CREATE TABLE IF NOT EXISTS saas_numbers (
	phone TEXT PRIMARY KEY, tenant TEXT NOT NULL REFERENCES saas_tenants, waba TEXT NOT NULL, display TEXT NOT NULL, token BYTEA NOT NULL,
	token_ends_at BIGINT NOT NULL);
CREATE TABLE IF NOT EXISTS saas_campaigns (
	id TEXT PRIMARY KEY, phone TEXT NOT NULL REFERENCES saas_numbers, template TEXT NOT NULL, launched_at BIGINT NOT NULL);`

func openStorage(ctx context.Context, url, dir string) (s *storage, err error) {
	s = &storage{url: url, dir: dir}
	tables, signups := schema, signupstore.SQLite
	if url != "" {
		tables, signups = "SELECT pg_advisory_xact_lock(7220261);"+schema, signupstore.PostgreSQL // several processes may start at once
		s.coexistence, err = postgres.Open(ctx, url)
	} else if err = os.MkdirAll(dir, 0o700); err == nil {
		s.coexistence, err = sqlite.Open(ctx, filepath.Join(dir, "saas.db"))
	}
	if err != nil {
		return nil, err
	}
	s.DB = s.coexistence.DB()
	if s.signups, err = signupstore.Open(ctx, s.DB, signups); err == nil {
		_, err = s.ExecContext(ctx, tables)
	}
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// openInbox opens the inbox beside the other tables, or in a folder of its own: SQLite has one writer for a file.
func (s *storage) openInbox(ctx context.Context, h webhook.Handler, cfg inbox.Config) (*inbox.Inbox, error) {
	if s.url != "" {
		return pginbox.Open(ctx, s.url, h, cfg)
	}
	return sqliteinbox.Open(ctx, filepath.Join(s.dir, "inbox"), h, cfg)
}

// openOutbox opens the outbox beside the other tables.
func (s *storage) openOutbox(ctx context.Context, cfg outbox.Config) (*outbox.Outbox, error) {
	if s.url != "" {
		return outbox.Open(ctx, s.DB, outbox.PostgreSQL, cfg)
	}
	return outbox.Open(ctx, s.DB, outbox.SQLite, cfg)
}
