package storage

import (
	"context"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/sqlstore"
)

// A Store is what [DB.Store] returns: everything that a [coexistence.Tracker] keeps. What it is
// told to forget, it forgets everywhere in the database: see [DB.Forget].
type Store interface {
	coexistence.BatchStore
	coexistence.Forgetter
}

// A store is the Store of a DB. All but forgetting is done by the tables of numbers, messages and
// contacts.
type store struct {
	*sqlstore.Store

	db *DB
}

// Forget implements [coexistence.Forgetter].
func (s store) Forget(ctx context.Context, r coexistence.ForgetRequest) error {
	if _, err := s.Begin(ctx, r); err != nil {
		return err
	}
	return s.finish(ctx, r.PhoneNumberID)
}

// FinishForgetting implements [coexistence.Forgetter].
func (s store) FinishForgetting(ctx context.Context) error { return s.finish(ctx, "") }

// finish carries out the requests that are stored and not done, of a number or of all.
func (s store) finish(ctx context.Context, phone graph.PhoneNumberID) error {
	pending, err := s.Pending(ctx, phone)
	if err != nil || len(pending) == 0 {
		return err
	}
	for _, e := range pending {
		if err := s.erase(ctx, e); err != nil {
			return err
		}
		if err := s.End(ctx, e); err != nil {
			return err
		}
	}
	return s.db.db.Scrub(ctx)
}
