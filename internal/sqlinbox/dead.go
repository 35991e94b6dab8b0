package sqlinbox

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/sqldb"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/inbox"
)

// DeadLetters implements [inbox.Store]. Dead deliveries and dead events are in two tables, with one
// order of IDs; deliveries have no number, so those of a number are events only. It reads a page of
// each table by an index, and then the bodies of that page, so the cost does not depend on the
// number of dead letters.
func (s *Store) DeadLetters(
	ctx context.Context, f inbox.Filter, after inbox.ID, limit int,
) (letters []inbox.DeadLetter, err error) {
	const (
		deliveries = `SELECT * FROM (SELECT 0 AS kind, 2 * id AS outside, id AS delivery, 0 AS place, record_key,
			'' AS lane, '' AS phone_number_id, bulk, attempts, reason, changed_at
			FROM webhook_deliveries WHERE state = 2 AND id > ? ORDER BY id LIMIT ?) AS d UNION ALL `
		events = `SELECT * FROM (SELECT 1 AS kind, 2 * id + 1 AS outside, delivery, place, record_key,
			lane, phone_number_id, bulk, attempts, reason, changed_at
			FROM webhook_events WHERE state = 2 AND id > ? %s ORDER BY id LIMIT ?) AS e`
	)
	// The public ID of delivery n is 2n, that of event n is 2n + 1.
	from, args := deliveries+fmt.Sprintf(events, ""), []any{int64(after) / 2, limit, (int64(after)+1)/2 - 1, limit}
	if f.PhoneNumberID != "" {
		from = fmt.Sprintf(events, "AND phone_number_id = ?")
		args = []any{(int64(after)+1)/2 - 1, string(f.PhoneNumberID), limit}
	}
	err = s.byIndex(ctx, func(q querier) error {
		letters = nil
		err := s.read(ctx, q, func(rows *sql.Rows) error {
			var l inbox.DeadLetter
			var kind, id, delivery, bulk, deadAt int64
			var key, reason sql.NullString
			err := rows.Scan(&kind, &id, &delivery, &l.Index, &key, &l.Lane, &l.PhoneNumberID, &bulk, &l.Attempts,
				&reason, &deadAt)
			l.Kind, l.ID, l.Delivery, l.DedupKey = inbox.Kind(kind), inbox.ID(id), deliveryID(delivery), key.String
			l.Backfill, l.Reason, l.DeadAt = bulk == 1, reason.String, time.UnixMicro(deadAt).UTC()
			letters = append(letters, l)
			return err
		}, "SELECT * FROM ("+from+") AS dead ORDER BY outside LIMIT ?", append(args, limit)...)
		if err != nil {
			return err
		}
		letters, err = s.withDeliveries(ctx, q, letters)
		return err
	})
	return letters, explain("DeadLetters", err)
}

// withDeliveries completes the dead letters with data of their deliveries. One that was deleted
// meanwhile is left out.
func (s *Store) withDeliveries(
	ctx context.Context, q querier, letters []inbox.DeadLetter,
) (found []inbox.DeadLetter, err error) {
	byID := map[int64]inbox.Record{}
	for _, l := range letters {
		byID[int64(l.Delivery)/2] = inbox.Record{}
	}
	among, arg := s.db.Dialect.Among("id", slices.Sorted(maps.Keys(byID)))
	err = s.read(ctx, q, func(rows *sql.Rows) error {
		var id, receivedAt int64
		var delivery inbox.Record
		err := rows.Scan(&id, &receivedAt, &delivery.Body)
		delivery.ReceivedAt = time.UnixMicro(receivedAt).UTC()
		byID[id] = delivery
		return err
	}, "SELECT id, received_at, body FROM webhook_deliveries WHERE "+among, arg)
	for _, l := range letters {
		if delivery := byID[int64(l.Delivery)/2]; !delivery.ReceivedAt.IsZero() {
			l.ReceivedAt, l.Body = delivery.ReceivedAt, delivery.Body
			found = append(found, l)
		}
	}
	return found, err
}

