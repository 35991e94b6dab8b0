package sqlstore

import (
	"cmp"
	"context"
	"database/sql"
	"slices"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence"
)

// ListConversations implements [coexistence.MessageStore]. It is one index scan, whatever is
// stored.
func (s *Store) ListConversations(
	ctx context.Context, phone graph.PhoneNumberID, opts coexistence.ConversationListOptions,
) ([]coexistence.Conversation, error) {
	below, err := opts.Bounds()
	if err != nil {
		return nil, err
	}
	which := anyConversation
	if opts.Unread {
		which = unreadConversation
	}
	page, err := s.conversationPage(ctx, phone, placeOf(below), opts.Limit, which)
	if err != nil {
		return nil, explain("ListConversations", err)
	}
	list := make([]coexistence.Conversation, len(page))
	for i, row := range page {
		if list[i], err = row.conversation(); err != nil {
			return nil, explain("ListConversations", err)
		}
	}
	return list, nil
}

// ListMessages implements [coexistence.MessageStore]. It is one or two index scans, whatever is
// stored.
func (s *Store) ListMessages(
	ctx context.Context, phone graph.PhoneNumberID, conversation string, opts coexistence.MessageListOptions,
) ([]coexistence.Message, error) {
	ranges, err := opts.Ranges()
	if err != nil {
		return nil, err
	}
	id, err := s.lookUp(ctx, s.db, phone, conversation)
	if err == nil && id == 0 {
		return nil, coexistence.ErrNotFound
	}
	var list []coexistence.Message
	for _, r := range ranges {
		page, err1 := s.messageRange(ctx, id, r)
		list, err = append(list, page...), cmp.Or(err, err1)
	}
	if err != nil {
		return nil, explain("ListMessages", err)
	}
	return list, nil
}

// messageRange returns messages of a range, the oldest first.
func (s *Store) messageRange(
	ctx context.Context, conversation int64, r coexistence.MessageRange,
) (list []coexistence.Message, err error) {
	from, order := ">", " ORDER BY said_at DESC, pos DESC, id DESC"
	if r.Inclusive {
		from = ">="
	}
	if r.Ascending {
		order = " ORDER BY said_at, pos, id"
	}
	above, below := placeOf(r.Above), placeOf(r.Below)
	err = s.read(ctx, s.db, func(rows *sql.Rows) error {
		row := messageDoc{conversation: conversation}
		if err := rows.Scan(&row.doc); err != nil {
			return err
		}
		m, err := row.message()
		list = append(list, m)
		return err
	}, `SELECT doc FROM coexistence_messages WHERE conversation = ? AND shown = 1
		AND (said_at, pos, id) `+from+` (?, ?, ?) AND (said_at, pos, id) < (?, ?, ?)`+order+" LIMIT ?",
		conversation, above.at, above.pos, above.id, below.at, below.pos, below.id, r.Limit)
	if !r.Ascending {
		slices.Reverse(list)
	}
	return list, err
}

// MarkRead implements [coexistence.MessageStore]. It recounts only what is left unread.
func (s *Store) MarkRead(
	ctx context.Context, phone graph.PhoneNumberID, conversation string, upTo coexistence.Cursor,
) error {
	read, err := upTo.Place()
	if err != nil {
		return err
	}
	id, err := s.lookUp(ctx, s.db, phone, conversation)
	if err == nil && id == 0 {
		return coexistence.ErrNotFound
	}
	if err != nil {
		return explain("MarkRead", err)
	}
	return s.write(ctx, "MarkRead", func(tx *sql.Tx) error {
		byID, err := s.lockConversations(ctx, tx, []int64{id})
		if err != nil {
			return err
		}
		c := byID[id]
		if c == nil { // it was merged meanwhile
			if id, err = s.lookUp(ctx, s.db, phone, conversation); err == nil {
				err = errAgain
			}
			return err
		}
		if placeOf(read).compare(c.read) <= 0 {
			return nil
		}
		c.read = placeOf(read)
		if c.unread > 0 {
			if first, found, err := s.firstUnread(ctx, tx, c); err != nil {
				return err
			} else if found {
				// The first unread message is there or later, so nothing before it has to be read.
				first.pos--
				if err := s.countUnread(ctx, tx, c, first); err != nil {
					return err
				}
			}
		}
		return s.putConversations(ctx, tx, byID)
	})
}

// CountUnread implements [coexistence.MessageStore]. It scans an index of unread conversations: a
// short range first, which is nearly always enough.
func (s *Store) CountUnread(ctx context.Context, phone graph.PhoneNumberID) (n coexistence.UnreadCount, err error) {
	for _, limit := range []int{usual, coexistence.MaxListLimit} {
		err = s.readMany(ctx, limit, func(rows *sql.Rows) error { return rows.Scan(&n.Messages, &n.Conversations) },
			`SELECT CAST(COALESCE(SUM(u.unread), 0) AS bigint), COUNT(*) FROM (
				SELECT unread FROM coexistence_conversations WHERE phone = ? AND unread > 0
				ORDER BY last_at DESC, last_pos DESC, last_id DESC LIMIT ?) u`, text(phone), limit)
		if err != nil || n.Conversations < limit {
			break
		}
	}
	return n, explain("CountUnread", err)
}
