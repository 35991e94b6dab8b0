//go:build unix

package main

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

// runClient sends requests from a process of its own, and returns how many there were and how many each second.
func runClient(addr, path string, l load) (requests int, rate float64, err error) {
	cmd, err := again(1, "-load", "-addr", addr, "-path", path, "-in", l.in, "-conns", fmt.Sprint(l.conns), "-window", l.window.String())
	if err != nil {
		return 0, 0, err
	}
	out, err := cmd.Output()
	if err != nil {
		return 0, 0, err
	}
	_, err = fmt.Sscan(string(out), &requests, &rate)
	return requests, rate, err
}

// sendRequests is that process. It does as little for a request as it can, because it must be faster than every handler: the
// request is written as it lies ready, and of the answer only the first line and the end are looked at.
func sendRequests(addr, path string, l load) error {
	body := bodies[l.in]()
	request := fmt.Appendf(nil, "POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n%s: %s\r\nContent-Length: %d\r\n\r\n%s",
		path, webhook.SignatureHeader, webhook.Sign(secret, body), len(body), body)
	var (
		wg    sync.WaitGroup
		done  atomic.Int64
		errs  = make([]error, l.conns)
		start = time.Now()
		end   = start.Add(l.window)
	)
	for i := range l.conns {
		wg.Go(func() { errs[i] = post(addr, request, end, &done) })
	}
	wg.Wait()
	took := time.Since(start)
	fmt.Println(done.Load(), float64(done.Load())/took.Seconds())
	return errors.Join(errs...)
}

var answered, answerEnd = []byte("HTTP/1.1 200 OK\r\n"), []byte("\r\nContent-Length: 0\r\n\r\n")

// post sends the request again and again until the end, the next one when the answer to the one before is there.
func post(addr string, request []byte, end time.Time, done *atomic.Int64) error {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	var answer [1024]byte
	for time.Now().Before(end) {
		if _, err := conn.Write(request); err != nil {
			return err
		}
		n := 0
		for !bytes.HasSuffix(answer[:n], answerEnd) {
			more, err := conn.Read(answer[n:])
			if err != nil {
				return err
			}
			n += more
		}
		if !bytes.HasPrefix(answer[:n], answered) {
			return fmt.Errorf("a handler answered %.40q", answer[:n])
		}
		done.Add(1)
	}
	return nil
}
