package sqlinbox

import (
	"context"
	"database/sql"
	"slices"
	"strings"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/sqldb"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/inbox"
)

// Append implements [inbox.Sink]. Its deliveries share a transaction with those of other callers
// that wait. Deliveries of the backfill wait behind live ones.
func (s *Store) Append(ctx context.Context, recs []inbox.Record) (added int, err error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	if len(recs) == 0 {
		return 0, nil
	}
	j, commits := &job{ctx: ctx, recs: recs}, s.commits
	j.backfill = !slices.ContainsFunc(recs, func(rec inbox.Record) bool { return !rec.Backfill })
	if j.backfill {
		commits = s.backfill
	}
	if err := commits.do(ctx, j); err != nil {
		return 0, explain("Append", err)
	}
	return j.added, nil
}

// appendUnknown stores the deliveries of all jobs in SQLite, and counts for each how many were new.
// It first finds out which keys are known, all at once, which is enough with a single writer. Live
// deliveries become arrivals; those of the backfill get rows of their own.
func (s *Store) appendUnknown(ctx context.Context, tx *sql.Tx, jobs []*job) error {
	known, err := s.knownAmong(ctx, tx, jobs)
	if err != nil {
		return err
	}
	var live, backfill []inbox.Record
	for _, j := range jobs {
		for _, rec := range j.recs {
			rec.DedupKey = sqldb.Clean(rec.DedupKey)
			hash := hashKey(rec.DedupKey)
			if known[hash] {
				continue
			}
			j.added++
			keys, list := &j.arrived, &live
			if rec.Backfill {
				keys, list = &j.stored, &backfill
			}
			*list = append(*list, rec)
			if rec.DedupKey != "" {
				known[hash] = true
				*keys = append(*keys, hash)
			}
		}
	}
	if err := s.arrive(ctx, tx, live); err != nil {
		return err
	}
	return s.insertUnknown(ctx, tx, backfill)
}

// knownAmong returns the known keys among those of deliveries, from memory or else from the table.
func (s *Store) knownAmong(ctx context.Context, tx *sql.Tx, jobs []*job) (map[keyHash]bool, error) {
	if err := s.readKeys(ctx, tx); err != nil {
		return nil, err
	}
	known := map[keyHash]bool{}
	var others []sqldb.Cell
	for _, j := range jobs {
		for _, rec := range j.recs {
			key := sqldb.Clean(rec.DedupKey)
			if key == "" {
				continue
			}
			hash := hashKey(key)
			if yes, perhaps := s.keys.has(hash); yes {
				known[hash] = true
			} else if perhaps {
				others = append(others, sqldb.Text(key))
			}
		}
	}
	if len(others) == 0 {
		return known, nil
	}
	err := s.read(ctx, tx, func(rows *sql.Rows) error {
		var key string
		err := rows.Scan(&key)
		known[hashKey(key)] = true
		return err
	}, `SELECT r.value FROM json_each(?) AS r
		WHERE EXISTS (SELECT 1 FROM webhook_deliveries d WHERE d.record_key = r.value)`, sqldb.JSONArray(others))
	return known, err
}

// appendUnlessKnown stores the deliveries of all jobs in PostgreSQL, which checks each key while it
// stores it, because other processes may store the same one. A statement returns which keys were
// new. Nearly always there is a single one, and it needs no transaction around it.
func (s *Store) appendUnlessKnown(ctx context.Context, jobs []*job) error {
	var recs []inbox.Record
	for _, j := range jobs {
		recs = append(recs, j.recs...)
	}
	// In the order of keys, so that two transactions with the same keys cannot deadlock.
	slices.SortStableFunc(recs, func(a, b inbox.Record) int { return strings.Compare(a.DedupKey, b.DedupKey) })
	stored := map[string]bool{}
	store := func(q querier) error {
		for list := range slices.Chunk(recs, maxInsert) {
			query, args := s.announcedInsert(list)
			if err := s.read(ctx, q, func(rows *sql.Rows) error {
				var key sql.NullString
				err := rows.Scan(&key)
				stored[key.String] = true
				return err
			}, query, args...); err != nil {
				return err
			}
		}
		return nil
	}
	var err error
	if len(recs) <= maxInsert {
		err = store(s.db)
	} else {
		err = s.transact(ctx, func(tx *sql.Tx) error { return store(tx) })
	}
	if err != nil {
		return err
	}
	for _, j := range jobs {
		for _, rec := range j.recs {
			key := sqldb.Clean(rec.DedupKey)
			if key == "" {
				j.added++
			} else if stored[key] {
				j.added++
				delete(stored, key) // the others are repeats of it
			}
		}
	}
	return nil
}

