package natsinbox_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/inbox"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/inbox/inboxtest"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/inbox/natsinbox"
)

// engine makes storages in streams of their own.
func engine(s *natsServer, snapshotBytes int64) inboxtest.Engine {
	return inboxtest.Engine{
		New: func(context.Context) (inboxtest.Storage, error) { return storage(s.config(), snapshotBytes), nil },
	}
}

// storage is in streams. Each store over it has a connection of its own, like a process.
func storage(cfg natsinbox.Config, snapshotBytes int64) inboxtest.Storage {
	var stores []*natsinbox.Store
	open := func(ctx context.Context) (inbox.Store, error) {
		store, err := natsinbox.OpenWith(ctx, cfg, snapshotBytes, time.Hour)
		if err == nil {
			stores = append(stores, store)
		}
		return store, err
	}
	closeAll := func() (err error) {
		for _, store := range stores {
			err = errors.Join(err, store.Close())
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
	}
}

func TestStreamsKeepThePromisesOfAStore(t *testing.T) {
	t.Parallel()
	require.NoError(t, inboxtest.TestStore(t.Context(), engine(newServer(t, synced, ""), 16<<20)))
}

func TestSnapshotsAllTheTimeChangeNothing(t *testing.T) {
	t.Parallel()
	require.NoError(t, inboxtest.TestStore(t.Context(), engine(newServer(t, synced, ""), 1)))
}

func TestSmallMessagesChangeNothing(t *testing.T) {
	t.Parallel()
	require.NoError(t, inboxtest.TestStore(t.Context(), engine(newServer(t, synced, "max_payload: 9KB"), 1)))
}
