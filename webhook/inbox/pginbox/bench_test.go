package pginbox_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/pgdb"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/inbox"
)

// body is a delivery of one text, of one of a thousand customers.
func body(serial int64) []byte {
	return fmt.Appendf(nil, `{"object":"whatsapp_business_account","entry":[{"id":"102290129340398",`+
		`"changes":[{"value":{"messaging_product":"whatsapp",`+
		`"metadata":{"display_phone_number":"15550100199","phone_number_id":"106540352242922"},`+
		`"contacts":[{"profile":{"name":"Ada"},`+
		`"wa_id":"1555010%04d"}],"messages":[{"from":"1555010%04d",`+
		`"id":"wamid.HBgLMTU1NTAxMDAxMjMVAgASGBQzQTA%020d","timestamp":"1795168800",`+
		`"text":{"body":"Do you have rye bread today, and until when are you open?"},"type":"text"}]},`+
		`"field":"messages"}]}]}`,
		serial%1000, serial%1000, serial)
}

// How fast deliveries are taken in by 64 at once, and how fast their events are handled by a
// handler that does nothing.
func BenchmarkDrain(b *testing.B) {
	const n = 8000
	var appended, drained time.Duration
	for b.Loop() {
		store, err := pgdb.OpenInbox(b.Context(), pgdb.Config{URL: database(b)})
		require.NoError(b, err)
		var next, handled atomic.Int64
		done := make(chan struct{})
		in, err := inbox.New(store, webhook.HandlerFunc(func(context.Context, webhook.Event) error {
			if handled.Add(1) == n {
				close(done)
			}
			return nil
		}), inbox.Config{})
		require.NoError(b, err)
		begin := time.Now()
		var all sync.WaitGroup
		for range 64 {
			all.Go(func() {
				for i := next.Add(1); i <= n; i = next.Add(1) {
					if err := in.Receive(b.Context(), webhook.Delivery{
						Body: body(i), ReceivedAt: time.Now(),
					}); err != nil {
						b.Error(err)
					}
				}
			})
		}
		all.Wait()
		appended += time.Since(begin)
		begin = time.Now()
		require.NoError(b, in.Start(b.Context()))
		<-done
		drained += time.Since(begin)
		require.NoError(b, in.Shutdown(b.Context()))
	}
	b.ReportMetric(float64(b.N)*n/appended.Seconds(), "appended/s")
	b.ReportMetric(float64(b.N)*n/drained.Seconds(), "handled/s")
}
