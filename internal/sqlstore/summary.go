package sqlstore

import (
	"cmp"
	"context"
	"database/sql"
	"math"
	"slices"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/sqldb"
)

// A place is the stored form of a [coexistence.Place].
type place struct {
	at, pos int64
	id      string
}

// placeOf returns the stored form of a place. The places above and below all others are kept as
// such.
func placeOf(p coexistence.Place) place {
	const most = math.MaxInt64 / 1_000_000
	return place{min(max(p.Second, -most), most) * 1_000_000, p.Position, text(p.ID)}
}

func (p place) compare(o place) int {
	return cmp.Or(cmp.Compare(p.at, o.at), cmp.Compare(p.pos, o.pos), cmp.Compare(p.id, o.id))
}

// The values of the column attention.
const (
	attentionNone     = 0
	attentionReceived = 1 // the customer wrote it, live: it is unread until something is read
	attentionWritten  = 2 // a person at the business wrote it, and so has read the messages before
)

// A contribution is one message's part in the summary of its conversation.
type contribution struct {
	shown, attention int64
	place            place
	human            *int64
}

// contributionOf returns the contribution of a message. The rules are those of package coexistence.
func contributionOf(m coexistence.Message) contribution {
	c := contribution{place: placeOf(m.Place()), human: micros(m.HumanAt())}
	if m.Visible() {
		c.shown = 1
	}
	if m.Received() {
		c.attention = attentionReceived
	} else if m.WrittenByPerson() {
		c.attention = attentionWritten
	}
	return c
}

func (c contribution) equal(o contribution) bool {
	return c.shown == o.shown && c.attention == o.attention && c.place == o.place && sameTime(c.human, o.human)
}

func sameTime(a, b *int64) bool {
	return (a == nil) == (b == nil) && (a == nil || *a == *b)
}

// A summary is a row of a conversation.
type summary struct {
	id                int64
	phone             graph.PhoneNumberID
	name              string
	messages, unread  int64
	last, read        place
	customerAt, human sql.NullInt64
}

// summaryColumns are those that scan reads, of a table c.
const summaryColumns = `c.id, c.phone, c.name, c.message_count, c.unread, c.last_at, c.last_pos, c.last_id,
	c.read_at, c.read_pos, c.read_id, c.customer_at, c.human_at`

// fields returns the destinations for a row of summaryColumns.
func (c *summary) fields() []any {
	return []any{
		&c.id, &c.phone, &c.name, &c.messages, &c.unread, &c.last.at, &c.last.pos, &c.last.id,
		&c.read.at, &c.read.pos, &c.read.id, &c.customerAt, &c.human,
	}
}

// changedConversations are the conversations affected by changes of messages.
type changedConversations struct {
	byID map[int64]*summary
	of   map[messageKey]int64
}

// fileMessages finds the conversation of each changed message. A message stays in its conversation
// as long as it is filed under the same name. A name without a conversation gets a new one.
func (s *Store) fileMessages(
	ctx context.Context, tx *sql.Tx, changes []*changedMessage, known map[aliasKey]int64,
) error {
	wanted := map[aliasKey]int64{}
	var names [][]sqldb.Cell
	for _, c := range changes {
		k := keyOf(c.now.PhoneNumberID, c.now.Person)
		switch {
		case c.now.Person == "":
		case c.old.conversation != 0 && c.now.Person == c.old.message.Person:
			c.conversation = c.old.conversation
		case known[k] != 0:
			c.conversation = known[k]
		default:
			if _, asked := wanted[k]; !asked {
				wanted[k] = 0
				names = append(names, []sqldb.Cell{sqldb.Text(k.phone), sqldb.Text(k.alias)})
			}
		}
	}
	if len(names) == 0 {
		return nil
	}
	from, args := s.db.Dialect.Table([]string{"phone text", "alias text"}, names)
	err := s.read(ctx, tx, func(rows *sql.Rows) error {
		var k aliasKey
		var id int64
		err := rows.Scan(&k.phone, &k.alias, &id)
		wanted[k] = id
		return err
	}, "SELECT a.phone, a.alias, a.conversation FROM "+from+
		" CROSS JOIN coexistence_aliases a WHERE a.phone = r.phone AND a.alias = r.alias", args...)
	if err != nil {
		return err
	}
	var missing []aliasKey
	for k, id := range wanted {
		if id == 0 {
			missing = append(missing, k)
		}
	}
	slices.SortFunc(missing, aliasKey.compare)
	made, err := s.newConversations(ctx, tx, missing)
	if err != nil {
		return err
	}
	for _, c := range changes {
		if k := keyOf(c.now.PhoneNumberID, c.now.Person); c.now.Person != "" && c.conversation == 0 {
			c.conversation = cmp.Or(wanted[k], made[k])
		}
	}
	return s.nameConversations(ctx, tx, missing, made)
}

