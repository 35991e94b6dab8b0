package cloudapitest

import (
	"context"
	"net"
	"net/http"
	"strconv"
	"time"
)

// garbage is what a caller gets that reached something other than an HTTP server.
const garbage = "\x16\x03\x01\x02\x00\x01 this is not HTTP\r\n\r\n"

// write sends an answer, or what the failure leaves of it.
func (f *fault) write(w http.ResponseWriter, rep reply) {
	switch {
	case f.drop:
		cut(w, f.reset)
	case f.garbage:
		if conn := hijack(w); conn != nil {
			_, _ = conn.Write([]byte(garbage))
			closeConn(conn, f.reset)
		}
	case f.half:
		// More than there is, for an answer of one byte too.
		w.Header().Set("Content-Length", strconv.Itoa(len(rep.body)+1))
		w.WriteHeader(rep.status)
		_, _ = w.Write(rep.body[:len(rep.body)/2])
		_ = http.NewResponseController(w).Flush()
		cut(w, false) // a reset could take back what was sent
	default:
		w.WriteHeader(rep.status)
		_, _ = w.Write(rep.body)
	}
}

// cut ends the connection without an answer, or in the middle of one.
func cut(w http.ResponseWriter, reset bool) {
	if conn := hijack(w); reset && conn != nil {
		closeConn(conn, true)
		return
	} else if conn != nil {
		closeConn(conn, false)
		return
	}
	panic(http.ErrAbortHandler)
}

// hijack takes the connection from the HTTP server, or returns nil where that cannot be done.
func hijack(w http.ResponseWriter) net.Conn {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return nil
	}
	return conn
}

// closeConn closes a connection, or resets it: with a linger of zero, the kernel drops what was not
// sent yet and the other side gets an error instead of an end.
func closeConn(conn net.Conn, reset bool) {
	if tcp, ok := conn.(*net.TCPConn); ok && reset {
		_ = tcp.SetLinger(0)
	}
	_ = conn.Close()
}

// wait waits for d, and reports false if the caller has gone away meanwhile.
func wait(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return true
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
