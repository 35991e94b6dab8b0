// Package httpbody reads the body of a request whose sender is not known yet: a stranger costs
// about what he sends, and not for long.
package httpbody

import (
	"io"
	"math"
	"net/http"
	"time"
)

// Timeout is how long a body may take to arrive. Meta's largest one, of 3 MB, takes a second or two
// on a slow line.
const Timeout = 30 * time.Second

// firstRead is how much room a body gets on the word of its Content-Length alone. It is what
// net/http sets aside for the connection anyway.
const firstRead = 4 << 10

// Read returns the body of r. The error is an [http.MaxBytesError] if it is larger than maxBytes;
// any other one means that it was cut short or took longer than [Timeout].
//
// The read deadline of the connection is Read's own, because a server without ReadTimeout would
// wait forever. When the body is complete there is none, as net/http keeps reading to notice that
// the client goes away, and a deadline that passed would end the context of a handler at work.
// After an error it stays: net/http waits for the rest of a refused body, too.
func Read(w http.ResponseWriter, r *http.Request, maxBytes int64) ([]byte, error) {
	done := Deadline(w)
	if r.ContentLength > maxBytes {
		return nil, &http.MaxBytesError{Limit: maxBytes}
	}
	body, err := read(r.Body, r.ContentLength, maxBytes)
	if err != nil {
		return nil, err
	}
	done()
	return body, nil
}

// Deadline gives the body of a request [Timeout] from now. Call done when all of it was read; a
// handler that refuses a request unread leaves the deadline in place. Where a middleware hides the
// connection from net/http, the server's ReadTimeout alone decides.
func Deadline(w http.ResponseWriter) (done func()) {
	control := http.NewResponseController(w)
	if err := control.SetReadDeadline(time.Now().Add(Timeout)); err != nil {
		return func() {}
	}
	return func() { _ = control.SetReadDeadline(time.Time{}) }
}

// read makes room as bytes come, so that it never holds more than four times what was sent: room
// for as much again, or for twice as much again if so much was announced, which is copied less
// often. length is what was announced, and only a hint: it is negative where nothing was, and a
// middleware can have put another body in place of the one that it was about.
func read(from io.Reader, length, maxBytes int64) ([]byte, error) {
	whole := int64(math.MaxInt64)
	if length >= 0 {
		whole = length + 1 // one more, so that a read finds the end and not a lack of room
	}
	body := make([]byte, 0, min(whole, firstRead))
	for {
		n, err := from.Read(body[len(body):cap(body)])
		body = body[:len(body)+n]
		switch {
		case int64(len(body)) > maxBytes:
			return nil, &http.MaxBytesError{Limit: maxBytes}
		case err == io.EOF:
			return body, nil
		case err != nil:
			return nil, err
		}
		if len(body) == cap(body) {
			room := 2 * int64(cap(body))
			if int64(len(body)) < length {
				room = min(3*int64(cap(body)), whole)
			}
			grown := make([]byte, len(body), room)
			copy(grown, body)
			body = grown
		}
	}
}
