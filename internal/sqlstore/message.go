package sqlstore

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"iter"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/sqldb"
)

// messageColumns are the columns of the table, with PostgreSQL's names of their types. shown,
// attention, said_at, pos and human_at are the message's contribution to its conversation; times
// are in microseconds. said is the searched text.
var messageColumns = []string{
	"phone text", "id text", "conversation bigint", "shown bigint", "attention bigint", "said_at bigint", "pos bigint",
	"human_at bigint", "doc text", "said text",
}

// A messageKey identifies a message. Writers lock rows in the order of their keys.
type messageKey struct {
	phone graph.PhoneNumberID
	id    graph.MessageID
}

func (k messageKey) compare(o messageKey) int {
	return cmp.Or(cmp.Compare(text(k.phone), text(o.phone)), cmp.Compare(text(k.id), text(o.id)))
}

// A storedMessage is a message before a change: its document, empty if it is new, and its
// conversation, 0 if it was in none.
type storedMessage struct {
	doc          string
	conversation int64
	message      coexistence.Message
}

// A changedMessage is a message before and after a change.
type changedMessage struct {
	old          storedMessage
	now          coexistence.Message
	doc          string
	conversation int64 // its conversation after the change, 0 if none
}

// UpdateMessages implements [coexistence.MessageStore]. It takes about seven statements, however
// many messages there are, and two if nothing changes. fn runs within a transaction that has locked
// the messages' rows: it must not use the store or the database itself. A message whose document
// does not change is not written. If another transaction has inserted one of the new messages
// meanwhile, the whole change is retried.
func (s *Store) UpdateMessages(
	ctx context.Context, phone graph.PhoneNumberID, ids []graph.MessageID, fn func(*coexistence.Message),
) error {
	if len(ids) == 0 {
		return explain("UpdateMessages", ctx.Err())
	}
	keys := make([]messageKey, len(ids))
	for i, id := range ids {
		keys[i] = messageKey{phone, id}
	}
	return s.write(ctx, "UpdateMessages", func(tx *sql.Tx) error {
		f := &forgotten{s: s, q: tx}
		_, err := s.changeMessages(ctx, tx, f, keys, nil, func(_ messageKey, m *coexistence.Message) { fn(m) })
		return err
	})
}

// changeMessages does what UpdateMessages does within a transaction. The keys are distinct and
// ascending, and fn is called in their order. known are conversations that the caller has found. It
// returns the conversations that have changed, by id, and which message is in which.
func (s *Store) changeMessages(
	ctx context.Context, tx *sql.Tx, f *forgotten, keys []messageKey, known map[aliasKey]int64,
	fn func(messageKey, *coexistence.Message),
) (*changedConversations, error) {
	stored, err := s.lockMessages(ctx, tx, keys)
	if err != nil {
		return nil, err
	}
	var changes []*changedMessage
	for _, k := range keys {
		c := changedMessage{now: coexistence.Message{ID: k.id, PhoneNumberID: k.phone}}
		if old, found := stored[messageKey{graph.PhoneNumberID(text(k.phone)), graph.MessageID(text(k.id))}]; found {
			c.old = old
			if c.now, err = decode[coexistence.Message](old.doc); err != nil {
				return nil, err
			}
			c.old.message = c.now.Clone()
		}
		fn(k, &c.now)
		// The store decides the ids, also if fn has changed them.
		c.now.ID, c.now.PhoneNumberID, c.now.ConversationID = k.id, k.phone, ""
		if c.doc, err = encode(&c.now); err != nil {
			return nil, fmt.Errorf("message %s: %w", k.id, err)
		}
		if c.doc != c.old.doc {
			changes = append(changes, &c)
		}
	}
	if changes, err = f.keep(ctx, changes); err != nil {
		return nil, err
	}
	if err := s.fileMessages(ctx, tx, changes, known); err != nil {
		return nil, err
	}
	// New and changed rows are stored by a statement each: an insert that meets a row must be
	// noticed, an update must not.
	var added, changed [][]sqldb.Cell
	for _, c := range changes {
		if c.old.doc == "" {
			added = append(added, messageRow(c))
		} else {
			changed = append(changed, messageRow(c))
		}
	}
	if n, err := s.putMessages(ctx, tx, added, "NOTHING"); err != nil {
		return nil, err
	} else if n < int64(len(added)) {
		return nil, errAgain // another writer has stored one meanwhile, and fn has not seen it
	}
	if _, err := s.putMessages(ctx, tx, changed, overwrite()); err != nil {
		return nil, err
	}
	if err := s.indexAdded(ctx, tx, len(added)); err != nil {
		return nil, err
	}
	return s.sumUp(ctx, tx, changes)
}