// byIndex runs fn with a querier whose statements use indexes: in PostgreSQL a transaction. In
// SQLite, a transaction would wait for the writer.
func (s *Store) byIndex(ctx context.Context, fn func(querier) error) error {
	if s.db.Dialect == sqldb.SQLite {
		return fn(s.db)
	}
	return s.transact(ctx, func(tx *sql.Tx) error { return fn(tx) })
}

// ReplayDeadLetters implements [inbox.Store]. Dead events are deleted with their keys; their
// deliveries wait again, unless they already do or are dead themselves.
func (s *Store) ReplayDeadLetters(ctx context.Context, ids []inbox.ID) (n int, err error) {
	ctx = sqldb.Unhurried(ctx)
	err = s.write(ctx, "ReplayDeadLetters", true, func(tx *sql.Tx) error {
		closed, err := s.takeDead(ctx, tx, ids, "DELETE FROM webhook_events WHERE state = 2 AND ")
		if err != nil {
			return err
		}
		among, arg := s.db.Dialect.Among("id", deliveriesAmong(ids))
		dead, err := s.exec(
			ctx, tx, "UPDATE webhook_deliveries SET state = 0, attempts = 0, reason = NULL WHERE state = 2 AND "+among,
			arg,
		)
		if err != nil {
			return err
		}
		n = int(dead)
		// One statement for each delivery: replays are rare, and of few deliveries.
		for id, events := range closed {
			n += int(events)
			// A delivery that already waits was replayed with another of its events; a dead one
			// needs its own replay.
			_, err := s.exec(ctx, tx, `UPDATE webhook_deliveries SET left_open = left_open - ?, attempts = 0,
				state = CASE WHEN state = 1 THEN 0 ELSE state END WHERE id = ?`, events, id)
			if err != nil {
				return err
			}
		}
		return nil
	})
	return n, err
}

// DeleteDeadLetters implements [inbox.Store]. The rows stay, without a body if nothing else needs
// it, until their keys expire.
func (s *Store) DeleteDeadLetters(ctx context.Context, ids []inbox.ID) (n int, err error) {
	ctx = sqldb.Unhurried(ctx)
	err = s.write(ctx, "DeleteDeadLetters", true, func(tx *sql.Tx) error {
		n = 0
		closed, err := s.takeDead(
			ctx, tx, ids, "UPDATE webhook_events SET state = 3, changed_at = ? + $now WHERE state = 2 AND ", s.in(0),
		)
		if err != nil {
			return err
		}
		for _, events := range closed {
			n += int(events)
		}
		among, arg := s.db.Dialect.Among("id", deliveriesAmong(ids))
		open := "left_open > 0"
		if s.db.Dialect == sqldb.SQLite {
			open = someOpen
		}
		dead, err := s.exec(ctx, tx, `UPDATE webhook_deliveries SET changed_at = ? + $now,
			state = CASE WHEN `+open+` THEN 1 ELSE 3 END,
			body = CASE WHEN `+open+` THEN body END WHERE state = 2 AND `+among, s.in(0), arg)
		if err != nil {
			return err
		}
		n += int(dead)
		return s.closeEvents(ctx, tx, closed)
	})
	return n, err
}

// takeDead runs a statement that updates or deletes dead events, to which it adds the condition,
// and returns how many there were of each delivery.
func (s *Store) takeDead(
	ctx context.Context, tx *sql.Tx, ids []inbox.ID, change string, args ...any,
) (closed map[int64]int64, err error) {
	var events []int64
	for _, id := range ids {
		if id%2 == 1 {
			events = append(events, int64(id)/2)
		}
	}
	among, arg := s.db.Dialect.Among("id", events)
	closed = map[int64]int64{}
	err = s.read(ctx, tx, func(rows *sql.Rows) error {
		var delivery int64
		err := rows.Scan(&delivery)
		closed[delivery]++
		return err
	}, change+among+" RETURNING delivery", append(args, arg)...)
	return closed, err
}

// deliveriesAmong returns the numbers of the deliveries among IDs.
func deliveriesAmong(ids []inbox.ID) []int64 {
	var found []int64
	for _, id := range ids {
		if id%2 == 0 {
			found = append(found, int64(id)/2)
		}
	}
	return found
}
