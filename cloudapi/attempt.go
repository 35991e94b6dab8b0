package cloudapi

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptrace"
	"strings"
	"sync/atomic"
	"time"
)

// An attempt gathers evidence about one request on the wire: whether it left, and whether the
// transport made it a second time. The transport's goroutines write it while the caller reads it,
// so all that changes is atomic.
type attempt struct {
	started time.Time

	body atomic.Uint32 // bodyUntouched until it is read or closed

	asked     atomic.Bool // a connection was asked for: the transport calls the hooks of trace
	connected atomic.Bool // it got one

	careful bool                    // may be made again only on proof of a refusal
	http2   atomic.Bool             // it went out over HTTP/2
	stopped atomic.Bool             // the transport was kept from making it again
	end     context.CancelCauseFunc // of the request's context
}

// States of a body. It leaves bodyUntouched once, to one of the other two.

const (
	bodyUntouched uint32 = iota
	bodyRead
	bodyClosed
)

// notSent reports whether the request cannot have left. It is called after the transport gave up.
//
// A request with a body has not left unless the body was read. A goroutine of the transport may
// still hold the body, so the question and its answer are one step: a body that was not read is
// closed, and every later read fails. A request without body has not left if the transport asked
// for a connection and got none.
func (a *attempt) notSent(hasBody bool) bool {
	if hasBody {
		return a.body.CompareAndSwap(bodyUntouched, bodyClosed)
	}
	return a.asked.Load() && !a.connected.Load()
}

var errBrokenOff = errors.New("the server broke the exchange off after the request was written")

// again reports whether the transport may make the request another time by itself. Over HTTP/2 it
// would, body and all, after some errors, and one of them, PROTOCOL_ERROR, does not say that the
// server had left the request alone. The transport does not tell which error it was. Over HTTP/1 it
// does so only with requests of which nothing was written, and with reads.
func (a *attempt) again() bool {
	if !a.careful || !a.http2.Load() {
		return true
	}
	a.stopped.Store(true)
	return false
}

// trace returns hooks that record what the transport does, and stop it from making a request
// without body again: such a request has no GetBody to refuse.
func (a *attempt) trace() *httptrace.ClientTrace {
	return &httptrace.ClientTrace{
		GetConn: func(string) { a.asked.Store(true) },
		GotConn: func(httptrace.GotConnInfo) {
			if a.connected.Swap(true) && !a.again() { // a request without body can be stopped only here
				a.end(errBrokenOff)
			}
		},
		WroteHeaderField: func(name string, _ []string) {
			if strings.HasPrefix(name, ":") { // a pseudo-header, which only HTTP/2 has
				a.http2.Store(true)
			}
		},
	}
}

// A guardedBody tells its attempt before the first byte is read, and cannot be read once the
// attempt has closed it.
type guardedBody struct {
	io.ReadCloser
	a *attempt
}

var errBodyClosed = errors.New("cloudapi: the attempt is over")

func (b guardedBody) Read(p []byte) (int, error) {
	if !b.a.body.CompareAndSwap(bodyUntouched, bodyRead) && b.a.body.Load() == bodyClosed {
		return 0, errBodyClosed
	}
	return b.ReadCloser.Read(p)
}

// A watchedTransport begins an attempt for every request it is given. The caller ends the attempt
// when the answer has been read: its context carries the body.
type watchedTransport struct {
	base  http.RoundTripper
	begin func() *attempt
}

// RoundTrip implements [http.RoundTripper]. It wraps the body and its copies, so that the attempt
// sees the first read and can refuse another copy.
func (t watchedTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	a := t.begin()
	ctx, end := context.WithCancelCause(req.Context())
	a.end = end
	req = req.WithContext(httptrace.WithClientTrace(ctx, a.trace()))
	if body := req.Body; body != nil && body != http.NoBody {
		req.Body = guardedBody{body, a}
		if getBody := req.GetBody; getBody != nil {
			req.GetBody = func() (io.ReadCloser, error) {
				if !a.again() {
					return nil, errBrokenOff
				}
				again, err := getBody()
				return guardedBody{again, a}, err
			}
		}
	}
	_, plain := t.base.(*http.Transport)
	if empty := req.Body == nil || req.Body == http.NoBody; empty && !plain && a.careful && isRead(req.Method) {
		// Whatever is inside, net/http in the end, repeats reads by itself, but none with a body
		// that it cannot open again. One that is empty does not show on the wire.
		req.Body, req.GetBody = io.NopCloser(strings.NewReader("")), nil
	}
	return t.base.RoundTrip(req)
}
