package storage

import (
	"context"
	"database/sql"
	"encoding/json"
	"slices"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/sqldb"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/sqlsignup"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/sqlstore"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/inbox"
)

// eraseStep is how many rows are deleted in one transaction.
const eraseStep = 250

// erase carries out one request in all tables. It can be repeated. The outbox goes first, because
// it sends; the token goes last.
func (s store) erase(ctx context.Context, e sqlstore.Erasure) error {
	for _, step := range []func(context.Context, sqlstore.Erasure) error{
		s.eraseOutbox, s.eraseInbox, s.Erase, s.eraseSignups, s.eraseToken,
	} {
		if err := step(ctx, e); err != nil {
			return err
		}
	}
	return nil
}

// eraseInbox deletes what was received, and waits for what is being handled.
func (s store) eraseInbox(ctx context.Context, e sqlstore.Erasure) error {
	r := inbox.ForgetRequest{PhoneNumberID: e.Request.PhoneNumberID, Before: e.Request.Before}
	if e.Request.Person != "" {
		r.People = peopleOf(e.Names, e.Identities)
	}
	return inbox.Forget(ctx, s.db.inbox, r)
}

// peopleOf returns the identities of a person: those that were seen, and those that aliases name.
func peopleOf(aliases []string, seen []graph.Identity) []graph.Identity {
	people := slices.Clone(seen)
	for _, name := range aliases {
		people = append(people, coexistence.IdentityOf(name))
	}
	return people
}

// eraseSignups deletes the signups of a number that is forgotten: there can be a token in them.
func (s store) eraseSignups(ctx context.Context, e sqlstore.Erasure) error {
	if !e.Request.Everything() {
		return nil
	}
	return sqlsignup.New(s.db.db).Forget(ctx, e.Request.PhoneNumberID)
}

// eraseToken deletes the token of a number that is forgotten.
func (s store) eraseToken(ctx context.Context, e sqlstore.Erasure) error {
	if !e.Request.Everything() {
		return nil
	}
	return s.db.Tokens().Delete(ctx, e.Request.PhoneNumberID)
}

// eraseOutbox deletes entries of the outbox. What is being sent at the moment is sent; its entry is
// gone.
func (s store) eraseOutbox(ctx context.Context, e sqlstore.Erasure) error {
	phone := string(e.Request.PhoneNumberID)
	if e.Request.Person != "" {
		return s.eraseEntriesTo(ctx, e)
	}
	condition, args := "phone = ?", []any{phone}
	if !e.Request.Before.IsZero() {
		condition += " AND state IN ('sent', 'failed') AND put_at < ?"
		args = append(args, e.Request.Before.UnixMilli())
	}
	for n := int64(eraseStep); n == eraseStep; {
		var err error
		n, err = s.db.db.Write(ctx, "DELETE FROM outbox_entries WHERE seq IN (SELECT seq FROM outbox_entries WHERE "+
			condition+" LIMIT ?)", append(slices.Clip(args), eraseStep)...)
		if err != nil {
			return sqldb.Explain("storage: Forget", err)
		}
	}
	if !e.Request.Everything() {
		return nil
	}
	_, err := s.db.db.Write(ctx, "DELETE FROM outbox_numbers WHERE phone = ?", phone)
	return sqldb.Explain("storage: Forget", err)
}

// eraseEntriesTo deletes the entries that were put in for a person before it was forgotten.
func (s store) eraseEntriesTo(ctx context.Context, e sqlstore.Erasure) error {
	var gone []int64
	names := namesOf(e.Names, e.Identities)
	for _, id := range e.ConversationIDs() {
		names[id] = true
	}
	err := s.db.entriesTo(ctx, string(e.Request.PhoneNumberID), names, func(to entryTo) error {
		if to.putAt <= e.At.UnixMilli() {
			gone = append(gone, to.seq)
		}
		return nil
	})
	for page := range slices.Chunk(gone, eraseStep) {
		if err == nil {
			among, arg := s.db.db.Dialect.Among("seq", page)
			_, err = s.db.db.Write(ctx, "DELETE FROM outbox_entries WHERE "+among, arg)
		}
	}
	return sqldb.Explain("storage: Forget", err)
}

// namesOf are all names of a person, of which an entry of the outbox may have one.
func namesOf(aliases []string, ids []graph.Identity) map[string]bool {
	names := map[string]bool{}
	for _, id := range peopleOf(aliases, ids) {
		for _, name := range coexistence.Aliases(id) {
			names[name] = true
		}
		names[id.Key()] = true
	}
	for _, name := range aliases {
		names[name] = true
	}
	delete(names, "")
	return names
}

// An entryTo is an entry of the outbox, as it is stored.
type entryTo struct {
	seq, putAt int64
	message    string // the payload, as JSON
}

// entriesTo hands the entries for a person to each. A host names conversations as it likes, so each
// entry of the number is looked at.
func (db *DB) entriesTo(ctx context.Context, phone string, names map[string]bool, each func(entryTo) error) error {
	for last, n := int64(0), eraseStep; n == eraseStep; {
		n = 0
		err := db.db.Read(ctx, db.db, func(rows *sql.Rows) error {
			n++
			e := entryTo{}
			var person string
			if err := rows.Scan(&last, &person, &e.message, &e.putAt); err != nil {
				return err
			}
			e.seq = last
			var m cloudapi.Message
			_ = json.Unmarshal([]byte(e.message), &m) // one that does not decode is not sent either
			if names[person] || names[coexistence.Alias(person)] || names[coexistence.Alias(m.To.Key())] {
				return each(e)
			}
			return nil
		}, "SELECT seq, person, message, put_at FROM outbox_entries WHERE phone = ? AND seq > ? ORDER BY seq LIMIT ?",
			phone, last, eraseStep)
		if err != nil {
			return err
		}
	}
	return nil
}