// keep leaves out messages of forgotten numbers and people. Stored messages that stay with their
// person are kept.
func (f *forgotten) keep(ctx context.Context, changes []*changedMessage) ([]*changedMessage, error) {
	var suspects []suspect
	for _, c := range changes {
		if c.comes() {
			suspects = append(suspects, c.suspect())
		}
	}
	if len(suspects) == 0 {
		return changes, nil
	}
	if err := f.look(ctx, suspects...); err != nil {
		return nil, err
	}
	return slices.DeleteFunc(changes, func(c *changedMessage) bool {
		return c.comes() && !f.of(c.suspect()).KeepMessage(c.now)
	}), nil
}

// comes reports whether the message is new, or moves to another person.
func (c *changedMessage) comes() bool {
	return c.old.doc == "" || c.now.Person != c.old.message.Person || c.now.Customer != c.old.message.Customer
}

// suspect returns the number and the person who must not have been forgotten if the message is to
// be stored.
func (c *changedMessage) suspect() suspect {
	return suspect{c.now.PhoneNumberID, coexistence.TombstoneNames(c.now)}
}

// lockMessages locks and returns those of the messages that are stored. Every writer locks rows in
// the order of their keys, which prevents deadlocks. Rows that do not exist yet cannot be locked:
// see UpdateMessages.
func (s *Store) lockMessages(
	ctx context.Context, tx *sql.Tx, keys []messageKey,
) (map[messageKey]storedMessage, error) {
	names := make([][]sqldb.Cell, len(keys))
	for i, k := range keys {
		names[i] = []sqldb.Cell{sqldb.Text(string(k.phone)), sqldb.Text(string(k.id))}
	}
	// CROSS JOIN makes SQLite go from the few names to the many messages, never the other way
	// round. FOR UPDATE after ORDER BY takes the locks in that order.
	from, args := s.db.Dialect.Table([]string{"phone text", "id text"}, names)
	query := "SELECT m.phone, m.id, COALESCE(m.conversation, 0), m.doc FROM " + from +
		" CROSS JOIN coexistence_messages m WHERE m.phone = r.phone AND m.id = r.id"
	if s.db.Dialect == sqldb.PostgreSQL {
		query += " ORDER BY m.phone, m.id FOR UPDATE OF m"
	}
	stored := make(map[messageKey]storedMessage, len(keys))
	err := s.read(ctx, tx, func(rows *sql.Rows) error {
		var k messageKey
		var m storedMessage
		err := rows.Scan(&k.phone, &k.id, &m.conversation, &m.doc)
		stored[k] = m
		return err
	}, query, args...)
	return stored, err
}

// putMessages stores rows in one statement and returns how many it stored. conflict is the ON
// CONFLICT clause.
func (s *Store) putMessages(ctx context.Context, tx *sql.Tx, rows [][]sqldb.Cell, conflict string) (int64, error) {
	names := columnNames(messageColumns)
	// Without a condition, SQLite's parser takes ON for the beginning of a join.
	return s.execTable(ctx, tx, "INSERT INTO coexistence_messages ("+names+") SELECT "+names+" FROM ",
		messageColumns, rows, " WHERE true ON CONFLICT (phone, id) DO "+conflict)
}

// overwrite is the ON CONFLICT clause that replaces a stored message.
func overwrite() string {
	var set []string
	for _, c := range messageColumns[2:] {
		name, _, _ := strings.Cut(c, " ")
		set = append(set, name+" = excluded."+name)
	}
	return "UPDATE SET " + strings.Join(set, ", ")
}

