package sqlinbox

import (
	"context"
	"database/sql"
	"maps"
	"slices"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/sqldb"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/inbox"
)

// Extend implements [inbox.Store]. If another worker has claimed a part of a batch, no lane has its
// token any longer: claimEvents takes all of them.
func (s *Store) Extend(ctx context.Context, token inbox.LeaseToken, lease time.Duration) error {
	return s.write(ctx, "Extend", false, func(tx *sql.Tx) error {
		n, err := s.exec(
			ctx, tx, "UPDATE webhook_lanes SET next_at = ? + $now WHERE token = ?", s.in(lease), string(token),
		)
		if err == nil && n == 0 {
			err = inbox.ErrLeaseLost
		}
		return err
	})
}

// Settle implements [inbox.Store]. An unknown token counts as a lost lease.
func (s *Store) Settle(ctx context.Context, token inbox.LeaseToken, outcomes []inbox.Settlement) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	q, _ := queueOf(token)
	return s.write(ctx, "Settle", q.bulk == 1, func(tx *sql.Tx) error { return s.settle(ctx, tx, token, outcomes) })
}

// Transact implements [inbox.TxSettler]. With SQLite, nothing else is written as long as fn runs.
func (s *Store) Transact(ctx context.Context, fn func(tx *sql.Tx) error) error {
	var refused error // the error of fn, which is returned unchanged
	err := s.db.Transact(ctx, func(tx *sql.Tx) error {
		refused = fn(tx)
		return refused
	})
	if refused != nil {
		return refused
	}
	return explain("Transact", err)
}

// SettleTx implements [inbox.TxSettler]. From here on the transaction locks rows that other
// processes need, so it must not idle; before, it locked only the host's own rows and may have
// taken long.
func (s *Store) SettleTx(ctx context.Context, tx *sql.Tx, token inbox.LeaseToken, outcomes []inbox.Settlement) error {
	err := s.db.Set(ctx, tx, sqldb.LimitIdle)
	if err == nil {
		err = s.settle(ctx, tx, token, outcomes)
	}
	return explain("SettleTx", err)
}

// settle stores outcomes within a transaction.
func (s *Store) settle(ctx context.Context, tx *sql.Tx, token inbox.LeaseToken, outcomes []inbox.Settlement) error {
	q, ok := queueOf(token)
	switch {
	case !ok:
		return inbox.ErrLeaseLost
	case len(outcomes) == 0:
		return nil
	case q.kind == inbox.KindDelivery:
		return s.settleDeliveries(ctx, tx, q, token, outcomes)
	}
	return s.settleEvents(ctx, tx, q, token, outcomes)
}

// An entry is an event to be settled.
type entry struct {
	id, delivery int64 // IDs in the tables
	lane         string
	out          inbox.Settlement
}

// A laneEnd is what a settlement does to a lane.
type laneEnd struct {
	settled int64         // records of its batch
	freed   bool          // an outcome releases the rest of the batch
	after   time.Duration // the pause of the lane after that; 0 after a release
	tried   bool          // an outcome is not a release, so the lane counts as not abandoned
}

// add counts an outcome.
func (end *laneEnd) add(out inbox.Settlement) {
	end.settled++
	switch out.Disposition {
	case inbox.DispositionRetry:
		end.freed, end.after, end.tried = true, out.RetryAfter, true
	case inbox.DispositionRelease:
		end.freed = true
	case inbox.DispositionDone, inbox.DispositionDead:
		end.tried = true
	}
}

// settleEvents stores the outcomes of events, after locking their lanes in the order of their
// names, which prevents deadlocks. A lane stays leased until its whole batch is settled, or an
// outcome releases the rest.
func (s *Store) settleEvents(
	ctx context.Context, tx *sql.Tx, q queue, token inbox.LeaseToken, outcomes []inbox.Settlement,
) error {
	entries, err := s.entries(ctx, tx, outcomes)
	if err != nil {
		return err
	}
	lanes := map[string]*laneEnd{}
	for _, e := range entries {
		if lanes[e.lane] == nil {
			lanes[e.lane] = new(laneEnd)
		}
		end := lanes[e.lane]
		if end.freed {
			return inbox.ErrLeaseLost // settled after an outcome that released the rest
		}
		end.add(e.out)
	}
	names := make([]string, 0, len(lanes))
	for lane := range lanes {
		names = append(names, lane)
	}
	slices.Sort(names)
	if err := s.lockLanes(ctx, tx, q, token, names); err != nil {
		return err
	}
	if err := s.writeEvents(ctx, tx, entries); err != nil {
		return err
	}
	return s.endLanes(ctx, tx, q, names, lanes)
}

