package main

import (
	"context"
	"errors"
	"net/url"
	"path/filepath"
	"strings"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/inbox"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/inbox/pginbox"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/inbox/sqliteinbox"
)

// openQueue starts an inbox of its own beside that of the product, for work that no conversation
// waits for: in SQLite in a file beside the database, or in a schema of PostgreSQL, beside that of
// everything else, which all processes share.
func (a *app) openQueue(
	ctx context.Context, name string, h webhook.Handler, cfg inbox.Config,
) (*inbox.Inbox, error) {
	cfg.LeaseDuration, cfg.Logger = a.lease, a.log
	if a.database == "" {
		return sqliteinbox.Open(ctx, filepath.Join(a.dir, name+".db"), h, cfg)
	}
	at, err := url.Parse(a.database)
	if err != nil {
		return nil, errors.New("-database is not a URL") // the error would repeat the password
	}
	var schema string
	err = a.db.SQL().QueryRowContext(ctx, "SELECT quote_ident(current_schema() || '_' || $1::text)", name).Scan(&schema)
	if err == nil {
		_, err = a.db.SQL().ExecContext(ctx, lockPostgres+"CREATE SCHEMA IF NOT EXISTS "+schema)
	}
	if err != nil {
		return nil, err
	}
	q := at.Query()
	q.Set("search_path", schema)
	q.Set("pool_max_conns", "4")
	at.RawQuery = strings.ReplaceAll(q.Encode(), "+", "%20")
	return pginbox.Open(ctx, at.String(), h, cfg)
}

// queues are the inboxes that openQueue has started, by name.
func (a *app) queues() map[string]*inbox.Inbox {
	all := map[string]*inbox.Inbox{}
	for name, in := range map[string]*inbox.Inbox{"downloads": a.downloads, "relay": a.relayed} {
		if in != nil {
			all[name] = in
		}
	}
	return all
}

// closeQueues ends what openQueue began. What is left to do is in the database.
func (a *app) closeQueues(ctx context.Context) error {
	var errs []error
	for _, in := range a.queues() {
		errs = append(errs, in.Shutdown(ctx))
	}
	return errors.Join(append(errs, a.folder.Close())...)
}
