package sqlinbox

import (
	"context"
	"database/sql"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/sqldb"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/inbox"
)

// A claimable is a lane that a claim has locked.
type claimable struct {
	lane      string
	number    string
	class     int
	abandoned int // how often in a row a lease of it ended without a settlement
}

// claimEvents claims lanes with their events: it makes those ready whose lease or pause has ended,
// locks ready lanes, reads their first events, and writes the new lease. A lane without events is
// deleted instead, which can remain if two processes settle the last ones at once. It adds what it
// claims to b, under b's token. last has the numbers whose turns were last.
func (s *Store) claimEvents(
	ctx context.Context, tx *sql.Tx, q queue, req inbox.ClaimRequest, found sighting, b *inbox.Batch,
) (last [2]string, err error) {
	last = s.turns.of(q)
	if found.due {
		if err := s.freeDue(ctx, tx, q); err != nil {
			return last, err
		}
		if found, err = s.look(ctx, tx, q, req); err != nil {
			return last, err
		}
	}
	var lanes []claimable
	all := false
	if req.Quarantine {
		lanes, err = s.quarantinedLane(ctx, tx, q)
	} else {
		lanes, all, err = s.readyLanes(ctx, tx, q, req.Lanes, found.numbers)
	}
	if err != nil || len(lanes) == 0 {
		return last, err
	}
	b.Records, err = s.waiting(ctx, tx, q, lanes, req)
	if err != nil {
		return last, err
	}
	held := map[string]int64{} // records in the batch, by lane
	for _, rec := range b.Records {
		held[rec.Lane]++
	}
	names := make([]string, len(lanes))
	var taken [][]sqldb.Cell
	for i, l := range lanes {
		names[i] = l.lane
		if held[l.lane] > 0 {
			taken = append(taken, []sqldb.Cell{sqldb.Text(l.lane), sqldb.Number(held[l.lane])})
			if !req.Quarantine {
				last[l.class] = l.number
			}
		}
	}
	if len(taken) == 0 {
		_, err := s.deleteEmptyLanes(ctx, tx, q, names)
		return last, err
	}
	if b.Drained = all && !found.due && len(taken) == len(lanes); b.Drained {
		b.Wait = found.wait
	}
	// An INSERT of existing rows, which becomes an update: for an INSERT, a database goes from the
	// values to the rows; for an UPDATE, it may scan all rows.
	from, args := s.db.Dialect.Table([]string{"lane text", "held bigint"}, taken)
	_, err = s.exec(ctx, tx, `INSERT INTO webhook_lanes (kind, bulk, state, token, worker, next_at, lane, held)
		SELECT 1, CAST(? AS BIGINT), 1, CAST(? AS TEXT), CAST(? AS TEXT), ? + $now, r.lane, r.held FROM `+from+`
		WHERE 1 = 1
		ON CONFLICT (kind, bulk, lane) DO UPDATE SET state = 1, token = excluded.token, worker = excluded.worker,
		next_at = excluded.next_at, held = excluded.held`,
		append([]any{q.bulk, string(b.LeaseToken), sqldb.Clean(req.WorkerID), s.in(req.LeaseDuration)}, args...)...)
	return last, err
}

// skipLocked locks the rows that a statement reads, and skips those that others have locked.
func (s *Store) skipLocked() string {
	if s.db.Dialect == sqldb.PostgreSQL {
		return " FOR UPDATE SKIP LOCKED"
	}
	return ""
}

// dueStep is how many lanes a claim makes ready at most.
const dueStep = 256

// freeDue makes lanes ready whose pause or lease has ended. An ended lease was abandoned with its
// whole batch, since a worker that lost one lane of it has lost them all; such lanes go behind the
// ready ones, and into quarantine the second time.
func (s *Store) freeDue(ctx context.Context, tx *sql.Tx, q queue) error {
	var paused, tokens []string
	err := s.read(ctx, tx, func(rows *sql.Rows) error {
		var lane string
		var token sql.NullString
		err := rows.Scan(&lane, &token)
		if !token.Valid {
			paused = append(paused, lane)
		} else if !slices.Contains(tokens, token.String) {
			tokens = append(tokens, token.String)
		}
		return err
	}, `SELECT lane, token FROM webhook_lanes WHERE kind = 1 AND bulk = ? AND state = 1 AND next_at <= ? + $now
		ORDER BY next_at LIMIT ?`+s.skipLocked(), q.bulk, s.in(0), dueStep)
	if err != nil {
		return err
	}
	for _, token := range tokens {
		_, err := s.exec(ctx, tx, `UPDATE webhook_lanes SET token = NULL, held = 0, abandoned = abandoned + 1,
			state = CASE WHEN abandoned = 0 THEN 0 ELSE 2 END, next_at = ? + $now + `+abandonedPause+`
			WHERE token = ?`, s.in(0), token)
		if err != nil {
			return err
		}
	}
	if len(paused) == 0 {
		return nil
	}
	among, arg := s.db.Dialect.AmongTexts("lane", paused)
	_, err = s.exec(ctx, tx, "UPDATE webhook_lanes SET state = 0 WHERE kind = 1 AND bulk = ? AND "+among, q.bulk, arg)
	return err
}