// messageRow returns the columns of a message.
func messageRow(c *changedMessage) []sqldb.Cell {
	m, sum := c.now, contributionOf(c.now)
	conversation := sqldb.Cell{}
	if c.conversation != 0 {
		conversation = sqldb.Number(c.conversation)
	}
	return []sqldb.Cell{
		sqldb.Text(string(m.PhoneNumberID)), sqldb.Text(string(m.ID)), conversation,
		sqldb.Number(sum.shown), sqldb.Number(sum.attention), sqldb.Number(sum.place.at), sqldb.Number(sum.place.pos),
		nullable(sum.human), sqldb.Text(c.doc), sqldb.TextOrNull(searched(m)),
	}
}

// micros returns the stored form of a moment, microseconds since 1970; nil for the zero time. The
// document alone has nanoseconds, which are not sorted by.
func micros(t time.Time) *int64 {
	if t.IsZero() {
		return nil
	}
	return new(t.UnixMicro())
}

// moment is the inverse of micros. Times are in UTC.
func moment(us sql.NullInt64) time.Time {
	if !us.Valid {
		return time.Time{}
	}
	return time.UnixMicro(us.Int64).UTC()
}

// Message implements [coexistence.MessageStore].
func (s *Store) Message(
	ctx context.Context, phone graph.PhoneNumberID, id graph.MessageID,
) (coexistence.Message, error) {
	var row messageDoc
	found := false
	err := s.read(ctx, s.db, func(rows *sql.Rows) error { found = true; return rows.Scan(&row.conversation, &row.doc) },
		"SELECT COALESCE(conversation, 0), doc FROM coexistence_messages WHERE phone = ? AND id = ?", text(phone),
		text(id))
	if err == nil && !found {
		return coexistence.Message{}, coexistence.ErrNotFound
	}
	if err != nil {
		return coexistence.Message{}, explain("Message", err)
	}
	m, err := row.message()
	return m, explain("Message", err)
}

// A messageDoc is the row of a message as read.
type messageDoc struct {
	conversation int64 // 0 if none
	doc          string
}

// message returns the message of the row.
func (d messageDoc) message() (coexistence.Message, error) {
	m, err := decode[coexistence.Message](d.doc)
	if d.conversation != 0 {
		m.ConversationID = idText(d.conversation)
	}
	return m, err
}

// Messages implements [coexistence.MessageStore]. It reads some hundred messages at a time and
// holds no lock while the caller handles them, so a message that arrives meanwhile may or may not
// be among them.
func (s *Store) Messages(
	ctx context.Context, phone graph.PhoneNumberID, conversation string,
) iter.Seq2[coexistence.Message, error] {
	return func(yield func(coexistence.Message, error) bool) {
		id, err := s.lookUp(ctx, s.db, phone, conversation)
		if err != nil {
			yield(coexistence.Message{}, explain("Messages", err))
			return
		}
		if id == 0 {
			return
		}
		read := func(row messageDoc) (coexistence.Message, error) {
			m, err := row.message()
			if err == nil {
				err = ctx.Err() // the caller may take long for a page
			}
			return m, err
		}
		last := place{at: math.MinInt64}
		eachRow(yield, "Messages", read, func() (page []messageDoc, err error) {
			// The cursor is the place, by which the conversation is sorted. A message that is
			// stored meanwhile before it is missed, and none is seen twice.
			err = s.read(ctx, s.db, func(rows *sql.Rows) error {
				m := messageDoc{conversation: id}
				err := rows.Scan(&last.at, &last.pos, &last.id, &m.doc)
				page = append(page, m)
				return err
			}, `SELECT said_at, pos, id, doc FROM coexistence_messages
				WHERE conversation = ? AND shown = 1 AND (said_at, pos, id) > (?, ?, ?) ORDER BY said_at, pos, id LIMIT ?`,
				id, last.at, last.pos, last.id, pageSize)
			return page, err
		})
	}
}
