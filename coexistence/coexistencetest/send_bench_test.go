//go:build unix

package coexistencetest_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/coexistencetest"
)

// Bars of a world that runs for days.
const (
	maxHeapBytes = 512 // of heap for each message that was sent, bar E9
	maxSlowdown  = 1.4 // of the processor time of a message at the end, over that at the beginning
)

// BenchmarkALongRun sends 100,000 messages over HTTP through a world that keeps the latest 5,000,
// as the program simulator does, each with its three statuses delivered to a host. It fails if the
// heap grows by more than the bar for each message, or if the last fifth costs much more processor
// time than the first: that is steadier than a rate, on a machine that others use too. It takes
// minutes:
//
//	go test -run '^$' -bench ALongRun -benchtime 100000x ./coexistence/coexistencetest
func BenchmarkALongRun(b *testing.B) {
	world := coexistencetest.NewWorld(coexistencetest.Config{KeepLast: 5000})
	defer world.Close()
	number := world.NewCloudNumber(coexistencetest.PhoneConfig{})
	host := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = fmt.Fprint(w, r.URL.Query().Get("hub.challenge"))
	}))
	defer host.Close()
	require.NoError(b, world.DeliverTo(host.URL))
	client, err := cloudapi.NewClient(world.ClientConfig())
	require.NoError(b, err)
	client = client.WithToken(number.AccessToken())
	customers := make([]string, 100)
	for i := range customers {
		customers[i] = fmt.Sprintf("+1555010%04d", i)
		number.Customer(customers[i]).Send("Hello") // opens the window
	}
	require.NoError(b, world.WaitDelivered(b.Context()))
	send := func(n int) time.Duration {
		begun := processorTime(b)
		for i := range n {
			_, err := client.Messages.Send(b.Context(), number.ID(), cloudapi.Message{
				To: cloudapi.ToPhone(customers[i%len(customers)]), Content: &cloudapi.Text{Body: "Until six."},
			})
			require.NoError(b, err)
			if i%100 == 99 {
				require.NoError(b, world.WaitDelivered(b.Context()))
			}
		}
		require.NoError(b, world.WaitDelivered(b.Context()))
		return processorTime(b) - begun
	}
	before := heap()
	b.ResetTimer()
	fifth := max(1, b.N/5)
	first := send(fifth)
	send(max(0, b.N-2*fifth))
	last := send(fifth)
	b.StopTimer()
	grown := float64(heap()-before) / float64(b.N)
	slowdown := float64(last) / float64(first)
	b.ReportMetric(grown, "heap-B/op")
	b.ReportMetric(slowdown, "last/first")
	if b.N < 50_000 {
		return // what is kept weighs more than what is forgotten
	}
	if grown > maxHeapBytes {
		b.Errorf("the heap has grown by %.0f bytes for each message; the bar is %d", grown, maxHeapBytes)
	}
	if slowdown > maxSlowdown {
		b.Errorf("a message costs %.2f times as much at the end as at the beginning; the bar is %.1f", slowdown,
			maxSlowdown)
	}
}

// heap is what is in use, without garbage.
func heap() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// processorTime is what the process has used so far.
func processorTime(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	require.NoError(b, syscall.Getrusage(syscall.RUSAGE_SELF, &u))
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
