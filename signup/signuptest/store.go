// Package signuptest tests stores of WhatsApp signups: it holds the contract of signup.Store, as a
// function that any test can call.
//
//	func TestMyStore(t *testing.T) {
//		err := signuptest.TestStore(t.Context(), func(ctx context.Context) (signup.Store, error) { return openMyStore(ctx, dir) })
//		if err != nil {
//			t.Fatal(err)
//		}
//	}
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
	for _, check := range []struct {
		name string
		run  func(context.Context, signup.Store) error
	}{
		{"what was put is got", putAndGet},
		{"a version is put once", versions},
		{"another store over the same data has what was put", func(ctx context.Context, s signup.Store) error { return shared(ctx, s, other) }},
		{"of many who put a version, one succeeds", func(ctx context.Context, s signup.Store) error { return race(ctx, s, other) }},
		{"lists are sorted, and a tenant's own", lists},
		{"what is deleted or has expired is gone", removal},
		{"a context that ended changes nothing", canceled},
	} {
		if err := check.run(ctx, s); err != nil {
			return fmt.Errorf("signuptest: %s: %w", check.name, err)
		}
	}
	return nil
}

var began = time.Date(2026, 11, 23, 10, 0, 0, 123456000, time.UTC)

func record(id, tenant string, version int64, sealed string) signup.Record {
	return signup.Record{
		ID: id, Tenant: tenant, Version: version, BeganAt: began,
		KeepUntil: began.Add(time.Hour), Sealed: []byte(sealed),
	}
}

func same(got, want signup.Record) error {
	if got.ID != want.ID || got.Tenant != want.Tenant || got.Version != want.Version || !got.BeganAt.Equal(want.BeganAt) ||
		!got.KeepUntil.Equal(want.KeepUntil) || !bytes.Equal(got.Sealed, want.Sealed) {
		return fmt.Errorf("record %s of %q came back otherwise: version %d and not %d, %d bytes and not %d", want.ID, want.Tenant,
			got.Version, want.Version, len(got.Sealed), len(want.Sealed))
	}
	return nil
}

// fails wants err to be want.
func fails(what string, err, want error) error {
	switch {
	case errors.Is(err, want):
		return nil
	case err == nil:
		return fmt.Errorf("%s works, and has to return %q", what, want.Error())
	}
	return fmt.Errorf("%s does not return %q: %w", what, want.Error(), err)
}

func putAndGet(ctx context.Context, s signup.Store) error {
	_, err := s.Get(ctx, "none")
	if err := fails("getting a record that is not there", err, signup.ErrNotFound); err != nil {
		return err
	}
	r := record("get-1", "tenant 1; it's “so”", 0, "\x00\xff' and so on")
	if err := s.Put(ctx, r); err != nil {
		return err
	}
	got, err := s.Get(ctx, r.ID)
	if err != nil {
		return err
	}
	r.Version = 1
	if err := same(got, r); err != nil {
		return err
	}
	got.Sealed[0] = 'x' // the caller's own
	if got, err = s.Get(ctx, r.ID); err != nil {
		return err
	}
	return same(got, r)
}

func versions(ctx context.Context, s signup.Store) error {
	if err := s.Put(ctx, record("version-1", "a", 0, "one")); err != nil {
		return err
	}
	for _, wrong := range []int64{0, 2, -1} {
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

func race(ctx context.Context, stores ...signup.Store) error {
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
			return fmt.Errorf("nobody could put version %d", round)
		}
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

func lists(ctx context.Context, s signup.Store) error {
	for i, id := range []string{"list-c", "list-a", "list-b"} {
		r := record(id, "lister", 0, id)
		r.BeganAt = r.BeganAt.Add(time.Duration(i) * time.Microsecond)
		if err := s.Put(ctx, r); err != nil {
			return err
		}
	}
	if err := s.Put(ctx, record("list-other", "Lister", 0, "x")); err != nil {
		return err
	}
	own, err := s.List(ctx, "lister")
	if err != nil {
		return err
	}
	var ids []string
	for _, r := range own {
		ids = append(ids, r.ID+"="+string(r.Sealed))
	}
	if got, want := fmt.Sprint(ids), "[list-c=list-c list-a=list-a list-b=list-b]"; got != want {
		return fmt.Errorf("got %s and not %s", got, want)
	}
	everybody, err := s.List(ctx, "")
	if err != nil {
		return err
	}
	owners := map[string]bool{}
	for i, r := range everybody {
		owners[r.Tenant] = true
		if i > 0 && r.BeganAt.Before(everybody[i-1].BeganAt) {
			return errors.New("the list of everybody is not sorted by BeganAt")
		}
	}
	if !owners["lister"] || !owners["Lister"] {
		return errors.New("the list of everybody lacks somebody")
	}
	none, err := s.List(ctx, "nobody")
	if err == nil && len(none) != 0 {
		return fmt.Errorf("nobody has %d records", len(none))
	}
	return err
}

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
	late := record("late", "a", 0, "x")
	late.KeepUntil = began.Add(time.Hour + time.Microsecond)
	if err := s.Put(ctx, late); err != nil {
		return err
	}
	n, err := s.DeleteExpired(ctx, began.Add(time.Hour))
	if err != nil {
		return err
	}
	left, err := s.List(ctx, "")
	if err != nil {
		return err
	}
	if n == 0 || len(left) != 1 || left[0].ID != "late" {
		return fmt.Errorf("%d records were deleted and %d are left; one of them had to stay", n, len(left))
	}
	if n, err = s.DeleteExpired(ctx, began.Add(time.Hour)); err == nil && n != 0 {
		return fmt.Errorf("a second DeleteExpired found %d more", n)
	}
	return err
}

func canceled(ctx context.Context, s signup.Store) error {
	ctx, cancel := context.WithCancel(ctx)
	cancel()
	if err := s.Put(ctx, record("canceled", "a", 0, "x")); err == nil {
		return errors.New("a record was put")
	}
	if _, err := s.Get(ctx, "late"); err == nil || errors.Is(err, signup.ErrNotFound) {
		return errors.New("a record was got, or said to be missing")
	}
	return nil
}
