// Package migrations holds the SQL files that make the tables for WhatsApp coexistence in
// PostgreSQL, and change them from release to release: package postgres applies them at the start,
// or, with its MigrateOff, a tool or a person with the right to create tables does.
//
// Guide: https://github.com/seed-9f2bcc2b/whatsapp-coexistence/blob/main/docs/storage.md
package migrations

import "embed"

// FS holds the files, named 0001_tables.sql and so on: plain SQL that is run in the order of the
// names, each in one transaction. Each adds its number to the table coexistence_migrations, so that
// any tool may run them. The comment "+goose Up" is for those who run them with pressly/goose.
//
//go:embed *.sql
var FS embed.FS
