package sqlinbox

import (
	"cmp"
	"context"
	"database/sql"
	"slices"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/sqldb"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/inbox"
)

// settleDeliveries stores the events of deliveries, if the token holds the lane of deliveries and
// all deliveries of the outcomes. Events go first, because a delivery without new events is done at
// once.
func (s *Store) settleDeliveries(
	ctx context.Context, tx *sql.Tx, q queue, token inbox.LeaseToken, outcomes []inbox.Settlement,
) error {
	var held int64
	err := s.read(ctx, tx, func(rows *sql.Rows) error { return rows.Scan(&held) },
		"SELECT held FROM webhook_lanes WHERE kind = 0 AND bulk = ? AND lane = '' AND token = ?"+
			s.db.Dialect.ForUpdate(), q.bulk, string(token))
	if err != nil {
		return err
	}
	if held < int64(len(outcomes)) {
		return inbox.ErrLeaseLost
	}
	end := laneEnd{}
	for _, out := range outcomes {
		if end.freed || out.ID%2 != 0 {
			return inbox.ErrLeaseLost
		}
		end.add(out)
	}
	added, err := s.addEvents(ctx, tx, outcomes)
	if err != nil {
		return err
	}
	if err := s.writeDeliveries(ctx, tx, outcomes, added); err != nil {
		return err
	}
	set, args := "held = ?", []any{held - end.settled}
	if end.freed || held == end.settled {
		// The other deliveries of an abandoned batch come before later ones. Without a pause, the
		// time of the lane is 0, so that a clock that is set back does not delay the next claim.
		set = "held = 0, token = NULL, batch = CASE WHEN abandoned = 0 THEN NULL ELSE batch END, next_at = 0"
		args = nil
		if end.after > 0 {
			set += " + ? + $now"
			args = []any{s.in(end.after)}
		}
	}
	if end.tried {
		set += ", abandoned = 0"
	}
	_, err = s.exec(
		ctx, tx, "UPDATE webhook_lanes SET "+set+" WHERE kind = 0 AND bulk = ? AND lane = ''", append(args, q.bulk)...,
	)
	return err
}

// A laneName is a lane of events. The same ordering key is another lane in the backfill.
type laneName struct {
	bulk int64
	lane string
}

// A newLane is what new events change in their lane.
type newLane struct {
	number string
	class  int64
}

// An eventPlace is the delivery and the index of an event.
type eventPlace struct {
	delivery int64
	index    int
}

// addEvents stores new events with their lanes, and returns how many there are of each delivery.
// The index of keys decides which are new. A placeholder whose message is known is left out by the
// condition on yields or, if the same statement stores the message, before.
func (s *Store) addEvents(
	ctx context.Context, tx *sql.Tx, outcomes []inbox.Settlement,
) (added map[int64]int64, err error) {
	var cells [][]sqldb.Cell
	classes := map[eventPlace]int64{}
	// Keys of the same statement, which its condition does not see.
	before := map[string]bool{}
	for _, out := range outcomes {
		for _, ev := range out.Events {
			if ev.SupersededBy != "" && before[ev.SupersededBy] {
				continue
			}
			before[ev.DedupKey] = true
			classes[eventPlace{int64(out.ID) / 2, ev.Index}] = number(ev.Status)
			cells = append(cells, []sqldb.Cell{
				sqldb.Number(int64(out.ID) / 2), sqldb.Number(int64(ev.Index)), sqldb.TextOrNull(ev.DedupKey),
				sqldb.Text(ev.Lane),
				sqldb.Number(number(ev.Backfill)), sqldb.Text(string(ev.PhoneNumberID)),
				sqldb.TextOrNull(ev.SupersededBy),
			})
		}
	}
	added = map[int64]int64{}
	if len(cells) == 0 {
		return added, nil
	}
	from, args := s.db.Dialect.Table([]string{
		"delivery bigint", "place bigint", "record_key text", "lane text", "bulk bigint", "number text", "yields text",
	}, cells)
	lanes := map[laneName]newLane{}
	err = s.read(ctx, tx, func(rows *sql.Rows) error {
		var place eventPlace
		var name laneName
		lane := newLane{class: classStatuses}
		err := rows.Scan(&place.delivery, &place.index, &name.bulk, &name.lane, &lane.number)
		added[place.delivery]++
		if before, known := lanes[name]; known {
			lane = before
		}
		lane.class = min(lane.class, classes[place])
		lanes[name] = lane
		return err
	}, `INSERT INTO webhook_events (delivery, place, record_key, lane, bulk, phone_number_id)
		SELECT r.delivery, r.place, r.record_key, r.lane, r.bulk, r.number FROM `+from+`
		WHERE r.yields IS NULL OR NOT EXISTS (SELECT 1 FROM webhook_events e WHERE e.record_key = r.yields)
		ORDER BY r.n ON CONFLICT DO NOTHING RETURNING delivery, place, bulk, lane, phone_number_id`, args...)
	if err != nil || len(lanes) == 0 {
		return added, err
	}
	return added, s.addLanes(ctx, tx, lanes)
}

