package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/sqldb"
)

// errBusy is the error of signing up a number that is still being forgotten.
var errBusy = errors.New("the number is being forgotten; finish that (Forget or FinishForgetting) and try again")

// An Erasure is a ForgetRequest in progress. It is stored until it is done, so that another process
// can finish it: by then no other row says who the person was.
type Erasure struct {
	ID      int64                     `json:"-"`
	Request coexistence.ForgetRequest `json:"request"`

	// At is when the request was made: what a person writes later stays.
	At time.Time `json:"at"`

	// Names are the names of the person, as messages are filed under them, and Identities the ids
	// under which the person was seen. Both are empty for a number.
	Names      []string         `json:"names,omitempty"`
	Identities []graph.Identity `json:"identities,omitempty"`

	// Conversations are the ids of the person's conversation, the former ones included. Its row is
	// gone; its messages are deleted by them.
	Conversations []int64 `json:"conversations,omitempty"`
}

// ConversationIDs returns Conversations in their public form.
func (e Erasure) ConversationIDs() []string {
	list := make([]string, len(e.Conversations))
	for i, id := range e.Conversations {
		list[i] = idText(id)
	}
	return list
}

// Begin stores the tombstones of what is to be forgotten, and deletes what a late event would find:
// the state of the number, or the conversation with its contact. Erase deletes the rest.
func (s *Store) Begin(ctx context.Context, r coexistence.ForgetRequest) (Erasure, error) {
	if err := r.Validate(); err != nil {
		return Erasure{}, err
	}
	var e Erasure
	err := s.write(ctx, "Forget", func(tx *sql.Tx) (err error) {
		e = Erasure{Request: r, At: time.Now().UTC()}
		// Writers of new people wait for this lock, and look for tombstones under it.
		if err := s.lockContacts(ctx, tx, r.PhoneNumberID); err != nil {
			return err
		}
		switch {
		case r.Everything():
			err = s.putTombstones(ctx, tx, suspect{phone: r.PhoneNumberID}, coexistence.Always)
			if err == nil {
				err = s.dropNumber(ctx, tx, r.PhoneNumberID)
			}
		case r.Person != "":
			if err = s.dropPerson(ctx, tx, &e); err == nil {
				err = s.putTombstones(ctx, tx, suspect{r.PhoneNumberID, e.Names}, e.At)
			}
		default:
			err = s.putTombstones(ctx, tx, suspect{phone: r.PhoneNumberID}, r.Before.Add(-time.Microsecond))
		}
		if err != nil {
			return err
		}
		doc, err := encode(&e)
		if err != nil {
			return err
		}
		return s.read(ctx, tx, func(rows *sql.Rows) error { return rows.Scan(&e.ID) },
			"INSERT INTO coexistence_erasures (phone, doc) VALUES (?, ?) RETURNING id", text(r.PhoneNumberID), doc)
	})
	return e, err
}

// dropNumber deletes the state of a number.
func (s *Store) dropNumber(ctx context.Context, tx *sql.Tx, phone graph.PhoneNumberID) error {
	for _, table := range []string{"coexistence_number_wabas", "coexistence_numbers"} {
		if _, err := s.exec(ctx, tx, "DELETE FROM "+table+" WHERE phone = ?", text(phone)); err != nil {
			return err
		}
	}
	return nil
}

