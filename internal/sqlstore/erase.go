package sqlstore

import (
	"context"
	"database/sql"
	"math"
	"slices"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/sqldb"
)

// eraseStep is how many rows one transaction deletes. It is small because SQLite has one writer and
// removes each word of a message from its index.
const eraseStep = 100

// Erase deletes the messages and contacts of an erasure, in small transactions. It is idempotent.
//
// A writer that looked for tombstones before they were stored may store a message after the
// deletions. So in PostgreSQL, Erase waits for the transactions that ran when the deletions began,
// and deletes again; SQLite has one writer.
func (s *Store) Erase(ctx context.Context, e Erasure) error {
	ctx = sqldb.Unhurried(ctx)
	if err := s.erase(ctx, e); err != nil {
		return explain("Forget", err)
	}
	if s.db.Dialect != sqldb.PostgreSQL {
		return nil
	}
	if err := s.awaitWriters(ctx); err != nil {
		return explain("Forget", err)
	}
	return explain("Forget", s.erase(ctx, e))
}

// awaitWriters returns when all transactions have ended that may have looked for tombstones before
// they were stored. Such a transaction locks the rows that it changes before it looks, and the lock
// of their table shows in pg_locks. (A usage.Meter looks and stores in one statement, which has the
// lock before its snapshot.) Transactions that only read are not waited for.
func (s *Store) awaitWriters(ctx context.Context) error {
	var before map[string]bool
	for {
		now := map[string]bool{}
		err := s.read(ctx, s.db, func(rows *sql.Rows) error {
			var id string
			err := rows.Scan(&id)
			if before == nil || before[id] {
				now[id] = true
			}
			return err
		}, `SELECT DISTINCT virtualtransaction FROM pg_locks WHERE mode IN ('RowShareLock', 'RowExclusiveLock')
			AND relation IN (CAST('coexistence_messages' AS regclass), CAST('coexistence_numbers' AS regclass),
				CAST('coexistence_usage_messages' AS regclass), CAST('coexistence_usage_alerts' AS regclass))`)
		if err != nil || len(now) == 0 {
			return err
		}
		before = now
		if err := sqldb.Pause(ctx, 20*time.Millisecond); err != nil {
			return err
		}
	}
}

// erase deletes the data of an erasure, once. A further table about numbers or people is a further
// entry of a list.
func (s *Store) erase(ctx context.Context, e Erasure) error {
	phone := text(e.Request.PhoneNumberID)
	switch {
	case e.Request.Everything():
		if err := s.eraseConversations(ctx, e.Request.PhoneNumberID); err != nil {
			return err
		}
		for _, table := range []string{
			"coexistence_number_wabas", "coexistence_numbers", "coexistence_messages", "coexistence_threads",
			"coexistence_usage", "coexistence_usage_messages", "coexistence_usage_alerts",
		} {
			if err := s.deleteAll(ctx, table, "phone = ?", phone); err != nil {
				return err
			}
		}
		return nil
	case e.Request.Person != "":
		among, arg := s.db.Dialect.Among("conversation", e.Conversations)
		if err := s.deleteAll(ctx, "coexistence_messages", among, arg); err != nil {
			return err
		}
		among, arg = s.db.Dialect.AmongTexts("person", e.Names)
		if err := s.deleteAll(ctx, "coexistence_threads", "phone = ? AND "+among, phone, arg); err != nil {
			return err
		}
		if err := s.eraseLate(ctx, e); err != nil {
			return err
		}
		return s.eraseInGroups(ctx, e)
	default:
		return s.eraseOld(ctx, e)
	}
}

// deleteAll deletes the rows of a table that match a condition, a step at a time.
func (s *Store) deleteAll(ctx context.Context, table, condition string, args ...any) error {
	rows, end := "rowid IN (SELECT rowid FROM ", ")"
	if s.db.Dialect == sqldb.PostgreSQL {
		rows, end = "ctid = ANY(ARRAY(SELECT ctid FROM ", "))"
	}
	for {
		n, err := s.db.Write(ctx, "DELETE FROM "+table+" WHERE "+rows+table+" WHERE "+condition+" LIMIT ?"+end,
			append(slices.Clip(args), eraseStep)...)
		if err != nil && !lost(err) {
			return err
		}
		if err == nil && n < eraseStep {
			return nil
		}
	}
}

// eraseConversations deletes all conversations of a number, which it finds by their aliases.
func (s *Store) eraseConversations(ctx context.Context, phone graph.PhoneNumberID) error {
	for {
		n, err := s.db.Write(ctx, "DELETE FROM coexistence_conversations WHERE id IN (SELECT conversation "+
			"FROM coexistence_aliases WHERE phone = ? ORDER BY alias LIMIT ?)", text(phone), eraseStep)
		if err != nil && !lost(err) {
			return err
		}
		if err == nil && n == 0 {
			return nil
		}
	}
}

