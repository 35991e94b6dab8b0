package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/sqldb"
)

// UpdateThread implements [coexistence.ThreadStore]. fn runs within a transaction that has locked
// the row, and must not use the store. Of two transactions that insert a row at once, the second is
// retried.
func (s *Store) UpdateThread(
	ctx context.Context, phone graph.PhoneNumberID, person string, fn func(*coexistence.ThreadRecord),
) error {
	return s.write(ctx, "UpdateThread", func(tx *sql.Tx) error {
		list, err := s.threads(ctx, tx, phone, []string{person}, s.db.Dialect.ForUpdate())
		if err != nil {
			return err
		}
		r := coexistence.ThreadRecord{PhoneNumberID: phone, Person: person}
		if len(list) > 0 {
			r = list[0]
		}
		before, err := encode(&r)
		if err != nil {
			return err
		}
		fn(&r)
		r.PhoneNumberID, r.Person = phone, person
		doc, err := encode(&r)
		if err != nil || len(list) > 0 && doc == before {
			return err
		}
		if len(list) == 0 {
			f, who := &forgotten{s: s, q: tx}, suspect{phone, []string{person}}
			if err := f.look(ctx, who); err != nil || !f.of(who).KeepThread(r) {
				return err
			}
		}
		query := "UPDATE coexistence_threads SET doc = ? WHERE phone = ? AND person = ?"
		if len(list) == 0 {
			query = "INSERT INTO coexistence_threads (doc, phone, person) VALUES (?, ?, ?) ON CONFLICT DO NOTHING"
		}
		n, err := s.exec(ctx, tx, query, doc, text(phone), text(person))
		if err == nil && n == 0 {
			err = errAgain
		}
		return err
	})
}

// Threads implements [coexistence.ThreadStore].
func (s *Store) Threads(
	ctx context.Context, phone graph.PhoneNumberID, aliases []string,
) ([]coexistence.ThreadRecord, error) {
	list, err := s.threads(ctx, s.db, phone, slices.Compact(slices.Sorted(slices.Values(aliases))), "")
	return list, explain("Threads", err)
}

// threads reads records one by one: a person has few aliases, most of them without a record.
func (s *Store) threads(
	ctx context.Context, q querier, phone graph.PhoneNumberID, aliases []string, lock string,
) (list []coexistence.ThreadRecord, err error) {
	for _, alias := range aliases {
		err := s.read(ctx, q, func(rows *sql.Rows) error {
			var doc string
			if err := rows.Scan(&doc); err != nil {
				return err
			}
			r, err := decode[coexistence.ThreadRecord](doc)
			list = append(list, r)
			return err
		}, "SELECT doc FROM coexistence_threads WHERE phone = ? AND person = ?"+lock, text(phone), text(alias))
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return nil, err
		}
	}
	return list, nil
}

// eraseThreads deletes the records of a number that are older than a moment.
func (s *Store) eraseThreads(ctx context.Context, phone graph.PhoneNumberID, before time.Time) error {
	var after string
	for n := eraseStep; n == eraseStep; {
		n = 0
		var old [][]sqldb.Cell
		err := s.read(ctx, s.db, func(rows *sql.Rows) error {
			n++
			var doc string
			if err := rows.Scan(&after, &doc); err != nil {
				return err
			}
			r, err := decode[coexistence.ThreadRecord](doc)
			if r.OlderThan(before) {
				// A record that was updated meanwhile stays.
				old = append(old, []sqldb.Cell{sqldb.Text(text(phone)), sqldb.Text(after), sqldb.Text(doc)})
			}
			return err
		}, "SELECT person, doc FROM coexistence_threads WHERE phone = ? AND person > ? ORDER BY person LIMIT ?",
			text(phone), after, eraseStep)
		if err != nil {
			return err
		}
		err = s.write(ctx, "Forget", func(tx *sql.Tx) error {
			if len(old) == 0 {
				return nil
			}
			_, err := s.execTable(ctx, tx, "DELETE FROM coexistence_threads WHERE (phone, person, doc) IN "+
				"(SELECT r.phone, r.person, r.doc FROM ", []string{"phone text", "person text", "doc text"}, old, ")")
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}
