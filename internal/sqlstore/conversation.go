package sqlstore

import (
	"context"
	"database/sql"
	"iter"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence"
)

// A summary is a conversation as the database adds it up. Times are NULL if no message has them.
type summary struct {
	key                       string
	contact                   sql.NullString // its document, NULL if no contact has the key
	messages                  int
	lastAt, customerAt, human sql.NullInt64
}

// conversation returns the summary with its contact decoded.
func (c summary) conversation(phone graph.PhoneNumberID) (coexistence.Conversation, error) {
	who := unknownContact(phone, c.key)
	if c.contact.Valid {
		var err error
		if who, err = decode[coexistence.Contact](c.contact.String); err != nil {
			return coexistence.Conversation{}, err
		}
	}
	return coexistence.Conversation{
		PhoneNumberID: phone, ID: c.key, Contact: who, MessageCount: c.messages,
		LastAt: moment(c.lastAt), CustomerAt: moment(c.customerAt), HumanAt: moment(c.human),
	}, nil
}

// unknownContact is the contact of a conversation whose key no contact has.
func unknownContact(phone graph.PhoneNumberID, key string) coexistence.Contact {
	return coexistence.Contact{PhoneNumberID: phone, Key: key, Aliases: []string{key}}
}

// Conversations implements [coexistence.MessageStore]. It adds up all messages of the number in one
// query, grouped by person first, so that contacts are joined to few rows. The conversations are of
// one moment, that of the beginning. Nothing is held while the caller works on them but what was
// read: one contact for each.
func (s *Store) Conversations(
	ctx context.Context, phone graph.PhoneNumberID,
) iter.Seq2[coexistence.Conversation, error] {
	return func(yield func(coexistence.Conversation, error) bool) {
		var list []summary
		err := s.read(ctx, s.db, func(rows *sql.Rows) error {
			var c summary
			err := rows.Scan(&c.key, &c.contact, &c.messages, &c.lastAt, &c.customerAt, &c.human)
			list = append(list, c)
			return err
		}, `SELECT COALESCE(c.contact_key, m.person) AS k, MAX(c.doc), CAST(SUM(m.messages) AS bigint),
				MAX(m.last_at) AS last_at, MAX(m.customer_at), MAX(m.human_at)
			FROM (SELECT person, SUM(shown) AS messages, MAX(CASE WHEN shown = 1 THEN said_at END) AS last_at,
					MAX(customer_at) AS customer_at, MAX(human_at) AS human_at
				FROM coexistence_messages WHERE phone = ? AND person > '' GROUP BY person) m
			LEFT JOIN coexistence_aliases a ON a.phone = ? AND a.alias = m.person
			LEFT JOIN coexistence_contacts c ON c.id = a.contact
			GROUP BY COALESCE(c.contact_key, m.person) HAVING SUM(m.messages) > 0
			ORDER BY last_at DESC, k`, text(phone), text(phone))
		if err != nil {
			yield(coexistence.Conversation{}, explain("Conversations", err))
			return
		}
		for i, sum := range list {
			c, err := sum.conversation(phone)
			if err != nil {
				yield(coexistence.Conversation{}, explain("Conversations", err))
				return
			}
			// The list is read at once, so each document is let go as soon as its conversation was
			// handed out.
			list[i] = summary{}
			if !yield(c, nil) {
				return
			}
		}
	}
}

// Conversation implements [coexistence.MessageStore]. It adds up the messages of all aliases of the
// contact, which an index holds together.
func (s *Store) Conversation(
	ctx context.Context, phone graph.PhoneNumberID, key string,
) (coexistence.Conversation, error) {
	if key == "" {
		return coexistence.Conversation{}, coexistence.ErrNotFound
	}
	who, err := s.contactOf(ctx, phone, coexistence.Alias(key))
	if err != nil {
		return coexistence.Conversation{}, explain("Conversation", err)
	}
	c := summary{key: who.Key}
	names := make([]string, len(who.Aliases))
	for i, a := range who.Aliases {
		names[i] = text(a)
	}
	wanted, arg := oneOf(s.db.Dialect, names)
	err = s.read(ctx, s.db, func(rows *sql.Rows) error {
		return rows.Scan(&c.messages, &c.lastAt, &c.customerAt,
			&c.human)
	},
		`SELECT CAST(COALESCE(SUM(shown), 0) AS bigint), MAX(CASE WHEN shown = 1 THEN said_at END),
			MAX(customer_at), MAX(human_at)
			FROM coexistence_messages WHERE phone = ? AND person`+wanted, text(phone), arg)
	if err != nil {
		return coexistence.Conversation{}, explain("Conversation", err)
	}
	if c.messages == 0 {
		return coexistence.Conversation{}, coexistence.ErrNotFound
	}
	conv, err := c.conversation(phone)
	conv.Contact = who
	return conv, explain("Conversation", err)
}
