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

// A storedContact is a contact with its rows: the id of the conversation, and the document that it
// was read from. Without a document, it is a conversation without a known contact.
type storedContact struct {
	id      int64
	doc     string
	contact coexistence.Contact
}

// UpdateContact implements [coexistence.ContactStore]. fn is first applied to what one read has
// found. If it changes nothing, nothing is written; if a known person keeps the same aliases, as
// nearly always, one row is written without the lock of the number. In all other cases the change
// starts again under the lock of the number's contacts. fn must not use the store or the database
// itself.
func (s *Store) UpdateContact(
	ctx context.Context, phone graph.PhoneNumberID, aliases []string, fn func(*coexistence.Contact),
) (coexistence.Contact, error) {
	found, err := s.find(ctx, s.db, phone, aliases)
	if err != nil {
		return coexistence.Contact{}, explain("UpdateContact", err)
	}
	if len(found) == 1 && found[0].doc != "" {
		c := found[0].contact.Clone()
		fn(&c)
		done, err := s.updateKnown(ctx, found[0], c)
		if done || err != nil {
			return c, explain("UpdateContact", err)
		}
	}
	var stored coexistence.Contact
	err = s.write(ctx, "UpdateContact", func(tx *sql.Tx) error {
		if err := s.lockContacts(ctx, tx, phone); err != nil {
			return err
		}
		among, arg := s.db.Dialect.AmongTexts("a.alias", aliases)
		err := s.lockFound(ctx, tx, "coexistence_aliases a WHERE a.phone = ? AND "+among, text(phone), arg)
		if err != nil {
			return err
		}
		found, err := s.find(ctx, tx, phone, aliases)
		if err != nil {
			return err
		}
		merged, err := s.newContact(ctx, tx, phone, aliases, found)
		if err != nil {
			return err
		}
		for _, k := range found {
			if k.doc == "" {
				continue
			}
			if merged.Key == "" {
				merged = k.contact.Clone()
			} else {
				merged = merged.Merge(k.contact)
			}
		}
		fn(&merged)
		stored = merged
		_, err = s.replace(ctx, tx, phone, found, merged)
		return err
	})
	if err != nil {
		return coexistence.Contact{}, err
	}
	return stored, nil
}

// newContact returns the contact for a change that found none; it says whether the person was
// forgotten.
func (s *Store) newContact(
	ctx context.Context, q querier, phone graph.PhoneNumberID, aliases []string, found []storedContact,
) (coexistence.Contact, error) {
	known := slices.ContainsFunc(found, func(k storedContact) bool { return k.doc != "" })
	if known || len(aliases) == 0 {
		return coexistence.Contact{PhoneNumberID: phone}, nil
	}
	f, who := forgotten{s: s, q: q}, suspect{phone, aliases}
	err := f.look(ctx, who)
	return f.of(who).NewContact(phone), err
}

// updateKnown stores a contact that was read and changed, and reports whether it could. It cannot
// if the contact got other aliases or names, which are rows of their own, or if its row was changed
// or deleted meanwhile. It is one statement, so that it neither waits for the lock of the number
// nor holds it.
func (s *Store) updateKnown(ctx context.Context, known storedContact, c coexistence.Contact) (bool, error) {
	if !slices.Equal(known.contact.Aliases, c.Aliases) || !slices.Equal(known.contact.Words(), c.Words()) {
		return false, nil
	}
	doc, err := encode(&c)
	if err != nil || doc == known.doc {
		return err == nil, err
	}
	n, err := s.db.Write(ctx,
		"UPDATE coexistence_contacts SET contact_key = ?, doc = ? WHERE conversation = ? AND doc = ?",
		text(c.Key), doc, known.id, known.doc)
	if lost(err) {
		return false, nil // with a stricter isolation level of the host
	}
	return n == 1, err
}

// lockFound locks the contacts of aliases, a table named a, until the transaction ends, because
// changes of known people do not take the number's lock. Every writer locks rows in the same order.
// The caller reads after that.
func (s *Store) lockFound(ctx context.Context, tx *sql.Tx, aliases string, args ...any) error {
	if s.db.Dialect != sqldb.PostgreSQL {
		return nil
	}
	_, err := s.exec(ctx, tx, "SELECT conversation FROM coexistence_contacts WHERE conversation IN "+
		"(SELECT a.conversation FROM "+aliases+") ORDER BY conversation FOR UPDATE", args...)
	return err
}

