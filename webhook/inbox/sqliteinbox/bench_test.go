//go:build unix

package sqliteinbox_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/sqlinbox"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/sqlitedb"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/inbox"
)

// nothing is a receiver that keeps nothing.
var nothing = webhook.ReceiverFunc(func(context.Context, webhook.Delivery) error { return nil })

// P18 of the performance budget: how many deliveries of one text a second an endpoint acknowledges
// over 64 connections, when it stores them durably in SQLite, beside the same inbox that keeps them
// in memory, and beside an endpoint that forgets them. "handled" also splits and handles meanwhile,
// all on the same processors, as the load does.
//
// What is durable stays in one file, in which all is handled between the turns: it then remembers
// the keys of what came before, and its pages are used again and again, as in a server that runs
// for long. A new file would have no index worth mentioning, and a log that still grows.
//
// They take short turns, because a shared machine is faster at one moment than at the next; a ratio
// is one of neighbors in time, and the median of all rounds counts.
func BenchmarkAcknowledgement(b *testing.B) {
	const conns, rounds, each = 64, 31, 2000
	file, err := sqlitedb.OpenInbox(b.Context(), filepath.Join(b.TempDir(), "inbox.db"))
	require.NoError(b, err)
	defer file.Close()
	store := file.Store // has no Close, so the Shutdown of one turn leaves it open for the next
	notStarted := func(store inbox.Store) *inbox.Inbox {
		in, err := inbox.New(store, new(webhook.Mux), inbox.Config{})
		require.NoError(b, err)
		return in
	}
	handleAll := func() {
		in := notStarted(store)
		require.NoError(b, in.Start(b.Context()))
		require.NoError(b, in.WaitIdle(b.Context()))
		require.NoError(b, in.Shutdown(b.Context()))
	}
	receivers := map[string]func() (webhook.Receiver, func()){
		"bare":    func() (webhook.Receiver, func()) { return nothing, func() {} },
		"memory":  func() (webhook.Receiver, func()) { return notStarted(new(inbox.MemStore)), func() {} },
		"durable": func() (webhook.Receiver, func()) { return notStarted(store), handleAll },
		"handled": func() (webhook.Receiver, func()) {
			in := notStarted(store)
			require.NoError(b, in.Start(b.Context()))
			return in, func() {
				require.NoError(b, in.WaitIdle(b.Context()))
				require.NoError(b, in.Shutdown(b.Context()))
			}
		},
	}
	var serial atomic.Int64
	for b.Loop() {
		measured := map[string][]float64{}
		for range rounds {
			round, used := map[string]float64{}, map[string]time.Duration{}
			for _, name := range []string{"bare", "memory", "durable", "handled"} {
				recv, end := receivers[name]()
				before := processor(b)
				rate, p99 := acknowledge(b, recv, conns, each, &serial)
				round[name+"/s"], round[name+"-p99-ms"] = rate, float64(p99.Microseconds())/1000
				used[name] = processor(b) - before
				end()
			}
			round["durable/bare"] = round["durable/s"] / round["bare/s"]
			round["durable/memory"] = round["durable/s"] / round["memory/s"]
			round["handled/bare"] = round["handled/s"] / round["bare/s"]
			round["processor-bare/durable"] = float64(used["bare"]) / float64(used["durable"])
			for name, value := range round {
				measured[name] = append(measured[name], value)
			}
		}
		for name, values := range measured {
			slices.Sort(values)
			b.ReportMetric(values[len(values)/2], name)
		}
	}
}

