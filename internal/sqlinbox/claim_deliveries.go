package sqlinbox

import (
	"cmp"
	"context"
	"database/sql"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/sqldb"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/inbox"
)

// lookForDeliveries looks for deliveries as well as for their lane, because the lane always exists.
// It asks for the first delivery: with EXISTS, PostgreSQL may read all of them.
func (s *Store) lookForDeliveries(ctx context.Context, q queue) (found sighting, err error) {
	some := `(SELECT d.id FROM webhook_deliveries d WHERE d.state = 0 AND d.bulk = ?
		ORDER BY d.number, d.id LIMIT 1) IS NOT NULL`
	if s.db.Dialect == sqldb.SQLite && q.bulk == 0 {
		some = "(" + some + " OR EXISTS (SELECT 1 FROM webhook_arrivals))"
	}
	err = s.read(ctx, s.db, func(rows *sql.Rows) error {
		var in int64
		err := rows.Scan(&in)
		found.due = in <= 0
		found.wait = time.Duration(max(in, 0)) * time.Microsecond
		return err
	}, "SELECT next_at - (? + $now) FROM webhook_lanes WHERE kind = 0 AND bulk = ? AND lane = '' AND "+some,
		s.in(0), q.bulk, q.bulk)
	return found, err
}

// admitStep is how many arrivals a claim admits at least, if there are as many: more than it
// claims, so that deliveries of other numbers behind a flood are found soon.
const admitStep = 1024

// Batches are short while deliveries of several numbers wait, and a moment longer, because a
// delivery of one number waits until the batch of another number is split.
const (
	sharedBatch = 24
	sharedFor   = time.Second
)

// claimDeliveries claims deliveries for splitting. All deliveries of a queue are one lane, whose
// row always exists. Unsettled deliveries of the last holder come first; otherwise numbers take
// turns. It also returns the arrivals that it admitted, and the number whose turn was last.
func (s *Store) claimDeliveries(
	ctx context.Context, tx *sql.Tx, q queue, token inbox.LeaseToken, req inbox.ClaimRequest,
) (recs, admitted []inbox.Record, last [2]string, err error) {
	last = s.turns.of(q)
	abandoned, batch := -1, sql.NullString{}
	// A new token ends the lease of a previous holder.
	err = s.read(ctx, tx, func(rows *sql.Rows) error { return rows.Scan(&abandoned, &batch) },
		`UPDATE webhook_lanes SET abandoned = abandoned + CASE WHEN token IS NULL THEN 0 ELSE 1 END,
		token = ?, next_at = ? + $now, worker = ?
		WHERE kind = 0 AND bulk = ? AND lane = '' AND next_at <= ? + $now RETURNING abandoned, batch`,
		string(token), s.in(req.LeaseDuration), sqldb.Clean(req.WorkerID), q.bulk, s.in(0))
	if err != nil || abandoned < 0 {
		return nil, nil, last, err
	}
	if abandoned > 0 {
		req.PerLane = 1
	}
	if s.db.Dialect == sqldb.SQLite && !req.Backfill {
		if admitted, err = s.admit(ctx, tx, max(req.PerLane, admitStep), req.MaxBytes); err != nil {
			return nil, nil, last, err
		}
	}
	if time.Now().UnixNano() < s.sharedUntil.Load() {
		req.PerLane = min(req.PerLane, sharedBatch)
	}
	found, err := s.unsettled(ctx, tx, batch.String, req.PerLane)
	if err == nil && len(found) == 0 {
		batch.Valid = false
		found, err = s.nextDeliveries(ctx, tx, q, last[0], req.PerLane)
	}
	if err != nil {
		return nil, nil, last, err
	}
	var ids []string
	bytes := 0
	for _, d := range found {
		if bytes += d.size; req.MaxBytes > 0 && bytes > req.MaxBytes && len(recs) > 0 {
			break
		}
		d.Backfill, d.Abandoned = req.Backfill, abandoned
		recs, last[0] = append(recs, d.Record), d.number
		ids = append(ids, strconv.FormatInt(int64(d.ID)/2, 10))
	}
	if !batch.Valid {
		batch.String = strings.Join(ids, ",")
	}
	set := "held = ?, batch = ?"
	if len(recs) == 0 { // another process was faster
		set += ", token = NULL, next_at = 0"
	}
	_, err = s.exec(ctx, tx, "UPDATE webhook_lanes SET "+set+" WHERE kind = 0 AND bulk = ? AND lane = ''",
		len(recs), batch.String, q.bulk)
	return recs, admitted, last, err
}