// newConversations makes a conversation for each name, in one statement, and returns their ids.
func (s *Store) newConversations(ctx context.Context, tx *sql.Tx, names []aliasKey) (map[aliasKey]int64, error) {
	if len(names) == 0 {
		return nil, nil
	}
	rows := make([][]sqldb.Cell, len(names))
	for i, k := range names {
		rows[i] = []sqldb.Cell{sqldb.Text(k.phone), sqldb.Text(k.alias)}
	}
	from, args := s.db.Dialect.Table([]string{"phone text", "name text"}, rows)
	ids := make(map[aliasKey]int64, len(names))
	err := s.read(ctx, tx, func(rows *sql.Rows) error {
		var k aliasKey
		var id int64
		err := rows.Scan(&k.phone, &k.alias, &id)
		ids[k] = id
		return err
	}, "INSERT INTO coexistence_conversations (phone, name) SELECT phone, name FROM "+from+
		" WHERE true RETURNING phone, name, id", args...)
	return ids, err
}

// nameConversations stores the aliases of conversations. If another writer has taken an alias
// meanwhile, it asks for a retry.
func (s *Store) nameConversations(
	ctx context.Context, tx *sql.Tx, names []aliasKey, conversations map[aliasKey]int64,
) error {
	rows := make([][]sqldb.Cell, len(names))
	for i, k := range names {
		rows[i] = []sqldb.Cell{sqldb.Text(k.phone), sqldb.Text(k.alias), sqldb.Number(conversations[k])}
	}
	n, err := s.execTable(ctx, tx, "INSERT INTO coexistence_aliases (phone, alias, conversation) "+
		"SELECT phone, alias, conversation FROM ", []string{"phone text", "alias text", "conversation bigint"}, rows,
		" WHERE true ON CONFLICT (phone, alias) DO NOTHING")
	if err == nil && n < int64(len(rows)) {
		err = errAgain
	}
	return err
}

// sumUp updates the summaries of conversations after changes of their messages were stored. As long
// as sums only grow, they are computed from the row and the changes; otherwise, which is rare, the
// conversation is recounted. Rows are locked in the order of their ids, after those of messages. A
// missing row was merged into another one meanwhile: then the change is retried. If it still has
// messages, it was forgotten instead, and they will be deleted: a merge moves the messages, and
// theirs are locked.
func (s *Store) sumUp(ctx context.Context, tx *sql.Tx, changes []*changedMessage) (*changedConversations, error) {
	done := &changedConversations{of: map[messageKey]int64{}}
	byID := map[int64][]*changedMessage{}
	for _, c := range changes {
		was, is := contributionOf(c.old.message), contributionOf(c.now)
		if c.old.doc != "" && c.old.conversation == c.conversation && was.equal(is) {
			continue // as most statuses
		}
		if c.conversation != 0 {
			byID[c.conversation] = append(byID[c.conversation], c)
			done.of[messageKey{c.now.PhoneNumberID, c.now.ID}] = c.conversation
		}
		if old := c.old.conversation; old != 0 && old != c.conversation {
			byID[old] = append(byID[old], c)
		}
	}
	if len(byID) == 0 {
		return done, nil
	}
	ids := make([]int64, 0, len(byID))
	for id := range byID {
		ids = append(ids, id)
	}
	var err error
	if done.byID, err = s.lockConversations(ctx, tx, ids); err != nil {
		return nil, err
	}
	for id, list := range byID {
		leaves := func(c *changedMessage) bool { return c.old.conversation == id }
		if done.byID[id] == nil && !slices.ContainsFunc(list, leaves) {
			return nil, errAgain
		}
	}
	for id, sum := range done.byID {
		again := false
		for _, c := range byID[id] {
			again = !sum.add(c) || again
		}
		if again {
			if err := s.recount(ctx, tx, sum); err != nil {
				return nil, err
			}
		}
	}
	return done, s.putConversations(ctx, tx, done.byID)
}

