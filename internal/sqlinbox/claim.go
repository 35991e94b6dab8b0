package sqlinbox

import (
	"context"
	"crypto/rand"
	"database/sql"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/sqldb"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/inbox"
)

// A queue is one of the four: deliveries and events, live and backfill.
type queue struct {
	kind inbox.Kind
	bulk int64 // 1 for the backfill: the column bulk
}

// newToken returns a token that says which queue it is for, so that settling looks at the right
// tables and has the right priority.
func newToken(q queue) inbox.LeaseToken {
	return inbox.LeaseToken(fmt.Sprintf("%d.%d.%s", q.kind, q.bulk, rand.Text()))
}

// queueOf returns the queue of a token that newToken has made, and false for any other text.
func queueOf(t inbox.LeaseToken) (q queue, ok bool) {
	kind, rest, _ := strings.Cut(string(t), ".")
	bulk, _, found := strings.Cut(rest, ".")
	k, err1 := strconv.Atoi(kind)
	b, err2 := strconv.ParseInt(bulk, 10, 64)
	return queue{inbox.Kind(k), b}, found && err1 == nil && err2 == nil
}

// deliveryID and eventID make one range of IDs of two tables, both of which count from 1: outside,
// an ID is even for a delivery and odd for an event.
func deliveryID(n int64) inbox.ID { return inbox.ID(2 * n) }
func eventID(n int64) inbox.ID    { return inbox.ID(2*n + 1) }

// Claim implements [inbox.Store]. Most claims find nothing to do, so it looks first without a
// transaction. Bodies are read after the commit, because they can be large and other transactions
// would wait meanwhile; if that fails, the records are given back.
func (s *Store) Claim(ctx context.Context, req inbox.ClaimRequest) (b inbox.Batch, err error) {
	q := queue{req.Kind, number(req.Backfill)}
	wait, ready, err := s.ready(ctx, q)
	if err != nil || !ready {
		return inbox.Batch{Wait: wait}, explain("Claim", err)
	}
	var admitted []inbox.Record
	err = s.write(ctx, "Claim", req.Backfill, func(tx *sql.Tx) error {
		b = inbox.Batch{LeaseToken: newToken(q)}
		if q.kind == inbox.KindDelivery {
			b.Records, admitted, err = s.claimDeliveries(ctx, tx, q, b.LeaseToken, req)
		} else {
			b.Records, err = s.claimEvents(ctx, tx, q, b.LeaseToken, req)
		}
		return err
	})
	if err != nil {
		return inbox.Batch{}, err
	}
	s.arrivals.remove(admitted)
	if len(b.Records) == 0 {
		return inbox.Batch{}, nil
	}
	missing, err := s.loadBodies(ctx, b.Records)
	if err != nil {
		outs := make([]inbox.Settlement, len(b.Records))
		for i, rec := range b.Records {
			outs[i] = inbox.Settlement{ID: rec.ID, Disposition: inbox.DispositionRelease}
		}
		_ = s.Settle(context.WithoutCancel(ctx), b.LeaseToken, outs) // or they come again when the lease is over
		return inbox.Batch{}, explain("Claim", err)
	}
	if missing {
		return inbox.Batch{}, nil
	}
	return b, nil
}

// ready reports whether a claim may bring something, without a transaction: most of the time there
// is nothing to do. wait is how long it takes until something becomes ready, if the store knows.
// The lane of deliveries is always there, so deliveries are looked for as well.
func (s *Store) ready(ctx context.Context, q queue) (wait time.Duration, ready bool, err error) {
	var in sql.NullInt64
	query := "SELECT MIN(next_at) - (? + $now) FROM webhook_lanes WHERE kind = ? AND bulk = ?"
	if q.kind == inbox.KindDelivery {
		some := "EXISTS (SELECT 1 FROM webhook_deliveries d WHERE d.state = 0 AND d.bulk = webhook_lanes.bulk)"
		if s.db.Dialect == sqldb.SQLite && q.bulk == 0 {
			some = "(" + some + " OR EXISTS (SELECT 1 FROM webhook_arrivals))"
		}
		query += " AND " + some
	}
	err = s.read(ctx, s.db, func(rows *sql.Rows) error { return rows.Scan(&in) }, query, s.in(0), int64(q.kind), q.bulk)
	if err != nil || !in.Valid {
		return 0, false, err
	}
	wait = time.Duration(in.Int64) * time.Microsecond
	return wait, wait <= 0, nil
}

