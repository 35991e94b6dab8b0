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
	"runtime"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/bench/payload"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

// serveHandlers is the measured process. It prints its address and serves until its input ends, so
// that it does not outlive the one that started it.
func serveHandlers() error {
	mux := http.NewServeMux()
	// The history is the same in every request, so nothing may drop repeats of it.
	for path, recv := range map[string]webhook.Receiver{
		"/ours":     webhook.Dispatch(webhook.HandlerFunc(walk)),
		"/ours/all": webhook.DispatchAll(webhook.HandlerFunc(walk)),
	} {
		endpoint, err := webhook.NewEndpoint(webhook.Config{AppSecret: secret, VerifyToken: "a token"}, recv)
		if err != nil {
			return err
		}
		mux.Handle(path, endpoint)
	}
	mux.HandleFunc("/empty", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) })
	mux.HandleFunc("/verify", pooled(func([]byte) {}))
	mux.HandleFunc("/v1", pooled(func(body []byte) { must(json.Unmarshal(body, new(payload.Delivery))) }))
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

// pooled is the handler that one would write with care: a body from a pool, the signature, and then
// decode. It has no limit for the body and no logging, which favors it.
func pooled(decode func([]byte)) http.HandlerFunc {
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

// A server is the measured process.
type server struct {
	addr  string
	stdin io.Closer
	cmd   *exec.Cmd
}

// startServer starts the measured process on the first core, and waits for its address.
func startServer() (*server, error) {
	cmd, err := again(0, "-serve")
	if err != nil {
		return nil, err
	}
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

// again is this program in another process, on one thread, and on that core where the system lets
// it be chosen: server and load on one core would measure each other.
func again(core int, args ...string) (*exec.Cmd, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(self, args...)
	if pin, err := exec.LookPath("taskset"); err == nil && runtime.NumCPU() > core {
		cmd = exec.Command(pin, append([]string{"-c", strconv.Itoa(core), self}, args...)...)
	}
	cmd.Env = append(os.Environ(), "GOMAXPROCS=1")
	cmd.Stderr = os.Stderr
	return cmd, nil
}
