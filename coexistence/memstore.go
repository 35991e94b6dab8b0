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
	mu        sync.RWMutex
	numbers   map[graph.PhoneNumberID]*memNumber
	lastID    int64 // of a conversation
	forgotten memTombstones
}

var (
	_ BatchStore = (*MemStore)(nil)
	_ Forgetter  = (*MemStore)(nil)
)

// A memNumber is what is stored about one number. Stored values are replaced and never changed in
// place, so that a reader may continue with what it found after the lock is gone; the lists of
// conversations are copied.
type memNumber struct {
	phone    graph.PhoneNumberID
	state    *Number
	messages map[graph.MessageID]*Message
	aliases  map[string]*memConversation
	threads  map[string]ThreadRecord

	// conversations has each under its ID and under its former ones.
	conversations map[string]*memConversation
}

// number returns the number's data, which is made if there is none. The caller must hold s.mu for
// writing.
func (s *MemStore) number(phone graph.PhoneNumberID) *memNumber {
	n := s.numbers[phone]
	if n == nil {
		n = &memNumber{
			phone:    phone,
			messages: map[graph.MessageID]*Message{}, aliases: map[string]*memConversation{},
			conversations: map[string]*memConversation{},
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
	stored := false
	if n := s.numbers[phone]; n != nil && n.state != nil {
		old, stored = *n.state, true
	}
	st, err := fn(old.Clone())
	if err != nil {
		return Number{}, err
	}
	st.PhoneNumberID, st.Version = phone, old.Version
	if reflect.DeepEqual(st, old) {
		return st, nil
	}
	if !stored && s.forgotten.of(phone, nil).Number.Equal(Always) {
		if st.Cycle == 0 {
			return st, nil
		}
		delete(s.forgotten.until, s.forgotten.key.Number(phone))
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
	changed := memPeople{forgotten: &s.forgotten}
	one := changed.apply(s.number(phone), ContactChange{phone, aliases, fn})
	s.storePeople(changed)
	return one.contact.Clone(), nil
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
			if c := n.aliases[a]; c != nil && c.contact != nil {
				return c.contact.Clone(), nil
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
			for _, c := range n.conversations {
				if c.contact != nil {
					distinct[c.contact] = true
				}
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