// claimDeliveries takes what waits for being split. All deliveries of a queue are one lane, whose
// row is there from the beginning. It also returns which arrivals it admitted for that.
func (s *Store) claimDeliveries(
	ctx context.Context, tx *sql.Tx, q queue, token inbox.LeaseToken, req inbox.ClaimRequest,
) (recs, admitted []inbox.Record, err error) {
	// Its holder until now has lost the lease: the token is another one.
	n, err := s.exec(ctx, tx, `UPDATE webhook_lanes SET token = ?, next_at = ? + $now, worker = ?
		WHERE kind = 0 AND bulk = ? AND lane = '' AND next_at <= ? + $now`,
		string(token), s.in(req.LeaseDuration), sqldb.Clean(req.WorkerID), q.bulk, s.in(0))
	if err != nil || n == 0 {
		return nil, nil, err
	}
	if s.db.Dialect == sqldb.SQLite && !req.Backfill {
		if admitted, err = s.admit(ctx, tx, req.PerLane, req.MaxBytes); err != nil {
			return nil, nil, err
		}
	}
	bytes := 0
	err = s.read(ctx, tx, func(rows *sql.Rows) error {
		var id, receivedAt int64
		var size int
		var key sql.NullString
		rec := inbox.Record{Kind: inbox.KindDelivery, Backfill: req.Backfill}
		if err := rows.Scan(&id, &key, &rec.Attempts, &receivedAt, &size); err != nil {
			return err
		}
		rec.ID, rec.Delivery, rec.DedupKey = deliveryID(id), deliveryID(id), key.String
		rec.ReceivedAt = time.UnixMicro(receivedAt).UTC()
		if bytes += size; req.MaxBytes == 0 || bytes <= req.MaxBytes || len(recs) == 0 {
			recs = append(recs, rec)
		}
		return nil
	}, `SELECT id, record_key, attempts, received_at, size FROM webhook_deliveries
		WHERE state = 0 AND bulk = ? ORDER BY id LIMIT ?`, q.bulk, req.PerLane)
	if err != nil {
		return nil, nil, err
	}
	set := "held = ?"
	if len(recs) == 0 { // another process was faster
		set = "held = ?, token = NULL, next_at = 0"
	}
	_, err = s.exec(
		ctx, tx, "UPDATE webhook_lanes SET "+set+" WHERE kind = 0 AND bulk = ? AND lane = ''", len(recs), q.bulk,
	)
	return recs, admitted, err
}

// claimEvents takes lanes with what waits in them: it locks lanes that can be claimed, takes from
// those whose lease has ended the whole batch of their holder, reads their first events, and writes
// the new lease. A lane without events is deleted instead: the process that settled the last ones
// did not see that.
func (s *Store) claimEvents(
	ctx context.Context, tx *sql.Tx, q queue, token inbox.LeaseToken, req inbox.ClaimRequest,
) ([]inbox.Record, error) {
	lanes, expired, err := s.readyLanes(ctx, tx, q, req.Lanes)
	if err != nil || len(lanes) == 0 {
		return nil, err
	}
	for _, token := range expired {
		// The lease was that of a whole batch: a worker that lost one lane of it has lost them all.
		_, err := s.exec(ctx, tx, "UPDATE webhook_lanes SET token = NULL, held = 0, next_at = ? + $now WHERE token = ?",
			s.in(0), token)
		if err != nil {
			return nil, err
		}
	}
	recs, err := s.waiting(ctx, tx, q, lanes, req)
	if err != nil {
		return nil, err
	}
	held := map[string]int64{} // records of each lane that are in the batch
	for _, rec := range recs {
		held[rec.Lane]++
	}
	var taken [][]sqldb.Cell
	for _, lane := range lanes {
		if held[lane] > 0 {
			taken = append(taken, []sqldb.Cell{sqldb.Text(lane), sqldb.Number(held[lane])})
		}
	}
	if len(taken) == 0 {
		_, err := s.deleteEmptyLanes(ctx, tx, q, lanes)
		return nil, err
	}
	// An INSERT of rows that exist, and so an update: a database goes from the values to the rows
	// for an INSERT, and for an UPDATE may go through all rows.
	from, args := s.table([]string{"lane text", "held bigint"}, taken)
	_, err = s.exec(ctx, tx, `INSERT INTO webhook_lanes (kind, bulk, token, worker, next_at, lane, held)
		SELECT 1, CAST(? AS BIGINT), CAST(? AS TEXT), CAST(? AS TEXT), ? + $now, r.lane, r.held FROM `+from+`
		WHERE 1 = 1
		ON CONFLICT (kind, bulk, lane) DO UPDATE SET token = excluded.token, worker = excluded.worker,
		next_at = excluded.next_at, held = excluded.held`,
		append([]any{q.bulk, string(token), sqldb.Clean(req.WorkerID), s.in(req.LeaseDuration)}, args...)...)
	return recs, err
}