// addLanes ensures that lanes exist and can be claimed. The update, which may change nothing, waits
// for a lane that is being settled, because it may be about to be deleted. Lanes are locked in the
// order of their names.
func (s *Store) addLanes(ctx context.Context, tx *sql.Tx, lanes map[laneName]newLane) error {
	names := make([]laneName, 0, len(lanes))
	for name := range lanes {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b laneName) int {
		return cmp.Or(cmp.Compare(a.bulk, b.bulk), cmp.Compare(a.lane, b.lane))
	})
	cells := make([][]sqldb.Cell, len(names))
	for i, name := range names {
		lane := lanes[name]
		cells[i] = []sqldb.Cell{
			sqldb.Number(name.bulk), sqldb.Text(name.lane), sqldb.Text(lane.number), sqldb.Number(lane.class),
		}
	}
	from, args := s.db.Dialect.Table([]string{"bulk bigint", "lane text", "number text", "class bigint"}, cells)
	_, err := s.exec(ctx, tx, `INSERT INTO webhook_lanes (kind, bulk, lane, number, class, next_at)
		SELECT 1, r.bulk, r.lane, r.number, r.class, ? + $now FROM `+from+` WHERE 1 = 1 ORDER BY r.n
		ON CONFLICT (kind, bulk, lane) DO UPDATE SET class = CASE WHEN excluded.class < webhook_lanes.class
			THEN excluded.class ELSE webhook_lanes.class END`,
		append([]any{s.in(0)}, args...)...)
	return err
}

// writeDeliveries stores the outcomes of deliveries: one without new events is done at once. It
// returns [inbox.ErrLeaseLost] if one of them was not waiting.
func (s *Store) writeDeliveries(
	ctx context.Context, tx *sql.Tx, outcomes []inbox.Settlement, added map[int64]int64,
) error {
	var cells [][]sqldb.Cell
	for _, out := range outcomes {
		state, attempts := int64(stateWaiting), int64(0)
		switch out.Disposition {
		case inbox.DispositionDone:
			state = stateSplit
		case inbox.DispositionDead:
			state = stateDead
		case inbox.DispositionRetry:
			attempts = 1
		case inbox.DispositionRelease:
			continue
		}
		id := int64(out.ID) / 2
		cells = append(cells, []sqldb.Cell{
			sqldb.Number(id), sqldb.Number(state), sqldb.Number(attempts), sqldb.Number(added[id]),
			sqldb.Number(number(out.DropKey)),
			sqldb.TextOrNull(out.Reason),
		})
	}
	if len(cells) == 0 {
		return nil
	}
	from, args := s.db.Dialect.Table([]string{
		"id bigint", "state bigint", "attempts bigint", "added bigint", "forget bigint", "reason text",
	}, cells)
	// over is true for a split delivery without open events, neither new ones nor, after a replay,
	// old ones. SQLite looks for them; PostgreSQL has a counter.
	over, count := "CASE WHEN r.state = 1 AND NOT "+someOpen+" THEN ", ""
	if s.db.Dialect == sqldb.PostgreSQL {
		over = "CASE WHEN r.state = 1 AND webhook_deliveries.left_open + r.added = 0 THEN "
		count = "left_open = webhook_deliveries.left_open + r.added, "
	}
	n, err := s.exec(ctx, tx, `UPDATE webhook_deliveries SET changed_at = ? + $now,
		attempts = webhook_deliveries.attempts + r.attempts,
		`+count+`reason = r.reason,
		record_key = CASE WHEN r.forget = 1 THEN NULL ELSE webhook_deliveries.record_key END,
		state = `+over+`3 ELSE r.state END, body = `+over+`NULL ELSE webhook_deliveries.body END
		FROM `+from+` WHERE webhook_deliveries.id = r.id AND webhook_deliveries.`+isWaiting,
		append([]any{s.in(0)}, args...)...)
	if err == nil && n != int64(len(cells)) {
		err = inbox.ErrLeaseLost
	}
	return err
}
