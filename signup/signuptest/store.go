// Package signuptest tests stores of WhatsApp signups: it holds the contract of signup.Store, as a
// function that any test can call.
//
//	func TestMyStore(t *testing.T) {
//		open := func(ctx context.Context) (signup.Store, error) { return openMyStore(ctx, dir) }
//		if err := signuptest.TestStore(t.Context(), open); err != nil {
//			t.Fatal(err)
//		}
//	}
//
// Guide: https://github.com/seed-9f2bcc2b/whatsapp-coexistence/blob/main/docs/testing.md
package signuptest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/signup"
)

// TestStore checks that a store keeps the promises of [signup.Store]. The error tells the first one
// that it breaks. Run it with -race.
//
// Each store that open returns has the same data, of which there is none at first. It may be the
// same store each time, if a single process uses the data.
func TestStore(ctx context.Context, open func(context.Context) (signup.Store, error)) error {
	s, err1 := open(ctx)
	other, err2 := open(ctx)
	if err := errors.Join(err1, err2); err != nil {
		return err
	}
	// In this order: each check finds the records of those before it, and removal deletes them all
	// but one, which canceled then looks for.
	for _, check := range []struct {
		name string
		run  func(context.Context, signup.Store) error
	}{
		{"what was put is got", putAndGet},
		{"a version is put once", versions},
		{"another store over the same data has what was put", func(ctx context.Context, s signup.Store) error {
			return shared(ctx, s, other)
		}},
		{"of many who put a version, one succeeds", func(ctx context.Context, s signup.Store) error {
			return race(ctx, s, other)
		}},
		{"lists are sorted, and a tenant's own", lists},
		{"what is deleted or has expired is gone", removal},
		{"a number that is forgotten is gone", forgetting},
		{"a context that ended changes nothing", canceled},
	} {
		if err := check.run(ctx, s); err != nil {
			return fmt.Errorf("signuptest: %s: %w", check.name, err)
		}
	}
	return nil
}

// began has microseconds, which a Store must keep: lists are sorted by them. PostgreSQL has no
// more.
var began = time.Date(2026, 11, 23, 10, 0, 0, 123456000, time.UTC)

// record makes a record that may be deleted an hour after it began.
func record(id, tenant string, version int64, ciphertext string) signup.Record {
	return signup.Record{
		ID: id, Tenant: tenant, Version: version, BeganAt: began,
		KeepUntil: began.Add(time.Hour), Ciphertext: []byte(ciphertext),
	}
}

// same compares records. Times are compared as instants: a Store may return another time zone.
func same(got, want signup.Record) error {
	if got.ID != want.ID || got.Tenant != want.Tenant || got.Version != want.Version ||
		got.PhoneNumberID != want.PhoneNumberID ||
		!got.BeganAt.Equal(want.BeganAt) || !got.KeepUntil.Equal(want.KeepUntil) ||
		!bytes.Equal(got.Ciphertext, want.Ciphertext) {
		return fmt.Errorf("record %s of %q came back otherwise: version %d and not %d, %d bytes and not %d",
			want.ID, want.Tenant, got.Version, want.Version, len(got.Ciphertext), len(want.Ciphertext))
	}
	return nil
}

// fails returns an error unless err is the one that a call had to fail with. What names the call.
func fails(what string, err, want error) error {
	switch {
	case errors.Is(err, want):
		return nil
	case err == nil:
		return fmt.Errorf("%s works, and has to return %q", what, want.Error())
	}
	return fmt.Errorf("%s does not return %q: %w", what, want.Error(), err)
}

// putAndGet puts bytes that are no text, and a name that is no identifier: a Store that builds SQL
// of them, or keeps them as strings, is found. What it returns is the caller's own, to write into.
func putAndGet(ctx context.Context, s signup.Store) error {
	// A nil error with an empty record would be read as a record that does not decrypt.
	_, err := s.Get(ctx, "none")
	if err := fails("getting a record that is not there", err, signup.ErrNotFound); err != nil {
		return err
	}
	r := record("get-1", "tenant 1; it's “so”", 0, "\x00\xff' and so on")
	r.PhoneNumberID = "106540352242922"
	if err := s.Put(ctx, r); err != nil {
		return err
	}
	got, err := s.Get(ctx, r.ID)
	if err != nil {
		return err
	}
	r.Version = 1 // Put counts: it stores the version after the one that it was given
	if err := same(got, r); err != nil {
		return err
	}
	got.Ciphertext[0] = 'x'
	if got, err = s.Get(ctx, r.ID); err != nil {
		return err
	}
	return same(got, r)
}

