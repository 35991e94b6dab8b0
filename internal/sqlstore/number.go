package sqlstore

import (
	"context"
	"database/sql"
	"iter"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence"
)

// UpdateNumber implements [coexistence.NumberStore]. fn runs within a transaction that has locked
// the number's row: it must not use the store or the database itself.
//
// A new number has no row to lock. If two transactions store it at once, the second inserts nothing
// and is retried with what the first has stored. Two states are equal if their JSON is.
func (s *Store) UpdateNumber(
	ctx context.Context, phone graph.PhoneNumberID, fn func(coexistence.Number) (coexistence.Number, error),
) (coexistence.Number, error) {
	var stored coexistence.Number
	err := s.write(ctx, "UpdateNumber", func(tx *sql.Tx) error {
		// The row is locked until the end, so fn sees the latest state, however many processes
		// call.
		old, found, err := s.number(ctx, tx, phone, s.db.Dialect.ForUpdate())
		if err != nil {
			return err
		}
		// The Version is part of the document, so it is compared before it is raised.
		before, err := encode(&old)
		if err != nil {
			return err
		}
		st, err := fn(old.Clone())
		if err != nil {
			return &refusal{err}
		}
		st.PhoneNumberID, st.Version = phone, old.Version
		doc, err := encode(&st)
		if err != nil {
			return err
		}
		stored = st
		if doc == before {
			return nil
		}
		if !found {
			if kept, err := s.keepNumber(ctx, tx, st); err != nil || !kept {
				return err
			}
		}
		st.Version++
		if doc, err = encode(&st); err != nil {
			return err
		}
		stored = st
		// A new number is inserted only if it is still new. Of two concurrent inserts, the second
		// changes nothing and is retried.
		query := "UPDATE coexistence_numbers SET doc = ? WHERE phone = ?"
		if !found {
			query = "INSERT INTO coexistence_numbers (doc, phone) VALUES (?, ?) ON CONFLICT DO NOTHING"
		}
		if n, err := s.exec(ctx, tx, query, doc, text(phone)); err != nil {
			return err
		} else if n == 0 {
			return errAgain
		}
		return s.putAccounts(ctx, tx, phone, accounts(old), accounts(st))
	})
	if err != nil {
		return coexistence.Number{}, err
	}
	return stored, nil
}

// keepNumber reports whether a state may be stored for a number that has none. A forgotten number
// is stored again once it is signed up, which removes its tombstone.
func (s *Store) keepNumber(ctx context.Context, tx *sql.Tx, st coexistence.Number) (bool, error) {
	f, which := forgotten{s: s, q: tx}, suspect{phone: st.PhoneNumberID}
	if err := f.look(ctx, which); err != nil {
		return false, err
	}
	t := f.of(which)
	if !t.KeepNumber(st) || t.Number.Before(coexistence.Always) {
		return t.KeepNumber(st), nil
	}
	return true, s.lift(ctx, tx, st.PhoneNumberID)
}

// accounts returns the accounts that hold a number, for NumbersByWABA.
func accounts(st coexistence.Number) map[graph.WABAID]bool {
	all := map[graph.WABAID]bool{}
	for _, waba := range append([]graph.WABAID{st.WABAID}, st.WABAs...) {
		if waba != "" {
			all[waba] = true
		}
	}
	return all
}

// putAccounts stores which accounts hold a number. old are those that are stored. They are rows of
// their own, so that an account update finds its numbers by an index.
func (s *Store) putAccounts(
	ctx context.Context, tx *sql.Tx, phone graph.PhoneNumberID, old, now map[graph.WABAID]bool,
) error {
	for waba := range old {
		if now[waba] {
			continue
		}
		if _, err := s.exec(ctx, tx, "DELETE FROM coexistence_number_wabas WHERE waba = ? AND phone = ?", text(waba),
			text(phone)); err != nil {
			return err
		}
	}
	for waba := range now {
		if old[waba] {
			continue
		}
		_, err := s.exec(ctx, tx, "INSERT INTO coexistence_number_wabas (waba, phone) VALUES (?, ?) ON CONFLICT DO "+
			"NOTHING",
			text(waba), text(phone))
		if err != nil {
			return err
		}
	}
	return nil
}

// Number implements [coexistence.NumberStore]. It takes no lock.
func (s *Store) Number(ctx context.Context, phone graph.PhoneNumberID) (coexistence.Number, error) {
	st, found, err := s.number(ctx, s.db, phone, "")
	if err == nil && !found {
		return coexistence.Number{}, coexistence.ErrNotFound
	}
	return st, explain("Number", err)
}

// number returns a number's state, or one with nothing but PhoneNumberID. lock is appended to the
// query and locks the row until the transaction ends.
func (s *Store) number(
	ctx context.Context, q querier, phone graph.PhoneNumberID, lock string,
) (st coexistence.Number, found bool, err error) {
	st.PhoneNumberID = phone
	var doc string
	err = s.read(ctx, q, func(rows *sql.Rows) error { found = true; return rows.Scan(&doc) },
		"SELECT doc FROM coexistence_numbers WHERE phone = ?"+lock, text(phone))
	if found && err == nil {
		st, err = decode[coexistence.Number](doc)
	}
	return st, found, err
}

// Numbers implements [coexistence.NumberStore]. It reads some hundred states at a time and holds no
// lock while the caller handles them. The order by phone id is also the cursor, so each number is
// listed once, even if others are stored meanwhile.
func (s *Store) Numbers(ctx context.Context) iter.Seq2[coexistence.Number, error] {
	return func(yield func(coexistence.Number, error) bool) {
		var after string
		eachRow(yield, "Numbers", decode[coexistence.Number], func() (page []string, err error) {
			err = s.read(ctx, s.db, func(rows *sql.Rows) error {
				var doc string
				err := rows.Scan(&after, &doc)
				page = append(page, doc)
				return err
			}, "SELECT phone, doc FROM coexistence_numbers WHERE phone > ? ORDER BY phone LIMIT ?", after, pageSize)
			return page, err
		})
	}
}

// NumbersByWABA implements [coexistence.NumberStore]. The numbers of an account are few, so they
// are read at once.
func (s *Store) NumbersByWABA(ctx context.Context, waba graph.WABAID) ([]coexistence.Number, error) {
	var found []coexistence.Number
	err := s.read(ctx, s.db, func(rows *sql.Rows) error {
		var doc string
		if err := rows.Scan(&doc); err != nil {
			return err
		}
		st, err := decode[coexistence.Number](doc)
		found = append(found, st)
		return err
	}, `SELECT s.doc FROM coexistence_number_wabas w JOIN coexistence_numbers s ON s.phone = w.phone WHERE w.waba = `+
		`? ORDER BY w.phone`,
		text(waba))
	if err != nil {
		return nil, explain("NumbersByWABA", err)
	}
	return found, nil
}