// processor is how much processor time this process has used, the load's included: what others do
// on the machine does not show in it.
func processor(tb testing.TB) time.Duration {
	tb.Helper()
	var usage syscall.Rusage
	require.NoError(tb, syscall.Getrusage(syscall.RUSAGE_SELF, &usage))
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// acknowledge posts n different signed deliveries over so many connections, and returns how many
// were acknowledged in a second.
func acknowledge(
	tb testing.TB, recv webhook.Receiver, conns, n int, serial *atomic.Int64,
) (rate float64, p99 time.Duration) {
	tb.Helper()
	endpoint, err := webhook.NewEndpoint(webhook.Config{AppSecret: "made-up", VerifyToken: "made-up"}, recv)
	require.NoError(tb, err)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(tb, err)
	server := &http.Server{Handler: endpoint, ReadHeaderTimeout: time.Minute}
	var serving sync.WaitGroup
	serving.Go(func() { _ = server.Serve(listener) })
	defer serving.Wait()
	defer server.Close()

	posts := make([][]byte, n) // made before the clock runs
	for i := range posts {
		posts[i] = request(serial.Add(1))
	}
	var next atomic.Int64
	var all sync.WaitGroup
	errs, times := make([]error, conns), make([][]time.Duration, conns)
	begin := time.Now()
	for c := range conns {
		all.Go(func() { times[c], errs[c] = client(listener.Addr().String(), posts, &next) })
	}
	all.Wait()
	took := time.Since(begin)
	require.NoError(tb, errors.Join(errs...))
	every := slices.Concat(times...)
	slices.Sort(every)
	return float64(n) / took.Seconds(), every[len(every)*99/100]
}

// client is a cheap one: it writes bytes that are there and looks for a status and the end of the
// headers.
func client(addr string, posts [][]byte, next *atomic.Int64) (times []time.Duration, err error) {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	r := bufio.NewReader(conn)
	for {
		i := int(next.Add(1)) - 1
		if i >= len(posts) {
			return times, nil
		}
		begin := time.Now()
		if _, err := conn.Write(posts[i]); err != nil {
			return nil, err
		}
		status, err := r.ReadString('\n')
		if err != nil {
			return nil, err
		}
		if !strings.HasPrefix(status, "HTTP/1.1 200") {
			return nil, fmt.Errorf("answered %q", status)
		}
		for line := []byte{0}; len(bytes.TrimSpace(line)) > 0; {
			if line, err = r.ReadSlice('\n'); err != nil {
				return nil, err
			}
		}
		times = append(times, time.Since(begin))
	}
}

// body is a delivery of one text, in the size that Meta sends, of one of a thousand customers.
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

func request(serial int64) []byte {
	text := body(serial)
	return append(fmt.Appendf(nil, "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n%s: "+
		"%s\r\nContent-Length: %d\r\n\r\n",
		webhook.SignatureHeader, webhook.Sign("made-up", text), len(text)), text...)
}

// How fast a backlog is handled by a handler that does nothing, and how fast it is taken in.
func BenchmarkDrain(b *testing.B) {
	const n = 20000
	var serial int64
	for b.Loop() {
		b.StopTimer()
		store, err := sqlitedb.OpenInbox(b.Context(), filepath.Join(b.TempDir(), "inbox.db"))
		require.NoError(b, err)
		fill(b, store.Store, n, &serial)
		var handled atomic.Int64
		done := make(chan struct{})
		in, err := inbox.New(store, webhook.HandlerFunc(func(context.Context, webhook.Event) error {
			if handled.Add(1) == n {
				close(done)
			}
			return nil
		}), inbox.Config{})
		require.NoError(b, err)
		b.StartTimer()
		require.NoError(b, in.Start(b.Context()))
		<-done
		require.NoError(b, in.Shutdown(b.Context()))
		b.StopTimer()
		require.NoError(b, store.Close())
		b.StartTimer()
	}
	b.ReportMetric(float64(b.N)*n/b.Elapsed().Seconds(), "events/s")
}

func fill(tb testing.TB, store *sqlinbox.Store, n int, serial *int64) {
	tb.Helper()
	in, err := inbox.New(store, new(webhook.Mux), inbox.Config{})
	require.NoError(tb, err)
	var all sync.WaitGroup
	var next atomic.Int64
	next.Store(*serial)
	*serial += int64(n)
	end := *serial
	for range 64 {
		all.Go(func() {
			for i := next.Add(1); i <= end; i = next.Add(1) {
				if err := in.Receive(tb.Context(), webhook.Delivery{
					Body: body(i), ReceivedAt: time.Now(),
				}); err != nil {
					tb.Error(err)
				}
			}
		})
	}
	all.Wait()
}