// add adds a change of a message to the summary of its conversation, and reports whether that was
// possible. If not, the conversation has to be recounted.
func (c *summary) add(change *changedMessage) bool {
	if change.conversation != c.id {
		return false // it left the conversation
	}
	var was contribution
	if change.old.conversation == c.id {
		was = contributionOf(change.old.message)
	}
	is := contributionOf(change.now)
	if is.human != nil && (!c.human.Valid || *is.human > c.human.Int64) {
		c.human = sql.NullInt64{Int64: *is.human, Valid: true}
	} else if was.human != nil && (is.human == nil || *is.human < *was.human) {
		return false
	}
	if was.shown == 1 && (is.shown == 0 || was.place != is.place || was.attention != is.attention) {
		return false // rare: the message has moved because more is known about it
	}
	if is.shown == 0 || was.shown == 1 {
		return true
	}
	c.messages++
	latest := c.messages == 1 || is.place.compare(c.last) > 0
	if latest {
		c.last = is.place
	}
	if is.attention == attentionReceived && (!c.customerAt.Valid || is.place.at > c.customerAt.Int64) {
		c.customerAt = sql.NullInt64{Int64: is.place.at, Valid: true}
	}
	switch {
	case is.attention == attentionNone:
	case !latest:
		return false // a message after it may be an answer, or unread
	case is.attention == attentionWritten:
		c.unread = 0
	case is.place.compare(c.read) > 0:
		c.unread++
	}
	return true
}

// recount computes the summary of a conversation from the index of its messages.
func (s *Store) recount(ctx context.Context, tx *sql.Tx, c *summary) error {
	c.last = place{}
	var answered place
	err := s.read(ctx, tx, func(rows *sql.Rows) error { return rows.Scan(&c.messages, &c.customerAt, &c.human) },
		`SELECT CAST(COALESCE(SUM(shown), 0) AS bigint), MAX(CASE WHEN attention = 1 THEN said_at END), MAX(human_at)
			FROM coexistence_messages WHERE conversation = ?`, c.id)
	if err != nil {
		return err
	}
	const latest = `SELECT said_at, pos, id FROM coexistence_messages WHERE conversation = ? AND shown = 1`
	const first = ` ORDER BY said_at DESC, pos DESC, id DESC LIMIT 1`
	into := func(p *place) func(*sql.Rows) error {
		return func(rows *sql.Rows) error { return rows.Scan(&p.at, &p.pos, &p.id) }
	}
	if err := s.read(ctx, tx, into(&c.last), latest+first, c.id); err != nil {
		return err
	}
	if err := s.read(ctx, tx, into(&answered), latest+" AND attention = 2"+first, c.id); err != nil {
		return err
	}
	return s.countUnread(ctx, tx, c, answered)
}

// countUnread counts the customer's messages after the last answer of a person and after the read
// mark.
func (s *Store) countUnread(ctx context.Context, tx *sql.Tx, c *summary, answered place) error {
	if c.read.compare(answered) > 0 {
		answered = c.read
	}
	return s.read(ctx, tx, func(rows *sql.Rows) error { return rows.Scan(&c.unread) },
		`SELECT COUNT(*) FROM coexistence_messages
			WHERE conversation = ? AND shown = 1 AND attention = 1 AND (said_at, pos, id) > (?, ?, ?)`,
		c.id, answered.at, answered.pos, answered.id)
}

// lockConversations locks and returns the existing rows of conversations. Every writer locks them
// in the order of their ids.
func (s *Store) lockConversations(ctx context.Context, tx *sql.Tx, ids []int64) (map[int64]*summary, error) {
	among, arg := s.db.Dialect.Among("c.id", ids)
	query := "SELECT " + summaryColumns + " FROM coexistence_conversations c WHERE " + among
	if s.db.Dialect == sqldb.PostgreSQL {
		query += " ORDER BY c.id FOR NO KEY UPDATE"
	}
	byID := make(map[int64]*summary, len(ids))
	err := s.read(ctx, tx, func(rows *sql.Rows) error {
		c := new(summary)
		err := rows.Scan(c.fields()...)
		byID[c.id] = c
		return err
	}, query, arg)
	return byID, err
}

