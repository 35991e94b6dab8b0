package main

import (
	"context"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/storage"
)

// schema is the SQL of our own tables, for either database. Times are seconds since 1970, zero for
// never. Ids of sessions are hashes: a copy of the database signs no one in.
const schema = `
CREATE TABLE IF NOT EXISTS saas_tenants (
	id TEXT PRIMARY KEY, name TEXT NOT NULL, email TEXT NOT NULL UNIQUE, password TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS saas_sessions (
	id TEXT PRIMARY KEY, tenant TEXT NOT NULL REFERENCES saas_tenants, ends_at BIGINT NOT NULL);
CREATE TABLE IF NOT EXISTS saas_campaigns (
	id TEXT PRIMARY KEY, phone TEXT NOT NULL, template TEXT NOT NULL, launched_at BIGINT NOT NULL);
CREATE INDEX IF NOT EXISTS saas_campaigns_phone ON saas_campaigns (phone, launched_at);
CREATE TABLE IF NOT EXISTS saas_retentions (
	tenant TEXT PRIMARY KEY REFERENCES saas_tenants, days BIGINT NOT NULL);
CREATE TABLE IF NOT EXISTS saas_changes (phone TEXT PRIMARY KEY, version BIGINT NOT NULL);`

// makeTables creates them beside those of the SDK. The statement lock serializes processes that
// start at once.
func makeTables(ctx context.Context, db *storage.DB, lock string) error {
	_, err := db.SQL().ExecContext(ctx, lock+schema)
	return err
}
