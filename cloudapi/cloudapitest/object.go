package cloudapitest

import (
	"slices"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/memento"
)

// An object is a node of the graph that belongs to a number or an account: a file, a template, a
// Flow.
type object struct {
	id    string
	kind  kind
	phone *phone // nil if it belongs to an account
	waba  *waba  // nil if it belongs to a number
	value stored // a pointer to the type that belongs to the kind
}

// A stored value is what an object is.
type stored interface {
	// keep puts the value into a snapshot.
	keep(snap *memento.Memento)
}

// put adds an object under its id. The caller must hold s.mu.
func (s *Server) put(o *object) {
	s.objects = append(s.objects, o)
}

// object finds an object by its id, or returns nil. Ids of all kinds are different, as Meta's are.
func (s *Server) object(id string) *object {
	for _, o := range s.objects {
		if o.id == id {
			return o
		}
	}
	return nil
}

// drop removes an object.
func (s *Server) drop(id string) {
	s.objects = slices.DeleteFunc(s.objects, func(o *object) bool { return o.id == id })
}

// valueOf returns what the call's object is. The route's kind has made sure of the type.
func valueOf[T any](c *call) *T {
	v, _ := any(c.object.value).(*T)
	return v
}

// all returns the objects of a kind, in the order in which they were made.
func all[T any](s *Server, k kind, keep func(*object) bool) []*T {
	var list []*T
	for _, o := range s.objects {
		if o.kind == k && keep(o) {
			if v, ok := any(o.value).(*T); ok {
				list = append(list, v)
			}
		}
	}
	return list
}

// loadObject finds the object that a path names, and checks the token's right to it. An object out
// of reach does not exist. One without an owner, such as an upload, is open to every token.
func (s *Server) loadObject(c *call) *graphError {
	c.object = s.object(c.id)
	switch {
	case c.object == nil:
		return notFound(c.method, c.id)
	case c.object.phone != nil:
		c.phone = c.object.phone
		if !c.token.reaches(c.phone.WABAs...) || s.lost(c.phone) {
			return notFound(c.method, c.id)
		}
	case c.object.waba != nil:
		c.waba = c.object.waba
		if !c.token.reaches(c.waba.ID) || c.waba.lost {
			return notFound(c.method, c.id)
		}
	}
	return nil
}
