package sqlinbox

import (
	"context"
	"database/sql"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/sqldb"
)

// schema is the tables. PostgreSQL's advisory lock for them is the text "inbox" as a number.
func schema(d Dialect) sqldb.Schema {
	return sqldb.Schema{Name: "webhook_inbox", Lock: 0x696e626f78, Steps: [][]string{first(d), second(d), third(d)}}
}

// What a delivery or an event is. They are numbers in the database.
const (
	stateWaiting = 0
	stateSplit   = 1 // of a delivery: its events are there
	stateDead    = 2
	stateDone    = 3 // only the key is left
)

func first(d Dialect) []string {
	statements := []string{
		// Moments are microseconds since 1970, by the store's clock, except received_at. left_open counts the events that are neither
		// done nor purged, in PostgreSQL: see third.
		`CREATE TABLE webhook_deliveries (
			id $serial, record_key $str UNIQUE, bulk $number NOT NULL, state $number NOT NULL DEFAULT 0, attempts $number NOT NULL DEFAULT 0,
			received_at $number NOT NULL, size $number NOT NULL, left_open $number NOT NULL DEFAULT 0, changed_at $number NOT NULL DEFAULT 0,
			reason TEXT, body $bytes)`,
		`CREATE INDEX webhook_deliveries_waiting ON webhook_deliveries (bulk, id) WHERE state = 0`,
		`CREATE INDEX webhook_deliveries_dead ON webhook_deliveries (id) WHERE state = 2`,
		`CREATE INDEX webhook_deliveries_done ON webhook_deliveries (changed_at) WHERE state = 3`,

		`CREATE TABLE webhook_events (
			id $serial, delivery $number NOT NULL, place $number NOT NULL, record_key $str UNIQUE, lane $str NOT NULL, bulk $number NOT NULL,
			state $number NOT NULL DEFAULT 0, attempts $number NOT NULL DEFAULT 0, changed_at $number NOT NULL DEFAULT 0, reason TEXT)`,
		`CREATE INDEX webhook_events_waiting ON webhook_events (bulk, lane, id) WHERE state = 0`,
		`CREATE INDEX webhook_events_dead ON webhook_events (id) WHERE state = 2`,
		`CREATE INDEX webhook_events_done ON webhook_events (changed_at) WHERE state = 3`,

		// A lane is there as long as something waits in it. The two of the deliveries (kind 0) are always there. token says who holds it, held
		// how many records of the batch are not settled, next_at when it can be claimed.
		`CREATE TABLE webhook_lanes (
			kind $number NOT NULL, bulk $number NOT NULL, lane $str NOT NULL, next_at $number NOT NULL,
			token $str, held $number NOT NULL DEFAULT 0, worker TEXT, PRIMARY KEY (kind, bulk, lane))`,
		`CREATE INDEX webhook_lanes_next ON webhook_lanes (kind, bulk, next_at)`,
		`CREATE INDEX webhook_lanes_held ON webhook_lanes (token) WHERE token IS NOT NULL`,
		`INSERT INTO webhook_lanes (kind, bulk, lane, next_at) VALUES (0, 0, '', 0), (0, 1, '', 0)`,
	}
	if d == PostgreSQL {
		// Squeezing a megabyte of history takes ten times as long as writing it, and it is there for seconds.
		statements = append(statements, `ALTER TABLE webhook_deliveries ALTER COLUMN body SET STORAGE EXTERNAL`)
	}
	return statements
}

// second gives SQLite a place for what has arrived: see [arrivals].
func second(d Dialect) []string {
	if d == PostgreSQL {
		return nil
	}
	return []string{`CREATE TABLE webhook_arrivals (
		id INTEGER PRIMARY KEY, received_at $number NOT NULL, deliveries $number NOT NULL, heads $str NOT NULL, bodies $bytes NOT NULL)`}
}

// third lets SQLite look whether events of a delivery are left. Counting them down would read all of the body, and sometimes write it, for
// each of them: it is in the same row. PostgreSQL keeps it apart by itself, and has to lock the row anyway.
func third(d Dialect) []string {
	if d == PostgreSQL {
		return nil
	}
	return []string{`CREATE INDEX webhook_events_open ON webhook_events (delivery) WHERE state < 3`}
}

// Migrate creates the store's tables, or brings those of an older release up to date. Call it at every start: it only looks if there is
// nothing to do, which takes no right to create tables. Several processes may call it at once. Each step is all or nothing. It
// refuses tables of a newer release than this one.
//
// With SQLite, whose file one process may use, it also frees what the process before it had in hand.
func (s *Store) Migrate(ctx context.Context) error {
	if err := schema(s.dialect).Migrate(ctx, s.db, sqldb.Dialect(s.dialect)); err != nil || s.dialect == PostgreSQL {
		return explain("Migrate", err)
	}
	if err := s.loadArrivals(ctx); err != nil {
		return explain("Migrate", err)
	}
	return s.direct(ctx, "Migrate", func(tx *sql.Tx) error {
		// A pause that is longer than any was begun under a clock that has been set back.
		_, err := s.exec(ctx, tx, `UPDATE webhook_lanes SET token = NULL, held = 0,
			next_at = CASE WHEN token IS NULL THEN MIN(next_at, ? + $now) ELSE 0 END`, s.in(longestPause))
		return err
	})
}
