package coexistencetest_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/coexistencetest"
)

func ExampleTestStore() {
	err := coexistencetest.TestStore(context.Background(), func(context.Context) (coexistence.Store, error) {
		return new(coexistence.MemStore), nil
	})
	fmt.Println(err)
	// Output: <nil>
}

// A change is the fn of UpdateNumber.
type change = func(coexistence.Number) (coexistence.Number, error)

// A flawed store breaks one promise. What is nil is as in MemStore.
type flawed struct {
	*coexistence.MemStore
	state    func(context.Context, graph.PhoneNumberID, change) (coexistence.Number, error)
	messages func(iter.Seq2[coexistence.Message, error]) iter.Seq2[coexistence.Message, error]
	contact  func(coexistence.Contact, error) (coexistence.Contact, error)
}

func (f flawed) UpdateNumber(ctx context.Context, phone graph.PhoneNumberID, fn change) (coexistence.Number, error) {
	if f.state != nil {
		return f.state(ctx, phone, fn)
	}
	return f.MemStore.UpdateNumber(ctx, phone, fn)
}

func (f flawed) Messages(
	ctx context.Context, phone graph.PhoneNumberID, conversation string,
) iter.Seq2[coexistence.Message, error] {
	list := f.MemStore.Messages(ctx, phone, conversation)
	if f.messages != nil {
		return f.messages(list)
	}
	return list
}

func (f flawed) Contact(
	ctx context.Context, phone graph.PhoneNumberID, who graph.Identity,
) (coexistence.Contact, error) {
	c, err := f.MemStore.Contact(ctx, phone, who)
	if f.contact != nil {
		return f.contact(c, err)
	}
	return c, err
}

// Each flaw breaks one promise, and the contract names it.
func TestFlawsOfAStoreAreFound(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		flaw func(*flawed)
		want string
	}{
		"an update that is not atomic":               {raceUpdates, "concurrent changes of a state are not lost"},
		"an error of fn that is swallowed":           {swallowErrors, "an error of fn stores nothing"},
		"messages newest first":                      {reverseMessages, "messages come oldest first"},
		"an error of its own for an unknown contact": {renameNotFound, "an unknown contact is ErrNotFound"},
		"contacts without their bookkeeping":         {dropProvenance, "a contact comes back as it was stored"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := flawed{MemStore: new(coexistence.MemStore)}
			tt.flaw(&f)
			err := coexistencetest.TestStore(t.Context(),
				func(context.Context) (coexistence.Store, error) { return f, nil })
			require.ErrorContains(t, err, tt.want)
		})
	}
}

// raceUpdates reads, lets fn decide, and then writes what it decided over whatever is there.
func raceUpdates(f *flawed) {
	f.state = func(ctx context.Context, phone graph.PhoneNumberID, fn change) (coexistence.Number, error) {
		old, err := f.Number(ctx, phone)
		if errors.Is(err, coexistence.ErrNotFound) {
			old = coexistence.Number{PhoneNumberID: phone}
		}
		next, err := fn(old)
		if err != nil {
			return next, err
		}
		return f.MemStore.UpdateNumber(ctx, phone, func(coexistence.Number) (coexistence.Number, error) {
			return next, nil
		})
	}
}

// swallowErrors stores what fn has refused.
func swallowErrors(f *flawed) {
	f.state = func(ctx context.Context, phone graph.PhoneNumberID, fn change) (coexistence.Number, error) {
		return f.MemStore.UpdateNumber(ctx, phone, func(s coexistence.Number) (coexistence.Number, error) {
			next, _ := fn(s)
			return next, nil
		})
	}
}

func reverseMessages(f *flawed) {
	f.messages = func(list iter.Seq2[coexistence.Message, error]) iter.Seq2[coexistence.Message, error] {
		return func(yield func(coexistence.Message, error) bool) {
			var all []coexistence.Message
			for m, err := range list {
				if err != nil {
					yield(m, err)
					return
				}
				all = append(all, m)
			}
			for _, m := range slices.Backward(all) {
				if !yield(m, nil) {
					return
				}
			}
		}
	}
}

func renameNotFound(f *flawed) {
	f.contact = func(c coexistence.Contact, err error) (coexistence.Contact, error) {
		if err != nil {
			err = errors.New("no rows")
		}
		return c, err
	}
}

func dropProvenance(f *flawed) {
	f.contact = func(c coexistence.Contact, err error) (coexistence.Contact, error) {
		c.Provenance = coexistence.ContactProvenance{}
		return c, err
	}
}

func TestAStoreThatDoesNotOpenIsReported(t *testing.T) {
	t.Parallel()
	err := coexistencetest.TestStore(t.Context(),
		func(context.Context) (coexistence.Store, error) { return nil, errors.New("no database") })
	require.ErrorContains(t, err, "no database")
}
