package inbox_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/inbox"
)

// An askedStore counts the claims of live events.
type askedStore struct {
	inbox.MemStore
	claims atomic.Int64
}

func (s *askedStore) Claim(ctx context.Context, req inbox.ClaimRequest) (inbox.Batch, error) {
	if req.Kind == inbox.KindEvent && !req.Backfill {
		s.claims.Add(1)
	}
	return s.MemStore.Claim(ctx, req)
}

// Each claim is a query. A text that comes alone takes two: one brings it, and one comes after it
// was settled, because its conversation may have more.
func TestATextThatComesAloneIsAskedForTwice(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := new(askedStore)
		var handled recorder
		in := start(t, store, &handled, inbox.Config{PollInterval: time.Hour})
		synctest.Wait()
		before := store.claims.Load()
		const texts = 100
		for i := range texts {
			receive(t, in, says(fmt.Sprintf("1555010%04d", i), fmt.Sprint("wamid.", i)))
			time.Sleep(10 * time.Millisecond)
		}
		require.Len(t, handled.names(), texts)
		require.LessOrEqual(t, store.claims.Load()-before, int64(2*texts))
	})
}

// A claim that has brought something and left nothing knows when the next pause is over.
func TestAPauseEndsInTimeWhenSomethingElseWasClaimed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var attempts []time.Time
		h := webhook.HandlerFunc(func(_ context.Context, ev webhook.Event) error {
			switch nameOf(ev) {
			case "wamid.fails":
				if attempts = append(attempts, time.Now()); len(attempts) == 1 {
					return errors.New("not yet")
				}
			case "wamid.slow":
				time.Sleep(time.Minute)
			}
			return nil
		})
		in := start(t, new(inbox.MemStore), h, inbox.Config{
			PollInterval: time.Hour, Backoff: func(int) time.Duration { return 50 * time.Millisecond },
		})
		receive(t, in, says("15550100101", "wamid.fails"))
		time.Sleep(10 * time.Millisecond)
		receive(t, in, says("15550100102", "wamid.slow"))
		require.NoError(t, in.WaitIdle(t.Context()))
		require.Len(t, attempts, 2)
		require.Equal(t, 50*time.Millisecond, attempts[1].Sub(attempts[0]))
	})
}
