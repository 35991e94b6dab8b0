package cloudapitest

import (
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"sync"
	"time"
)

// A listener is what net/http/httptest's Server is. That one registers a flag in every program that
// links it, and hosts link this package.
type listener struct {
	url    string
	server *http.Server
	done   sync.WaitGroup

	mu    sync.Mutex
	fresh map[net.Conn]bool // connections that have not carried a request
}

// listen serves h on l until close.
func listen(h http.Handler, l net.Listener) *listener {
	ln := &listener{url: "http://" + l.Addr().String(), fresh: map[net.Conn]bool{}}
	ln.server = &http.Server{
		Handler:           h,
		ReadHeaderTimeout: time.Minute,
		ErrorLog:          log.New(io.Discard, "", 0), // cut connections are part of the play
		ConnState:         ln.track,
	}
	ln.done.Go(func() { _ = ln.server.Serve(l) })
	return ln
}

// open listens on the network, or on the loopback interface if it is nil.
func (n *Network) open() net.Listener {
	if n != nil {
		return n.Listen("graph") // a name without a dot: clients send tokens there without TLS
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		l, err = net.Listen("tcp6", "[::1]:0")
	}
	if err != nil {
		panic(fmt.Sprintf("cloudapitest: nothing can listen on this machine's loopback interface: %v", err))
	}
	return l
}

// track knows which connections are fresh.
func (l *listener) track(c net.Conn, state http.ConnState) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if state == http.StateNew {
		l.fresh[c] = true
	} else {
		delete(l.fresh, c)
	}
}

// shutdownGrace is how long requests under way may take when the server is closed.
const shutdownGrace = 5 * time.Second

// close waits for the requests under way. Clients open connections ahead of need; those would keep
// Shutdown waiting.
func (l *listener) close() {
	l.mu.Lock()
	for c := range l.fresh {
		_ = c.Close()
	}
	l.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), shutdownGrace)
	defer cancel()
	if l.server.Shutdown(ctx) != nil {
		_ = l.server.Close()
	}
	l.done.Wait()
}
