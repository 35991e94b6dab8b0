package sqliteinbox_test

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/sqlitedb"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/inbox"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/inbox/inboxtest"
)

func TestAFolderKeepsThePromisesOfAStore(t *testing.T) {
	t.Parallel()
	require.NoError(t, inboxtest.TestStore(t.Context(), inboxtest.Engine{
		New: func(ctx context.Context) (inboxtest.Storage, error) {
			path := filepath.Join(t.TempDir(), "inbox.db")
			store, err := sqlitedb.OpenInbox(ctx, path)
			if err != nil {
				return inboxtest.Storage{}, err
			}
			return inboxtest.Storage{
				// the folder belongs to one process
				Open: func(context.Context) (inbox.Store, error) { return store, nil },
				Reopen: func(ctx context.Context) (inbox.Store, error) {
					if err := store.Close(); err != nil {
						return nil, err
					}
					var err error
					store, err = sqlitedb.OpenInbox(ctx, path)
					return store, err
				},
				Close: func() error { return store.Close() },
			}, nil
		},
	}))
}
