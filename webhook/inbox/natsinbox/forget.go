package natsinbox

import (
	"context"
	"slices"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/inbox"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/inbox/internal/queue"
)

// An erased is what is forgotten of a number: lanes, or all of it.
type erased struct {
	Number graph.PhoneNumberID `json:"number"`
	Lanes  []string            `json:"lanes,omitempty"`
}

// A replaced is a delivery whose body is stored again, because something was taken out of it, or
// out of another body in the same message.
type replaced struct {
	ID       queue.ID `json:"id"`
	Old      []part   `json:"old"`
	New      []part   `json:"new"`
	Redacted bool     `json:"redacted,omitzero"`
	Split    bool     `json:"split,omitzero"` // what a redacted one was taken for
}

// replace puts a body in place of another, unless the delivery is gone, or a redacted one was
// claimed or split meanwhile. The parts that are not needed then are released.
func (m *machine) replace(r replaced) result {
	m.bodies.arrive(r.New)
	d, ok := m.queue.Body(r.ID)
	if !ok || !slices.Equal(m.bodies.parts[r.ID], r.Old) || r.Redacted && (d.Leased || d.Split != r.Split) {
		m.bodies.release(r.New)
		return result{}
	}
	m.bodies.parts[r.ID] = r.New
	m.bodies.release(r.Old)
	size := 0
	for _, p := range r.New {
		size += p.Size
	}
	m.queue.Resize(r.ID, size)
	return result{n: 1}
}

// Forget implements [inbox.Forgetter]. Bodies share messages of the stream, so what is in a message
// with one that is redacted is stored again as well, and the message is deleted. The server
// overwrites it before Forget returns, on each server that keeps the stream. What was handled
// before is not overwritten: see the package documentation for how long it can be read from files.
// The log names the number and hashes of lanes until the second snapshot from then.
func (s *Store) Forget(ctx context.Context, e inbox.Erasure) (busy bool, err error) {
	busy, err = s.forget(ctx, e)
	if err == nil {
		err = s.bodies.erase(ctx)
	}
	return busy, err
}

// forget is Forget but for what the server overwrites.
func (s *Store) forget(ctx context.Context, e inbox.Erasure) (busy bool, err error) {
	if err := s.usable(ctx); err != nil {
		return false, err
	}
	res, err := s.writer.do(ctx, command{Erase: &erased{e.PhoneNumberID, e.Lanes}})
	if err != nil {
		return false, err
	}
	busy = res.n > 0
	if err := s.current(ctx); err != nil {
		return false, err
	}
	s.mu.Lock()
	bodies := s.machine.queue.Bodies()
	parts := map[queue.ID][]part{}
	for _, d := range bodies {
		parts[d.ID] = slices.Clone(s.machine.bodies.parts[d.ID])
	}
	s.mu.Unlock()
	moved := map[uint64]bool{} // messages out of which something was taken
	done := map[queue.ID]bool{}
	for _, d := range bodies {
		list, err := s.bodies.load(ctx, [][]part{parts[d.ID]})
		if err != nil {
			return false, err
		}
		rest, changed := e.Redact(list[0], d.Split)
		if !changed {
			continue
		}
		if d.Leased {
			busy = true
			continue
		}
		ok, err := s.replaceBody(ctx, rest, replaced{ID: d.ID, Old: parts[d.ID], Redacted: true, Split: d.Split})
		if err != nil {
			return false, err
		}
		busy = busy || !ok
		done[d.ID] = true
		for _, p := range parts[d.ID] {
			moved[p.Seq] = true
		}
	}
	for _, d := range bodies {
		if done[d.ID] || !slices.ContainsFunc(parts[d.ID], func(p part) bool { return moved[p.Seq] }) {
			continue
		}
		list, err := s.bodies.load(ctx, [][]part{parts[d.ID]})
		if err == nil {
			_, err = s.replaceBody(ctx, list[0], replaced{ID: d.ID, Old: parts[d.ID]})
		}
		if err != nil {
			return false, err
		}
	}
	return busy, nil
}

// replaceBody stores a body, and puts it in place of the old one. It reports whether it could.
func (s *Store) replaceBody(ctx context.Context, body []byte, r replaced) (bool, error) {
	parts, err := s.bodies.store(ctx, [][]byte{slices.Clone(body)}, true)
	if err != nil {
		return false, err
	}
	r.New = parts[0]
	res, err := s.writer.do(ctx, command{Replace: &r})
	return res.n > 0, err
}
