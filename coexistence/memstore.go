package coexistence

import (
	"cmp"
	"context"
	"iter"
	"maps"
	"reflect"
	"slices"
	"strings"
	"sync"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// A MemStore is a [Store] in memory, for tests, demonstrations and hosts that can afford to lose
// everything when they stop. The zero MemStore is ready to use. It must not be copied.
type MemStore struct {
	mu      sync.RWMutex
	numbers map[graph.PhoneNumberID]*memNumber
}

var _ Store = (*MemStore)(nil)

// A memNumber is what is stored about one number. Stored values are replaced and never changed in
// place, so that a reader may go on with what it found after the lock is gone. persons has the
// messages by what they are filed under; contacts has each contact under every alias.
type memNumber struct {
	state    *Number
	messages map[graph.MessageID]*Message
	persons  map[string]map[graph.MessageID]*Message
	contacts map[string]*Contact // by alias
}

// number returns the number's data, which is made if there is none. The caller must hold s.mu for
// writing.
func (s *MemStore) number(phone graph.PhoneNumberID) *memNumber {
	n := s.numbers[phone]
	if n == nil {
		n = &memNumber{
			messages: map[graph.MessageID]*Message{}, persons: map[string]map[graph.MessageID]*Message{},
			contacts: map[string]*Contact{},
		}
		if s.numbers == nil {
			s.numbers = map[graph.PhoneNumberID]*memNumber{}
		}
		s.numbers[phone] = n
	}
	return n
}

// UpdateNumber implements [NumberStore]. It holds the lock while fn runs, so fn must not use the
// store.
func (s *MemStore) UpdateNumber(
	ctx context.Context, phone graph.PhoneNumberID, fn func(Number) (Number, error),
) (Number, error) {
	if err := ctx.Err(); err != nil {
		return Number{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	old := Number{PhoneNumberID: phone}
	if n := s.numbers[phone]; n != nil && n.state != nil {
		old = *n.state
	}
	st, err := fn(old.Clone())
	if err != nil {
		return Number{}, err
	}
	st.PhoneNumberID, st.Version = phone, old.Version
	if reflect.DeepEqual(st, old) {
		return st, nil
	}
	st.Version++
	s.number(phone).state = new(st.Clone())
	return st, nil
}

// Number implements [NumberStore].
func (s *MemStore) Number(ctx context.Context, phone graph.PhoneNumberID) (Number, error) {
	if err := ctx.Err(); err != nil {
		return Number{}, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	if n := s.numbers[phone]; n != nil && n.state != nil {
		return n.state.Clone(), nil
	}
	return Number{}, ErrNotFound
}

// Numbers implements [NumberStore].
func (s *MemStore) Numbers(ctx context.Context) iter.Seq2[Number, error] {
	return func(yield func(Number, error) bool) {
		if err := ctx.Err(); err != nil {
			yield(Number{}, err)
			return
		}
		s.mu.RLock()
		var list []*Number
		for _, n := range s.numbers {
			if n.state != nil {
				list = append(list, n.state)
			}
		}
		s.mu.RUnlock()
		slices.SortFunc(list, func(a, b *Number) int { return cmp.Compare(a.PhoneNumberID, b.PhoneNumberID) })
		for _, st := range list {
			if !yield(st.Clone(), nil) {
				return
			}
		}
	}
}

// NumbersByWABA implements [NumberStore].
func (s *MemStore) NumbersByWABA(ctx context.Context, waba graph.WABAID) ([]Number, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	var found []Number
	for _, n := range s.numbers {
		if n.state != nil && waba != "" && (n.state.WABAID == waba || slices.Contains(n.state.WABAs, waba)) {
			found = append(found, n.state.Clone())
		}
	}
	slices.SortFunc(found, func(a, b Number) int {
		return strings.Compare(string(a.PhoneNumberID), string(b.PhoneNumberID))
	})
	return found, nil
}

// UpdateContact implements [ContactStore]. It holds the lock while fn runs, so fn must not use the
// store. A contact that ends up without aliases is not kept.
func (s *MemStore) UpdateContact(
	ctx context.Context, phone graph.PhoneNumberID, aliases []string, fn func(*Contact),
) (Contact, error) {
	if err := ctx.Err(); err != nil {
		return Contact{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	n := s.number(phone)
	merged := Contact{PhoneNumberID: phone}
	var found []*Contact
	for _, a := range aliases {
		if c := n.contacts[a]; c != nil && !slices.Contains(found, c) {
			found = append(found, c)
			if len(found) == 1 {
				merged = c.Clone()
			} else {
				merged = merged.Merge(*c)
			}
		}
	}
	fn(&merged)
	for _, c := range found {
		for _, a := range c.Aliases {
			delete(n.contacts, a)
		}
	}
	stored := merged.Clone()
	for _, a := range stored.Aliases {
		n.contacts[a] = &stored
	}
	return merged, nil
}

// Contact implements [ContactStore].
func (s *MemStore) Contact(ctx context.Context, phone graph.PhoneNumberID, who graph.Identity) (Contact, error) {
	if err := ctx.Err(); err != nil {
		return Contact{}, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	if n := s.numbers[phone]; n != nil {
		for _, a := range Aliases(who) {
			if c := n.contacts[a]; c != nil {
				return c.Clone(), nil
			}
		}
	}
	return Contact{}, ErrNotFound
}

// Contacts implements [ContactStore].
func (s *MemStore) Contacts(ctx context.Context, phone graph.PhoneNumberID) iter.Seq2[Contact, error] {
	return func(yield func(Contact, error) bool) {
		if err := ctx.Err(); err != nil {
			yield(Contact{}, err)
			return
		}
		s.mu.RLock()
		distinct := map[*Contact]bool{}
		if n := s.numbers[phone]; n != nil {
			for _, c := range n.contacts {
				distinct[c] = true
			}
		}
		s.mu.RUnlock()
		for _, c := range slices.SortedFunc(maps.Keys(distinct),
			func(a, b *Contact) int { return strings.Compare(a.Key, b.Key) }) {
			if !yield(c.Clone(), nil) {
				return
			}
		}
	}
}
