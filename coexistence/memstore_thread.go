package coexistence

import (
	"context"
	"slices"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// UpdateThread implements [ThreadStore]. It holds the lock while fn runs, so fn must not use the
// store.
func (s *MemStore) UpdateThread(
	ctx context.Context, phone graph.PhoneNumberID, person string, fn func(*ThreadRecord),
) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	n := s.number(phone)
	r, stored := n.threads[person]
	r.PhoneNumberID, r.Person = phone, person
	fn(&r)
	r.PhoneNumberID, r.Person = phone, person
	if !stored && !s.forgotten.of(phone, []string{person}).KeepThread(r) {
		return nil
	}
	if n.threads == nil {
		n.threads = map[string]ThreadRecord{}
	}
	n.threads[person] = r
	return nil
}

// Threads implements [ThreadStore].
func (s *MemStore) Threads(
	ctx context.Context, phone graph.PhoneNumberID, aliases []string,
) ([]ThreadRecord, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	var list []ThreadRecord
	if n := s.numbers[phone]; n != nil {
		for _, alias := range slices.Compact(slices.Sorted(slices.Values(aliases))) {
			if r, ok := n.threads[alias]; ok {
				list = append(list, r)
			}
		}
	}
	return list, nil
}
