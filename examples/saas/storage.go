package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/sqlstore"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/sqlstore/postgres"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/sqlstore/sqlite"
	signupstore "github.com/seed-9f2bcc2b/whatsapp-coexistence/signup/sqlstore"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/inbox"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/inbox/pginbox"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/inbox/sqliteinbox"
)

// A storage is one database with the tables of the packages and our own. In statements, {now} is the
// database's time in milliseconds: what several processes decide together, they decide by one clock.
type storage struct {
	coexistence *sqlstore.Store
	signups     *signupstore.Store
	db          *sql.DB
	url, file   string
}

// schema is for both databases. Times are milliseconds since 1970, zero for never.
const schema = `
CREATE TABLE IF NOT EXISTS saas_tenants (
	id TEXT PRIMARY KEY, name TEXT NOT NULL, email TEXT NOT NULL UNIQUE, password TEXT NOT NULL, created_at BIGINT NOT NULL);
CREATE TABLE IF NOT EXISTS saas_sessions (id TEXT PRIMARY KEY, tenant TEXT NOT NULL REFERENCES saas_tenants, ends_at BIGINT NOT NULL);
CREATE TABLE IF NOT EXISTS saas_numbers (
	phone TEXT PRIMARY KEY, tenant TEXT NOT NULL REFERENCES saas_tenants, waba TEXT NOT NULL, display TEXT NOT NULL, token BYTEA NOT NULL,
	token_ends_at BIGINT NOT NULL, holder TEXT NOT NULL DEFAULT '', held_until BIGINT NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS saas_campaigns (
	id TEXT PRIMARY KEY, phone TEXT NOT NULL REFERENCES saas_numbers, template TEXT NOT NULL, paused INTEGER NOT NULL DEFAULT 0,
	created_at BIGINT NOT NULL);
CREATE TABLE IF NOT EXISTS saas_outbox (
	id TEXT PRIMARY KEY, phone TEXT NOT NULL REFERENCES saas_numbers, campaign TEXT NOT NULL, author TEXT NOT NULL, person TEXT NOT NULL,
	recipient TEXT NOT NULL, content TEXT NOT NULL, state TEXT NOT NULL DEFAULT 'queued', wamid TEXT NOT NULL DEFAULT '',
	problem TEXT NOT NULL DEFAULT '', created_at BIGINT NOT NULL, tried_at BIGINT NOT NULL DEFAULT 0, sent_at BIGINT NOT NULL DEFAULT 0,
	delivered_at BIGINT NOT NULL DEFAULT 0, read_at BIGINT NOT NULL DEFAULT 0, failed_at BIGINT NOT NULL DEFAULT 0);
CREATE INDEX IF NOT EXISTS saas_outbox_work ON saas_outbox (state, phone);
CREATE INDEX IF NOT EXISTS saas_outbox_wamid ON saas_outbox (phone, wamid);
CREATE INDEX IF NOT EXISTS saas_outbox_person ON saas_outbox (phone, person, created_at);
CREATE INDEX IF NOT EXISTS saas_outbox_campaign ON saas_outbox (campaign, created_at);`

// openStorage opens PostgreSQL if there is a URL, or else SQLite in a file, which one process uses at a time.
func openStorage(ctx context.Context, url, file string) (s *storage, err error) {
	s = &storage{url: url, file: file}
	dialect := signupstore.SQLite
	if url != "" {
		dialect = signupstore.PostgreSQL
		s.coexistence, err = postgres.Open(ctx, url)
	} else {
		s.coexistence, err = sqlite.Open(ctx, file)
	}
	if err != nil {
		return nil, err
	}
	s.db = s.coexistence.DB()
	if s.signups, err = signupstore.Open(ctx, s.db, dialect); err == nil {
		err = s.migrate(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, s.close())
	}
	return s, nil
}

func (s *storage) migrate(ctx context.Context) error {
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // after a commit it does nothing
	steps := []string{schema}
	if s.url == "" {
		steps = append(steps, "UPDATE saas_numbers SET held_until = 0") // whoever held them is dead: the file is ours alone
	} else {
		steps = []string{"SELECT pg_advisory_xact_lock(7220261)", schema} // several processes may start at once
	}
	for _, q := range steps {
		if _, err := tx.ExecContext(ctx, q); err != nil {
			return fmt.Errorf("saas: the tables cannot be made: %w", err)
		}
	}
	return tx.Commit()
}

func (s *storage) close() error { return s.coexistence.Close() }

// openInbox opens the inbox beside the other tables, or in a folder of its own: SQLite has one writer for a file.
func (s *storage) openInbox(ctx context.Context, h webhook.Handler, cfg inbox.Config) (*inbox.Inbox, error) {
	if s.url != "" {
		return pginbox.Open(ctx, s.url, h, cfg)
	}
	return sqliteinbox.Open(ctx, filepath.Join(filepath.Dir(s.file), "inbox"), h, cfg)
}

// sql puts in the time. Placeholders like $1 are good for both databases.
func (s *storage) sql(query string) string {
	now := "CAST(unixepoch('subsec') * 1000 AS INTEGER)"
	if s.url != "" {
		now = "CAST(extract(epoch FROM clock_timestamp()) * 1000 AS bigint)"
	}
	return strings.ReplaceAll(query, "{now}", now)
}

// exec runs a statement and says how many rows it changed.
func (s *storage) exec(ctx context.Context, query string, args ...any) (int, error) {
	r, err := s.db.ExecContext(ctx, s.sql(query), args...)
	if err != nil {
		return 0, err
	}
	n, err := r.RowsAffected()
	return int(n), err
}

// one reads a row into dest. The error is sql.ErrNoRows if there is none.
func (s *storage) one(ctx context.Context, query string, args []any, dest ...any) error {
	return s.db.QueryRowContext(ctx, s.sql(query), args...).Scan(dest...)
}

// each calls scan for every row.
func (s *storage) each(ctx context.Context, query string, args []any, scan func(*sql.Rows) error) error {
	rows, err := s.db.QueryContext(ctx, s.sql(query), args...)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}