// lockContacts lets one transaction at a time change which people a number has, and under which
// aliases. Row locks are not enough: which contacts a change concerns shows only while it is made,
// since two contacts can turn out to be one person. The lock ends with the transaction, so that
// poolers which hand each transaction another connection keep it. SQLite has one writer anyway.
func (s *Store) lockContacts(ctx context.Context, tx *sql.Tx, phone graph.PhoneNumberID) error {
	if s.db.Dialect != sqldb.PostgreSQL {
		return nil
	}
	_, err := s.exec(ctx, tx, "SELECT pg_advisory_xact_lock(?)", contactLock(phone))
	return err
}

// contactLock is the key of the number's lock.
func contactLock(phone graph.PhoneNumberID) int64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte("coexistence contacts " + phone))
	return int64(h.Sum64())
}

// cleaned returns aliases as the database keeps them.
func cleaned(aliases []string) []string {
	names := make([]string, len(aliases))
	for i, a := range aliases {
		names[i] = text(a)
	}
	return names
}

// find returns the contacts of the aliases, each once, in the order of the aliases. The query
// returns rows in any order, so they are sorted here.
func (s *Store) find(
	ctx context.Context, q querier, phone graph.PhoneNumberID, aliases []string,
) ([]storedContact, error) {
	if len(aliases) == 0 {
		return nil, ctx.Err()
	}
	names := cleaned(aliases)
	among, arg := s.db.Dialect.AmongTexts("a.alias", names)
	byAlias := map[string]storedContact{}
	err := s.read(ctx, q, func(rows *sql.Rows) error {
		var alias string
		var k storedContact
		err := rows.Scan(&alias, &k.id, &k.doc)
		byAlias[alias] = k
		return err
	}, `SELECT a.alias, a.conversation, COALESCE(c.doc, '') FROM coexistence_aliases a
		LEFT JOIN coexistence_contacts c ON c.conversation = a.conversation
		WHERE a.phone = ? AND `+among, text(phone), arg)
	if err != nil {
		return nil, err
	}
	var list []storedContact
	for _, name := range names {
		k, ok := byAlias[name]
		if !ok || slices.ContainsFunc(list, func(o storedContact) bool { return o.id == k.id }) {
			continue
		}
		if k.doc != "" {
			if k.contact, err = decode[coexistence.Contact](k.doc); err != nil {
				return nil, err
			}
		}
		list = append(list, k)
	}
	return list, nil
}

// replace stores a contact in place of those that were merged into it, and merges their
// conversations. The conversation keeps its id and all of its aliases. The caller must hold the
// number's lock, unless only the document changes. It returns the id, 0 if nothing is stored.
func (s *Store) replace(
	ctx context.Context, tx *sql.Tx, phone graph.PhoneNumberID, found []storedContact, c coexistence.Contact,
) (conversation int64, err error) {
	doc, err := encode(&c)
	if err != nil {
		return 0, err
	}
	if len(found) == 1 && found[0].doc != "" && slices.Equal(found[0].contact.Aliases, c.Aliases) {
		if doc == found[0].doc {
			return found[0].id, nil
		}
		_, err := s.exec(ctx, tx, "UPDATE coexistence_contacts SET contact_key = ?, doc = ? WHERE conversation = ?",
			text(c.Key), doc, found[0].id)
		if err != nil {
			return 0, err
		}
		return found[0].id, s.putNames(ctx, tx, map[int64]named{found[0].id: {phone, c.Words()}}, false)
	}
	ids := make([]int64, len(found))
	for i, k := range found {
		ids[i] = k.id
	}
	if len(c.Aliases) == 0 { // it could never be found
		if len(ids) == 0 {
			return 0, nil
		}
		among, arg := s.db.Dialect.Among("conversation", ids)
		_, err := s.exec(ctx, tx, "DELETE FROM coexistence_contacts WHERE "+among, arg)
		return 0, err
	}
	// Several contacts were merged, or it has another alias.
	taken, err := s.take(ctx, tx, phone, ids, c.Aliases)
	if err != nil {
		return 0, err
	}
	if len(taken) == 0 {
		made, err := s.newConversations(ctx, tx, []aliasKey{keyOf(phone, c.Key)})
		if err != nil {
			return 0, err
		}
		taken = []int64{made[keyOf(phone, c.Key)]}
	}
	conversation, err = s.mergeConversations(ctx, tx, taken)
	if err != nil {
		return 0, err
	}
	_, err = s.exec(ctx, tx, `INSERT INTO coexistence_contacts (conversation, phone, contact_key, doc)
		VALUES (?, ?, ?, ?) ON CONFLICT (conversation) DO UPDATE SET contact_key = excluded.contact_key, doc = excluded.doc`,
		conversation, text(phone), text(c.Key), doc)
	if err != nil {
		return 0, err
	}
	if err := s.putNames(ctx, tx, map[int64]named{conversation: {phone, c.Words()}}, false); err != nil {
		return 0, err
	}
	owners, err := s.owners(ctx, tx, phone, c.Aliases)
	if err != nil {
		return 0, err
	}
	var missing []aliasKey
	lead := map[aliasKey]int64{}
	for _, a := range c.Aliases {
		if k := keyOf(phone, a); owners[k.alias].id != conversation && lead[k] == 0 {
			missing = append(missing, k)
			lead[k] = conversation
		}
	}
	return conversation, s.nameConversations(ctx, tx, missing, lead)
}

