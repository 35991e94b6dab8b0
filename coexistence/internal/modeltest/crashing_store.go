package modeltest

import (
	"context"
	"errors"
	"sync"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence"
)

var errCrashed = errors.New("modeltest: the process has crashed")

// A crashingStore is a store as one process of the host sees it. The process crashes within a call,
// before the call has an effect or after it, and nothing that it calls from then on has any. A
// crashed store stays crashed: the next process has a crashingStore of its own over the same store.
type crashingStore struct {
	coexistence.Store // whose listings do not crash: no tracker calls them but in Run and ReconcileAll

	onCrash func() // called once, in a goroutine of its own

	mu      sync.Mutex
	calls   int  // how many are left until the crash; 0 is never
	before  bool // the call that crashes has no effect
	crashed bool
}

var _ coexistence.Store = (*crashingStore)(nil)

// crashAfter makes the process crash within its n-th call from now. 0 takes that back.
func (s *crashingStore) crashAfter(n int, before bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls, s.before = n, before
}

func (s *crashingStore) hasCrashed() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.crashed
}

// call makes one call of the store, unless the process has crashed or crashes before it. A call
// that was under way when the process crashed, in this goroutine or another, has its effect and no
// answer: it could as well have been answered to nothing.
func call[T any](s *crashingStore, fn func() (T, error)) (T, error) {
	var none T
	last, err := s.begin()
	if err != nil {
		return none, err
	}
	result, err := fn()
	return result, s.end(last, err)
}

// begin counts a call. last says that the process crashes once it is made.
func (s *crashingStore) begin() (last bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.crashed {
		return false, errCrashed
	}
	if s.calls == 0 {
		return false, nil
	}
	if s.calls--; s.calls > 0 {
		return false, nil
	}
	if s.before {
		s.crash()
		return false, errCrashed
	}
	return true, nil
}

// end returns what the process learns of a call: err, or that it has crashed.
func (s *crashingStore) end(last bool, err error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if last {
		s.crash()
	}
	if s.crashed {
		return errCrashed
	}
	return err
}

// crash ends the process. The caller must hold s.mu.
func (s *crashingStore) crash() {
	if !s.crashed {
		s.crashed = true
		go s.onCrash()
	}
}

func (s *crashingStore) UpdateNumber(
	ctx context.Context, phone graph.PhoneNumberID, fn func(coexistence.Number) (coexistence.Number, error),
) (coexistence.Number, error) {
	return call(s, func() (coexistence.Number, error) { return s.Store.UpdateNumber(ctx, phone, fn) })
}

func (s *crashingStore) Number(ctx context.Context, phone graph.PhoneNumberID) (coexistence.Number, error) {
	return call(s, func() (coexistence.Number, error) { return s.Store.Number(ctx, phone) })
}

func (s *crashingStore) NumbersByWABA(ctx context.Context, waba graph.WABAID) ([]coexistence.Number, error) {
	return call(s, func() ([]coexistence.Number, error) { return s.Store.NumbersByWABA(ctx, waba) })
}

func (s *crashingStore) UpdateMessages(
	ctx context.Context, phone graph.PhoneNumberID, ids []graph.MessageID, fn func(*coexistence.Message),
) error {
	_, err := call(s, func() (none struct{}, err error) { return none, s.Store.UpdateMessages(ctx, phone, ids, fn) })
	return err
}

func (s *crashingStore) Message(
	ctx context.Context, phone graph.PhoneNumberID, id graph.MessageID,
) (coexistence.Message, error) {
	return call(s, func() (coexistence.Message, error) { return s.Store.Message(ctx, phone, id) })
}

func (s *crashingStore) Conversation(
	ctx context.Context, phone graph.PhoneNumberID, key string,
) (coexistence.Conversation, error) {
	return call(s, func() (coexistence.Conversation, error) { return s.Store.Conversation(ctx, phone, key) })
}

func (s *crashingStore) UpdateContact(
	ctx context.Context, phone graph.PhoneNumberID, aliases []string, fn func(*coexistence.Contact),
) (coexistence.Contact, error) {
	return call(s, func() (coexistence.Contact, error) { return s.Store.UpdateContact(ctx, phone, aliases, fn) })
}

func (s *crashingStore) Contact(
	ctx context.Context, phone graph.PhoneNumberID, who graph.Identity,
) (coexistence.Contact, error) {
	return call(s, func() (coexistence.Contact, error) { return s.Store.Contact(ctx, phone, who) })
}

// A batchStore is a crashingStore that changes many contacts and messages in one call.
type batchStore struct {
	*crashingStore
	batches coexistence.BatchStore
}

var _ coexistence.BatchStore = batchStore{}

func (s batchStore) UpdateBatch(
	ctx context.Context, contacts []coexistence.ContactChange, messages []coexistence.MessageChange,
) ([]coexistence.Contact, []coexistence.Conversation, error) {
	var list []coexistence.Conversation
	stored, err := call(s.crashingStore, func() (stored []coexistence.Contact, err error) {
		stored, list, err = s.batches.UpdateBatch(ctx, contacts, messages)
		return stored, err
	})
	return stored, list, err
}

func (s *crashingStore) UpdateThread(
	ctx context.Context, phone graph.PhoneNumberID, person string, fn func(*coexistence.ThreadRecord),
) error {
	_, err := call(s, func() (none struct{}, err error) { return none, s.Store.UpdateThread(ctx, phone, person, fn) })
	return err
}

func (s *crashingStore) Threads(
	ctx context.Context, phone graph.PhoneNumberID, aliases []string,
) ([]coexistence.ThreadRecord, error) {
	return call(s, func() ([]coexistence.ThreadRecord, error) { return s.Store.Threads(ctx, phone, aliases) })
}