// versions puts every wrong version over a record, and one over nothing: 0 alone makes a record,
// and the stored one alone changes it.
func versions(ctx context.Context, s signup.Store) error {
	if err := s.Put(ctx, record("version-1", "a", 0, "one")); err != nil {
		return err
	}
	for _, wrong := range []int64{0, 2, -1} { // of a new record, of the next Put, of none
		err := s.Put(ctx, record("version-1", "a", wrong, "wrong"))
		if err := fails(fmt.Sprintf("putting version %d over version 1", wrong), err, signup.ErrConflict); err != nil {
			return err
		}
	}
	err := s.Put(ctx, record("version-2", "a", 1, "wrong"))
	if err := fails("putting version 1 over nothing", err, signup.ErrConflict); err != nil {
		return err
	}
	if err := s.Put(ctx, record("version-1", "a", 1, "two")); err != nil {
		return err
	}
	got, err := s.Get(ctx, "version-1")
	if err != nil {
		return err
	}
	return same(got, record("version-1", "a", 2, "two"))
}

// shared reads what one store has put from another, as another process would: nothing may be kept
// in memory alone.
func shared(ctx context.Context, s, other signup.Store) error {
	if err := s.Put(ctx, record("shared", "a", 0, "one")); err != nil {
		return err
	}
	got, err := other.Get(ctx, "shared")
	if err != nil {
		return err
	}
	return same(got, record("shared", "a", 1, "one"))
}

// race has many goroutines put the same version, over all stores in turn, and wants one of them to
// win and its record to stay. Two winners would be two processes that exchange one code. Losing is
// [signup.ErrConflict] and no other error: a Flow takes every other for a Store that is down.
func race(ctx context.Context, stores ...signup.Store) error {
	// One race can be won by chance, in a Store that reads and then writes. Ten in a row are not.
	const rounds, racers = 10, 8
	for round := range int64(rounds) {
		var wg sync.WaitGroup
		errs := make([]error, racers)
		for i := range racers {
			wg.Go(func() { errs[i] = stores[i%len(stores)].Put(ctx, record("race", "a", round, fmt.Sprint(i))) })
		}
		wg.Wait()
		won := -1
		for i, err := range errs {
			switch {
			case err == nil && won >= 0:
				return fmt.Errorf("version %d was put twice", round)
			case err == nil:
				won = i
			case !errors.Is(err, signup.ErrConflict):
				return err
			}
		}
		if won < 0 {
			return fmt.Errorf("version %d could not be put at all", round)
		}
		// The losers must have changed nothing, whichever of the stores they used.
		got, err := stores[0].Get(ctx, "race")
		if err != nil {
			return err
		}
		if err := same(got, record("race", "a", round+1, fmt.Sprint(won))); err != nil {
			return err
		}
	}
	return nil
}