// isWaiting is state = 0, for rows that are looked up by id. In its plain form, a planner that
// expects few waiting rows would scan all of them.
const isWaiting = "state + 0 = 0"

// entries returns the events of outcomes. lockLanes decides whether the caller holds their lanes.
// An event that is not waiting was settled by another worker.
func (s *Store) entries(ctx context.Context, tx *sql.Tx, outcomes []inbox.Settlement) ([]entry, error) {
	ids := make([]int64, len(outcomes))
	for i, out := range outcomes {
		if out.ID%2 != 1 {
			return nil, inbox.ErrLeaseLost
		}
		ids[i] = int64(out.ID) / 2
	}
	found := map[int64]entry{}
	among, arg := s.db.Dialect.Among("id", ids)
	err := s.read(ctx, tx, func(rows *sql.Rows) error {
		var e entry
		err := rows.Scan(&e.id, &e.delivery, &e.lane)
		found[e.id] = e
		return err
	}, "SELECT id, delivery, lane FROM webhook_events WHERE "+isWaiting+" AND "+among, arg)
	if err != nil {
		return nil, err
	}
	entries := make([]entry, len(outcomes))
	for i, out := range outcomes {
		e, ok := found[ids[i]]
		if !ok {
			return nil, inbox.ErrLeaseLost
		}
		delete(found, ids[i]) // once
		e.out = out
		entries[i] = e
	}
	return entries, nil
}

// lockLanes returns [inbox.ErrLeaseLost] unless the token holds all of the lanes. With PostgreSQL,
// it locks them until the transaction ends, so that the result stays valid.
func (s *Store) lockLanes(ctx context.Context, tx *sql.Tx, q queue, token inbox.LeaseToken, names []string) error {
	among, arg := s.db.Dialect.AmongTexts("lane", names)
	n := 0
	err := s.read(ctx, tx, func(*sql.Rows) error { n++; return nil },
		"SELECT lane FROM webhook_lanes WHERE kind = 1 AND bulk = ? AND token = ? AND "+among+" ORDER BY lane"+
			s.db.Dialect.ForUpdate(), q.bulk, string(token), arg)
	if err == nil && n != len(names) {
		err = inbox.ErrLeaseLost
	}
	return err
}

// writeEvents stores the outcomes of events, and updates the counts of their deliveries. A released
// event is not changed.
func (s *Store) writeEvents(ctx context.Context, tx *sql.Tx, entries []entry) error {
	var cells [][]sqldb.Cell
	closed := map[int64]int64{}
	for _, e := range entries {
		state, attempts := int64(stateWaiting), int64(0)
		switch e.out.Disposition {
		case inbox.DispositionDone:
			state = stateDone
			closed[e.delivery]++
		case inbox.DispositionDead:
			state = stateDead
		case inbox.DispositionRetry:
			attempts = 1
		case inbox.DispositionRelease:
			continue
		}
		cells = append(cells, []sqldb.Cell{
			sqldb.Number(e.id), sqldb.Number(state), sqldb.Number(attempts), sqldb.TextOrNull(e.out.Reason),
		})
	}
	if len(cells) == 0 {
		return nil
	}
	from, args := s.db.Dialect.Table([]string{"id bigint", "state bigint", "attempts bigint", "reason text"}, cells)
	n, err := s.exec(ctx, tx, `UPDATE webhook_events SET state = r.state,
		attempts = webhook_events.attempts + r.attempts, reason = r.reason, changed_at = ? + $now
		FROM `+from+` WHERE webhook_events.id = r.id AND webhook_events.`+isWaiting,
		append([]any{s.in(0)}, args...)...)
	if err != nil {
		return err
	}
	if n != int64(len(cells)) {
		return inbox.ErrLeaseLost // the same holder has settled them in another transaction
	}
	return s.closeEvents(ctx, tx, closed)
}

// someOpen is a condition in SQLite: the delivery has events that are neither done nor deleted.
const someOpen = "EXISTS (SELECT 1 FROM webhook_events e WHERE e.delivery = webhook_deliveries.id AND e.state < 3)"

