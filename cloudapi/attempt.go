package cloudapi

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptrace"
	"sync/atomic"
	"time"
)

// An attempt gathers evidence about one request on the wire.
type attempt struct {
	started time.Time

	body atomic.Uint32 // bodyUntouched until someone reads it or seals it

	asked     atomic.Bool // a connection was asked for, so the transport reports what it does
	connected atomic.Bool // there was one
}

const (
	bodyUntouched uint32 = iota
	bodyRead
	bodySealed
)

// notSent reports whether the request cannot have left. It is called after the transport gave up.
//
// A request with a body has not left unless someone read the body. Since the transport may still hold it in a goroutine of
// its own, the question and its answer are one step: from here on nobody can read it any more. A request without body has
// not left if the transport asked for a connection and got none.
func (a *attempt) notSent(hasBody bool) bool {
	if hasBody {
		return a.body.CompareAndSwap(bodyUntouched, bodySealed)
	}
	return a.asked.Load() && !a.connected.Load()
}

func (a *attempt) trace() *httptrace.ClientTrace {
	return &httptrace.ClientTrace{
		GetConn: func(string) { a.asked.Store(true) },
		GotConn: func(httptrace.GotConnInfo) { a.connected.Store(true) },
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

// A watchedTransport starts an attempt for every request it is given.
type watchedTransport struct {
	base  http.RoundTripper
	begin func() *attempt
}

func (t watchedTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	a := t.begin()
	req = req.WithContext(httptrace.WithClientTrace(req.Context(), a.trace()))
	if body := req.Body; body != nil && body != http.NoBody {
		req.Body = guardedBody{body, a}
		if getBody := req.GetBody; getBody != nil {
			req.GetBody = func() (io.ReadCloser, error) {
				again, err := getBody()
				return guardedBody{again, a}, err
			}
		}
	}
	return t.base.RoundTrip(req)
}
