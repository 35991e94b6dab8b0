//go:build unix

package main

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"net"
	"strconv"
	"syscall"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

// sendRequests is the process that loads a server. It prints a line for each round: how many
// requests a second each of the paths answered, one after the other.
func sendRequests(addr string, paths []string, l load) error {
	conns := make([]*connection, l.conns)
	for i := range conns {
		var err error
		if conns[i], err = dial(addr); err != nil {
			return err
		}
	}
	body := bodies[l.in]()
	posts := make([]*post, len(paths))
	for i, path := range paths {
		posts[i] = newPost(path, body, l)
	}
	// The paths take turns within a round, so that each ratio of a round is one of neighbors in
	// time.
	for range l.rounds {
		for _, p := range posts {
			p.refresh() // not measured
			rate, err := send(conns, p, l.window)
			if err != nil {
				return err
			}
			fmt.Print(rate, " ")
		}
		fmt.Println()
	}
	return nil
}

// A post holds the requests of one path. Where the body has one message, each request has another,
// or handlers that deduplicate would have nothing to do. All are written before they are sent, in
// time that is not measured.
type post struct {
	requests [][]byte
	next     int
	id       int // where the digits stand that tell messages apart; 0 if all requests are the same
	sum      int // where the signature stands
	body     int // where the body begins
	mac      hash.Hash
	messages uint64
}

// fastest is less than any handler takes for a small body.
const fastest = 3 * time.Microsecond

// newPost writes the requests of one path for as long as a window can last. The signature and the
// id of the message stand at fixed places, to be changed there.
func newPost(path string, body []byte, l load) *post {
	request := fmt.Appendf(nil, "POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"+
		"%s: %s\r\nContent-Length: %d\r\n\r\n%s",
		path, webhook.SignatureHeader, webhook.Sign(secret, body), len(body), body)
	p := &post{mac: hmac.New(sha256.New, []byte(secret)), body: len(request) - len(body)}
	p.sum = bytes.Index(request, []byte("sha256=")) + len("sha256=")
	// A history is the same each time: its handler does not deduplicate. See serveHandlers.
	n := 1
	if l.in == "text" {
		n = int(l.window/fastest) + l.conns
		p.id = bytes.Index(request, []byte("wamid.")) + len("wamid.")
	}
	for range n {
		p.requests = append(p.requests, bytes.Clone(request))
	}
	return p
}

// refresh gives each request a message that was not sent before.
func (p *post) refresh() {
	p.next = 0
	if p.id == 0 {
		return
	}
	for _, request := range p.requests {
		p.messages++
		digits := strconv.AppendUint(nil, 1e15+p.messages, 10) // 16 digits, so that all are as long
		copy(request[p.id:], digits)
		p.mac.Reset()
		p.mac.Write(request[p.body:])
		hex.Encode(request[p.sum:], p.mac.Sum(nil))
	}
}

// take returns the next request.
func (p *post) take() []byte {
	request := p.requests[p.next%len(p.requests)]
	p.next++
	return request
}

// send posts requests over all connections, again and again for that long, and returns how many
// were answered in a second.
//
// It does as little for a request as it can, because it must be faster than every handler. And it
// never sleeps, but asks one connection after the other: to wake it would be work of the server's
// core, and more than some of the handlers are.
func send(conns []*connection, p *post, window time.Duration) (rate float64, err error) {
	for _, c := range conns {
		c.unsent = p.take()
	}
	answers, busy, start := 0, len(conns), time.Now()
	for busy > 0 {
		for _, c := range conns {
			answered, err := c.step()
			if err != nil {
				return 0, err
			}
			if !answered {
				continue
			}
			answers++
			if time.Since(start) > window {
				busy--
				continue
			}
			c.unsent = p.take()
		}
	}
	return float64(answers) / time.Since(start).Seconds(), nil
}

// A connection sends one request at a time.
type connection struct {
	conn   syscall.RawConn
	unsent []byte // what is still to be sent of the request
	wait   bool   // for the answer
	answer [1024]byte
	n      int // how much of it is there
}

// dial connects to the server. The socket is used as the system has it, below Go's poller.
func dial(addr string) (*connection, error) {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return nil, err
	}
	raw, err := conn.(*net.TCPConn).SyscallConn()
	return &connection{conn: raw}, err
}

// An answer without a body begins and ends so; net/http writes nothing behind it.
var answered, answerEnd = []byte("HTTP/1.1 200 OK\r\n"), []byte("\r\nContent-Length: 0\r\n\r\n")

// step sends or reads as much as it can without waiting, and reports whether that completed an
// answer.
func (c *connection) step() (bool, error) {
	if len(c.unsent) > 0 {
		n, err := atOnce(c.conn.Write, syscall.Write, c.unsent)
		c.unsent = c.unsent[n:]
		c.wait = true
		return false, err
	}
	if !c.wait {
		return false, nil
	}
	n, err := atOnce(c.conn.Read, syscall.Read, c.answer[c.n:])
	c.n += n
	got := c.answer[:c.n]
	switch {
	case err != nil || !bytes.HasSuffix(got, answerEnd):
		return false, err
	case !bytes.HasPrefix(got, answered):
		return false, fmt.Errorf("a handler answered %.40q", got)
	}
	c.n, c.wait = 0, false
	return true, nil
}

// atOnce is a read or write of a socket that does not wait: n is 0 if it had to.
func atOnce(
	with func(func(fd uintptr) bool) error, do func(fd int, b []byte) (int, error), b []byte,
) (n int, err error) {
	outer := with(func(fd uintptr) bool {
		n, err = do(int(fd), b)
		return true
	})
	switch {
	case errors.Is(err, syscall.EAGAIN):
		return 0, nil
	case err == nil && n == 0:
		err = io.ErrUnexpectedEOF
	}
	return max(n, 0), errors.Join(outer, err)
}
