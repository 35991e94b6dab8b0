package pgtest

import (
	"errors"
	"io"
	"net"
	"net/url"
	"sync"
)

// A Proxy stands between a test and the server. It can go silent as a pooler that hangs does, or a
// network that drops packets: connections stay open and bring nothing.
type Proxy struct {
	listener net.Listener
	server   string

	mu     sync.Mutex
	silent bool
	lines  []*line
}

// A line is one connection through the proxy.
type line struct {
	near, far net.Conn
	silenced  chan struct{}
	once      sync.Once
}

// NewProxy listens in front of the server of a URL, and returns the URL that leads through it.
func NewProxy(address string) (p *Proxy, through string, err error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, "", errors.New("this is not a URL")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, "", err
	}
	p = &Proxy{listener: l, server: u.Host}
	go p.serve()
	u.Host = l.Addr().String()
	return p, u.String(), nil
}

// Silence makes all connections that are open bring nothing any more. With fresh, so do those that
// are made after.
func (p *Proxy) Silence(fresh bool) (connections int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.silent = fresh
	for _, l := range p.lines {
		l.silence()
	}
	connections = len(p.lines)
	p.lines = nil
	return connections
}

// Speak lets fresh connections through again.
func (p *Proxy) Speak() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.silent = false
}

// Close ends the proxy.
func (p *Proxy) Close() error { return p.listener.Close() }

func (p *Proxy) serve() {
	for {
		near, err := p.listener.Accept()
		if err != nil {
			return
		}
		far, err := net.Dial("tcp", p.server)
		if err != nil {
			_ = near.Close()
			continue
		}
		l := &line{near: near, far: far, silenced: make(chan struct{})}
		p.mu.Lock()
		if p.silent {
			l.silence()
		} else {
			p.lines = append(p.lines, l)
		}
		p.mu.Unlock()
		go l.pass(near, far)
		go l.pass(far, near)
	}
}

func (l *line) silence() { l.once.Do(func() { close(l.silenced) }) }

// pass passes on what comes, until the line is silenced: then it takes what comes and drops it.
func (l *line) pass(from, to net.Conn) {
	buf := make([]byte, 32<<10)
	for {
		n, err := from.Read(buf)
		select {
		case <-l.silenced:
			if err == nil {
				continue
			}
		default:
			if n > 0 {
				_, _ = to.Write(buf[:n]) // if it is gone, from ends too
			}
		}
		if err != nil {
			if !errors.Is(err, io.EOF) {
				_ = from.Close()
			}
			_ = to.Close()
			return
		}
	}
}