// dropPerson deletes the conversation of the person who is to be forgotten, with its contact and
// aliases, and records it in the erasure. If the person writes later, that is a new conversation.
func (s *Store) dropPerson(ctx context.Context, tx *sql.Tx, e *Erasure) error {
	phone, alias := e.Request.PhoneNumberID, coexistence.Alias(e.Request.Person)
	e.Names = []string{alias}
	id, err := s.lookUp(ctx, tx, phone, e.Request.Person)
	if err != nil || id == 0 {
		return err
	}
	if err := s.lockConversationRows(ctx, tx, []int64{id}); err != nil {
		return err
	}
	var doc string
	err = s.read(ctx, tx, func(rows *sql.Rows) error { return rows.Scan(&doc) },
		"SELECT doc FROM coexistence_contacts WHERE conversation = ?", id)
	if err != nil {
		return err
	}
	e.Names = nil
	if doc != "" {
		c, err := decode[coexistence.Contact](doc)
		if err != nil {
			return err
		}
		e.Names, e.Identities = c.Aliases, c.Identities()
	}
	err = s.read(ctx, tx, func(rows *sql.Rows) error {
		var name string
		err := rows.Scan(&name)
		if !slices.Contains(e.Names, name) {
			e.Names = append(e.Names, name)
		}
		return err
	}, "SELECT alias FROM coexistence_aliases WHERE conversation = ?", id)
	if err != nil {
		return err
	}
	e.Conversations = []int64{id}
	err = s.read(ctx, tx, func(rows *sql.Rows) error {
		var former int64
		err := rows.Scan(&former)
		e.Conversations = append(e.Conversations, former)
		return err
	}, "SELECT id FROM coexistence_former_conversations WHERE conversation = ? ORDER BY id", id)
	if err != nil {
		return err
	}
	return s.dropConversations(ctx, tx, []int64{id})
}

// lockConversationRows locks conversations and their contacts. The caller must hold the number's
// lock.
func (s *Store) lockConversationRows(ctx context.Context, tx *sql.Tx, ids []int64) error {
	if s.db.Dialect != sqldb.PostgreSQL {
		return nil
	}
	among, arg := s.db.Dialect.Among("conversation", ids)
	_, err := s.exec(ctx, tx, "SELECT conversation FROM coexistence_contacts WHERE "+among+
		" ORDER BY conversation FOR UPDATE", arg)
	if err != nil {
		return err
	}
	among, arg = s.db.Dialect.Among("id", ids)
	_, err = s.exec(ctx, tx, "SELECT id FROM coexistence_conversations WHERE "+among+" ORDER BY id FOR UPDATE", arg)
	return err
}

// dropConversations deletes conversations with their aliases, former ids and contacts.
func (s *Store) dropConversations(ctx context.Context, tx *sql.Tx, ids []int64) error {
	among, arg := s.db.Dialect.Among("id", ids)
	_, err := s.exec(ctx, tx, "DELETE FROM coexistence_conversations WHERE "+among, arg)
	return err
}

// Pending returns the erasures that are not done, of a number or, if it is empty, of all.
func (s *Store) Pending(ctx context.Context, phone graph.PhoneNumberID) (list []Erasure, err error) {
	err = s.read(ctx, s.db, func(rows *sql.Rows) error {
		var id int64
		var doc string
		if err := rows.Scan(&id, &doc); err != nil {
			return err
		}
		e, err := decode[Erasure](doc)
		e.ID = id
		list = append(list, e)
		return err
	}, "SELECT id, doc FROM coexistence_erasures WHERE phone = ? OR ? = '' ORDER BY id", text(phone), text(phone))
	return list, explain("Forget", err)
}

// End marks an erasure as done.
func (s *Store) End(ctx context.Context, e Erasure) error {
	_, err := s.db.Write(ctx, "DELETE FROM coexistence_erasures WHERE id = ?", e.ID)
	return explain("Forget", err)
}

// Forget implements [coexistence.Forgetter] for the tables of this package.
func (s *Store) Forget(ctx context.Context, r coexistence.ForgetRequest) error {
	if _, err := s.Begin(ctx, r); err != nil {
		return err
	}
	return s.finish(ctx, r.PhoneNumberID)
}

// FinishForgetting implements [coexistence.Forgetter].
func (s *Store) FinishForgetting(ctx context.Context) error { return s.finish(ctx, "") }

func (s *Store) finish(ctx context.Context, phone graph.PhoneNumberID) error {
	pending, err := s.Pending(ctx, phone)
	for _, e := range pending {
		if err == nil {
			err = s.Erase(ctx, e)
		}
		if err == nil {
			err = s.End(ctx, e)
		}
	}
	return err
}
