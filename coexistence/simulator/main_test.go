package main

import (
	"bytes"
	"context"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// What a host was told once is true in the next run: its settings hold addresses and secrets.
func TestTheProgramTellsAHostWhatItNeeds(t *testing.T) {
	t.Parallel()
	free, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	_, err = newWorld(settings{graph: free.Addr().String(), number: "+1 555-010-0199"})
	require.ErrorContains(t, err, "choose another address with -graph")
	require.NoError(t, free.Close())

	told := func() string {
		ctx, cancel := context.WithCancel(t.Context())
		var out safeBuffer
		ended := make(chan error, 1)
		go func() {
			ended <- run(ctx, &out, settings{
				graph: free.Addr().String(), listen: "127.0.0.1:0", secret: "s", verify: "v", number: "+1 555-010-0199",
				version: "2.23.1",
			})
		}()
		require.Eventually(t, func() bool { return strings.Contains(out.String(), "webhooks to") }, 10*time.Second,
			time.Millisecond)
		resp, err := http.Get("http://" + free.Addr().String() + "/en_US/sdk.js")
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		require.Equal(t, http.StatusOK, resp.StatusCode)
		cancel()
		select {
		case err := <-ended:
			require.NoError(t, err)
		case <-time.After(time.Minute):
			require.FailNow(t, "the simulator goes on a minute after its context has ended")
		}
		_, lines, _ := strings.Cut(out.String(), "\n") // without the page, whose port was left open
		lines, _, _ = strings.Cut(lines, "webhooks to")
		return lines
	}
	first := told()
	for _, name := range []string{"graph API", "sdk.js", "configuration", "app id", "app secret     s\n",
		"system token", "verify token   v\n"} {
		require.Contains(t, first, name)
	}
	require.Equal(t, first, told())
}

// A safeBuffer is written by the program while the test reads it.
type safeBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *safeBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *safeBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}
