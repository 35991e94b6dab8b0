package cloudapitest

import (
	"maps"
	"slices"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/memento"
)

// keep puts everything that changes into a snapshot: the state with its lists, and each thing that
// they point to. Bytes are never changed in place, and are shared. The caller must hold s.mu.
//
// TestARestoredServerIsAsItWas changes all that can be reached, and fails for a member that is
// missing here.
func (s *Server) keep(snap *memento.Memento) {
	memento.Keep(snap, &s.state, state.clone)
	memento.Keep(snap, s.source, memento.Plain)
	if s.chaos != nil {
		memento.Keep(snap, s.chaos.source, memento.Plain)
	}
	for _, b := range s.businesses {
		memento.Keep(snap, b, memento.Plain)
	}
	for _, w := range s.wabas {
		memento.Keep(snap, w, waba.clone)
	}
	for _, p := range s.phones {
		memento.Keep(snap, p, phone.clone)
		if p.state != nil {
			memento.Keep(snap, p.state, phoneState.clone)
		}
	}
	for _, o := range s.objects {
		memento.Keep(snap, o, memento.Plain)
		o.value.keep(snap)
	}
	for _, t := range s.tokens {
		memento.Keep(snap, t, Token.clone)
	}
	for _, c := range s.codes {
		memento.Keep(snap, c, code.clone)
	}
	for _, f := range s.faults {
		memento.Keep(snap, f, memento.Plain)
	}
	for _, b := range s.budgets {
		memento.Keep(snap, b, memento.Plain)
	}
}

// clone copies the lists. What their entries point to is kept by its own.
func (s state) clone() state {
	s.calls = slices.Clone(s.calls)
	s.appSubscriptions = slices.Clone(s.appSubscriptions)
	for i := range s.appSubscriptions {
		s.appSubscriptions[i].Fields = slices.Clone(s.appSubscriptions[i].Fields)
	}
	s.businesses, s.wabas, s.phones = slices.Clone(s.businesses), slices.Clone(s.wabas), slices.Clone(s.phones)
	s.objects, s.users = slices.Clone(s.objects), slices.Clone(s.users)
	s.handles, s.tokens, s.codes = maps.Clone(s.handles), maps.Clone(s.tokens), maps.Clone(s.codes)
	s.sent, s.reads, s.requests = slices.Clone(s.sent), slices.Clone(s.reads), slices.Clone(s.requests)
	s.faults, s.budgets = slices.Clone(s.faults), maps.Clone(s.budgets)
	return s
}

func (w waba) clone() waba {
	w.users, w.activities = slices.Clone(w.users), slices.Clone(w.activities)
	for i := range w.users {
		w.users[i].tasks = slices.Clone(w.users[i].tasks)
	}
	w.deletedTemplates = maps.Clone(w.deletedTemplates)
	return w
}

func (p phone) clone() phone {
	p.WABAs, p.routing.Roles = slices.Clone(p.WABAs), slices.Clone(p.routing.Roles)
	p.synced, p.windows, p.received = maps.Clone(p.synced), maps.Clone(p.windows), maps.Clone(p.received)
	p.threads, p.registers = maps.Clone(p.threads), slices.Clone(p.registers)
	return p
}

func (p phoneState) clone() phoneState {
	p.profile, p.settings = maps.Clone(p.profile), maps.Clone(p.settings)
	p.blocked, p.callable = slices.Clone(p.blocked), maps.Clone(p.callable)
	return p
}

func (t Token) clone() Token {
	t.Scopes, t.WABAs = slices.Clone(t.Scopes), slices.Clone(t.WABAs)
	return t
}

func (c code) clone() code {
	c.Token = c.Token.clone()
	return c
}

// What objects are.

func (t *Template) keep(snap *memento.Memento)   { memento.Keep(snap, t, memento.Deep) }
func (m *Media) keep(snap *memento.Memento)      { memento.Keep(snap, m, memento.Plain) }
func (v *Call) keep(snap *memento.Memento)       { memento.Keep(snap, v, memento.Plain) }
func (q *qrCode) keep(snap *memento.Memento)     { memento.Keep(snap, q, memento.Plain) }
func (l *creditLine) keep(snap *memento.Memento) { memento.Keep(snap, l, memento.Plain) }
func (a *allocation) keep(snap *memento.Memento) { memento.Keep(snap, a, memento.Plain) }

func (u *upload) keep(snap *memento.Memento) {
	memento.Keep(snap, u, func(u upload) upload {
		u.body = slices.Clone(u.body) // bytes are appended to it
		return u
	})
}

func (f *flow) keep(snap *memento.Memento) {
	memento.Keep(snap, f, func(f flow) flow {
		f.problems = slices.Clone(f.problems)
		return f
	})
}

func (g *templateGroup) keep(snap *memento.Memento) {
	memento.Keep(snap, g, func(g templateGroup) templateGroup {
		g.templates = slices.Clone(g.templates)
		return g
	})
}

func (g *group) keep(snap *memento.Memento) {
	memento.Keep(snap, g, func(g group) group {
		g.Participants, g.requests = slices.Clone(g.Participants), slices.Clone(g.requests)
		g.joined, g.left = slices.Clone(g.joined), slices.Clone(g.left)
		return g
	})
}