// readyLanes locks lanes that can be claimed, those first that have waited longest, and returns the
// tokens of leases that have ended among them. With PostgreSQL, lanes that other claims have locked
// are skipped.
func (s *Store) readyLanes(ctx context.Context, tx *sql.Tx, q queue, limit int) (lanes, expired []string, err error) {
	skip := ""
	if s.db.Dialect == sqldb.PostgreSQL {
		skip = " FOR UPDATE SKIP LOCKED"
	}
	err = s.read(ctx, tx, func(rows *sql.Rows) error {
		var lane string
		var token sql.NullString
		err := rows.Scan(&lane, &token)
		lanes = append(lanes, lane)
		if token.Valid && !slices.Contains(expired, token.String) {
			expired = append(expired, token.String)
		}
		return err
	}, `SELECT lane, token FROM webhook_lanes WHERE kind = 1 AND bulk = ? AND next_at <= ? + $now
		ORDER BY next_at LIMIT ?`+skip, q.bulk, s.in(0), limit)
	return lanes, expired, err
}

// waiting returns the first events of the lanes, without bodies, as far as MaxBytes goes; the body
// of a delivery counts once. It asks for all lanes in one statement. In PostgreSQL, a LATERAL
// subquery limits the events of each lane; SQLite, which has none, finds the ID of the last one
// first.
func (s *Store) waiting(
	ctx context.Context, tx *sql.Tx, q queue, lanes []string, req inbox.ClaimRequest,
) (recs []inbox.Record, err error) {
	rowsOfLanes := make([][]sqldb.Cell, len(lanes))
	for i, lane := range lanes {
		rowsOfLanes[i] = []sqldb.Cell{sqldb.Text(lane)}
	}
	from, args := s.table([]string{"lane text"}, rowsOfLanes)
	const columns = "SELECT e.id, e.delivery, e.place, e.record_key, e.lane, e.phone_number_id, e.attempts, " +
		"d.received_at, d.size FROM "
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
		)
		if err != nil {
			return err
		}
		rec.ID, rec.Delivery, rec.DedupKey = eventID(id), deliveryID(delivery), key.String
		rec.ReceivedAt = time.UnixMicro(receivedAt).UTC()
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

// loadBodies gives records the bodies of their deliveries. Events of one delivery share its bytes.
// missing says that a body is gone: another worker has settled the records, because the lease is
// over.
func (s *Store) loadBodies(ctx context.Context, recs []inbox.Record) (missing bool, err error) {
	bodies := map[int64][]byte{}
	var ids []int64
	for _, rec := range recs {
		id := int64(rec.Delivery) / 2
		if _, ok := bodies[id]; !ok {
			bodies[id] = nil
			ids = append(ids, id)
		}
	}
	found := 0
	among, arg := s.db.Dialect.Among("id", ids)
	err = s.read(ctx, s.db, func(rows *sql.Rows) error {
		var id int64
		var body []byte
		err := rows.Scan(&id, &body)
		bodies[id] = body
		found++
		return err
	}, "SELECT id, body FROM webhook_deliveries WHERE body IS NOT NULL AND "+among, arg)
	for i := range recs {
		recs[i].Body = bodies[int64(recs[i].Delivery)/2]
	}
	return found < len(ids), err
}

// deleteEmptyLanes forgets lanes in which nothing waits. It compares a subquery with NULL: with NOT
// EXISTS, a planner may join, and go through all that wait.
func (s *Store) deleteEmptyLanes(ctx context.Context, q querier, in queue, lanes []string) (int64, error) {
	rows := make([][]sqldb.Cell, len(lanes))
	for i, lane := range lanes {
		rows[i] = []sqldb.Cell{sqldb.Text(lane)}
	}
	from, args := s.table([]string{"lane text"}, rows)
	return s.exec(ctx, q, `DELETE FROM webhook_lanes WHERE kind = 1 AND bulk = ?
		AND lane IN (SELECT r.lane FROM `+from+`)
		AND (SELECT 1 FROM webhook_events e WHERE e.state = 0 AND e.bulk = webhook_lanes.bulk
			AND e.lane = webhook_lanes.lane LIMIT 1) IS NULL`,
		append([]any{in.bulk}, args...)...)
}

// table is Dialect.Table, with parameters as the driver takes them.
func (s *Store) table(columns []string, rows [][]sqldb.Cell) (from string, args []any) {
	from, texts := s.db.Dialect.Table(columns, rows)
	for _, t := range texts {
		args = append(args, t)
	}
	return from, args
}
