package main

import (
	"bytes"
	"log"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/webhooktest"
)

// A printed is what the program has printed.
type printed struct {
	mu  sync.Mutex
	out bytes.Buffer
}

func (p *printed) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.out.Write(b)
}

func (p *printed) count(s string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return strings.Count(p.out.String(), s)
}

// The program runs for as long as the test's process does.
func TestWhatACustomerWritesIsPrintedOnce(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	addr := listener.Addr().String()
	require.NoError(t, listener.Close())
	_, port, _ := net.SplitHostPort(addr)
	t.Setenv("PORT", port)
	t.Setenv("APP_SECRET", "made-up-app-secret")
	t.Setenv("VERIFY_TOKEN", "made-up-verify-token")
	out := new(printed)
	log.SetOutput(out)
	go main()
	require.Eventually(t, func() bool {
		conn, err := net.Dial("tcp", addr)
		if err != nil {
			return false
		}
		return conn.Close() == nil
	}, time.Minute, 10*time.Millisecond)

	body := webhooktest.Sample("messages", "text")
	post := func(secret graph.Secret) int {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+addr, bytes.NewReader(body))
		require.NoError(t, err)
		req.Header.Set(webhook.SignatureHeader, webhook.Sign(secret, body))
		resp, err := http.DefaultClient.Do(req)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		return resp.StatusCode
	}
	require.Equal(t, http.StatusUnauthorized, post("a guess"))
	require.Zero(t, out.count("wrote"))
	for range 2 { // Meta repeats deliveries
		require.Equal(t, http.StatusOK, post("made-up-app-secret"))
	}
	require.Equal(t, 1, out.count("Alma Reyes wrote Do you have the blue one in stock?"))
}
