package usage

import (
	"cmp"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"encoding/hex"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/sqldb"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/tombstone"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

const (
	// keepMarks is how long it is known that a message was counted. Meta repeats deliveries for 7
	// days, and keeps a message for 30 that cannot be delivered.
	keepMarks = 90 * 24 * time.Hour

	// pruneAfter is how many messages are counted before twice as many old ones are deleted.
	pruneAfter = 500
)

// An arrival is a message that was delivered, and what it is billed as.
type arrival struct {
	phone graph.PhoneNumberID
	mark  string    // a hash of its id, and of the participant of a group
	begin time.Time // of its month
	line  Line      // of one message
}

// arrivalOf returns what a status counts for, and whether it does.
func (m *Meter) arrivalOf(ev webhook.Event) (a arrival, ok bool) {
	st, ok := ev.(*webhook.MessageStatus)
	if !ok || st.Pricing == nil || st.ID == "" || st.PhoneNumberID == "" || st.Payment != nil {
		return a, false
	}
	switch st.Status {
	case webhook.StatusDelivered, webhook.StatusRead, webhook.StatusPlayed:
	default:
		return a, false
	}
	at := cmp.Or(st.At, st.ReceivedAt)
	if at.IsZero() {
		at = time.Now()
	}
	p := st.Pricing
	return arrival{
		phone: clean(st.PhoneNumberID), mark: mark(string(st.ID), st.Participant.Key()), begin: m.begin(at),
		line: Line{clean(p.Category), clean(p.Type), clean(p.Subtype), clean(m.cfg.Market(st)), 1},
	}, true
}

// clean is a text as the database keeps it.
func clean[S ~string](s S) S { return S(sqldb.Clean(string(s))) }

// mark hashes the parts of a name, whose lengths keep them apart. An id of a message holds the
// customer's phone number, so it is not stored. 128 bits do not collide by accident.
func mark(parts ...string) string {
	var b []byte
	for _, p := range parts {
		b = binary.AppendUvarint(b, uint64(len(p)))
		b = append(b, p...)
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:16])
}

// count counts those arrivals that were not counted before, in one transaction. Rows are locked in
// one order, so that two transactions do not wait for each other.
func (m *Meter) count(ctx context.Context, list []arrival) error {
	var added int
	err := m.db.Transact(ctx, func(tx *sql.Tx) error {
		if err := m.db.Set(ctx, tx, sqldb.LimitIdle); err != nil {
			return err
		}
		fresh, err := m.remember(ctx, tx, list)
		if err != nil || len(fresh) == 0 {
			return err
		}
		added = len(fresh)
		return m.add(ctx, tx, fresh)
	})
	if err != nil || m.added.Add(int64(added)) < pruneAfter {
		return err
	}
	m.added.Store(0)
	_, err = m.db.Write(ctx, `DELETE FROM coexistence_usage_messages WHERE (phone, mark) IN (
		SELECT phone, mark FROM coexistence_usage_messages WHERE counted_at < ? ORDER BY counted_at LIMIT ?)`,
		time.Now().Add(-keepMarks).UnixMicro(), 2*pruneAfter)
	return err
}

// remember stores the marks of arrivals, and returns those that are new. Nothing is stored of a
// number that was forgotten.
func (m *Meter) remember(ctx context.Context, tx *sql.Tx, list []arrival) (fresh []arrival, err error) {
	key, err := m.tombstoneKey(ctx, tx)
	if err != nil {
		return nil, err
	}
	type id struct {
		phone graph.PhoneNumberID
		mark  string
	}
	byID, now := map[id]arrival{}, time.Now().UnixMicro()
	var rows [][]sqldb.Cell
	for _, a := range list {
		i := id{a.phone, a.mark}
		if _, twice := byID[i]; twice {
			continue
		}
		byID[i] = a
		rows = append(rows, []sqldb.Cell{
			text(a.phone), text(a.mark), sqldb.Number(now), text(key.Number(a.phone)),
		})
	}
	from, args := m.db.Dialect.Table(
		[]string{"phone text", "mark text", "counted_at bigint", "tombstone text"}, rows)
	err = m.db.Read(ctx, tx, func(rows *sql.Rows) error {
		var i id
		err := rows.Scan(&i.phone, &i.mark)
		fresh = append(fresh, byID[i])
		return err
	}, `INSERT INTO coexistence_usage_messages (phone, mark, counted_at)
		SELECT r.phone, r.mark, r.counted_at FROM `+from+`
		WHERE NOT EXISTS (SELECT 1 FROM coexistence_tombstones t WHERE t.mark = r.tombstone AND t.until_at >= ?)
		ORDER BY r.phone, r.mark ON CONFLICT DO NOTHING RETURNING phone, mark`,
		append(args, coexistence.Always.UnixMicro())...)
	return fresh, err
}

// add adds arrivals to the lines of their months.
func (m *Meter) add(ctx context.Context, tx *sql.Tx, list []arrival) error {
	type id struct {
		phone graph.PhoneNumberID
		month string
		line  Line // with no messages
	}
	sums := map[id]int64{}
	for _, a := range list {
		i := id{a.phone, monthName(a.begin), a.line}
		i.line.Messages = 0
		sums[i] += a.line.Messages
	}
	var rows [][]sqldb.Cell
	for i, n := range sums {
		rows = append(rows, []sqldb.Cell{
			text(i.phone), text(i.month), text(i.line.Category), text(i.line.Type), text(i.line.Subtype),
			text(i.line.Market), sqldb.Number(n),
		})
	}
	from, args := m.db.Dialect.Table([]string{
		"phone text", "month text", "category text", "type text", "subtype text", "market text", "messages bigint",
	}, rows)
	return m.db.Read(ctx, tx, func(*sql.Rows) error { return nil },
		`INSERT INTO coexistence_usage (phone, month, category, type, subtype, market, messages)
		SELECT phone, month, category, type, subtype, market, messages FROM `+from+`
		WHERE true ORDER BY phone, month, category, type, subtype, market
		ON CONFLICT (phone, month, category, type, subtype, market)
		DO UPDATE SET messages = coexistence_usage.messages + excluded.messages RETURNING 1`, args...)
}

// text is a text as a cell of a table.
func text[S ~string](s S) sqldb.Cell { return sqldb.Text(string(s)) }

// tombstoneKey returns the secret of the database, which was made with its tables and never
// changes.
func (m *Meter) tombstoneKey(ctx context.Context, tx *sql.Tx) (tombstone.Key, error) {
	if known := m.key.Load(); known != nil {
		return *known, nil
	}
	var secret string
	err := m.db.Read(ctx, tx, func(rows *sql.Rows) error { return rows.Scan(&secret) },
		"SELECT secret FROM coexistence_tombstone_key WHERE id = 1")
	if err != nil {
		return nil, err
	}
	key := tombstone.Key(secret)
	m.key.Store(&key)
	return key, nil
}
