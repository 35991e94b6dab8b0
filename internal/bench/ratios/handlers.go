//go:build unix

package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/bench/payload"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

// serveHandlers is the measured process. It prints its address and serves until its input ends.
func serveHandlers() error {
	endpoint, err := webhook.NewEndpoint(
		webhook.Config{AppSecret: secret, VerifyToken: "a token"}, webhook.Dispatch(webhook.HandlerFunc(walk)))
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.Handle("/ours", endpoint)
	mux.HandleFunc("/verify", usual(func([]byte) {}))
	mux.HandleFunc("/v1", usual(func(body []byte) { must(json.Unmarshal(body, new(payload.Delivery))) }))
	mux.HandleFunc("/cpu", func(w http.ResponseWriter, _ *http.Request) {
		var usage syscall.Rusage
		must(syscall.Getrusage(syscall.RUSAGE_SELF, &usage))
		_, _ = fmt.Fprint(w, usage.Utime.Nano()+usage.Stime.Nano())
	})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println(listener.Addr())
	server := &http.Server{Handler: mux, ReadHeaderTimeout: time.Minute}
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		_ = server.Close()
	}()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// usual is the handler one would write: a body from a pool, an HMAC from a pool, and then decode.
func usual(decode func([]byte)) http.HandlerFunc {
	bodies := sync.Pool{New: func() any { return new([]byte) }}
	return func(w http.ResponseWriter, r *http.Request) {
		buf := bodies.Get().(*[]byte)
		defer bodies.Put(buf)
		if n := int(r.ContentLength); cap(*buf) < n {
			*buf = make([]byte, n)
		}
		body := (*buf)[:r.ContentLength]
		if _, err := io.ReadFull(r.Body, body); err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		if webhook.Verify(body, r.Header.Get(webhook.SignatureHeader), secret) != nil {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		decode(body)
		w.WriteHeader(http.StatusOK)
	}
}

// handlers measures processor time per request of handlers in a process of their own.
func handlers(r *report) error {
	if !r.wants("P14", "P15") {
		return nil
	}
	server, err := startServer()
	if err != nil {
		return err
	}
	defer server.stop()
	small, err := server.measure(payload.Text(), 4000, 8, 8, "/verify", "/ours", "/v1")
	if err != nil {
		return err
	}
	r.atLeast("P14", "handler, one text: only read and verify / ours", small[0]/small[1], 0.8, 0.88)
	r.atLeast("P15", "handler, one text: read, verify, v1 / ours", small[2]/small[1], 1.6, 1.9)
	large, err := server.measure(payload.History(3000, 40), 24, 2, 8, "/verify", "/ours", "/v1")
	if err != nil {
		return err
	}
	r.info("     handler, 1 MB history: only read and verify / ours", large[0]/large[1])
	r.atLeast("P15", "handler, 1 MB history: read, verify, v1 / ours", large[2]/large[1], 4, 5)
	return nil
}

// A server is the measured process.
type server struct {
	addr  string
	stdin io.Closer
	cmd   *exec.Cmd
}

func startServer() (*server, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(self, "-serve")
	cmd.Env = append(os.Environ(), "GOMAXPROCS=1")
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	addr, err := bufio.NewReader(stdout).ReadString('\n')
	s := &server{strings.TrimSpace(addr), stdin, cmd}
	if err != nil {
		s.stop()
		return nil, err
	}
	return s, nil
}

func (s *server) stop() {
	_ = s.stdin.Close()
	_ = s.cmd.Wait()
}

// measure posts body to the paths in turn, from several connections that are kept open, and returns the smallest
// processor time per request of each.
func (s *server) measure(body []byte, requests, conns, rounds int, paths ...string) ([]float64, error) {
	best := make([]float64, len(paths))
	for range rounds {
		for i, path := range paths {
			before, err := s.cpu()
			if err != nil {
				return nil, err
			}
			if err := s.load(path, body, requests/conns, conns); err != nil {
				return nil, err
			}
			after, err := s.cpu()
			if err != nil {
				return nil, err
			}
			if took := (after - before) / float64(requests); best[i] == 0 || took < best[i] {
				best[i] = took
			}
		}
	}
	return best, nil
}

// cpu returns the processor time that the server has used, in nanoseconds.
func (s *server) cpu() (float64, error) {
	resp, err := http.Get("http://" + s.addr + "/cpu")
	if err != nil {
		return 0, err
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return 0, err
	}
	return strconv.ParseFloat(string(text), 64)
}

func (s *server) load(path string, body []byte, requests, conns int) error {
	request := fmt.Appendf(nil, "POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n%s: %s\r\nContent-Length: %d\r\n\r\n%s",
		path, webhook.SignatureHeader, webhook.Sign(secret, body), len(body), body)
	errs := make([]error, conns)
	var wg sync.WaitGroup
	for i := range conns {
		wg.Go(func() { errs[i] = post(s.addr, request, requests) })
	}
	wg.Wait()
	return errors.Join(errs...)
}

func post(addr string, request []byte, times int) error {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	in := bufio.NewReader(conn)
	for range times {
		if _, err := conn.Write(request); err != nil {
			return err
		}
		resp, err := http.ReadResponse(in, nil)
		if err != nil {
			return err
		}
		_, _ = io.Copy(io.Discard, resp.Body)
		if resp.StatusCode != http.StatusOK {
			return fmt.Errorf("a handler answered %s", resp.Status)
		}
	}
	return nil
}
