package inbox_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/inbox"
)

// of moves a delivery to another number, of a business of its own.
func of(number string, d webhook.Delivery) webhook.Delivery {
	d.Body = []byte(strings.ReplaceAll(string(d.Body), "106540352242922", number))
	return d
}

// However many conversations of a number are slow, another number has a worker at once. A number
// that became slow suddenly had more claimed ahead, which must not be in the way either.
func TestANumberNeverWaitsForTheSlowHandlersOfAnother(t *testing.T) {
	t.Parallel()
	for name, fastFirst := range map[string]int{"slow from the beginning": 0, "fast at first": 300} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				const slow = 2 * time.Second
				var mu sync.Mutex
				waited, running, most := map[string]time.Duration{}, 0, 0
				n := 0
				h := webhook.HandlerFunc(func(ctx context.Context, ev webhook.Event) error {
					info, _ := inbox.FromContext(ctx)
					mu.Lock()
					n++
					fast := n <= fastFirst
					waited[nameOf(ev)] = time.Since(info.ReceivedAt)
					running++
					most = max(most, running)
					mu.Unlock()
					if ev.Info().PhoneNumberID == "106540352242922" && !fast {
						time.Sleep(slow)
					} else {
						time.Sleep(time.Millisecond)
					}
					mu.Lock()
					running--
					mu.Unlock()
					return nil
				})
				in := start(t, new(inbox.MemStore), h, inbox.Config{})
				for i := range 200 + fastFirst {
					receive(t, in, says(fmt.Sprintf("1555010%04d", i), fmt.Sprint("a", i)))
				}
				for i := range 20 { // in the middle of it
					time.Sleep(slow/2 + 10*time.Millisecond)
					receive(t, in, of("106540352242923", says(fmt.Sprintf("1555010%04d", i), fmt.Sprint("b", i))))
				}
				require.NoError(t, in.WaitIdle(t.Context()))
				for i := range 20 {
					require.Less(t, waited[fmt.Sprint("b", i)], 50*time.Millisecond, i)
				}
				require.GreaterOrEqual(t, waited[fmt.Sprint("a", 199+fastFirst)], slow, "or the number was not busy")
				require.LessOrEqual(t, most, 13, "12 of 16 workers, and the one of the other number")
			})
		})
	}
}

// A few workers are too few to be shared: one of them kept free would be a third or a half of the
// pace.
func TestFewWorkersAreAllForOneNumber(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		in := start(t, new(inbox.MemStore), webhook.HandlerFunc(func(context.Context, webhook.Event) error {
			time.Sleep(time.Second)
			return nil
		}), inbox.Config{Workers: 3})
		for i := range 9 {
			receive(t, in, says(fmt.Sprintf("1555010%04d", i), fmt.Sprint(i)))
		}
		pass(500 * time.Millisecond)
		require.Equal(t, int64(3), metrics(t, in).Running)
	})
}

// Customers' messages do not wait for the statuses of a campaign.
func TestMessagesGoBeforeStatuses(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var waited time.Duration
		statuses := 0
		in := start(t, new(inbox.MemStore), webhook.HandlerFunc(func(ctx context.Context, ev webhook.Event) error {
			info, _ := inbox.FromContext(ctx)
			time.Sleep(5 * time.Millisecond)
			mu.Lock()
			defer mu.Unlock()
			if _, ok := ev.(*webhook.MessageStatus); ok {
				statuses++
				return nil
			}
			waited = max(waited, time.Since(info.ReceivedAt))
			return nil
		}), inbox.Config{})
		const campaign = 5000
		for i := range campaign {
			receive(t, in, wrap("messages", fmt.Sprintf(`"statuses":[{"id":"wamid.s%d","status":"delivered",`+
				`"timestamp":"1795168800","recipient_id":"1555010%04d"}]`, i, i)))
		}
		for i := range 50 {
			pass(10 * time.Millisecond)
			receive(t, in, says(fmt.Sprintf("1555011%04d", i), fmt.Sprint(i)))
		}
		mu.Lock()
		require.Less(t, statuses, campaign, "or there was nothing to wait for")
		mu.Unlock()
		require.NoError(t, in.WaitIdle(t.Context()))
		require.Equal(t, campaign, statuses)
		require.Less(t, waited, 100*time.Millisecond)
	})
}
