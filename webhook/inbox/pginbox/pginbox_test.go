package pginbox_test

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/pgdb"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/pgdb/pgtest"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/inbox"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/inbox/inboxtest"
)

// database returns the URL of an empty schema of its own, which is dropped at the end.
func database(t testing.TB) string {
	t.Helper()
	if pgtest.Server() == "" {
		t.Skip(pgtest.Missing)
	}
	url, drop, err := pgtest.Schema(t.Context())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, drop(context.WithoutCancel(t.Context()))) })
	return pgtest.Small(url)
}

// engine makes storages in schemas of their own. Each store over one has connections of its own,
// like a process.
func engine(t testing.TB, settings ...string) inboxtest.Engine {
	return inboxtest.Engine{New: func(context.Context) (inboxtest.Storage, error) {
		var stores []*pgdb.Inbox
		url := database(t)
		for i := 0; i < len(settings); i += 2 {
			url = pgtest.With(url, settings[i], settings[i+1])
		}
		open := func(ctx context.Context) (inbox.Store, error) {
			s, err := pgdb.OpenInbox(ctx, pgdb.Config{URL: url})
			if err == nil {
				stores = append(stores, s)
			}
			return s, err
		}
		closeAll := func() (err error) {
			for _, s := range stores {
				err = errors.Join(err, s.Close())
			}
			stores = nil
			return err
		}
		return inboxtest.Storage{
			Open: open,
			Reopen: func(ctx context.Context) (inbox.Store, error) {
				if err := closeAll(); err != nil {
					return nil, err
				}
				return open(ctx)
			},
			Close: closeAll,
		}, nil
	}}
}

func TestADatabaseKeepsThePromisesOfAStore(t *testing.T) {
	t.Parallel()
	require.NoError(t, inboxtest.TestStore(t.Context(), engine(t)))
}

// A pooler that knows no prepared statements, and a host whose transactions are stricter than
// usual.
func TestOtherSettingsOfTheConnectionWorkAsWell(t *testing.T) {
	t.Parallel()
	for _, setting := range [][]string{
		{"default_query_exec_mode", "exec"}, {"default_query_exec_mode", "simple_protocol"},
		{"default_transaction_isolation", "serializable"},
	} {
		t.Run(setting[1], func(t *testing.T) {
			t.Parallel()
			require.NoError(t, inboxtest.TestStore(t.Context(), engine(t, setting...)))
		})
	}
}
