package sqlstore

import (
	"context"
	"database/sql"
	"iter"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/sqldb"
)

// idPrefix begins the ids of conversations. No alias looks like that.
const idPrefix = "conv_"

// idText returns the public form of a conversation's id.
func idText(id int64) string { return idPrefix + strconv.FormatInt(id, 10) }

// parseID is the inverse of idText, and reports whether a name is such an id.
func parseID(name string) (int64, bool) {
	digits, ok := strings.CutPrefix(name, idPrefix)
	if !ok {
		return 0, false
	}
	id, err := strconv.ParseInt(digits, 10, 64)
	return id, err == nil && id > 0
}

// lookUp returns the id of the conversation with a name: its id, that of a conversation that was
// merged into it, or anything from which [coexistence.Alias] makes an alias. It is 0 if there is
// none.
func (s *Store) lookUp(ctx context.Context, q querier, phone graph.PhoneNumberID, name string) (int64, error) {
	query, args := "SELECT conversation FROM coexistence_aliases WHERE phone = ? AND alias = ?",
		[]any{text(phone), text(coexistence.Alias(name))}
	if id, ok := parseID(name); ok {
		query = `SELECT id FROM coexistence_conversations WHERE phone = ? AND id =
			COALESCE((SELECT conversation FROM coexistence_former_conversations WHERE id = ?), ?)`
		args = []any{text(phone), id, id}
	}
	var id int64
	err := s.read(ctx, q, func(rows *sql.Rows) error { return rows.Scan(&id) }, query, args...)
	return id, err
}

// A conversationRow is a conversation as read: its summary, the documents of its contact and its
// latest message, and the ids of merged conversations, joined by commas.
type conversationRow struct {
	summary
	contactDoc, lastDoc, former sql.NullString
}

// conversationsOf returns the query for rows of conversations from the clause from, which names
// them c. Contact and message of a row are subqueries by key: with joins to many rows, PostgreSQL
// may read all contacts and messages instead.
func (s *Store) conversationsOf(from string) string {
	ids := "group_concat(f.id)"
	if s.db.Dialect == sqldb.PostgreSQL {
		ids = "string_agg(CAST(f.id AS text), ',')"
	}
	return "SELECT " + summaryColumns + `,
		(SELECT p.doc FROM coexistence_contacts p WHERE p.conversation = c.id),
		(SELECT m.doc FROM coexistence_messages m WHERE m.phone = c.phone AND m.id = c.last_id AND c.message_count > 0),
		(SELECT ` + ids + " FROM coexistence_former_conversations f WHERE f.conversation = c.id) FROM " + from
}

// scan reads a row.
func (r *conversationRow) scan(rows *sql.Rows) error {
	return rows.Scan(append(r.fields(), &r.contactDoc, &r.lastDoc, &r.former)...)
}

// conversation returns the conversation of a row.
func (r conversationRow) conversation() (coexistence.Conversation, error) {
	c := r.summary.conversation()
	if r.contactDoc.Valid {
		var err error
		if c.Contact, err = decode[coexistence.Contact](r.contactDoc.String); err != nil {
			return c, err
		}
	}
	if r.lastDoc.Valid {
		m, err := messageDoc{r.id, r.lastDoc.String}.message()
		if err != nil {
			return c, err
		}
		c.Last, c.LastAt = &m, m.At
	}
	if r.former.Valid {
		for id := range strings.SplitSeq(r.former.String, ",") {
			c.FormerIDs = append(c.FormerIDs, idPrefix+id)
		}
		slices.Sort(c.FormerIDs)
	}
	return c, nil
}

// conversation returns the conversation without its contact and message.
func (c *summary) conversation() coexistence.Conversation {
	sum := coexistence.Conversation{
		PhoneNumberID: c.phone, ID: idText(c.id), Contact: unknownContact(c.phone, c.name),
		MessageCount: int(c.messages), UnreadCount: int(c.unread),
		CustomerAt: moment(c.customerAt), HumanAt: moment(c.human),
	}
	if c.messages > 0 {
		sum.LastAt = moment(sql.NullInt64{Int64: c.last.at, Valid: true})
	}
	return sum
}

// unknownContact is the contact of a conversation whose person is not known.
func unknownContact(phone graph.PhoneNumberID, name string) coexistence.Contact {
	return coexistence.Contact{PhoneNumberID: phone, Key: name, Aliases: []string{name}}
}

// Conversations implements [coexistence.MessageStore]. It reads some hundred at a time and holds no
// lock while the caller handles them: a conversation that gets a message meanwhile moves to the top
// and may be missed.
func (s *Store) Conversations(
	ctx context.Context, phone graph.PhoneNumberID,
) iter.Seq2[coexistence.Conversation, error] {
	return func(yield func(coexistence.Conversation, error) bool) {
		last := top
		eachRow(yield, "Conversations", conversationRow.conversation, func() ([]conversationRow, error) {
			page, err := s.conversationPage(ctx, phone, last, pageSize, anyConversation)
			if len(page) > 0 {
				last = page[len(page)-1].last
			}
			return page, err
		})
	}
}

// top is the start of a list that begins with the latest.
var top = place{math.MaxInt64, math.MaxInt64, ""}

// The conditions of the lists of conversations. Each fits exactly one partial index.
const (
	anyConversation    = "c.message_count > 0"
	unreadConversation = "c.unread > 0"
)

// conversationPage returns conversations below a place that meet a condition, the latest first.
func (s *Store) conversationPage(
	ctx context.Context, phone graph.PhoneNumberID, below place, limit int, which string,
) (page []conversationRow, err error) {
	err = s.read(ctx, s.db, func(rows *sql.Rows) error {
		var r conversationRow
		err := r.scan(rows)
		page = append(page, r)
		return err
	}, s.conversationsOf("coexistence_conversations c WHERE c.phone = ? AND "+which+
		` AND (c.last_at, c.last_pos, c.last_id) < (?, ?, ?)
		ORDER BY c.last_at DESC, c.last_pos DESC, c.last_id DESC LIMIT ?`),
		text(phone), below.at, below.pos, below.id, limit)
	return page, err
}

// Conversation implements [coexistence.MessageStore]. It reads one row each of the conversation,
// its contact and its latest message.
func (s *Store) Conversation(
	ctx context.Context, phone graph.PhoneNumberID, name string,
) (coexistence.Conversation, error) {
	from, args := `coexistence_aliases a JOIN coexistence_conversations c ON c.id = a.conversation
		WHERE a.phone = ? AND a.alias = ?`, []any{text(phone), text(coexistence.Alias(name))}
	if id, ok := parseID(name); ok {
		from = `coexistence_conversations c WHERE c.phone = ? AND c.id =
			COALESCE((SELECT conversation FROM coexistence_former_conversations WHERE id = ?), ?)`
		args = []any{text(phone), id, id}
	}
	var row conversationRow
	err := s.read(ctx, s.db, row.scan, s.conversationsOf(from), args...)
	if err != nil {
		return coexistence.Conversation{}, explain("Conversation", err)
	}
	if row.messages == 0 {
		return coexistence.Conversation{}, coexistence.ErrNotFound
	}
	c, err := row.conversation()
	return c, explain("Conversation", err)
}
