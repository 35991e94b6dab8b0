package sqlstore

import (
	"context"
	"database/sql"
	"hash/fnv"
	"iter"
	"slices"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/sqldb"
)

// A storedContact is a contact with its row: the id, and the document that it was read from.
type storedContact struct {
	id      int64
	doc     string
	contact coexistence.Contact
}

// UpdateContact implements [coexistence.ContactStore]. A change that changes nothing, which most
// are, takes no lock and writes nothing: it is tried on what one read has found, and begins again
// under the lock of the number's contacts if it makes a difference. fn must not use the store or
// the database itself.
func (s *Store) UpdateContact(
	ctx context.Context, phone graph.PhoneNumberID, aliases []string, fn func(*coexistence.Contact),
) (coexistence.Contact, error) {
	// Most messages tell nothing new of a person. That is found out without a transaction: fn is
	// tried on what is stored, and if the document stays the same, nothing has to be locked or
	// written.
	found, err := s.find(ctx, s.db, phone, aliases)
	if err != nil {
		return coexistence.Contact{}, explain("UpdateContact", err)
	}
	if len(found) == 1 {
		c := found[0].contact
		fn(&c)
		if doc, err := encode(&c); err == nil && doc == found[0].doc {
			return c, nil
		}
	}
	var stored coexistence.Contact
	err = s.write(ctx, "UpdateContact", func(tx *sql.Tx) error {
		if err := s.lockContacts(ctx, tx, phone); err != nil {
			return err
		}
		found, err := s.find(ctx, tx, phone, aliases)
		if err != nil {
			return err
		}
		merged := coexistence.Contact{PhoneNumberID: phone}
		for i, k := range found {
			if i == 0 {
				merged = k.contact.Clone()
			} else {
				merged = merged.Merge(k.contact)
			}
		}
		fn(&merged)
		stored = merged
		return s.replace(ctx, tx, phone, found, merged)
	})
	if err != nil {
		return coexistence.Contact{}, err
	}
	return stored, nil
}

// lockContacts lets one transaction at a time change the people of a number. Rows would not do:
// whom a change concerns shows only while it is made, since two contacts can turn out to be one.
// The lock ends with the transaction, so that poolers which hand each transaction another
// connection keep it. SQLite has one writer anyway.
func (s *Store) lockContacts(ctx context.Context, tx *sql.Tx, phone graph.PhoneNumberID) error {
	if s.db.Dialect != sqldb.PostgreSQL {
		return nil
	}
	h := fnv.New64a()
	_, _ = h.Write([]byte("coexistence contacts " + phone))
	_, err := s.exec(ctx, tx, "SELECT pg_advisory_xact_lock(?)", int64(h.Sum64()))
	return err
}

// find returns the contacts that are found by one of the aliases, each once, in the order of those.
// The query answers in any order, so the rows are sorted here.
func (s *Store) find(
	ctx context.Context, q querier, phone graph.PhoneNumberID, aliases []string,
) ([]storedContact, error) {
	if len(aliases) == 0 {
		return nil, ctx.Err()
	}
	names := make([]string, len(aliases))
	for i, a := range aliases {
		names[i] = text(a)
	}
	wanted, arg := oneOf(s.db.Dialect, names)
	byAlias := map[string]storedContact{}
	err := s.read(ctx, q, func(rows *sql.Rows) error {
		var alias string
		var k storedContact
		err := rows.Scan(&alias, &k.id, &k.doc)
		byAlias[alias] = k
		return err
	}, `SELECT a.alias, c.id, c.doc FROM coexistence_aliases a JOIN coexistence_contacts c ON c.id = a.contact
		WHERE a.phone = ? AND a.alias`+wanted, text(phone), arg)
	if err != nil {
		return nil, err
	}
	var list []storedContact
	for _, name := range names {
		k, ok := byAlias[name]
		if !ok || slices.ContainsFunc(list, func(o storedContact) bool { return o.id == k.id }) {
			continue
		}
		if k.contact, err = decode[coexistence.Contact](k.doc); err != nil {
			return nil, err
		}
		list = append(list, k)
	}
	return list, nil
}