// eachConversation calls a function with the conversations of a number that have an alias within a
// range, whose end may be empty for none. A conversation with several such aliases comes several
// times.
func (s *Store) eachConversation(
	ctx context.Context, phone graph.PhoneNumberID, after, end string, each func(ids []int64) error,
) error {
	for {
		n := 0
		var ids []int64
		err := s.read(ctx, s.db, func(rows *sql.Rows) error {
			n++
			var id int64
			err := rows.Scan(&after, &id)
			if !slices.Contains(ids, id) {
				ids = append(ids, id)
			}
			return err
		}, `SELECT alias, conversation FROM coexistence_aliases
			WHERE phone = ? AND alias > ? AND (alias < ? OR ? = '') ORDER BY alias LIMIT ?`,
			text(phone), after, end, end, eraseStep)
		if err != nil || n == 0 {
			return err
		}
		if err := each(ids); err != nil || n < eraseStep {
			return err
		}
	}
}

// eraseLate deletes what a writer stored of a person after Begin because it had looked for
// tombstones before, with the conversations that it created.
func (s *Store) eraseLate(ctx context.Context, e Erasure) error {
	among, arg := s.db.Dialect.AmongTexts("alias", e.Names)
	var ids []int64
	err := s.read(ctx, s.db, func(rows *sql.Rows) error {
		var id int64
		err := rows.Scan(&id)
		ids = append(ids, id)
		return err
	}, "SELECT DISTINCT conversation FROM coexistence_aliases WHERE phone = ? AND "+among,
		text(e.Request.PhoneNumberID), arg)
	if err != nil {
		return err
	}
	late := func(m coexistence.Message) (coexistence.Message, bool) { return m, m.At.After(e.At) }
	for _, id := range ids {
		if err := s.eraseMessages(ctx, id, e.At.UnixMicro(), late); err != nil {
			return err
		}
	}
	return s.eraseSilent(ctx, e.Request.PhoneNumberID, ids, func(coexistence.Contact) bool { return false })
}

// eraseInGroups deletes a person's messages in groups, and the person's reactions to messages of
// others.
func (s *Store) eraseInGroups(ctx context.Context, e Erasure) error {
	hers := func(m coexistence.Message) (coexistence.Message, bool) {
		if m.At.After(e.At) {
			return m, true
		}
		return m.WithoutPerson(e.Names)
	}
	return s.eachConversation(ctx, e.Request.PhoneNumberID, "group:", "group;", func(ids []int64) error {
		for _, id := range ids {
			if err := s.eraseMessages(ctx, id, e.At.UnixMicro(), hers); err != nil {
				return err
			}
		}
		return nil
	})
}

// eraseOld deletes the messages before the time of an erasure, and conversations without messages
// whose people are not in the address book and were not seen since.
func (s *Store) eraseOld(ctx context.Context, e Erasure) error {
	phone, before := e.Request.PhoneNumberID, e.Request.Before
	err := s.deleteAll(ctx, "coexistence_messages",
		"conversation IS NULL AND shown IN (0, 1) AND said_at < ? AND phone = ?", before.UnixMicro(), text(phone))
	if err != nil {
		return err
	}
	if err := s.eraseThreads(ctx, phone, before); err != nil {
		return err
	}
	old := func(m coexistence.Message) (coexistence.Message, bool) { return m, !m.At.Before(before) }
	silent := func(c coexistence.Contact) bool { return !c.InAddressBook() && c.SeenAt().Before(before) }
	return s.eachConversation(ctx, phone, "", "", func(ids []int64) error {
		for _, id := range ids {
			if err := s.eraseMessages(ctx, id, before.UnixMicro(), old); err != nil {
				return err
			}
		}
		return s.eraseSilent(ctx, phone, ids, silent)
	})
}

// eraseMessages applies rest to the messages of a conversation up to a moment, in microseconds: it
// stores the changed ones and deletes those of which nothing is to be left.
func (s *Store) eraseMessages(
	ctx context.Context, conversation, until int64, rest func(coexistence.Message) (coexistence.Message, bool),
) error {
	for shown := range 2 {
		after := place{at: math.MinInt64}
		for n := eraseStep; n == eraseStep; {
			var last place
			err := s.write(ctx, "Forget", func(tx *sql.Tx) (err error) {
				n, last, err = s.eraseMessagePage(ctx, tx, conversation, shown, after, until, rest)
				return err
			})
			if err != nil {
				return err
			}
			after = last
		}
	}
	return nil
}

