package sqliteinbox_test

import (
	"context"
	"errors"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/sqlitedb"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/inbox"
)

// handled runs an inbox with h over a message of a customer until nothing is left to do, and
// returns the effects and the dead letters.
func handled(t *testing.T, h webhook.Handler) (effects int, dead []inbox.DeadLetter) {
	t.Helper()
	store, err := sqlitedb.OpenInbox(t.Context(), filepath.Join(t.TempDir(), "inbox.db"))
	require.NoError(t, err)
	_, err = store.DB().ExecContext(t.Context(), "CREATE TABLE effects (id TEXT)")
	require.NoError(t, err)
	in, err := inbox.New(store, h, inbox.Config{
		MaxAttempts: 3, Backoff: func(int) time.Duration { return time.Millisecond },
	})
	require.NoError(t, err)
	require.NoError(t, in.Start(t.Context()))
	require.NoError(t, in.Receive(t.Context(), webhook.Delivery{Body: says("15550100101", 1), ReceivedAt: time.Now()}))
	require.NoError(t, in.WaitIdle(t.Context()))
	require.NoError(t, store.DB().QueryRowContext(t.Context(), "SELECT COUNT(*) FROM effects").Scan(&effects))
	for l, err := range in.DeadLetters(t.Context(), inbox.Filter{}) {
		require.NoError(t, err)
		dead = append(dead, l)
	}
	require.NoError(t, in.Shutdown(t.Context()))
	return effects, dead
}

// leave writes a row in the transaction of the context.
func leave(ctx context.Context, m *webhook.IncomingMessage) error {
	tx, ok := inbox.Tx(ctx)
	if !ok {
		return errors.New("there is no transaction")
	}
	_, err := tx.ExecContext(ctx, "INSERT INTO effects (id) VALUES (?)", string(m.ID))
	return err
}

func TestTypedHandlersHaveTheTransaction(t *testing.T) {
	t.Parallel()
	var calls atomic.Int64
	var mux webhook.Mux
	webhook.On(&mux, func(ctx context.Context, m *webhook.IncomingMessage) error {
		if err := leave(ctx, m); err != nil {
			return err
		}
		if calls.Add(1) < 3 {
			return errors.New("after the work")
		}
		return nil
	})
	effects, dead := handled(t, inbox.InTx(&mux))
	require.Equal(t, 1, effects, "what was written before a failure is rolled back")
	require.Empty(t, dead)
	require.Equal(t, int64(3), calls.Load())
}

func TestAHandlerBesideInTxHasNoTransaction(t *testing.T) {
	t.Parallel()
	var beside, within atomic.Bool
	look := func(into *atomic.Bool) webhook.Handler {
		return webhook.HandlerFunc(func(ctx context.Context, _ webhook.Event) error {
			_, ok := inbox.Tx(ctx)
			into.Store(ok)
			return nil
		})
	}
	_, dead := handled(t, webhook.MultiHandler(look(&beside), inbox.InTx(look(&within))))
	require.Empty(t, dead)
	require.False(t, beside.Load())
	require.True(t, within.Load())
}

// With SQLite, the inner one would wait for the transaction that waits for it.
func TestInTxWithinInTxIsRefused(t *testing.T) {
	t.Parallel()
	var mux webhook.Mux
	webhook.On(&mux, leave)
	effects, dead := handled(t, inbox.InTx(webhook.MultiHandler(&mux, inbox.InTx(&mux))))
	require.Zero(t, effects)
	require.Len(t, dead, 1)
	require.Contains(t, dead[0].Reason, "InTx within InTx")
}

// The first has settled the event, so the second commits nothing, and the event does not come again
// for that.
func TestASecondInTxCommitsNothing(t *testing.T) {
	t.Parallel()
	var mux webhook.Mux
	webhook.On(&mux, leave)
	effects, dead := handled(t, webhook.MultiHandler(inbox.InTx(&mux), inbox.InTx(&mux)))
	require.Equal(t, 1, effects)
	require.Empty(t, dead)
}
