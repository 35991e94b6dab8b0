package sqlstore

import (
	"context"
	"database/sql"
	"fmt"
	"iter"
	"math"
	"strings"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/sqldb"
)

// messageColumns are the columns behind phone, messageTypes what PostgreSQL calls their types.
// shown, said_at, customer_at and human_at are what one message adds to its conversation; times are
// in microseconds.
const messageColumns = "id, person, shown, said_at, customer_at, human_at, doc"

var messageTypes = []string{"text", "text", "bigint", "bigint", "bigint", "bigint", "text"}

// UpdateMessages implements [coexistence.MessageStore]. It takes three statements at most, however
// many messages there are. fn runs within a transaction that holds the messages' rows: it must not
// use the store or the database itself. A message whose document does not change is not written. If
// another transaction has inserted one of the new messages meanwhile, all begins again, with that
// one read.
func (s *Store) UpdateMessages(
	ctx context.Context, phone graph.PhoneNumberID, ids []graph.MessageID, fn func(*coexistence.Message),
) error {
	if len(ids) == 0 {
		return explain("UpdateMessages", ctx.Err())
	}
	return s.write(ctx, "UpdateMessages", func(tx *sql.Tx) error {
		stored, err := s.lockMessages(ctx, tx, phone, ids)
		if err != nil {
			return err
		}
		// New and changed rows are stored by a statement each: an insert that meets a row must be
		// noticed, an update must not.
		var added, changed [][]sqldb.Cell
		for _, id := range ids {
			m := coexistence.Message{ID: id, PhoneNumberID: phone}
			old, found := stored[text(id)]
			if found {
				if m, err = decode[coexistence.Message](old); err != nil {
					return err
				}
			}
			fn(&m)
			m.ID, m.PhoneNumberID, m.ConversationID = id, phone, ""
			// The ids are the store's, whatever fn has done to them.
			doc, err := encode(&m)
			if err != nil {
				return fmt.Errorf("message %s: %w", id, err)
			}
			switch {
			case !found:
				added = append(added, messageRow(m, doc))
			case doc != old:
				changed = append(changed, messageRow(m, doc))
			}
		}
		if n, err := s.putMessages(ctx, tx, phone, added, "NOTHING"); err != nil {
			return err
		} else if n < int64(len(added)) {
			return errAgain // another writer has stored one meanwhile, and fn has not seen it
		}
		_, err = s.putMessages(ctx, tx, phone, changed, `UPDATE SET person = excluded.person, shown = excluded.shown,
			said_at = excluded.said_at, customer_at = excluded.customer_at, human_at = excluded.human_at,
			doc = excluded.doc`)
		return err
	})
}

// lockMessages returns the documents of those messages that are stored, and keeps them from
// changing. Every writer takes rows in the order of their ids, so that no two wait for each other.
// Rows that are not there yet cannot be locked: see UpdateMessages for what happens then.
func (s *Store) lockMessages(
	ctx context.Context, tx *sql.Tx, phone graph.PhoneNumberID, ids []graph.MessageID,
) (map[string]string, error) {
	// FOR UPDATE after ORDER BY takes the locks in that order.
	names := make([]string, len(ids))
	for i, id := range ids {
		names[i] = text(id)
	}
	wanted, arg := oneOf(s.db.Dialect, names)
	stored := make(map[string]string, len(ids))
	err := s.read(ctx, tx, func(rows *sql.Rows) error {
		var id, doc string
		err := rows.Scan(&id, &doc)
		stored[id] = doc
		return err
	}, "SELECT id, doc FROM coexistence_messages WHERE phone = ? AND id"+wanted+" ORDER BY "+
		"id"+s.db.Dialect.ForUpdate(), text(phone), arg)
	return stored, err
}

// putMessages stores rows in one statement and returns how many it stored. conflict is what happens
// to a message that is stored already.
func (s *Store) putMessages(
	ctx context.Context, tx *sql.Tx, phone graph.PhoneNumberID, rows [][]sqldb.Cell, conflict string,
) (int64, error) {
	if len(rows) == 0 {
		return 0, nil
	}
	table, args := table(s.db.Dialect, []string{text(phone)}, messageTypes, rows)
	// Without a condition, SQLite takes ON for the beginning of a join.
	return s.exec(ctx, tx, "INSERT INTO coexistence_messages (phone, "+messageColumns+") "+table+
		" WHERE true ON CONFLICT (phone, id) DO "+conflict, args...)
}

