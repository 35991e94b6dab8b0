package coexistencetest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/cloudapitest"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/memento"
)

// A Snapshot is a world as it was: see [World.Snapshot].
type Snapshot struct {
	// At is the world's time then.
	At time.Time

	// Phones, Customers and Messages count what there was, Deliveries the POSTs so far. Waiting is
	// how many changes and POSTs the host did not have yet.
	Phones, Customers, Messages int
	Deliveries, Waiting         int

	world   *World
	graph   *cloudapitest.Snapshot
	memento memento.Memento
}

// Snapshot returns the world as it is, for [World.Restore]: set up once, and restore before each
// test. It holds phones with their chats and address books, customers, responders, popups with the
// screen that they show, templates, tokens, the host's subscriptions and calls, faults, deliveries
// that are made or wait, how they travel, the clock, and the source of ids and chance. It holds
// neither [World.Evidence] nor hooks of [World.Graph], which belong to the test. It stays in the
// memory of this process.
//
// What is under way cannot be kept: Snapshot lets no further delivery begin, and waits until the
// host has answered those that are under way and its calls of the Graph API are carried out. The
// error says what is still under way when ctx ends, or that the world is closed. A webhook handler
// of the host that waits for Snapshot is itself such a delivery.
func (w *World) Snapshot(ctx context.Context) (*Snapshot, error) {
	var s *Snapshot
	err := w.whileQuiet(ctx, func() error {
		graph, err := w.graph.Snapshot()
		if err != nil {
			return err
		}
		s = &Snapshot{At: graph.At, world: w, graph: graph}
		s.take()
		return nil
	})
	return s, err
}

// Restore makes the world what it was at a snapshot of it, as often as wanted. The same acts then
// have the same results, ids and webhooks included: what came since has never been. The clock
// stands at [Snapshot].At and runs on, so that the world may be behind the host's own clock. What
// waited to be delivered waits again, for the callback that the host had then.
//
// A [Phone], [Customer], [Responder] or [Popup] that was there at the snapshot is good as before; a
// popup shows its page of then once it is asked, as by [Popup.Screen]. Those that came later are
// gone from the world, and of no use any more.
//
// It waits for what is under way and fails as [World.Snapshot] does, and fails for a snapshot of
// another world; nothing is changed then. What the host itself has stored is its own to reset.
func (w *World) Restore(ctx context.Context, s *Snapshot) error {
	if s.world != w {
		return errors.New("coexistencetest: the snapshot is of another world")
	}
	return w.whileQuiet(ctx, func() error {
		if err := w.graph.Restore(s.graph); err != nil {
			return err
		}
		for _, p := range w.phones {
			p.stopIdleTimer() // also of those that are gone now
		}
		s.memento.Restore()
		w.startTimers()
		return nil
	})
}

// whileQuiet calls fn with the locks of the world and of the dispatcher held, at a moment when no
// delivery is under way. fn looks whether a call of the Graph API is, by a call that returns
// ErrCallsUnderWay then, and is called again once there is none. Calls cannot be held back, since
// one may be made by the host to answer what is waited for.
func (w *World) whileQuiet(ctx context.Context, fn func() error) error {
	if err := w.dispatcher.hold(ctx); err != nil {
		return err
	}
	defer w.dispatcher.release()
	for {
		if err := w.graph.WaitIdle(ctx); err != nil {
			return fmt.Errorf("coexistencetest: %w", err)
		}
		if err := w.locked(fn); !errors.Is(err, cloudapitest.ErrCallsUnderWay) {
			return err
		}
	}
}

// locked calls fn with the locks of the world and of the dispatcher held.
func (w *World) locked(fn func() error) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.dispatcher.mu.Lock()
	defer w.dispatcher.mu.Unlock()
	return fn()
}

// startTimers starts what waits for a time of the world: deliveries, reviews of templates, and the
// disconnection of phones that are not used. A timer of what was undone finds nothing to do. The
// caller must hold the locks of the world and of the dispatcher.
func (w *World) startTimers() {
	now, c := w.Now(), w.dispatcher
	for _, ch := range c.queue {
		c.wake(ch.due.Sub(now))
	}
	for _, p := range c.retries {
		c.wake(p.due.Sub(now))
	}
	for _, r := range w.reviews {
		time.AfterFunc(r.due.Sub(now), w.review)
	}
	for _, p := range w.phones {
		if !p.usedAt.IsZero() {
			p.startIdleTimer(p.usedAt.Add(idleLimit).Sub(now))
		}
	}
}

// take keeps everything that changes: states with their lists, and each thing that they point to.
// Bytes are never changed in place, and are shared. The caller must hold the locks of the world and
// of the dispatcher.
//
// TestARestoredWorldIsAsItWas changes all that can be reached, and fails for a member that is
// missing here.
func (s *Snapshot) take() {
	w, c, m := s.world, s.world.dispatcher, &s.memento
	memento.Keep(m, &w.worldState, worldState.clone)
	memento.Keep(m, w.source, memento.Plain)
	for _, d := range w.popups {
		memento.Keep(m, d, memento.Plain)
	}
	for _, p := range w.phones {
		s.takePhone(p)
	}
	memento.Keep(m, &c.dispatcherState, dispatcherState.clone)
	memento.Keep(m, c.source, memento.Plain)
	for _, p := range c.posts { // those of retries are among them
		memento.Keep(m, p, post.clone)
	}
	s.Phones, s.Deliveries, s.Waiting = len(w.phones), c.packed, len(c.queue)+len(c.retries)
}

// takePhone keeps a phone with its people and chats.
func (s *Snapshot) takePhone(p *Phone) {
	m := &s.memento
	memento.Keep(m, &p.phoneState, phoneState.clone)
	for _, r := range p.responders {
		memento.Keep(m, &r.events, slices.Clone)
	}
	for _, c := range p.customers {
		memento.Keep(m, &c.cfg, memento.Plain)
		memento.Keep(m, c.chat, chat.clone)
		for _, msg := range c.chat.messages {
			memento.Keep(m, msg, message.clone)
		}
		s.Messages += len(c.chat.messages)
	}
	s.Customers += len(p.customers)
}

// clone copies the lists. What their entries point to is kept by its own.
func (s worldState) clone() worldState {
	s.phones, s.popups, s.seeded = slices.Clone(s.phones), maps.Clone(s.popups), maps.Clone(s.seeded)
	s.live, s.reviews = slices.Clone(s.live), slices.Clone(s.reviews)
	return s
}

func (s phoneState) clone() phoneState {
	s.wabas, s.customers, s.byID = slices.Clone(s.wabas), slices.Clone(s.customers), maps.Clone(s.byID)
	s.contacts, s.responders = slices.Clone(s.contacts), slices.Clone(s.responders)
	return s
}

func (c chat) clone() chat {
	c.messages = slices.Clone(c.messages)
	return c
}

func (m message) clone() message {
	m.reactions = maps.Clone(m.reactions)
	return m
}

func (s dispatcherState) clone() dispatcherState {
	s.queue, s.retries, s.posts = slices.Clone(s.queue), slices.Clone(s.retries), slices.Clone(s.posts)
	s.suppressed = slices.Clone(s.suppressed)
	return s
}

func (p post) clone() post {
	p.changes, p.attempts = slices.Clone(p.changes), slices.Clone(p.attempts)
	return p
}
