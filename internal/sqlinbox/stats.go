package sqlinbox

import (
	"context"
	"database/sql"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/sqldb"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/inbox"
)

// statsAge is the maximum age of counts. It limits the effect of a count that took long only
// because it waited for a connection.
const statsAge = 3 * time.Second

// Stats implements [inbox.Store]. Keys are not counted. Counting takes longer the more is waiting,
// so the result is kept for ten times as long as that took, up to 3 seconds.
func (s *Store) Stats(ctx context.Context) (inbox.Stats, error) {
	s.statsMu.Lock()
	defer s.statsMu.Unlock()
	// An empty inbox is counted again each time: that is fast, and WaitIdle must not see an old
	// count.
	if s.stats.Depth() > 0 && time.Since(s.statsAt) < min(10*s.statsIn, statsAge) {
		return s.stats, nil
	}
	begin := time.Now()
	st, err := s.count(ctx)
	if err != nil {
		return inbox.Stats{}, explain("Stats", err)
	}
	s.stats, s.statsAt, s.statsIn = st, time.Now(), time.Since(begin)
	return st, nil
}

// count counts in one statement with a row for the live queue and one for the backfill. The ages
// are those of the rows with the lowest IDs, which is close enough and needs no scan. id + 0
// prevents planners from searching all deliveries, in the order of IDs, for the first waiting one.
func (s *Store) count(ctx context.Context) (inbox.Stats, error) {
	ctx = sqldb.Unhurried(ctx)
	st := inbox.Stats{DedupKeys: -1}
	var oldest [2]sql.NullInt64
	arrived, firstArrived := "0", "NULL"
	if s.db.Dialect == sqldb.SQLite {
		arrived = "CASE b.bulk WHEN 0 THEN (SELECT COALESCE(SUM(deliveries), 0) FROM webhook_arrivals) ELSE 0 END"
		firstArrived = "CASE b.bulk WHEN 0 THEN (SELECT received_at FROM webhook_arrivals ORDER BY id LIMIT 1) END"
	}
	err := s.read(ctx, s.db, func(rows *sql.Rows) error {
		var bulk, deliveries, events, dead int64
		var first, second sql.NullInt64
		if err := rows.Scan(&bulk, &deliveries, &first, &events, &second, &dead); err != nil {
			return err
		}
		st.Deliveries += int(deliveries)
		if bulk == 1 {
			st.Backfill = int(events)
		} else {
			st.Live = int(events)
		}
		st.Dead = int(dead) // the same in both rows
		for _, at := range []sql.NullInt64{first, second} {
			if at.Valid && (!oldest[bulk].Valid || at.Int64 < oldest[bulk].Int64) {
				oldest[bulk] = at
			}
		}
		return nil
	}, `SELECT b.bulk,
		(SELECT COUNT(*) FROM webhook_deliveries WHERE state = 0 AND bulk = b.bulk) + `+arrived+`,
		COALESCE(
			(SELECT received_at FROM webhook_deliveries WHERE id =
				(SELECT MIN(id + 0) FROM webhook_deliveries WHERE state = 0 AND bulk = b.bulk)),
			`+firstArrived+`),
		(SELECT COUNT(*) FROM webhook_events WHERE state = 0 AND bulk = b.bulk),
		(SELECT received_at FROM webhook_deliveries WHERE id =
			(SELECT delivery FROM webhook_events WHERE id =
				(SELECT MIN(id) FROM webhook_events WHERE state = 0 AND bulk = b.bulk))),
		(SELECT COUNT(*) FROM webhook_deliveries WHERE state = 2)
			+ (SELECT COUNT(*) FROM webhook_events WHERE state = 2)
		FROM (SELECT 0 AS bulk UNION ALL SELECT 1) AS b`)
	if err != nil {
		return st, err
	}
	for bulk, at := range oldest {
		if !at.Valid {
			continue
		}
		age := max(time.Since(time.UnixMicro(at.Int64)), 0)
		st.Oldest = max(st.Oldest, age)
		if bulk == 0 {
			st.OldestLive = age
		}
	}
	return st, nil
}

// sweepStep is how many keys are deleted in one transaction. It is small because nothing else is
// written meanwhile with SQLite.
const sweepStep = 1000

// DeleteExpired implements [inbox.Sweeper]. Events go first, since an event needs its delivery.
func (s *Store) DeleteExpired(ctx context.Context, keep time.Duration) (sum int, err error) {
	for i, query := range []string{
		`DELETE FROM webhook_events WHERE id IN (
			SELECT e.id FROM webhook_events e LEFT JOIN webhook_deliveries d ON d.id = e.delivery
			WHERE e.state = 3 AND e.changed_at < ? + $now AND (d.id IS NULL OR d.state = 3) LIMIT ?)`,
		`DELETE FROM webhook_deliveries WHERE id IN (
			SELECT id FROM webhook_deliveries WHERE state = 3 AND changed_at < ? + $now LIMIT ?)`,
	} {
		for n := int64(sweepStep); n == sweepStep; sum += int(n) {
			if err := s.write(ctx, "DeleteExpired", true, func(tx *sql.Tx) (err error) {
				n, err = s.exec(ctx, tx, query, s.in(-keep), sweepStep)
				return err
			}); err != nil {
				return sum, err
			}
			if i == 1 {
				s.keys.forget(int(n))
			}
		}
	}
	return sum, nil
}
