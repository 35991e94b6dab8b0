package webhook_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

// wellFormed is a signature that nothing was signed with. It has the form of one, so the body is
// read.
var wellFormed = "sha256=" + strings.Repeat("0", 64)

func strangersEndpoint(t *testing.T, recv webhook.ReceiverFunc) *webhook.Endpoint {
	t.Helper()
	e, err := webhook.NewEndpoint(webhook.Config{AppSecret: "app-secret", VerifyToken: "token"}, recv)
	require.NoError(t, err)
	return e
}

func noDelivery(context.Context, webhook.Delivery) error { return nil }

// TestABodyWithoutSignatureHoldsWhatItSent is bar E8: what the bodies of strangers hold, over what
// they sent, is at most 4.
//
// It measures the heap of the process, so it runs alone.
func TestABodyWithoutSignatureHoldsWhatItSent(t *testing.T) {
	for _, sent := range []int{4<<10 + 1, 64 << 10, 64<<10 + 1, 300 << 10} {
		t.Run(fmt.Sprintf("%d bytes of 4 MiB", sent), func(t *testing.T) {
			const strangers = 100
			var read atomic.Int64
			endpoint := strangersEndpoint(t, noDelivery)
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				r.Body = countingBody{r.Body, &read}
				endpoint.ServeHTTP(w, r)
			}))
			defer server.Close()

			before := liveHeap()
			for range strangers {
				conn, err := net.Dial("tcp", server.Listener.Addr().String())
				require.NoError(t, err)
				defer conn.Close()
				_, err = fmt.Fprintf(conn, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n%s: %s\r\n\r\n%s",
					4<<20, webhook.SignatureHeader, wellFormed, strings.Repeat("x", sent))
				require.NoError(t, err)
			}
			require.Eventually(t, func() bool { return read.Load() == int64(strangers*sent) }, time.Minute,
				time.Millisecond)

			held := float64(liveHeap()-before) / float64(strangers*sent)
			t.Logf("%.2f bytes are held for each that was sent", held)
			require.LessOrEqual(t, held, 4.0+float64(16<<10)/float64(sent),
				"net/http's own 16 KiB for a connection are left out")
		})
	}
}

func liveHeap() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

type countingBody struct {
	io.ReadCloser
	n *atomic.Int64
}

func (b countingBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.n.Add(int64(n))
	return n, err
}

// A pipeListener accepts connections that live within the process, whose deadlines follow the clock
// of a synctest bubble.
type pipeListener struct {
	conns  chan net.Conn
	closed chan struct{}
}

func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *pipeListener) Close() error   { close(l.closed); return nil }
func (l *pipeListener) Addr() net.Addr { return &net.UnixAddr{Name: "pipe"} }

// servePipe serves h without any timeout of the server's own, and returns a client's connection.
func servePipe(t *testing.T, h http.Handler) net.Conn {
	t.Helper()
	l := &pipeListener{make(chan net.Conn), make(chan struct{})}
	// That the endpoint needs no timeouts of a server is what is tested.
	server := &http.Server{Handler: h}
	go func() { _ = server.Serve(l) }()
	near, far := net.Pipe()
	l.conns <- far
	t.Cleanup(func() {
		_ = near.Close()
		_ = server.Close()
	})
	return near
}

func TestASlowBodyIsGivenUp(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		signature string
		want      int
	}{
		"signature of the right form": {wellFormed, http.StatusBadRequest},
		"no signature":                {"", http.StatusUnauthorized},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				conn := servePipe(t, strangersEndpoint(t, noDelivery))
				began := time.Now()
				var sender sync.WaitGroup
				sender.Go(func() {
					_, _ = fmt.Fprintf(conn, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n%s: %s\r\n\r\n",
						webhook.SignatureHeader, tt.signature)
					for { // a byte a second keeps a connection from being idle
						if _, err := conn.Write([]byte("x")); err != nil {
							return
						}
						time.Sleep(time.Second)
					}
				})
				in := bufio.NewReader(conn)
				resp, err := http.ReadResponse(in, nil)
				require.NoError(t, err)
				defer resp.Body.Close()
				require.Equal(t, tt.want, resp.StatusCode)
				_, err = io.Copy(io.Discard, in)
				require.NoError(t, err, "the connection is closed")
				require.LessOrEqual(t, time.Since(began), 35*time.Second)
				_ = conn.Close()
				sender.Wait()
			})
		})
	}
}

// A deadline for the body that was left in place would end the context of a receiver that works on.
func TestASlowReceiverIsNotDisturbed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var ended error
		conn := servePipe(t, strangersEndpoint(t, func(ctx context.Context, _ webhook.Delivery) error {
			time.Sleep(10 * time.Minute)
			ended = ctx.Err()
			return nil
		}))
		body := []byte(`{}`)
		go func() {
			_, _ = fmt.Fprintf(conn, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n%s: %s\r\n\r\n%s",
				len(body), webhook.SignatureHeader, webhook.Sign("app-secret", body), body)
		}()
		resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
		require.NoError(t, err)
		defer resp.Body.Close()
		require.Equal(t, http.StatusOK, resp.StatusCode)
		require.NoError(t, ended)
		_ = conn.Close()
	})
}
