package cloudapitest

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/memento"
)

// A Snapshot is a server as it was: see [Server.Snapshot].
type Snapshot struct {
	// At is the server's time then.
	At time.Time

	server  *Server
	memento memento.Memento
}

// ErrCallsUnderWay is the error of [Server.Snapshot] and [Server.Restore] while a call is being
// carried out: half of what it does would be kept or undone. Wait with [Server.WaitIdle].
var ErrCallsUnderWay = errors.New("cloudapitest: calls of the Graph API are under way; wait with Server.WaitIdle")

// Snapshot returns the server as it is, for [Server.Restore]: objects, tokens, codes, accepted
// messages, the request log, faults, the clock, and the source of ids and chance. Hooks and
// handlers are not part of it. It stays in memory of this process, and costs a copy of what is
// there.
//
// It returns [ErrCallsUnderWay] while a call is carried out, its hooks included. An answer that is
// merely late is carried out.
func (s *Server) Snapshot() (*Snapshot, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.underWay > 0 {
		return nil, ErrCallsUnderWay
	}
	snap := &Snapshot{At: s.now(), server: s}
	s.keep(&snap.memento)
	return snap, nil
}

// Restore makes the server what it was at a snapshot of it: what came since is forgotten, and the
// next ids and tokens are those that came next then. The clock stands at [Snapshot].At and runs on.
// A snapshot may be restored any number of times, and in any order with others.
//
// It returns [ErrCallsUnderWay] as [Server.Snapshot] does, and an error for a snapshot of another
// server; nothing is changed then.
func (s *Server) Restore(snap *Snapshot) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case snap.server != s:
		return errors.New("cloudapitest: the snapshot is of another server")
	case s.underWay > 0:
		return ErrCallsUnderWay
	}
	snap.memento.Restore()
	s.advanced = snap.At.Sub(s.clock())
	return nil
}

// WaitIdle blocks until no call is under way. The error says how many are, because ctx ended. A
// hook is part of a call: one that waits would wait for itself.
func (s *Server) WaitIdle(ctx context.Context) error {
	stop := context.AfterFunc(ctx, func() {
		s.mu.Lock() // so that none is between its look and its sleep
		defer s.mu.Unlock()
		s.idle.Broadcast()
	})
	defer stop()
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.underWay > 0 {
		if ctx.Err() != nil {
			return fmt.Errorf("cloudapitest: %d calls of the Graph API are under way: %w", s.underWay,
				context.Cause(ctx))
		}
		s.idle.Wait()
	}
	return nil
}
