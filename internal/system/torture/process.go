package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"sync"
	"time"
)

// A socket is where the deliveries go. It outlives the processes that serve it: they inherit it,
// and what arrives while none is there waits.
type socket struct {
	listener *net.TCPListener
	file     *os.File
}

// newSocket listens on a free port.
func newSocket() (*socket, error) {
	l, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		return nil, err
	}
	file, err := l.File()
	if err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return &socket{l, file}, nil
}

func (s *socket) addr() string { return s.listener.Addr().String() }

func (s *socket) close() { _, _ = s.file.Close(), s.listener.Close() }

// A process is a child: a host that can be killed.
type process struct {
	cmd     *exec.Cmd
	stdin   io.WriteCloser // for commands
	reports chan report    // answers
	ended   chan struct{}  // closed when the process has ended

	mu     sync.Mutex
	stderr bytes.Buffer // the beginning of what it said
}

// spawn starts a child that serves the socket. It need not be ready when spawn returns.
func spawn(s *socket, o order) (*process, error) {
	text, err := json.Marshal(o)
	if err != nil {
		return nil, err
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	p := &process{cmd: exec.Command(self), reports: make(chan report, 16), ended: make(chan struct{})}
	p.cmd.Env = append(os.Environ(), childEnv+"="+string(text))
	p.cmd.ExtraFiles = []*os.File{s.file}
	p.cmd.Stderr = p
	if p.stdin, err = p.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		lines := bufio.NewScanner(out)
		for lines.Scan() {
			var r report
			if json.Unmarshal(lines.Bytes(), &r) == nil {
				p.reports <- r
			}
		}
		_ = p.cmd.Wait()
		close(p.ended)
	}()
	return p, nil
}

// Write takes what the child says on its standard error. The beginning is enough.
func (p *process) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.stderr.Len() < 1<<14 {
		p.stderr.Write(b)
	}
	return len(b), nil
}

// said is the beginning of what the child has written on its standard error.
func (p *process) said() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.stderr.String()
}

// kill ends the child at whatever it is.
func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	mustEnd("a child", p.ended)
}

// ready waits until the child serves.
func (p *process) ready(ctx context.Context) error {
	_, err := p.report(ctx, "ready")
	return err
}

// ask has the child obey a command. A child that does not answer is an error, in the end.
func (p *process) ask(ctx context.Context, command string) (report, error) {
	if _, err := io.WriteString(p.stdin, command+"\n"); err != nil {
		return report{}, fmt.Errorf("a child has ended: %s", p.said())
	}
	return p.report(ctx, command)
}

// report waits for the answer to a command.
func (p *process) report(ctx context.Context, command string) (report, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, waitTimeout, errNoChange)
	defer cancel()
	for {
		select {
		case r := <-p.reports:
			if r.Command == "ready" && command != "ready" {
				continue
			}
			if r.Error != "" {
				return r, errors.New(r.Error)
			}
			return r, nil
		case <-p.ended:
			if len(p.reports) > 0 {
				continue // the last thing that it said
			}
			return report{}, fmt.Errorf("a child has ended (%v): %s", p.cmd.ProcessState, p.said())
		case <-ctx.Done():
			return report{}, fmt.Errorf(
				"waiting for a child that was told %q: %w; it said: %s", command, context.Cause(ctx), p.said(),
			)
		}
	}
}

// end has the child shut down, and waits for its process. One that fails is killed.
func (p *process) end(ctx context.Context) (report, error) {
	r, err := p.ask(ctx, "end")
	if err != nil {
		p.kill()
		return r, err
	}
	select {
	case <-p.ended:
		return r, nil
	case <-time.After(waitTimeout):
		p.kill()
		return r, fmt.Errorf("%w: a child has shut down, and does not end", errNoChange)
	}
}
