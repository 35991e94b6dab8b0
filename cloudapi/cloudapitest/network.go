package cloudapitest

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"
)

// A Network carries HTTP between programs of one process without sockets. It is for bubbles of
// testing/synctest, in which the clock stands still while a goroutine waits for a socket: over a
// Network a week of repeats takes milliseconds. Make it inside the bubble. The zero Network is
// ready to use.
//
//	synctest.Test(t, func(t *testing.T) {
//		network := new(cloudapitest.Network)
//		srv := cloudapitest.NewServer(cloudapitest.Config{Network: network})
//		defer srv.Close()
//		client, err := cloudapi.NewClient(srv.ClientConfig())
//		…
//	})
type Network struct {
	mu    sync.Mutex
	hosts map[string]*pipeListener
}

// Listen returns a listener for a host name that is made up, such as "host.test": http://host.test
// leads there. What listened under the name before is reached no more.
func (n *Network) Listen(host string) net.Listener {
	l := &pipeListener{network: n, host: host, conns: make(chan net.Conn), closed: make(chan struct{})}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.hosts == nil {
		n.hosts = map[string]*pipeListener{}
	}
	n.hosts[host] = l
	return l
}

// Client returns a client that reaches the hosts of the network and nothing else. It keeps no
// connections and follows no redirects.
func (n *Network) Client() *http.Client {
	return &http.Client{
		Timeout:       time.Minute,
		Transport:     &http.Transport{DialContext: n.dial, DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// errNoListener is what a connection to a name gets that leads nowhere.
var errNoListener = errors.New("cloudapitest: no server listens under that name")

// dial connects to a host of the network. Ports do not matter.
func (n *Network) dial(ctx context.Context, _, address string) (net.Conn, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		host = address
	}
	n.mu.Lock()
	l := n.hosts[strings.ToLower(host)]
	n.mu.Unlock()
	if l == nil {
		return nil, errNoListener
	}
	here, there := net.Pipe()
	select {
	case l.conns <- there:
		return here, nil
	case <-l.closed:
	case <-ctx.Done():
	}
	_, _ = here.Close(), there.Close()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return nil, errNoListener
}

// A pipeListener accepts what is dialed to one host.
type pipeListener struct {
	network *Network
	host    string
	conns   chan net.Conn
	closed  chan struct{}
	once    sync.Once
}

// Accept implements [net.Listener].
func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

// Close implements [net.Listener]. It frees the name, unless another listener has taken it since.
func (l *pipeListener) Close() error {
	l.once.Do(func() {
		close(l.closed)
		l.network.mu.Lock()
		defer l.network.mu.Unlock()
		if l.network.hosts[l.host] == l {
			delete(l.network.hosts, l.host)
		}
	})
	return nil
}

// Addr implements [net.Listener].
func (l *pipeListener) Addr() net.Addr { return pipeAddr(l.host) }

// A pipeAddr is the name of a host.
type pipeAddr string

func (pipeAddr) Network() string  { return "pipe" }
func (a pipeAddr) String() string { return string(a) }
