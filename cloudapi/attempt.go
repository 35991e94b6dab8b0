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

// An attempt gathers evidence about one request on the wire.
type attempt struct {
	started time.Time

	body atomic.Uint32 // bodyUntouched until someone reads it or seals it

	asked     atomic.Bool // a connection was asked for, so the transport reports what it does
	connected atomic.Bool // there was one

	careful bool                    // the request must not be made twice unless it is known to have been refused
	http2   atomic.Bool             // it went out over HTTP/2
	stopped atomic.Bool             // the transport was kept from making it again
	end     context.CancelCauseFunc // of the request's context
}

const (
	bodyUntouched uint32 = iota
	bodyRead
	bodySealed
)

// notSent reports whether the request cannot have left. It is called after the transport gave up.
//
// A request with a body has not left unless someone read the body. Since the transport may still
// hold it in a goroutine of its own, the question and its answer are one step: from here on nobody
// can read it any more. A request without body has not left if the transport asked for a connection
// and got none.
func (a *attempt) notSent(hasBody bool) bool {
	if hasBody {
		return a.body.CompareAndSwap(bodyUntouched, bodySealed)
	}
	return a.asked.Load() && !a.connected.Load()
}

var errBrokenOff = errors.New("the server broke the exchange off after the request was written")

// again reports whether the transport may make the request another time by itself. Over HTTP/2 it
// would, body and all, after some errors, and one of them, PROTOCOL_ERROR, does not say that the
// server had left the request alone. Which it was, nobody tells. Over HTTP/1 it does so only with
// requests of which nothing was written, and with reads.
func (a *attempt) again() bool {
	if !a.careful || !a.http2.Load() {
		return true
	}
	a.stopped.Store(true)
	return false
}

func (a *attempt) trace() *httptrace.ClientTrace {
	return &httptrace.ClientTrace{
		GetConn: func(string) { a.asked.Store(true) },
		GotConn: func(httptrace.GotConnInfo) {
			if a.connected.Swap(true) && !a.again() { // a request without body can be stopped only here
				a.end(errBrokenOff)
			}
		},
		WroteHeaderField: func(name string, _ []string) {
			if strings.HasPrefix(name, ":") {
				a.http2.Store(true)
			}
		},
	}
}

// A guardedBody tells its attempt before the first byte is read.
type guardedBody struct {
	io.ReadCloser
	a *attempt
}

var errSealed = errors.New("cloudapi: the attempt is over")

func (b guardedBody) Read(p []byte) (int, error) {
	if !b.a.body.CompareAndSwap(bodyUntouched, bodyRead) && b.a.body.Load() == bodySealed {
		return 0, errSealed
	}
	return b.ReadCloser.Read(p)
}

// A watchedTransport starts an attempt for every request it is given. Who began it ends it, when
// the answer has been read.
type watchedTransport struct {
	base  http.RoundTripper
	begin func() *attempt
}

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