// insertUnknown stores deliveries in rows of their own, except those with known keys.
func (s *Store) insertUnknown(ctx context.Context, tx *sql.Tx, recs []inbox.Record) error {
	for len(recs) > 0 {
		query, args, n := insertInto(recs)
		if _, err := s.exec(ctx, tx, query, args...); err != nil {
			return err
		}
		recs = recs[n:]
	}
	return nil
}

// maxInsert is how many deliveries one statement stores at most, a power of two.
const maxInsert = 128

const (
	// deliveryColumns are the columns of a new delivery, and columnCount how many there are.
	deliveryColumns = "record_key, bulk, number, received_at, changed_at, size, body"
	columnCount     = 7

	placeholders = ", (?, ?, ?, ?, ?, ?, ?)"
)

// insertInto returns the statement that stores n deliveries in SQLite, except those with known
// keys. n is a power of two, so that there are few different statements to prepare.
func insertInto(recs []inbox.Record) (query string, args []any, n int) {
	for n = maxInsert; n > len(recs); {
		n /= 2
	}
	for _, rec := range recs[:n] {
		args = append(args, deliveryValues(rec)...)
	}
	return "INSERT INTO webhook_deliveries (" + deliveryColumns + ") VALUES " +
		strings.Repeat(placeholders, n)[2:] + " ON CONFLICT DO NOTHING", args, n
}

// announcedInsert returns the statement that stores up to maxInsert deliveries in PostgreSQL,
// except those with known keys, returns which keys were new, and announces them to the processes
// that listen. There are a power of two of rows in it, those that are left over with NULL, so that
// there are few different statements to prepare.
func (s *Store) announcedInsert(recs []inbox.Record) (query string, args []any) {
	n := sqldb.PowerOfTwo(len(recs))
	for _, rec := range recs {
		args = append(args, deliveryValues(rec)...)
	}
	args = append(args, make([]any, (n-len(recs))*columnCount)...)
	return "WITH added AS (INSERT INTO webhook_deliveries (" + deliveryColumns + ") SELECT * FROM (VALUES (" +
		"CAST(? AS TEXT), CAST(? AS BIGINT), CAST(? AS TEXT), CAST(? AS BIGINT), CAST(? AS BIGINT), " +
		"CAST(? AS BIGINT), CAST(? AS BYTEA))" + strings.Repeat(placeholders, n-1) + ") AS r (" + deliveryColumns + `)
		WHERE r.received_at IS NOT NULL ON CONFLICT DO NOTHING RETURNING record_key),
		announced AS (SELECT pg_notify('` + Channel + `', CAST(? AS TEXT) || current_schema()))
		SELECT added.record_key FROM added CROSS JOIN announced`, append(args, s.name+" ")
}

// deliveryValues are the values of one delivery, in the order of deliveryColumns.
func deliveryValues(rec inbox.Record) []any {
	body := rec.Body
	if body == nil {
		body = []byte{}
	}
	// changed_at is set from the start, so that its length never changes: SQLite then updates the
	// row in place and need not write the body again.
	at := rec.ReceivedAt.UnixMicro()
	return []any{
		keyColumn(rec.DedupKey), number(rec.Backfill), sqldb.Clean(string(rec.PhoneNumberID)), at, at, len(rec.Body),
		body,
	}
}

// keyColumn is NULL for a record without a key: the unique index allows any number of NULLs.
func keyColumn(key string) sql.NullString {
	key = sqldb.Clean(key)
	return sql.NullString{String: key, Valid: key != ""}
}

// number converts a bool to the tables' form.
func number(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// Channel is the channel on which a store in PostgreSQL announces new deliveries. The payload is
// the random name of the store, a space, and the schema of its tables, because channels belong to
// the database, which can hold several inboxes.
const Channel = "webhook_inbox"

// HasNews reports whether a notification is about a schema and comes from another store. Its own
// appends are known already.
func (s *Store) HasNews(payload, schema string) bool {
	from, about, _ := strings.Cut(payload, " ")
	return about == schema && from != s.name
}