// replace stores a contact in the place of those that it was made of. Where nothing but the
// document changes, the row stays; where contacts were merged or an alias is new, the rows are made
// anew.
func (s *Store) replace(
	ctx context.Context, tx *sql.Tx, phone graph.PhoneNumberID, found []storedContact, c coexistence.Contact,
) error {
	doc, err := encode(&c)
	if err != nil {
		return err
	}
	if len(found) == 1 && slices.Equal(found[0].contact.Aliases, c.Aliases) {
		if doc == found[0].doc {
			return nil
		}
		_, err := s.exec(ctx, tx, "UPDATE coexistence_contacts SET contact_key = ?, doc = ? WHERE id = ?", text(c.Key),
			doc, found[0].id)
		return err
	}
	// Several contacts have become one, or its aliases have changed.
	for _, k := range found { // their aliases go with them
		if _, err := s.exec(ctx, tx, "DELETE FROM coexistence_aliases WHERE contact = ?", k.id); err != nil {
			return err
		}
		if _, err := s.exec(ctx, tx, "DELETE FROM coexistence_contacts WHERE id = ?", k.id); err != nil {
			return err
		}
	}
	if len(c.Aliases) == 0 {
		return nil // nothing would ever find it
	}
	var id int64
	err = s.read(ctx, tx, func(rows *sql.Rows) error { return rows.Scan(&id) },
		"INSERT INTO coexistence_contacts (phone, contact_key, doc) VALUES (?, ?, ?) RETURNING "+
			"id", text(phone), text(c.Key), doc)
	if err != nil {
		return err
	}
	for _, a := range c.Aliases {
		if err := s.putAlias(ctx, tx, phone, a, id); err != nil {
			return err
		}
	}
	return nil
}

// putAlias lets an alias find a contact. If it found another one until now, and nothing else finds
// that, the other is gone: contacts without an alias would be listed and never be found.
func (s *Store) putAlias(
	ctx context.Context, tx *sql.Tx, phone graph.PhoneNumberID, alias string, contact int64,
) error {
	const insert = "INSERT INTO coexistence_aliases (phone, alias, contact) VALUES (?, ?, ?) ON CONFLICT (phone, " +
		"alias) DO "
	n, err := s.exec(ctx, tx, insert+"NOTHING", text(phone), text(alias), contact)
	if err != nil || n > 0 {
		return err
	}
	if _, err := s.exec(ctx, tx, insert+"UPDATE SET contact = excluded.contact", text(phone), text(alias),
		contact); err != nil {
		return err
	}
	_, err = s.exec(ctx, tx, `DELETE FROM coexistence_contacts WHERE phone = ? AND NOT EXISTS
		(SELECT 1 FROM coexistence_aliases a WHERE a.contact = coexistence_contacts.id)`, text(phone))
	return err
}

// contactOf returns the contact that an alias finds, or one with nothing but the alias, as for a
// group.
func (s *Store) contactOf(ctx context.Context, phone graph.PhoneNumberID, alias string) (coexistence.Contact, error) {
	list, err := s.find(ctx, s.db, phone, []string{alias})
	if err != nil || len(list) == 0 {
		return unknownContact(phone, alias), err
	}
	return list[0].contact, nil
}

// Contact implements [coexistence.ContactStore]. If the identity's aliases find several contacts,
// which the next change of one of them will merge, it is the one of the best alias.
func (s *Store) Contact(
	ctx context.Context, phone graph.PhoneNumberID, who graph.Identity,
) (coexistence.Contact, error) {
	list, err := s.find(ctx, s.db, phone, coexistence.Aliases(who))
	if err != nil {
		return coexistence.Contact{}, explain("Contact", err)
	}
	if len(list) == 0 {
		return coexistence.Contact{}, coexistence.ErrNotFound
	}
	return list[0].contact, nil
}

// Contacts implements [coexistence.ContactStore]. It reads some hundred people at a time and holds
// nothing while the caller works on them, so one whose key changes meanwhile may come twice or not
// at all.
func (s *Store) Contacts(ctx context.Context, phone graph.PhoneNumberID) iter.Seq2[coexistence.Contact, error] {
	return func(yield func(coexistence.Contact, error) bool) {
		var after string
		var last int64
		eachRow(yield, "Contacts", decode[coexistence.Contact], func() (page []string, err error) {
			err = s.read(ctx, s.db, func(rows *sql.Rows) error {
				var doc string
				err := rows.Scan(&after, &last, &doc)
				page = append(page, doc)
				return err
			}, `SELECT contact_key, id, doc FROM coexistence_contacts WHERE phone = ? AND (contact_key, id) > (?, ?)
				ORDER BY contact_key, id LIMIT ?`, text(phone), after, last, pageSize)
			return page, err
		})
	}
}