// eraseMessagePage is a step of eraseMessages: one page of messages after a place. It returns how
// many it has read, and the place of the last.
func (s *Store) eraseMessagePage(
	ctx context.Context, tx *sql.Tx, conversation int64, shown int, after place, until int64,
	rest func(coexistence.Message) (coexistence.Message, bool),
) (n int, last place, err error) {
	last = after
	var kept, gone [][]sqldb.Cell
	err = s.read(ctx, tx, func(rows *sql.Rows) error {
		n++
		var doc string
		if err := rows.Scan(&last.at, &last.pos, &last.id, &doc); err != nil {
			return err
		}
		m, err := decode[coexistence.Message](doc)
		if err != nil {
			return err
		}
		c := changedMessage{conversation: conversation, old: storedMessage{doc, conversation, m.Clone()}}
		var ok bool
		if c.now, ok = rest(m); !ok {
			gone = append(gone, []sqldb.Cell{sqldb.Text(string(m.PhoneNumberID)), sqldb.Text(string(m.ID))})
			return nil
		}
		if c.doc, err = encode(&c.now); err == nil && c.doc != doc {
			kept = append(kept, messageRow(&c))
		}
		return err
	}, `SELECT said_at, pos, id, doc FROM coexistence_messages
		WHERE conversation = ? AND shown = ? AND (said_at, pos, id) > (?, ?, ?) AND said_at <= ?
		ORDER BY said_at, pos, id LIMIT ?`+s.db.Dialect.ForUpdate(),
		conversation, shown, after.at, after.pos, after.id, until, eraseStep)
	if err != nil {
		return 0, last, err
	}
	if _, err := s.putMessages(ctx, tx, kept, overwrite()); err != nil {
		return 0, last, err
	}
	return n, last, s.deleteMessages(ctx, tx, conversation, gone)
}

// deleteMessages deletes messages of a conversation, by number and id, and recounts the
// conversation if it exists.
func (s *Store) deleteMessages(ctx context.Context, tx *sql.Tx, conversation int64, messages [][]sqldb.Cell) error {
	if len(messages) == 0 {
		return nil
	}
	_, err := s.execTable(ctx, tx, "DELETE FROM coexistence_messages WHERE (phone, id) IN (SELECT r.phone, r.id FROM ",
		[]string{"phone text", "id text"}, messages, ")")
	if err != nil {
		return err
	}
	found, err := s.lockConversations(ctx, tx, []int64{conversation})
	if err != nil {
		return err
	}
	for _, c := range found {
		if err := s.recount(ctx, tx, c); err != nil {
			return err
		}
	}
	return s.putConversations(ctx, tx, found)
}

// eraseSilent deletes those of the conversations that have no messages, and either no contact or
// one for which silent is true.
func (s *Store) eraseSilent(
	ctx context.Context, phone graph.PhoneNumberID, ids []int64, silent func(coexistence.Contact) bool,
) error {
	empty, err := s.silentAmong(ctx, s.db, ids, silent)
	if err != nil || len(empty) == 0 {
		return err
	}
	return s.write(ctx, "Forget", func(tx *sql.Tx) error {
		// A writer that adds a contact to a conversation waits for the first lock, one that adds a
		// message for the second, and is then retried.
		if err := s.lockContacts(ctx, tx, phone); err != nil {
			return err
		}
		if err := s.lockConversationRows(ctx, tx, empty); err != nil {
			return err
		}
		gone, err := s.silentAmong(ctx, tx, empty, silent)
		if err != nil || len(gone) == 0 {
			return err
		}
		return s.dropConversations(ctx, tx, gone)
	})
}

// silentAmong returns what eraseSilent deletes.
func (s *Store) silentAmong(
	ctx context.Context, q querier, ids []int64, silent func(coexistence.Contact) bool,
) (list []int64, err error) {
	among, arg := s.db.Dialect.Among("c.id", ids)
	err = s.read(ctx, q, func(rows *sql.Rows) error {
		var id int64
		var doc string
		if err := rows.Scan(&id, &doc); err != nil {
			return err
		}
		if doc != "" {
			contact, err := decode[coexistence.Contact](doc)
			if err != nil || !silent(contact) {
				return err
			}
		}
		list = append(list, id)
		return nil
	}, `SELECT c.id, COALESCE(p.doc, '') FROM coexistence_conversations c
		LEFT JOIN coexistence_contacts p ON p.conversation = c.id
		WHERE `+among+` AND NOT EXISTS (SELECT 1 FROM coexistence_messages m WHERE m.conversation = c.id)`, arg)
	return list, err
}