// putConversations stores rows of conversations, in one statement.
func (s *Store) putConversations(ctx context.Context, tx *sql.Tx, list map[int64]*summary) error {
	var rows [][]sqldb.Cell
	for _, c := range list {
		rows = append(rows, []sqldb.Cell{
			sqldb.Number(c.id), sqldb.Number(c.messages), sqldb.Number(c.unread),
			sqldb.Number(c.last.at), sqldb.Number(c.last.pos), sqldb.Text(c.last.id),
			sqldb.Number(c.read.at), sqldb.Number(c.read.pos), sqldb.Text(c.read.id),
			number(c.customerAt), number(c.human),
		})
	}
	_, err := s.execTable(ctx, tx, `UPDATE coexistence_conversations SET message_count = r.message_count,
			unread = r.unread, last_at = r.last_at, last_pos = r.last_pos, last_id = r.last_id,
			read_at = r.read_at, read_pos = r.read_pos, read_id = r.read_id,
			customer_at = r.customer_at, human_at = r.human_at FROM `,
		[]string{
			"id bigint", "message_count bigint", "unread bigint", "last_at bigint", "last_pos bigint", "last_id text",
			"read_at bigint", "read_pos bigint", "read_id text", "customer_at bigint", "human_at bigint",
		}, rows, " WHERE coexistence_conversations.id = r.id")
	return err
}

// number is a number that was read, or NULL.
func number(n sql.NullInt64) sqldb.Cell {
	if !n.Valid {
		return sqldb.Cell{}
	}
	return sqldb.Number(n.Int64)
}

// firstUnread returns the place of the oldest message that counts as unread, if there is one.
func (s *Store) firstUnread(ctx context.Context, tx *sql.Tx, c *summary) (first place, found bool, err error) {
	if c.unread == 0 {
		return first, false, nil
	}
	// The unread messages are the last received ones: an answer or a read mark precedes them.
	err = s.read(ctx, tx, func(rows *sql.Rows) error {
		found = true
		return rows.Scan(&first.at, &first.pos, &first.id)
	}, `SELECT said_at, pos, id FROM coexistence_messages WHERE conversation = ? AND shown = 1 AND attention = 1
		ORDER BY said_at DESC, pos DESC, id DESC LIMIT 1 OFFSET ?`, c.id, c.unread-1)
	return first, found, err
}

// mergeConversations moves everything into the conversation with the most messages, and returns its
// id. The other ids lead there from now on. Rows are locked in the usual order; but messages are
// moved after that, so it can conflict with a writer of one of them, and one of the two is retried.
func (s *Store) mergeConversations(ctx context.Context, tx *sql.Tx, ids []int64) (int64, error) {
	if len(ids) == 1 {
		return ids[0], nil
	}
	byID, err := s.lockConversations(ctx, tx, ids)
	if err != nil {
		return 0, err
	}
	if len(byID) < len(ids) {
		return 0, errAgain
	}
	list := make([]*summary, 0, len(ids))
	for _, c := range byID {
		list = append(list, c)
	}
	slices.SortFunc(list, func(a, b *summary) int {
		return cmp.Or(cmp.Compare(b.messages, a.messages), cmp.Compare(a.id, b.id))
	})
	keep := list[0]
	read := keep.read
	for _, c := range list {
		if c.read.compare(read) > 0 {
			read = c.read
		}
	}
	for _, c := range list { // nothing unread becomes read
		first, found, err := s.firstUnread(ctx, tx, c)
		if err != nil {
			return 0, err
		}
		if found && read.compare(first) >= 0 {
			read = place{at: first.at, pos: first.pos - 1}
		}
	}
	keep.read = read
	for _, c := range list[1:] {
		if err := s.moveConversation(ctx, tx, c, keep.id); err != nil {
			return 0, err
		}
	}
	if err := s.recount(ctx, tx, keep); err != nil {
		return 0, err
	}
	return keep.id, s.putConversations(ctx, tx, map[int64]*summary{keep.id: keep})
}

// moveConversation moves a conversation into another one. Its entries in the outbox keep their
// order among those of the other.
func (s *Store) moveConversation(ctx context.Context, tx *sql.Tx, c *summary, into int64) error {
	for _, query := range []string{
		"UPDATE coexistence_messages SET conversation = ? WHERE conversation = ?",
		"UPDATE coexistence_aliases SET conversation = ? WHERE conversation = ?",
		"UPDATE coexistence_former_conversations SET conversation = ? WHERE conversation = ?",
		"INSERT INTO coexistence_former_conversations (conversation, id) VALUES (?, ?)",
	} {
		if _, err := s.exec(ctx, tx, query, into, c.id); err != nil {
			return err
		}
	}
	_, err := s.exec(ctx, tx, "UPDATE outbox_entries SET person = ? WHERE phone = ? AND person = ?", idText(into),
		text(c.phone), idText(c.id))
	if err != nil {
		return err
	}
	_, err = s.exec(ctx, tx, "DELETE FROM coexistence_conversations WHERE id = ?", c.id) // and, with it, its contact
	return err
}
