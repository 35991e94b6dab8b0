package main

import (
	"context"
	"errors"
	"net/url"
	"path/filepath"
	"strings"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/inbox"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/inbox/pginbox"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/inbox/sqliteinbox"
)

// maxNumberFiles is how many bytes of files are kept of a number.
const maxNumberFiles = 10 << 30

// openDownloads starts to fetch files. Their inbox is one of its own, so that no conversation waits
// for a file: in SQLite beside the database, or in a schema of PostgreSQL, beside that of
// everything else, which all processes share.
func (a *app) openDownloads(ctx context.Context) (*inbox.Inbox, error) {
	cfg := inbox.Config{LeaseDuration: a.lease, Logger: a.log, Observe: a.fetched}
	if a.database == "" {
		return sqliteinbox.Open(ctx, filepath.Join(a.dir, "downloads.db"), a.archive, cfg)
	}
	at, err := url.Parse(a.database)
	if err != nil {
		return nil, errors.New("-database is not a URL") // the error would repeat the password
	}
	var schema string
	err = a.db.SQL().QueryRowContext(ctx, "SELECT quote_ident(current_schema() || '_downloads')").Scan(&schema)
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
	return pginbox.Open(ctx, at.String(), a.archive, cfg)
}

// closeFiles ends what openDownloads began. What is left to fetch is in the database.
func (a *app) closeFiles(ctx context.Context) error {
	return errors.Join(a.downloads.Shutdown(ctx), a.folder.Close())
}

// fetched is told of each attempt to fetch a file: a page that is open shows the file then.
func (a *app) fetched(_ context.Context, attempt inbox.Attempt) {
	if attempt.Disposition == inbox.DispositionDone {
		a.changes.add(attempt.PhoneNumberID)
	}
}

// forgetFiles is for coexistence.Config.WrapForget: what the tracker forgets loses its files, and
// what the downloads have not done yet or have given up.
func (a *app) forgetFiles(
	ctx context.Context, r coexistence.ForgetRequest, forget func(context.Context) error,
) error {
	of := inbox.ForgetRequest{PhoneNumberID: r.PhoneNumberID, Before: r.Before}
	if r.Person != "" {
		c, err := a.tracker.Store().Conversation(ctx, r.PhoneNumberID, r.Person)
		if err != nil && !errors.Is(err, coexistence.ErrNotFound) {
			return err
		}
		of.People = append(c.Contact.Identities(), coexistence.IdentityOf(coexistence.Alias(r.Person)))
	}
	return a.archive.Forget(ctx, r, func(ctx context.Context) error {
		if err := a.downloads.Forget(ctx, of); err != nil {
			return err
		}
		return forget(ctx)
	})
}
