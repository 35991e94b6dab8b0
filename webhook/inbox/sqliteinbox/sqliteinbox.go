// Package sqliteinbox stores a WhatsApp webhook inbox in a SQLite file: one machine, nothing to
// install.
//
//	in, err := sqliteinbox.Open(ctx, "data/inbox.db", &mux, inbox.Config{Logger: logger})
//	if err != nil {
//		return err
//	}
//	endpoint, err := webhook.NewEndpoint(cfg, in)
//	…
//	err = server.Shutdown(ctx) // first nothing more arrives,
//	err = in.Shutdown(ctx)     // then nothing more is handled
//
// # What it is good for
//
// One process on one machine, with a disk of its own: the file is locked, and a second process is
// refused. Never use it over a network file system. A delivery that was acknowledged survives a
// crash of the process and a loss of power. For several machines, see package pginbox.
//
// Deliveries that arrive at the same time are synced to the disk together. Over 64 connections, an
// endpoint acknowledges about 44 % as many deliveries a second as one that stores nothing, on two
// processors that also run the load: some 20,000 to 28,000 of one text (BenchmarkAcknowledgement).
//
// # The file
//
// It is readable by its owner alone. It holds bodies of deliveries until all of their events are
// done, and hashed keys for 8 days after. The file does not shrink, but uses its room again. A copy
// of it that is made while it is in use is of no use; let SQLite write one, from another program:
//
//	sqlite3 inbox.db "VACUUM INTO 'backup.db'"
//
// A full disk makes the endpoint answer 503, so that Meta keeps what it has, until there is room
// again.
//
// Guide: https://github.com/seed-9f2bcc2b/whatsapp-coexistence/blob/main/docs/storage.md
package sqliteinbox

import (
	"context"
	"errors"
	"fmt"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/sqlitedb"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/inbox"
)

// Open opens the inbox in the file at path, makes it and its folder if they do not exist, and
// starts to handle what is in it. Shutdown closes the file.
func Open(ctx context.Context, path string, h webhook.Handler, cfg inbox.Config) (*inbox.Inbox, error) {
	store, err := sqlitedb.OpenInbox(ctx, path)
	if err != nil {
		return nil, fmt.Errorf("sqliteinbox: %w", err)
	}
	in, err := inbox.New(store, h, cfg)
	if err == nil {
		err = in.Start(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, store.Close())
	}
	return in, nil
}
