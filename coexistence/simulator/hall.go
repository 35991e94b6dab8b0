package main

import (
	"errors"
	"net"
	"sync"
	"time"
)

// A hall is an address that outlives the worlds behind it: a world that is made again takes the
// connections from where the one before has left. What comes in between waits.
type hall struct {
	listener net.Listener
	doors    []net.Listener // all of them, that one included
	conns    chan net.Conn
	done     chan struct{}
}

// openHall listens on an address.
func openHall(address string) (*hall, error) {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return nil, err
	}
	h := &hall{listener: l, conns: make(chan net.Conn), done: make(chan struct{})}
	h.open(l)
	return h, nil
}

// open lets connections in by another door, such as one with TLS.
func (h *hall) open(l net.Listener) {
	h.doors = append(h.doors, l)
	go h.accept(l)
}

// accept hands each connection to the world that is there, until the hall is closed.
func (h *hall) accept(l net.Listener) {
	for {
		c, err := l.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil { // such as too many open files, which passes
			time.Sleep(10 * time.Millisecond)
			continue
		}
		select {
		case h.conns <- c:
		case <-h.done:
			_ = c.Close()
			return
		}
	}
}

// close ends the hall.
func (h *hall) close() {
	close(h.done)
	for _, l := range h.doors {
		_ = l.Close()
	}
}

// listen returns a listener for one world. To close it does not free the address.
func (h *hall) listen() net.Listener {
	r := &room{hall: h, done: make(chan struct{})}
	r.end = sync.OnceFunc(func() { close(r.done) })
	return r
}

// A room is the listener of one world.
type room struct {
	hall *hall
	done chan struct{}
	end  func()
}

// Accept waits for a connection, and fails once the room or the hall is closed.
func (r *room) Accept() (net.Conn, error) {
	select {
	case <-r.done:
		return nil, net.ErrClosed
	default:
	}
	select {
	case c := <-r.hall.conns:
		return c, nil
	case <-r.done:
	case <-r.hall.done:
	}
	return nil, net.ErrClosed
}

// Close leaves further connections to the next room.
func (r *room) Close() error {
	r.end()
	return nil
}

// Addr is that of the hall.
func (r *room) Addr() net.Addr { return r.hall.listener.Addr() }
