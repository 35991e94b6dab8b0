//go:build unix

package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"syscall"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

// sendRequests is the process that loads a server. It prints a line for each round: how many requests a second each of the
// paths answered, one after the other.
func sendRequests(addr string, paths []string, l load) error {
	conns := make([]*connection, l.conns)
	for i := range conns {
		var err error
		if conns[i], err = dial(addr); err != nil {
			return err
		}
	}
	body := bodies[l.in]()
	signature := webhook.Sign(secret, body)
	requests := make([][]byte, len(paths))
	for i, path := range paths {
		requests[i] = fmt.Appendf(nil, "POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n%s: %s\r\nContent-Length: %d\r\n\r\n%s",
			path, webhook.SignatureHeader, signature, len(body), body)
	}
	for range l.rounds {
		for _, request := range requests {
			rate, err := send(conns, request, l.window)
			if err != nil {
				return err
			}
			fmt.Print(rate, " ")
		}
		fmt.Println()
	}
	return nil
}

// send posts the request over all connections, again and again for that long, and returns how many were answered in a second.
//
// It does as little for a request as it can, because it must be faster than every handler. And it never sleeps, but asks one
// connection after the other: to wake it would be work of the server's core, and more than some of the handlers are.
func send(conns []*connection, request []byte, window time.Duration) (rate float64, err error) {
	for _, c := range conns {
		c.left = request
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
			if c.left = request; time.Since(start) > window {
				c.left = nil
				busy--
			}
		}
	}
	return float64(answers) / time.Since(start).Seconds(), nil
}

// A connection sends one request at a time.
type connection struct {
	conn   syscall.RawConn
	left   []byte // what is to be sent of the request
	wait   bool   // for the answer
	answer [1024]byte
	n      int // how much of it is there
}

func dial(addr string) (*connection, error) {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return nil, err
	}
	raw, err := conn.(*net.TCPConn).SyscallConn()
	return &connection{conn: raw}, err
}

var answered, answerEnd = []byte("HTTP/1.1 200 OK\r\n"), []byte("\r\nContent-Length: 0\r\n\r\n")

// step sends or reads as much as it can without waiting, and reports whether that completed an answer.
func (c *connection) step() (bool, error) {
	if len(c.left) > 0 {
		n, err := atOnce(c.conn.Write, syscall.Write, c.left)
		c.left = c.left[n:]
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
func atOnce(with func(func(fd uintptr) bool) error, do func(fd int, b []byte) (int, error), b []byte) (n int, err error) {
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