// abandonedPause is [inbox.AbandonedPause] in SQL, in microseconds, for a lane that is abandoned
// once more.
var abandonedPause = func() string {
	var b strings.Builder
	longest := inbox.AbandonedPause(math.MaxInt)
	b.WriteString("CASE abandoned")
	for times := 1; inbox.AbandonedPause(times) < longest; times++ {
		fmt.Fprintf(&b, " WHEN %d THEN %d", times-1, inbox.AbandonedPause(times).Microseconds())
	}
	fmt.Fprintf(&b, " ELSE %d END", longest.Microseconds())
	return b.String()
}()

// waiting returns the first events of the lanes, without large bodies, up to MaxBytes; the body of
// a delivery counts once. Of an abandoned lane it returns a single event. One statement reads all
// lanes. In PostgreSQL, a LATERAL subquery limits the events of each lane; SQLite, which has none,
// finds the ID of the last one first.
func (s *Store) waiting(
	ctx context.Context, tx *sql.Tx, q queue, lanes []claimable, req inbox.ClaimRequest,
) (recs []inbox.Record, err error) {
	rowsOfLanes := make([][]sqldb.Cell, len(lanes))
	abandoned := map[string]int{}
	for i, l := range lanes {
		rowsOfLanes[i] = []sqldb.Cell{sqldb.Text(l.lane)}
		if l.abandoned > 0 {
			abandoned[l.lane] = l.abandoned
		}
	}
	from, args := s.db.Dialect.Table([]string{"lane text"}, rowsOfLanes)
	const columns = "SELECT e.id, e.delivery, e.place, e.record_key, e.lane, e.phone_number_id, e.attempts, " +
		"d.received_at, d.size, " + smallBody + " FROM "
	query := columns + from + ` CROSS JOIN webhook_events e JOIN webhook_deliveries d ON d.id = e.delivery
		WHERE e.bulk = ? AND e.lane = r.lane AND e.state = 0 AND e.id <= COALESCE(
			(SELECT x.id FROM webhook_events x WHERE x.bulk = e.bulk AND x.lane = r.lane AND x.state = 0
				ORDER BY x.id LIMIT 1 OFFSET ?), 9223372036854775807)
		ORDER BY r.n, e.id`
	args = append(args, q.bulk, req.PerLane-1)
	if s.db.Dialect == sqldb.PostgreSQL {
		query = columns + from + ` CROSS JOIN LATERAL (SELECT * FROM webhook_events x
			WHERE x.bulk = ? AND x.lane = r.lane AND x.state = 0 ORDER BY x.id LIMIT ?) e
			JOIN webhook_deliveries d ON d.id = e.delivery ORDER BY r.n, e.id`
		args[len(args)-1] = req.PerLane
	}
	bytes, full := 0, false
	counted := map[inbox.ID]bool{}
	err = s.read(ctx, tx, func(rows *sql.Rows) error {
		var id, delivery, receivedAt int64
		var size int
		var key sql.NullString
		rec := inbox.Record{Kind: inbox.KindEvent, Backfill: req.Backfill}
		err := rows.Scan(
			&id, &delivery, &rec.Index, &key, &rec.Lane, &rec.PhoneNumberID, &rec.Attempts, &receivedAt, &size,
			&rec.Body,
		)
		if err != nil {
			return err
		}
		rec.ID, rec.Delivery, rec.DedupKey = eventID(id), deliveryID(delivery), key.String
		rec.ReceivedAt = time.UnixMicro(receivedAt).UTC()
		rec.Abandoned = abandoned[rec.Lane]
		if len(recs) > 0 && rec.Abandoned > 0 && recs[len(recs)-1].Lane == rec.Lane {
			return nil
		}
		if !counted[rec.Delivery] {
			counted[rec.Delivery] = true
			bytes += size
			full = full || req.MaxBytes > 0 && bytes > req.MaxBytes && len(recs) > 0
		}
		if !full {
			recs = append(recs, rec)
		}
		return nil
	}, query, args...)
	return recs, err
}

// deleteEmptyLanes deletes lanes without waiting events. It compares a subquery with NULL: with NOT
// EXISTS, a planner may join, and scan all waiting events.
func (s *Store) deleteEmptyLanes(ctx context.Context, q querier, in queue, lanes []string) (int64, error) {
	among, arg := s.db.Dialect.AmongTexts("lane", lanes)
	return s.exec(ctx, q, "DELETE FROM webhook_lanes WHERE kind = 1 AND bulk = ? AND "+among+`
		AND (SELECT 1 FROM webhook_events e WHERE e.state = 0 AND e.bulk = webhook_lanes.bulk
			AND e.lane = webhook_lanes.lane LIMIT 1) IS NULL`, in.bulk, arg)
}
