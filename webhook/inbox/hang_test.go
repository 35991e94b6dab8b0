package inbox_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/inbox"
)

// hanging is a handler that ignores its context for messages whose names begin with "hang", until
// goOn is called.
func hanging() (r *recorder, goOn func()) {
	over := make(chan struct{})
	return &recorder{then: func(_ context.Context, name string) error {
		if strings.HasPrefix(name, "hang") {
			<-over
		}
		return nil
	}}, sync.OnceFunc(func() { close(over) })
}

func TestHangingHandlersBlockNoOthers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var text bytes.Buffer
		r, goOn := hanging()
		defer goOn()
		in := start(t, new(inbox.MemStore), r, inbox.Config{Logger: slog.New(slog.NewTextHandler(&text, nil))})
		for i := range 2000 {
			name := fmt.Sprint("m", i)
			if i%125 == 0 { // 16 of them, as many as there are workers
				name = fmt.Sprint("hang", i)
			}
			receive(t, in, says(fmt.Sprintf("1555010%04d", i), name, fmt.Sprint("behind ", name)))
		}
		pass(11 * time.Minute) // twice HandlerTimeout, because a number does not have all workers at once
		m := metrics(t, in)
		require.Equal(t, int64(16), m.Hanging)
		require.Equal(t, int64(16), m.Running)
		require.Equal(t, int64(2*(2000-16)), m.Handled)
		require.Equal(t, 32, m.Live, "those that hang, and what is behind them")
		require.Equal(t, 16, strings.Count(text.String(), "did not heed its context"))
		pass(time.Hour)
		require.Zero(t, metrics(t, in).LeasesLost, "their leases are prolonged")
		goOn()
		pass(time.Second)
		m = metrics(t, in)
		require.Zero(t, m.Hanging)
		require.Equal(t, int64(2*2000), m.Handled, "what the handlers have returned counts")
		require.Zero(t, m.Depth())
		require.Len(t, r.names(), 2*2000, "each was handled once")
		require.NoError(t, in.Shutdown(t.Context()))
	})
}

// Orphans are bounded: beyond that, workers wait, as the log says.
func TestAWorkerWaitsIfTooManyHandlersHang(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var text bytes.Buffer
		r, goOn := hanging()
		defer goOn()
		in := start(t, new(inbox.MemStore), r, inbox.Config{
			Workers: 2, HandlerTimeout: time.Second, Logger: slog.New(slog.NewTextHandler(&text, nil)),
		})
		for i := range 10 {
			receive(t, in, says(fmt.Sprintf("1555010%04d", i), fmt.Sprint("hang", i)))
		}
		pass(time.Minute)
		m := metrics(t, in)
		require.Equal(t, int64(4), m.Hanging, "two orphans, and two workers that wait")
		require.Equal(t, int64(4), m.Running)
		require.Equal(t, 2, strings.Count(text.String(), "a worker waits"))
		goOn()
		pass(time.Minute)
		require.Zero(t, metrics(t, in).Depth())
		require.Len(t, r.names(), 10)
	})
}

// A shutdown waits for handlers that hang as for others, and then lets them be.
func TestShutdownDoesNotWaitForHandlersThatHang(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r, goOn := hanging()
		defer goOn()
		in := start(t, new(inbox.MemStore), r, inbox.Config{Workers: 1, HandlerTimeout: time.Second})
		receive(t, in, says("15550100101", "hang"), says("15550100102", "other"))
		pass(time.Minute)
		require.True(t, slices.Contains(r.names(), "other"))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		require.ErrorIs(t, in.Shutdown(ctx), context.DeadlineExceeded)
		goOn()
	})
}

// While a new release is rolled out, an old process gets events that the new one has split in
// another way. It leaves them to the new one, by trying again later; only if no release understands
// them, they are given up.
func TestAnEventThatIsDecodedInAnotherWayIsTriedAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store, r := new(inbox.MemStore), new(recorder)
		_, err := store.Append(t.Context(), []inbox.Record{
			{DedupKey: "delivery:1", ReceivedAt: time.Now(), Body: says("15550100101", "wamid.1").Body},
		})
		require.NoError(t, err)
		b, err := store.Claim(t.Context(), inbox.ClaimRequest{Lanes: 1, PerLane: 1, LeaseDuration: time.Minute})
		require.NoError(t, err)
		require.NoError(t, store.Settle(t.Context(), b.LeaseToken, []inbox.Settlement{{
			ID: b.Records[0].ID, Events: []inbox.Record{{
				Kind: inbox.KindEvent, DedupKey: "of a later release", Lane: "x", Index: 1,
			}},
		}}))
		in := start(t, store, r, inbox.Config{MaxAttempts: 3})
		pass(500 * time.Millisecond)
		ids, _ := letters(t, in)
		require.Empty(t, ids)
		require.Equal(t, int64(1), metrics(t, in).Retried)
		require.NoError(t, in.WaitIdle(t.Context()))
		_, reasons := letters(t, in)
		require.Len(t, reasons, 1)
		require.Contains(t, reasons[0], "failed 3 times: this release decodes the delivery differently")
		require.Empty(t, r.names())
	})
}
