// Package pginbox stores a WhatsApp webhook inbox in PostgreSQL, for one process or for many on
// several machines.
//
//	in, err := pginbox.Open(ctx, os.Getenv("DATABASE_URL"), &mux, inbox.Config{Logger: logger})
//	if err != nil {
//		return err
//	}
//	endpoint, err := webhook.NewEndpoint(cfg, in)
//	…
//	err = server.Shutdown(ctx) // first nothing more arrives,
//	err = in.Shutdown(ctx)     // then nothing more is handled
//
// Every process opens an inbox of its own on the same database. Each of them receives, and each
// handles conversations: a conversation is handled by one process at a time, and if that dies,
// another one takes over when the lease is over. Leases are measured by the database's clock. A
// process that was stopped longer than its lease finds that it can settle nothing any more.
//
// Connections, tables and rights are those of package coexistence/postgres, and so are the tables:
// the same database can be opened by it later.
//
// What was acknowledged survives a crash and a loss of power of the server, and a failover to a
// standby only if that is synchronous. Where PostgreSQL fails over, set synchronous_standby_names;
// coexistence/postgres says more about it, under "Failover". Open warns in the log if standbys are
// connected and none is synchronous.
//
// With [inbox.InTx], a handler's rows and the fact that the event is done are one commit in this
// database.
//
// Guide: https://github.com/seed-9f2bcc2b/whatsapp-coexistence/blob/main/docs/storage.md
package pginbox

import (
	"context"
	"errors"
	"fmt"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/pgdb"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/inbox"
)

// Open connects to the database that the URL names (postgres://user:password@host/database), checks
// that it keeps what it acknowledges, brings the tables up to date, and starts to handle what is in
// the inbox. Shutdown closes the connections.
func Open(ctx context.Context, url string, h webhook.Handler, cfg inbox.Config) (*inbox.Inbox, error) {
	store, err := pgdb.OpenInbox(ctx, pgdb.Config{URL: url, Logger: cfg.Logger})
	if err != nil {
		return nil, fmt.Errorf("pginbox: %w", err)
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
