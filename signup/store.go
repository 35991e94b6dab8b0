package signup

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// A Store keeps attempts, so that a signup survives a restart, and the process that answers /finish
// need not be the one that answered /begin. [MemStore] keeps them in memory; coexistence/sqlite and
// coexistence/postgres in a database (the method Signups of what they open).
//
// A Store knows nothing of what it keeps: a record is a few names and a ciphertext. It must be safe
// for concurrent use, and signuptest.TestStore says whether it keeps its promises.
type Store interface {
	// Get returns the record with an id, or [ErrNotFound].
	Get(ctx context.Context, id string) (Record, error)

	// Put stores r, with r.Version + 1, if what is stored under r.ID has r.Version now; a Version
	// of 0 means that nothing is stored. Else it returns [ErrConflict] and changes nothing. It
	// decides which process continues with a signup, so two of several Puts of one Version must
	// never both succeed.
	Put(ctx context.Context, r Record) error

	// Delete removes a record. That there is none is no error.
	Delete(ctx context.Context, id string) error

	// List returns the records of a tenant, or of all tenants if it is empty, the oldest first.
	List(ctx context.Context, tenant string) ([]Record, error)

	// DeleteExpired removes every record whose KeepUntil is not after now, and returns how many
	// there were. [Flow.StartAttempt] calls it now and then.
	DeleteExpired(ctx context.Context, now time.Time) (int, error)
}

// A Forgetter is a [Store] that forgets a number. [MemStore] is one, and so are those of
// coexistence/sqlite and coexistence/postgres, where coexistence.Tracker.Forget forgets signups,
// too; signuptest.TestStore checks what it promises.
type Forgetter interface {
	Store

	// Forget deletes the records of a number. One that is being worked on is lost to the process
	// that does, whose Put returns [ErrConflict]. It is idempotent.
	Forget(ctx context.Context, phone graph.PhoneNumberID) error
}

// A Record is the stored form of one attempt.
type Record struct {
	// ID is derived from the state of [Flow.StartAttempt]. Nothing can be submitted with it.
	ID string

	// Tenant is the tenant of the attempt.
	Tenant string

	// Version counts the changes, from 1. 0 if it was never stored. See [Store].Put.
	Version int64

	// BeganAt is when the attempt began. A Store sorts by it, and keeps it to the microsecond at
	// least.
	BeganAt time.Time

	// KeepUntil is when [Store].DeleteExpired may delete the record.
	KeepUntil time.Time

	// PhoneNumberID is the number that is signed up, once it is known: a [Forgetter] finds the
	// record by it.
	PhoneNumberID graph.PhoneNumberID

	// Ciphertext is the rest, encrypted with [Config].Cipher and bound to ID, Tenant and Version:
	// tokens are in it.
	Ciphertext []byte
}

// Errors of a Store, which its methods return as they are or wrapped.
var (
	// ErrNotFound is the error of Get for a record that does not exist.
	ErrNotFound = errors.New("signup: there is no such record")

	// ErrConflict is the error of Put when another process has stored a newer version.
	ErrConflict = errors.New("signup: the record was changed meanwhile")
)

// A MemStore keeps records in memory. It is empty and ready when zero, and good for one process: a
// restart forgets open signups, and those businesses start again. It is safe for concurrent use.
type MemStore struct {
	mu sync.Mutex
	m  map[string]Record // by ID; nil until the first Put
}

var _ Forgetter = (*MemStore)(nil)

// Get returns a record.
func (s *MemStore) Get(ctx context.Context, id string) (Record, error) {
	if err := ctx.Err(); err != nil {
		return Record{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	r, ok := s.m[id]
	if !ok {
		return Record{}, ErrNotFound
	}
	return r.clone(), nil
}

// Put stores a record that was not changed meanwhile.
func (s *MemStore) Put(ctx context.Context, r Record) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.m[r.ID].Version != r.Version {
		return ErrConflict
	}
	if s.m == nil {
		s.m = map[string]Record{}
	}
	r = r.clone()
	r.Version++
	s.m[r.ID] = r
	return nil
}

// Delete removes a record.
func (s *MemStore) Delete(ctx context.Context, id string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.m, id)
	return nil
}

// List returns the records of a tenant.
func (s *MemStore) List(ctx context.Context, tenant string) ([]Record, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var records []Record
	for _, r := range s.m {
		if tenant == "" || r.Tenant == tenant {
			records = append(records, r.clone())
		}
	}
	slices.SortFunc(records, func(a, b Record) int {
		if c := a.BeganAt.Compare(b.BeganAt); c != 0 {
			return c
		}
		return strings.Compare(a.ID, b.ID)
	})
	return records, nil
}

// DeleteExpired removes records whose KeepUntil is over.
func (s *MemStore) DeleteExpired(ctx context.Context, now time.Time) (int, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	before := len(s.m)
	for id, r := range s.m {
		if !r.KeepUntil.After(now) {
			delete(s.m, id)
		}
	}
	return before - len(s.m), nil
}

// Forget implements [Forgetter].
func (s *MemStore) Forget(ctx context.Context, phone graph.PhoneNumberID) error {
	if err := errors.Join(ctx.Err(), checkForgotten(phone)); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	maps.DeleteFunc(s.m, func(_ string, r Record) bool { return r.PhoneNumberID == phone })
	return nil
}

// checkForgotten keeps a missing number from standing for all records whose number is not known.
func checkForgotten(phone graph.PhoneNumberID) error {
	if phone == "" {
		return errors.New("signup: Forget needs the id of a number")
	}
	return nil
}

// clone keeps a caller from writing into what is stored.
func (r Record) clone() Record {
	r.Ciphertext = slices.Clone(r.Ciphertext)
	return r
}
