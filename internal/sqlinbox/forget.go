package sqlinbox

import (
	"context"
	"database/sql"
	"slices"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/sqldb"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/inbox"
)

const (
	// forgetStep is how many rows a step scans that has to go through a table by ID, and
	// forgetBodies how many bodies.
	forgetStep   = 2000
	forgetBodies = 20

	// forgetLanes is how many lanes of a number are emptied in one transaction.
	forgetLanes = 50
)

// Forget implements [inbox.Forgetter]. It deletes the lanes first, a few in each transaction, then
// their names in rows that are done, and finally redacts the remaining bodies.
func (s *Store) Forget(ctx context.Context, e inbox.Erasure) (busy bool, err error) {
	ctx = sqldb.Unhurried(ctx)
	for _, step := range []func(context.Context, inbox.Erasure) (bool, error){
		s.forgetLanes, s.forgetDead, s.forgetDone, s.redactBodies,
	} {
		some, err := step(ctx, e)
		if err != nil {
			return false, err
		}
		busy = busy || some
	}
	return busy, nil
}

// forgetLanes closes the waiting events in the lanes of an erasure. A leased lane stays.
func (s *Store) forgetLanes(ctx context.Context, e inbox.Erasure) (busy bool, err error) {
	last, lastBulk := "", int64(-1)
	for {
		n := 0
		next, nextBulk := last, lastBulk
		err := s.write(ctx, "Forget", false, func(tx *sql.Tx) error {
			n = 0
			leased := 0
			end, endBulk := last, lastBulk
			free := map[int64][]string{}
			among, arg := "number = ?", any(sqldb.Clean(string(e.PhoneNumberID)))
			if len(e.Lanes) > 0 {
				among, arg = s.db.Dialect.AmongTexts("lane", e.Lanes)
			}
			err := s.read(ctx, tx, func(rows *sql.Rows) error {
				var lane string
				var bulk int64
				var token sql.NullString
				err := rows.Scan(&lane, &bulk, &token)
				n++
				end, endBulk = lane, bulk
				if token.Valid {
					leased++
				} else {
					free[bulk] = append(free[bulk], lane)
				}
				return err
			}, `SELECT lane, bulk, CASE WHEN next_at > ? + $now THEN token END FROM webhook_lanes WHERE kind = 1 AND `+
				among+" AND (lane, bulk) > (?, ?) ORDER BY lane, bulk LIMIT ?"+s.db.Dialect.ForUpdate(), s.in(0), arg,
				last, lastBulk, forgetLanes)
			if err != nil {
				return err
			}
			next, nextBulk = end, endBulk
			busy = busy || leased > 0
			for bulk, lanes := range free {
				if err := s.closeLanes(ctx, tx, e, bulk, lanes); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil || n < forgetLanes {
			return busy, err
		}
		last, lastBulk = next, nextBulk
	}
}

// closeLanes closes the waiting events of lanes that the caller has locked, and deletes the lanes.
func (s *Store) closeLanes(ctx context.Context, tx *sql.Tx, e inbox.Erasure, bulk int64, lanes []string) error {
	among, arg := s.db.Dialect.AmongTexts("lane", lanes)
	err := s.closeWhere(ctx, tx, "state = 0 AND bulk = ? AND "+among+" AND phone_number_id = ?", bulk, arg,
		sqldb.Clean(string(e.PhoneNumberID)))
	if err != nil {
		return err
	}
	_, err = s.exec(ctx, tx, "UPDATE webhook_lanes SET token = NULL, held = 0 WHERE kind = 1 AND bulk = ? AND "+among,
		bulk, arg)
	if err != nil {
		return err
	}
	_, err = s.deleteEmptyLanes(ctx, tx, queue{kind: inbox.KindEvent, bulk: bulk}, lanes)
	return err
}

// closeWhere marks events that match a condition as done. Their keys stay, but nothing that names
// people.
func (s *Store) closeWhere(ctx context.Context, tx *sql.Tx, condition string, args ...any) error {
	closed := map[int64]int64{}
	err := s.read(ctx, tx, func(rows *sql.Rows) error {
		var delivery int64
		err := rows.Scan(&delivery)
		closed[delivery]++
		return err
	}, `UPDATE webhook_events SET state = 3, lane = '', phone_number_id = '', reason = NULL, changed_at = ? + $now
		WHERE `+condition+" RETURNING delivery", append([]any{s.in(0)}, args...)...)
	if err != nil {
		return err
	}
	return s.closeEvents(ctx, tx, closed)
}

// forgetDead closes dead letters.
func (s *Store) forgetDead(ctx context.Context, e inbox.Erasure) (bool, error) {
	condition, args := "phone_number_id = ?", []any{sqldb.Clean(string(e.PhoneNumberID))}
	if len(e.Lanes) > 0 {
		among, arg := s.db.Dialect.AmongTexts("lane", e.Lanes)
		condition, args = condition+" AND "+among, append(args, arg)
	}
	for {
		var ids []int64
		err := s.write(ctx, "Forget", true, func(tx *sql.Tx) error {
			ids = nil
			err := s.read(ctx, tx, func(rows *sql.Rows) error {
				var id int64
				err := rows.Scan(&id)
				ids = append(ids, id)
				return err
			}, "SELECT id FROM webhook_events WHERE state = 2 AND "+condition+" ORDER BY id LIMIT ?",
				append(slices.Clip(args), forgetLanes)...)
			if err != nil || len(ids) == 0 {
				return err
			}
			among, arg := s.db.Dialect.Among("id", ids)
			return s.closeWhere(ctx, tx, "state = 2 AND "+among, arg)
		})
		if err != nil || len(ids) < forgetLanes {
			return false, err
		}
	}
}

// forgetDone removes lanes and numbers from rows that are done. They are in no index, so it scans
// the tables.
func (s *Store) forgetDone(ctx context.Context, e inbox.Erasure) (bool, error) {
	phone := sqldb.Clean(string(e.PhoneNumberID))
	change, args := "UPDATE webhook_events SET lane = '', phone_number_id = '', reason = NULL WHERE state = 3 AND "+
		"phone_number_id = ? AND id > ? AND id <= ?", []any{phone}
	if len(e.Lanes) > 0 {
		among, arg := s.db.Dialect.AmongTexts("lane", e.Lanes)
		change, args = change+" AND "+among, append(args, arg)
	}
	if err := s.eachRange(ctx, "webhook_events", func(from, to int64) (string, []any) {
		return change, slices.Insert(slices.Clone(args), 1, any(from), any(to))
	}); err != nil || len(e.Lanes) > 0 {
		return false, err
	}
	return false, s.eachRange(ctx, "webhook_deliveries", func(from, to int64) (string, []any) {
		return "UPDATE webhook_deliveries SET number = '' WHERE state = 3 AND number = ? AND id > ? AND id <= ?",
			[]any{phone, from, to}
	})
}

// eachRange runs a statement for one range of IDs after the other, each in a transaction.
func (s *Store) eachRange(ctx context.Context, table string, statement func(from, to int64) (string, []any)) error {
	var first, last sql.NullInt64
	err := s.read(ctx, s.db, func(rows *sql.Rows) error { return rows.Scan(&first, &last) },
		"SELECT (SELECT MIN(id) FROM "+table+"), (SELECT MAX(id) FROM "+table+")")
	if err != nil || !first.Valid {
		return explain("Forget", err)
	}
	for from := first.Int64 - 1; from < last.Int64; from += forgetStep {
		query, args := statement(from, from+forgetStep)
		err := s.write(ctx, "Forget", true, func(tx *sql.Tx) error {
			_, err := s.exec(ctx, tx, query, args...)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// redactBodies redacts the bodies that are still needed: of waiting deliveries, of other events, of
// dead letters. Arrivals get rows of their own first. While a worker is splitting deliveries,
// waiting ones stay.
func (s *Store) redactBodies(ctx context.Context, e inbox.Erasure) (busy bool, err error) {
	if s.db.Dialect == sqldb.SQLite {
		if err := s.admitAll(ctx); err != nil {
			return false, err
		}
	}
	for last := int64(0); ; {
		var found []int64
		err := s.read(ctx, s.db, func(rows *sql.Rows) error {
			var id int64
			err := rows.Scan(&id)
			found = append(found, id)
			return err
		}, "SELECT id FROM webhook_deliveries WHERE id > ? AND state < 3 AND number IN (?, '') ORDER BY id LIMIT ?",
			last, sqldb.Clean(string(e.PhoneNumberID)), forgetBodies)
		if err != nil {
			return false, explain("Forget", err)
		}
		for _, id := range found {
			some, err := s.redactBody(ctx, e, id)
			if err != nil {
				return false, err
			}
			busy = busy || some
			last = id
		}
		if len(found) < forgetBodies {
			return busy, nil
		}
	}
}

// admitAll gives all arrivals rows of their own.
func (s *Store) admitAll(ctx context.Context) error {
	for {
		var admitted []inbox.Record
		err := s.write(ctx, "Forget", false, func(tx *sql.Tx) (err error) {
			admitted, err = s.admit(ctx, tx, forgetBodies, 0)
			return err
		})
		if err != nil || len(admitted) == 0 {
			return err
		}
		s.keys.add(hashesOf(admitted)...)
	}
}

// redactBody redacts the body of one delivery. It locks the lane of deliveries first, as splitting
// does.
func (s *Store) redactBody(ctx context.Context, e inbox.Erasure, id int64) (busy bool, err error) {
	err = s.write(ctx, "Forget", false, func(tx *sql.Tx) error {
		busy = false
		leased := false
		err := s.read(ctx, tx, func(rows *sql.Rows) error { return rows.Scan(&leased) },
			`SELECT token IS NOT NULL AND next_at > ? + $now FROM webhook_lanes WHERE kind = 0 AND lane = '' AND bulk =
				(SELECT bulk FROM webhook_deliveries WHERE id = ?)`+s.db.Dialect.ForUpdate(), s.in(0), id)
		if err != nil {
			return err
		}
		state, body := int64(stateDone), []byte(nil)
		err = s.read(ctx, tx, func(rows *sql.Rows) error { return rows.Scan(&state, &body) },
			"SELECT state, body FROM webhook_deliveries WHERE id = ?"+s.db.Dialect.ForUpdate(), id)
		if err != nil || state == stateDone {
			return err
		}
		rest, changed := e.Redact(body, state == stateSplit)
		if !changed {
			return nil
		}
		if state == stateWaiting && leased {
			busy = true
			return nil
		}
		_, err = s.exec(ctx, tx, "UPDATE webhook_deliveries SET body = ?, size = ? WHERE id = ?", rest, len(rest), id)
		return err
	})
	return busy, err
}