// messageRow is what is stored of a message. What it adds to its conversation is asked of
// [coexistence.Conversation.Add], so that the rules of that stay in one place.
func messageRow(m coexistence.Message, doc string) []sqldb.Cell {
	var c coexistence.Conversation
	c.Add(m)
	return []sqldb.Cell{
		sqldb.Text(string(m.ID)), sqldb.Text(m.Person), sqldb.Number(int64(c.MessageCount)),
		sqldb.Number(m.At.UnixMicro()),
		nullable(micros(c.CustomerAt)), nullable(micros(c.HumanAt)), sqldb.Text(doc),
	}
}

// micros returns a moment as it is stored, in microseconds since 1970; nil for the zero time. What
// is finer is in the document alone, and does not sort.
func micros(t time.Time) *int64 {
	if t.IsZero() {
		return nil
	}
	return new(t.UnixMicro())
}

// moment is the opposite of micros. Times come back in UTC.
func moment(us sql.NullInt64) time.Time {
	if !us.Valid {
		return time.Time{}
	}
	return time.UnixMicro(us.Int64).UTC()
}

// Message implements [coexistence.MessageStore]. The conversation's ID is looked up in the same
// query, since it is not stored with the message: it can change without it.
func (s *Store) Message(
	ctx context.Context, phone graph.PhoneNumberID, id graph.MessageID,
) (coexistence.Message, error) {
	var doc string
	var key sql.NullString
	found := false
	err := s.read(ctx, s.db, func(rows *sql.Rows) error { found = true; return rows.Scan(&doc, &key) },
		`SELECT m.doc, c.contact_key FROM coexistence_messages m
			LEFT JOIN coexistence_aliases a ON a.phone = m.phone AND a.alias = m.person
			LEFT JOIN coexistence_contacts c ON c.id = a.contact
			WHERE m.phone = ? AND m.id = ?`, text(phone), text(id))
	if err != nil {
		return coexistence.Message{}, explain("Message", err)
	}
	if !found {
		return coexistence.Message{}, coexistence.ErrNotFound
	}
	m, err := decode[coexistence.Message](doc)
	if m.ConversationID = m.Person; key.Valid {
		m.ConversationID = key.String
	}
	return m, explain("Message", err)
}

// Messages implements [coexistence.MessageStore]. It reads some hundred messages at a time and
// holds nothing while the caller works on them, so a message that arrives meanwhile may or may not
// be among them.
func (s *Store) Messages(
	ctx context.Context, phone graph.PhoneNumberID, conversation string,
) iter.Seq2[coexistence.Message, error] {
	return func(yield func(coexistence.Message, error) bool) {
		if conversation == "" {
			return
		}
		who, err := s.contactOf(ctx, phone, coexistence.Alias(conversation))
		if err != nil {
			yield(coexistence.Message{}, explain("Messages", err))
			return
		}
		read := func(row pagedMessage) (coexistence.Message, error) {
			m, err := decode[coexistence.Message](row.doc)
			if err == nil {
				err = ctx.Err() // a page can take long to work on
			}
			m.ConversationID = who.Key
			return m, err
		}
		last := pagedMessage{at: math.MinInt64}
		eachRow(yield, "Messages", read, func() ([]pagedMessage, error) {
			// The cursor is the time and the id, by which the conversation is sorted. What is
			// stored meanwhile before it is not seen, and nothing is seen twice.
			page, err := s.messagePage(ctx, phone, who.Aliases, last.at, last.id)
			if len(page) > 0 {
				last = page[len(page)-1]
			}
			return page, err
		})
	}
}

// A pagedMessage is a message with what its conversation is sorted by.
type pagedMessage struct {
	at      int64
	id, doc string
}

// messagePage returns the next messages of a person, behind the one with a time and an id. Each
// alias is a walk of its own along the index, so that a page costs the same wherever it is in the
// conversation: one walk over all aliases would have to sort the whole of it.
func (s *Store) messagePage(
	ctx context.Context, phone graph.PhoneNumberID, aliases []string, after int64, last string,
) ([]pagedMessage, error) {
	const walk = `SELECT * FROM (SELECT said_at, id, doc FROM coexistence_messages
		WHERE phone = ? AND person = ? AND shown = 1 AND (said_at, id) > (?, ?) ORDER BY said_at, id LIMIT ?) AS walk`
	var args []any
	walks := make([]string, len(aliases))
	for i, a := range aliases {
		walks[i] = walk
		args = append(args, text(phone), text(a), after, last, pageSize)
	}
	var page []pagedMessage
	err := s.read(ctx, s.db, func(rows *sql.Rows) error {
		var m pagedMessage
		err := rows.Scan(&m.at, &m.id, &m.doc)
		page = append(page, m)
		return err
	}, strings.Join(walks, " UNION ALL ")+" ORDER BY said_at, id LIMIT ?", append(args, pageSize)...)
	return page, err
}
