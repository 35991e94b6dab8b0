package sqliteinbox_test

import (
	"context"
	"fmt"
	"path/filepath"
	"runtime"
	"runtime/metrics"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/inbox"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/inbox/sqliteinbox"
)

// A signed body of tiny messages grows when it is decoded, and it is needed for each of them. It
// must not take the memory of a small container with it, because the process would die of it each
// time.
//
// It runs alone: other tests would count.
func TestABodyOfTinyMessagesTakesLittleMemory(t *testing.T) {
	const n, limit = 50_000, 150 << 20
	var b strings.Builder
	b.WriteString(`{"object":"whatsapp_business_account","entry":[{"id":"102290129340398","changes":[{"value":{` +
		`"messaging_product":"whatsapp","metadata":{"display_phone_number":"15550100199",` +
		`"phone_number_id":"106540352242922"},"messages":[`)
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"from":"15550%06d","id":"w.%d","type":"text","text":{"body":"a"},"timestamp":"1"}`, i, i)
	}
	b.WriteString(`]},"field":"messages"}]}]}`)
	body := []byte(b.String())
	require.Greater(t, len(body), 4_100_000)

	var handled atomic.Int64
	in, err := sqliteinbox.Open(t.Context(), filepath.Join(t.TempDir(), "inbox.db"), webhook.HandlerFunc(
		func(context.Context, webhook.Event) error {
			handled.Add(1)
			return nil
		}), inbox.Config{})
	require.NoError(t, err)
	peak := watchHeap(t)
	begin := time.Now()
	require.NoError(t, in.Receive(t.Context(), webhook.Delivery{Body: body, ReceivedAt: time.Now()}))
	require.NoError(t, in.WaitIdle(t.Context())) // with the race detector, it is a matter of minutes
	got := peak()
	t.Logf("%d events in %v, %d MB of heap at most", handled.Load(), time.Since(begin), got>>20)
	require.Less(t, got, uint64(limit))
	var rest []string // what is beyond the limit of a delivery is kept raw
	for l, err := range in.DeadLetters(t.Context(), inbox.Filter{}) {
		require.NoError(t, err)
		ev, err := l.Event()
		require.NoError(t, err)
		rest = append(rest, string(ev.Info().Raw))
	}
	require.Len(t, rest, 1)
	_, behind, found := strings.Cut(rest[0], fmt.Sprintf(`"id":"w.%d"`, handled.Load()-1))
	require.True(t, found, "the first one that is not decoded")
	require.Equal(t, n-int(handled.Load()), strings.Count(behind, `"id":"w.`), "and all behind it")
	require.NoError(t, in.Shutdown(t.Context()))
}

// watchHeap returns a function that says how much the heap has held at most since then, beside what
// it held before.
func watchHeap(t *testing.T) (peak func() uint64) {
	t.Helper()
	runtime.GC()
	read := func() uint64 {
		sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
		metrics.Read(sample)
		return sample[0].Value.Uint64()
	}
	before, most := read(), uint64(0)
	over := make(chan struct{})
	var watching sync.WaitGroup
	watching.Go(func() {
		ticker := time.NewTicker(time.Millisecond)
		defer ticker.Stop()
		for {
			most = max(most, read())
			select {
			case <-over:
				return
			case <-ticker.C:
			}
		}
	})
	return func() uint64 {
		close(over)
		watching.Wait()
		return most - min(most, before)
	}
}
