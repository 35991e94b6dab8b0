//go:build unix

package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// conns is how many connections Meta posts over.
const conns = 64

// A sender posts requests over several connections.
type sender struct {
	addr string
	make func(n int) []byte // the n-th request

	// rate is how many requests a second are due: an open loop, which goes on whether the host
	// keeps up or not. If 0, each connection posts the next request as soon as the last one is
	// acknowledged: a closed loop.
	rate float64

	due []time.Time // by request: when it was due, or, in a closed loop, when it was posted
}

// run posts n requests, or fewer if ctx ends before, and returns how many were acknowledged.
func (s *sender) run(ctx context.Context, n, connections int) (int, error) {
	s.due = make([]time.Time, n)
	var next, acknowledged atomic.Int64
	var all sync.WaitGroup
	errs := make([]error, connections)
	begin := time.Now()
	for c := range connections {
		all.Go(func() {
			errs[c] = s.connection(ctx, func() int {
				i := int(next.Add(1)) - 1
				if i >= n {
					return -1
				}
				s.due[i] = time.Now()
				if s.rate > 0 {
					s.due[i] = begin.Add(time.Duration(float64(i) / s.rate * float64(time.Second)))
					select {
					case <-ctx.Done():
					case <-time.After(time.Until(s.due[i])):
					}
				}
				if ctx.Err() != nil {
					return -1
				}
				return i
			}, &acknowledged)
		})
	}
	all.Wait()
	return int(acknowledged.Load()), errors.Join(errs...)
}

// connection posts one request after the other until take returns none, which is negative. It is a
// cheap client: it looks for a status and the end of the headers.
func (s *sender) connection(ctx context.Context, take func() int, acknowledged *atomic.Int64) error {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", s.addr)
	if err != nil {
		return err
	}
	defer conn.Close()
	r := bufio.NewReader(conn)
	for i := take(); i >= 0; i = take() {
		if _, err := conn.Write(s.make(i)); err != nil {
			return err
		}
		status, err := r.ReadString('\n')
		if err != nil {
			return err
		}
		if !strings.HasPrefix(status, "HTTP/1.1 200") {
			return fmt.Errorf("the endpoint answered %q", status)
		}
		for line := []byte{0}; len(bytes.TrimSpace(line)) > 0; {
			if line, err = r.ReadSlice('\n'); err != nil {
				return err
			}
		}
		acknowledged.Add(1)
	}
	return nil
}