// A delivery is a delivery to be split, without its body if that is large.
type delivery struct {
	inbox.Record

	number string // whose turn it takes
	size   int    // bytes of the body
}

const waitingColumns = "d.id, d.number, d.record_key, d.attempts, d.received_at, d.size, " + smallBody

// scan reads waitingColumns, behind others.
func (d *delivery) scan(rows *sql.Rows, before ...any) error {
	var id, receivedAt int64
	var key sql.NullString
	err := rows.Scan(append(before, &id, &d.number, &key, &d.Attempts, &receivedAt, &d.size, &d.Body)...)
	d.Kind, d.ID, d.Delivery, d.DedupKey = inbox.KindDelivery, deliveryID(id), deliveryID(id), key.String
	d.ReceivedAt = time.UnixMicro(receivedAt).UTC()
	return err
}

// unsettled returns the first deliveries of a batch that are not settled, in the order of the
// batch. One of them may have crashed the process of the holder.
func (s *Store) unsettled(ctx context.Context, tx *sql.Tx, batch string, limit int) (found []delivery, err error) {
	if batch == "" {
		return nil, nil
	}
	var ids []int64
	for text := range strings.SplitSeq(batch, ",") {
		id, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	among, arg := s.db.Dialect.Among("d.id", ids)
	err = s.read(ctx, tx, func(rows *sql.Rows) error {
		var d delivery
		err := d.scan(rows)
		found = append(found, d)
		return err
	}, "SELECT "+waitingColumns+" FROM webhook_deliveries d WHERE d."+isWaiting+" AND "+among, arg)
	at := func(d delivery) int { return slices.Index(ids, int64(d.ID)/2) }
	slices.SortFunc(found, func(a, b delivery) int { return at(a) - at(b) })
	return found[:min(len(found), limit)], err
}

// nextDeliveries returns the next deliveries to be split: numbers take turns, beginning after the
// last one, and deliveries of a number are in order. A delivery without a number may be about
// several, so earlier ones go first and later ones wait.
func (s *Store) nextDeliveries(
	ctx context.Context, tx *sql.Tx, q queue, last string, limit int,
) (found []delivery, err error) {
	type first struct {
		lap, step int
		number    string
		id        int64
	}
	var firsts []first // of each number
	barrier := int64(math.MaxInt64)
	err = s.read(ctx, tx, func(rows *sql.Rows) error {
		var f first
		err := rows.Scan(&f.lap, &f.step, &f.number, &f.id)
		if f.number == "" {
			barrier = f.id
		} else {
			firsts = append(firsts, f)
		}
		return err
	}, deliveryTurns, q.bulk, last, limit)
	if err != nil {
		return nil, err
	}
	slices.SortFunc(firsts, func(a, b first) int {
		return cmp.Or(cmp.Compare(a.lap, b.lap), cmp.Compare(a.step, b.step))
	})
	var piles [2][]*pile[delivery]
	behind := int64(math.MaxInt64) // the first delivery after the barrier
	for _, f := range firsts {
		if f.id > barrier {
			behind = min(behind, f.id)
		} else if len(piles[0]) < limit && !slices.ContainsFunc(piles[0], func(p *pile[delivery]) bool {
			return p.number == f.number
		}) {
			piles[0] = append(piles[0], &pile[delivery]{number: f.number})
		}
	}
	if len(piles[0]) > 1 {
		s.sharedUntil.Store(time.Now().Add(sharedFor).UnixNano())
		limit = min(limit, sharedBatch)
	}
	before := barrier
	if len(piles[0]) == 0 {
		piles[0], before = []*pile[delivery]{{}}, behind
	}
	// Twice as many of each number as its turns, so that a batch is full although some numbers have
	// fewer.
	each := min(limit, 2*limit/len(piles[0])+1)
	if err := s.readPiles(ctx, tx, q, piles[0], before, each); err != nil {
		return nil, err
	}
	return dealt(piles, limit), nil
}

// deliveryTurns reads the first delivery of each number, as lookQuery reads numbers, and the first
// one without a number. It ends when enough numbers are found whose first delivery precedes that
// one.
const deliveryTurns = `WITH RECURSIVE p AS (
		SELECT CAST(? AS BIGINT) AS bulk, CAST(? AS TEXT) AS last, CAST(? AS BIGINT) AS most),
	q AS (SELECT p.bulk, p.last, p.most, (SELECT x.id FROM webhook_deliveries x
		WHERE x.state = 0 AND x.bulk = p.bulk AND x.number = '' ORDER BY x.id LIMIT 1) AS barrier FROM p),
	walk (lap, step, found, id) AS (
		SELECT c.lap, 1, 0, (SELECT x.id FROM webhook_deliveries x WHERE x.state = 0 AND x.bulk = q.bulk
			AND x.number > CASE WHEN c.lap = 0 THEN q.last ELSE '' END ORDER BY x.number, x.id LIMIT 1)
			FROM (SELECT 0 AS lap UNION ALL SELECT 1) AS c CROSS JOIN q
		UNION ALL
		SELECT w.lap, w.step + 1, w.found + CASE WHEN w.id > q.barrier THEN 0 ELSE 1 END,
			(SELECT x.id FROM webhook_deliveries x WHERE x.state = 0 AND x.bulk = q.bulk
			AND x.number > y.number ORDER BY x.number, x.id LIMIT 1)
			FROM walk w CROSS JOIN q CROSS JOIN webhook_deliveries y WHERE y.id = w.id AND w.found < q.most)
	SELECT w.lap, w.step, y.number, y.id FROM walk w CROSS JOIN webhook_deliveries y WHERE y.id = w.id
	UNION ALL SELECT 0, 0, '', q.barrier FROM q WHERE q.barrier IS NOT NULL`

// readPiles reads deliveries of each number, in order: those before an ID, up to a limit.
func (s *Store) readPiles(
	ctx context.Context, tx *sql.Tx, q queue, piles []*pile[delivery], before int64, each int,
) error {
	cells := make([][]sqldb.Cell, len(piles))
	for i, p := range piles {
		cells[i] = []sqldb.Cell{sqldb.Text(p.number), sqldb.Number(int64(i))}
	}
	from, args := s.db.Dialect.Table([]string{"number text", "place bigint"}, cells)
	const waiting = `x.state = 0 AND x.bulk = ? AND x.number = r.number AND x.id < ? ORDER BY x.id LIMIT ?`
	query := "SELECT r.place, " + waitingColumns + " FROM " + from +
		" CROSS JOIN LATERAL (SELECT * FROM webhook_deliveries x WHERE " + waiting + ") d ORDER BY r.place, d.id"
	if s.db.Dialect == sqldb.SQLite {
		query = "SELECT r.place, " + waitingColumns + " FROM " + from + " CROSS JOIN webhook_deliveries d " +
			"WHERE d.id IN (SELECT x.id FROM webhook_deliveries x WHERE " + waiting + ") ORDER BY r.place, d.id"
	}
	return s.read(ctx, tx, func(rows *sql.Rows) error {
		var place int
		var d delivery
		err := d.scan(rows, &place)
		piles[place].items = append(piles[place].items, d)
		return err
	}, query, append(args, q.bulk, before, each)...)
}
