package natsinbox_test

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/inbox"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/inbox/natsinbox"
)

// How fast deliveries are taken in by 64 at once, and how fast their events are handled by a
// handler that does nothing.
func BenchmarkDrain(b *testing.B) {
	const n = 8000
	s := newServer(b, synced, "")
	var appended, drained time.Duration
	for b.Loop() {
		store, err := natsinbox.OpenStore(b.Context(), s.config())
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
						Body: body(int(i), 1000), ReceivedAt: time.Now(),
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