// take returns the ids of the conversations in which a contact was found, and of those without a
// contact to which its aliases lead. An alias of another contact is taken from that contact; a
// contact that is left without aliases is deleted with its conversation.
func (s *Store) take(
	ctx context.Context, tx *sql.Tx, phone graph.PhoneNumberID, ids []int64, aliases []string,
) ([]int64, error) {
	owners, err := s.owners(ctx, tx, phone, aliases)
	if err != nil {
		return nil, err
	}
	for alias, owner := range owners {
		if slices.Contains(ids, owner.id) {
			continue
		}
		if owner.known {
			_, err := s.exec(ctx, tx, "DELETE FROM coexistence_aliases WHERE phone = ? AND alias = ?", text(phone),
				alias)
			if err != nil {
				return nil, err
			}
			left := 0
			err = s.read(ctx, tx, func(rows *sql.Rows) error { return rows.Scan(&left) },
				"SELECT COUNT(*) FROM coexistence_aliases WHERE conversation = ?", owner.id)
			if err != nil {
				return nil, err
			}
			if left > 0 {
				continue
			}
		}
		ids = append(ids, owner.id)
	}
	return ids, nil
}

// An owner is the conversation of an alias, and whether it has a known contact.
type owner struct {
	id    int64
	known bool
}

// owners returns the conversations of aliases.
func (s *Store) owners(
	ctx context.Context, tx *sql.Tx, phone graph.PhoneNumberID, aliases []string,
) (map[string]owner, error) {
	names := cleaned(aliases)
	among, arg := s.db.Dialect.AmongTexts("a.alias", names)
	found := map[string]owner{}
	err := s.read(ctx, tx, func(rows *sql.Rows) error {
		var alias string
		var o owner
		err := rows.Scan(&alias, &o.id, &o.known)
		found[alias] = o
		return err
	}, `SELECT a.alias, a.conversation, c.doc IS NOT NULL FROM coexistence_aliases a
		LEFT JOIN coexistence_contacts c ON c.conversation = a.conversation WHERE a.phone = ? AND `+among,
		text(phone), arg)
	return found, err
}

// Contact implements [coexistence.ContactStore]. If the identity's aliases belong to several
// contacts, which the next change will merge, it returns that of the best alias.
func (s *Store) Contact(
	ctx context.Context, phone graph.PhoneNumberID, who graph.Identity,
) (coexistence.Contact, error) {
	list, err := s.find(ctx, s.db, phone, coexistence.Aliases(who))
	if err != nil {
		return coexistence.Contact{}, explain("Contact", err)
	}
	for _, k := range list {
		if k.doc != "" {
			return k.contact, nil
		}
	}
	return coexistence.Contact{}, coexistence.ErrNotFound
}

// Contacts implements [coexistence.ContactStore]. It reads some hundred people at a time and holds
// no lock while the caller handles them, so a person whose key changes meanwhile may be listed
// twice or not at all.
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
			}, `SELECT contact_key, conversation, doc FROM coexistence_contacts
				WHERE phone = ? AND (contact_key, conversation) > (?, ?) ORDER BY contact_key, conversation LIMIT ?`, text(phone), after, last, pageSize)
			return page, err
		})
	}
}
