package sqlinbox_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/inbox"
)

// status is a delivery of one status of a business's own message.
func status(number string, serial int64) []byte {
	return fmt.Appendf(nil, `{"object":"whatsapp_business_account","entry":[{"id":"102290129340398",`+
		`"changes":[{"value":{"messaging_product":"whatsapp",`+
		`"metadata":{"display_phone_number":"15550100199","phone_number_id":"%s"},`+
		`"statuses":[{"id":"wamid.HBgLMTU1NTAxMDAxMjMVAgASGBQzQTA%020d","status":"delivered",`+
		`"timestamp":"1795168800","recipient_id":"1555010%05d"}]},"field":"messages"}]}]}`,
		number, serial, serial%60_000)
}

// message is a delivery of one text.
func message(number string, serial int64) []byte {
	return fmt.Appendf(nil, `{"object":"whatsapp_business_account","entry":[{"id":"102290129340398",`+
		`"changes":[{"value":{"messaging_product":"whatsapp",`+
		`"metadata":{"display_phone_number":"15550100198","phone_number_id":"%s"},`+
		`"contacts":[{"profile":{"name":"Ada"},"wa_id":"1555010%04d"}],"messages":[{"from":"1555010%04d",`+
		`"id":"wamid.HBgLMTU1NTAxMDAxMjMVAgASGBQzQTB%020d","timestamp":"1795168800",`+
		`"text":{"body":"Do you have rye bread today, and until when are you open?"},"type":"text"}]},`+
		`"field":"messages"}]}]}`,
		number, serial%100, serial%100, serial)
}

// E4 of the performance budget: how long messages to one number, 10 a second, wait for the handler
// while 60,000 statuses of another number arrive as fast as they are accepted, and how long they
// wait without these. A handler takes 5 ms.
func BenchmarkFlood(b *testing.B) {
	const ours, theirs, flood = "106540352242922", "106540352242923", 60_000
	onEngines(b, func(b *testing.B, e engine) {
		var posted sync.Map // time of each message, by its key
		var mu sync.Mutex
		var waited []time.Duration
		var left atomic.Int64
		in, err := inbox.New(e.Store, webhook.HandlerFunc(func(_ context.Context, ev webhook.Event) error {
			if m, ok := ev.(*webhook.IncomingMessage); ok {
				at, _ := posted.Load(string(m.ID))
				mu.Lock()
				waited = append(waited, time.Since(at.(time.Time)))
				mu.Unlock()
			} else {
				left.Add(-1)
			}
			time.Sleep(5 * time.Millisecond)
			return nil
		}), inbox.Config{})
		require.NoError(b, err)
		require.NoError(b, in.Start(b.Context()))
		var serial atomic.Int64
		write := func(until func() bool) []time.Duration {
			tick := time.NewTicker(100 * time.Millisecond)
			defer tick.Stop()
			for ; !until(); <-tick.C {
				n := serial.Add(1)
				posted.Store(fmt.Sprintf("wamid.HBgLMTU1NTAxMDAxMjMVAgASGBQzQTB%020d", n), time.Now())
				d := webhook.Delivery{Body: message(ours, n), ReceivedAt: time.Now()}
				require.NoError(b, in.Receive(b.Context(), d))
			}
			require.NoError(b, in.WaitIdle(b.Context()))
			mu.Lock()
			defer mu.Unlock()
			result := waited
			waited = nil
			slices.Sort(result)
			return result
		}
		for b.Loop() {
			end := time.Now().Add(5 * time.Second)
			alone := write(func() bool { return time.Now().After(end) })
			left.Store(flood)
			var all sync.WaitGroup
			for range 64 {
				all.Go(func() {
					for range flood / 64 {
						d := webhook.Delivery{Body: status(theirs, serial.Add(1)), ReceivedAt: time.Now()}
						if err := in.Receive(b.Context(), d); err != nil {
							b.Error(err)
						}
					}
				})
			}
			left.Add(-(flood % 64))
			among := write(func() bool { return left.Load() <= 0 })
			all.Wait()
			p95, alone95 := among[len(among)*95/100], alone[len(alone)*95/100]
			b.ReportMetric(float64(alone[len(alone)/2].Microseconds())/1000, "ms-alone-p50")
			b.ReportMetric(float64(alone95.Microseconds())/1000, "ms-alone-p95")
			b.ReportMetric(float64(among[len(among)/2].Microseconds())/1000, "ms-flood-p50")
			b.ReportMetric(float64(p95.Microseconds())/1000, "ms-flood-p95")
			b.ReportMetric(float64(p95)/float64(alone95), "p95-ratio")
		}
		require.NoError(b, in.Shutdown(b.Context()))
	})
}
