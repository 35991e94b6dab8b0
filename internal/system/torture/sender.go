package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"net/textproto"
	"strconv"
	"strings"
	"sync"
	"time"
)

// A caller posts over one connection, which it makes again when it breaks. It is a cheap client: it
// writes bytes that are there, and reads no more of the answer than it has to.
type caller struct {
	addr    string
	timeout time.Duration
	conn    net.Conn
	r       *bufio.Reader
}

func (c *caller) close() {
	if c.conn != nil {
		_ = c.conn.Close()
		c.conn = nil
	}
}

// post sends a request and returns the status of the answer. After an error the connection is
// closed; the next call makes another one.
func (c *caller) post(request []byte) (status int, err error) {
	defer func() {
		if err != nil {
			c.close()
		}
	}()
	if c.conn == nil {
		if c.conn, err = net.DialTimeout("tcp", c.addr, c.timeout); err != nil {
			return 0, err
		}
		c.r = bufio.NewReader(c.conn)
	}
	if err := c.conn.SetDeadline(time.Now().Add(c.timeout)); err != nil {
		return 0, err
	}
	if _, err := c.conn.Write(request); err != nil {
		return 0, err
	}
	line, err := c.r.ReadString('\n')
	if err != nil {
		return 0, err
	}
	_, rest, _ := strings.Cut(line, " ")
	if status, err = strconv.Atoi(rest[:min(3, len(rest))]); err != nil {
		return 0, fmt.Errorf("answered %q", line)
	}
	length, closes := 0, false
	for {
		line, err := c.r.ReadSlice('\n')
		if err != nil {
			return 0, err
		}
		if line = bytes.TrimSpace(line); len(line) == 0 {
			break
		}
		name, value, _ := strings.Cut(string(line), ":")
		switch textproto.CanonicalMIMEHeaderKey(name) {
		case "Content-Length":
			if length, err = strconv.Atoi(strings.TrimSpace(value)); err != nil {
				return 0, err
			}
		case "Connection":
			closes = strings.TrimSpace(value) == "close"
		}
	}
	if _, err := c.r.Discard(length); err != nil {
		return 0, err
	}
	if closes {
		c.close()
	}
	return status, nil
}

// A generator sends what a plan says, like Meta: many at once, again what was not answered with
// 200, later and in another order.
type generator struct {
	plan plan
	addr string

	begin   time.Time
	timeout time.Duration // of an answer

	mu       sync.Mutex
	changed  *sync.Cond // of anything below
	random   *rand.Rand
	allowed  int   // how many deliveries may have been begun
	wanted   int   // how many there will be
	next     int   // the first delivery that was not begun
	again    []int // deliveries that were begun and not accepted
	accepted int
	refused  int  // answers other than 200
	odd      int  // of these, other than 503
	broken   int  // no answer
	over     bool // no more is wanted

	// For each message, when it was first sent and when it was first accepted, since begin. 0 is
	// never.
	sent, acked []time.Duration
}

func newGenerator(p plan, addr string) *generator {
	g := &generator{
		plan: p, addr: addr, begin: time.Now(), timeout: 5 * time.Second, random: p.random(5, 0), wanted: p.deliveries,
		sent: make([]time.Duration, p.messages()), acked: make([]time.Duration, p.messages()),
	}
	g.changed = sync.NewCond(&g.mu)
	return g
}

// run sends over so many connections until all is accepted, or stop was called.
func (g *generator) run(connections int) {
	var all sync.WaitGroup
	for range connections {
		all.Go(func() {
			c := caller{addr: g.addr, timeout: g.timeout}
			defer c.close()
			for {
				i, ok := g.take()
				if !ok {
					return
				}
				if !g.send(&c, i) {
					time.Sleep(time.Duration(1+i%8) * time.Millisecond) // Meta does not come back at once either
				}
			}
		})
	}
	all.Wait()
}

// take returns the number of the next delivery, or of one that was not accepted, by chance; it
// waits while neither may be sent. It returns false when all is accepted, or nothing more is
// wanted.
func (g *generator) take() (i int, ok bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for {
		fresh := g.next < min(g.allowed, g.wanted)
		switch {
		case g.over || g.accepted == g.wanted:
			return 0, false
		case len(g.again) > 0 && (!fresh || g.random.IntN(2) == 0):
			k := g.random.IntN(len(g.again))
			i, g.again[k] = g.again[k], g.again[len(g.again)-1]
			g.again = g.again[:len(g.again)-1]
			return i, true
		case fresh:
			g.next++
			return g.next - 1, true
		}
		g.changed.Wait()
	}
}

// send posts a delivery, and notes when its messages were first sent and first accepted. A delivery
// that was not accepted comes again, in another order.
func (g *generator) send(c *caller, i int) bool {
	d := g.plan.parcel(i)
	post := request(g.plan.body(d))
	g.mark(g.sent, d)
	status, err := c.post(post)
	if status == 200 {
		g.mark(g.acked, d)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	defer g.changed.Broadcast()
	switch {
	case status == 200:
		g.accepted++
		return true
	case err != nil:
		g.broken++
	default:
		g.refused++
		if status != 503 {
			g.odd++
		}
	}
	g.again = append(g.again, i)
	return false
}

// mark notes now for the messages that have no time yet.
func (g *generator) mark(times []time.Duration, d parcel) {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := time.Since(g.begin)
	for _, m := range d.messages {
		if times[m] == 0 {
			times[m] = now
		}
	}
}

// allow lets n deliveries in all be begun.
func (g *generator) allow(n int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.allowed = max(g.allowed, n)
	g.changed.Broadcast()
}

// enough makes what was allowed so far the whole plan.
func (g *generator) enough() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.wanted = min(g.allowed, g.wanted)
	g.changed.Broadcast()
}

// stop lets run end, whatever is missing.
func (g *generator) stop() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.over = true
	g.changed.Broadcast()
}

// reach waits until n deliveries are accepted.
func (g *generator) reach(ctx context.Context, n int) error {
	return g.until(ctx, func() bool { return g.accepted >= min(n, g.wanted) })
}

// until waits until a condition holds, which is asked with the lock held, or until no delivery was
// accepted for waitTimeout.
func (g *generator) until(ctx context.Context, holds func() bool) error {
	ctx, giveUp := context.WithCancelCause(ctx)
	defer giveUp(nil)
	idle := time.AfterFunc(waitTimeout, func() { giveUp(errNoChange) })
	defer idle.Stop()
	defer context.AfterFunc(ctx, func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		g.changed.Broadcast()
	})()
	g.mu.Lock()
	defer g.mu.Unlock()
	for before := g.accepted; !holds(); {
		if ctx.Err() != nil {
			return fmt.Errorf("%w, with %d of %d deliveries accepted (%d may be sent), %d refused and %d not answered",
				context.Cause(ctx), g.accepted, g.wanted, g.allowed, g.refused, g.broken)
		}
		if g.accepted != before {
			before = g.accepted
			idle.Reset(waitTimeout)
		}
		g.changed.Wait()
	}
	return nil
}

// counts are those so far.
func (g *generator) counts() (accepted, refused, broken int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.accepted, g.refused, g.broken
}