// lists puts records in a different order than that of their ids, microseconds apart, and one of a
// tenant that differs in case only. A tenant's list has its own records, the oldest first; that of
// all tenants has the rest of the test's as well. An unknown tenant has none, which is no error.
func lists(ctx context.Context, s signup.Store) error {
	for i, id := range []string{"list-c", "list-a", "list-b"} {
		r := record(id, "lister", 0, id)
		r.BeganAt = r.BeganAt.Add(time.Duration(i) * time.Microsecond)
		if err := s.Put(ctx, r); err != nil {
			return err
		}
	}
	// A collation that ignores case would give one tenant the tokens of the other.
	if err := s.Put(ctx, record("list-other", "Lister", 0, "x")); err != nil {
		return err
	}
	own, err := s.List(ctx, "lister")
	if err != nil {
		return err
	}
	var ids []string
	for _, r := range own {
		ids = append(ids, r.ID+"="+string(r.Ciphertext))
	}
	if got, want := fmt.Sprint(ids), "[list-c=list-c list-a=list-a list-b=list-b]"; got != want {
		return fmt.Errorf("got %s and not %s", got, want)
	}
	all, err := s.List(ctx, "")
	if err != nil {
		return err
	}
	tenants := map[string]bool{}
	for i, r := range all {
		tenants[r.Tenant] = true
		if i > 0 && r.BeganAt.Before(all[i-1].BeganAt) {
			return errors.New("the list of all tenants is not sorted by BeganAt")
		}
	}
	if !tenants["lister"] || !tenants["Lister"] {
		return errors.New("the list of all tenants lacks one of them")
	}
	none, err := s.List(ctx, "nobody")
	if err == nil && len(none) != 0 {
		return fmt.Errorf("a tenant without records has %d", len(none))
	}
	return err
}

// removal deletes by id, and then by time: of all that the checks before have put, KeepUntil has
// come for every record but one, which ends a microsecond later. What is gone can be deleted again.
func removal(ctx context.Context, s signup.Store) error {
	if err := s.Delete(ctx, "none"); err != nil {
		return err
	}
	if err := s.Put(ctx, record("gone", "a", 0, "x")); err != nil {
		return err
	}
	if err := s.Delete(ctx, "gone"); err != nil {
		return err
	}
	_, err := s.Get(ctx, "gone")
	if err := fails("getting a deleted record", err, signup.ErrNotFound); err != nil {
		return err
	}
	kept := record("kept", "a", 0, "x")
	kept.KeepUntil = began.Add(time.Hour + time.Microsecond)
	if err := s.Put(ctx, kept); err != nil {
		return err
	}
	n, err := s.DeleteExpired(ctx, began.Add(time.Hour))
	if err != nil {
		return err
	}
	rest, err := s.List(ctx, "")
	if err != nil {
		return err
	}
	if n == 0 || len(rest) != 1 || rest[0].ID != kept.ID {
		return fmt.Errorf("%d records were deleted and %d are left; one of them had to stay", n, len(rest))
	}
	if n, err = s.DeleteExpired(ctx, began.Add(time.Hour)); err == nil && n != 0 {
		return fmt.Errorf("a second DeleteExpired found %d more", n)
	}
	return err
}

// canceled calls with a context that has ended. A call that fails for it must not say that there is
// no record: a Flow would tell the business that its page is unknown.
func canceled(ctx context.Context, s signup.Store) error {
	ctx, cancel := context.WithCancel(ctx)
	cancel()
	if err := s.Put(ctx, record("canceled", "a", 0, "x")); err == nil {
		return errors.New("a record was put")
	}
	if _, err := s.Get(ctx, "kept"); err == nil || errors.Is(err, signup.ErrNotFound) {
		return errors.New("a record was got, or said to be missing")
	}
	return nil
}

// forgetting forgets a number, which becomes known with the second version of a record. A store
// that is no Forgetter is ignored.
func forgetting(ctx context.Context, s signup.Store) error {
	f, ok := s.(signup.Forgetter)
	if !ok {
		return nil
	}
	for _, r := range []signup.Record{record("forgotten", "f", 0, "one"), record("unknown", "f", 0, "one")} {
		if err := s.Put(ctx, r); err != nil {
			return err
		}
	}
	r := record("forgotten", "f", 1, "two")
	r.PhoneNumberID = "106540352242923"
	if err := s.Put(ctx, r); err != nil {
		return err
	}
	if f.Forget(ctx, "") == nil {
		return errors.New("forgetting no number works, and would delete what has none yet")
	}
	for range 2 {
		if err := f.Forget(ctx, r.PhoneNumberID); err != nil {
			return err
		}
	}
	if _, err := s.Get(ctx, "unknown"); err != nil {
		return err
	}
	_, err := s.Get(ctx, r.ID)
	if err := fails("getting a record of a number that was forgotten", err, signup.ErrNotFound); err != nil {
		return err
	}
	r.Version++
	return fails("going on with it", s.Put(ctx, r), signup.ErrConflict)
}