// closeEvents marks deliveries as done whose last events are done or deleted, and deletes their
// bodies. It gets the number of closed events by delivery. SQLite checks whether events are left;
// in PostgreSQL, other transactions may be closing events of the same delivery, so the delivery has
// a counter, which they update one after the other.
func (s *Store) closeEvents(ctx context.Context, tx *sql.Tx, closed map[int64]int64) error {
	if len(closed) == 0 {
		return nil
	}
	if s.db.Dialect == sqldb.SQLite {
		among, arg := s.db.Dialect.Among("id", slices.Collect(maps.Keys(closed)))
		_, err := s.exec(ctx, tx, `UPDATE webhook_deliveries SET changed_at = ? + $now, state = 3, body = NULL
			WHERE `+among+" AND state + 0 = 1 AND NOT "+someOpen, s.in(0), arg)
		return err
	}
	cells := make([][]sqldb.Cell, 0, len(closed))
	for id, n := range closed {
		cells = append(cells, []sqldb.Cell{sqldb.Number(id), sqldb.Number(n)})
	}
	from, args := s.db.Dialect.Table([]string{"id bigint", "closed bigint"}, cells)
	// over is true for a delivery without further open events. If it waits to be split again, or is
	// dead, it still needs its body.
	const over = "CASE WHEN webhook_deliveries.left_open <= r.closed AND webhook_deliveries.state = 1 THEN "
	_, err := s.exec(ctx, tx, `UPDATE webhook_deliveries SET left_open = webhook_deliveries.left_open - r.closed,
		changed_at = ? + $now,
		state = `+over+`3 ELSE webhook_deliveries.state END, body = `+over+`NULL ELSE webhook_deliveries.body END
		FROM `+from+` WHERE webhook_deliveries.id = r.id`, append([]any{s.in(0)}, args...)...)
	return err
}

// endLanes frees lanes whose batch is settled, and deletes empty ones. A lane in quarantine that
// was only released goes back there.
func (s *Store) endLanes(ctx context.Context, tx *sql.Tx, q queue, names []string, lanes map[string]*laneEnd) error {
	cells := make([][]sqldb.Cell, len(names))
	for i, name := range names {
		end := lanes[name]
		cells[i] = []sqldb.Cell{
			sqldb.Text(name), sqldb.Number(end.settled), sqldb.Number(number(end.freed)),
			sqldb.Number(end.after.Microseconds()), sqldb.Number(number(end.tried)),
		}
	}
	// As in a claim, this is an INSERT of existing rows, so its columns carry the parameters of the
	// update: held is how many records were settled, next_at when a freed lane can be claimed,
	// state whether that is later, worker whether an outcome freed it, and abandoned whether it was
	// tried. The worker's name is not changed.
	from, args := s.db.Dialect.Table([]string{
		"lane text", "settled bigint", "freed bigint", "pause bigint", "tried bigint",
	}, cells)
	const over = "CASE WHEN excluded.worker = '1' OR webhook_lanes.held <= excluded.held THEN "
	_, err := s.exec(ctx, tx, `INSERT INTO webhook_lanes (kind, bulk, lane, held, worker, next_at, state, abandoned)
		SELECT 1, CAST(? AS BIGINT), r.lane, r.settled, CAST(r.freed AS TEXT), ? + $now + r.pause,
			CASE WHEN r.pause > 0 THEN 1 ELSE 0 END, r.tried FROM `+from+`
		WHERE 1 = 1
		ON CONFLICT (kind, bulk, lane) DO UPDATE SET token = `+over+`NULL ELSE webhook_lanes.token END,
		next_at = `+over+`excluded.next_at ELSE webhook_lanes.next_at END,
		held = `+over+`0 ELSE webhook_lanes.held - excluded.held END,
		state = `+over+`CASE WHEN excluded.abandoned = 0 AND webhook_lanes.abandoned > 1 THEN 2 ELSE excluded.state END
			ELSE webhook_lanes.state END,
		abandoned = CASE WHEN excluded.abandoned = 1 THEN 0 ELSE webhook_lanes.abandoned END`,
		append([]any{q.bulk, s.in(0)}, args...)...)
	if err != nil {
		return err
	}
	_, err = s.deleteEmptyLanes(ctx, tx, q, names)
	return err
}
