package sqlstore

import (
	"context"
	"database/sql"
	"slices"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/sqldb"
)

// UpdateBatch implements [coexistence.BatchStore]. It takes about six statements and one commit for
// the whole batch; a single event takes five statements and two commits. Changes run within a
// transaction: they must not use the store or the database.
//
// Contacts are read without a lock, and written only if they are unchanged: known people, which are
// nearly all, do not wait for another process that writes to their number. After a conflict, it
// retries and locks what it reads; if a person is new or turns out to be another one, also the
// numbers concerned, as UpdateContact does. Every writer locks rows in the same order, contacts
// before messages, so that two processes cannot deadlock.
func (s *Store) UpdateBatch(
	ctx context.Context, contacts []coexistence.ContactChange, messages []coexistence.MessageChange,
) ([]coexistence.Contact, []coexistence.Conversation, error) {
	if len(contacts)+len(messages) == 0 {
		return nil, nil, explain("UpdateBatch", ctx.Err())
	}
	keys, changes := messageChanges(messages)
	var stored []coexistence.Contact
	var conversations []coexistence.Conversation
	var locks batchLocks
	err := s.write(ctx, "UpdateBatch", func(tx *sql.Tx) error {
		f := &forgotten{s: s, q: tx}
		people, err := s.changeContacts(ctx, tx, f, contacts, &locks)
		locks.rows = true // from the next attempt on
		if err != nil {
			return err
		}
		stored = people.results()
		changed, err := s.changeMessages(ctx, tx, f, keys, people.conversations(),
			func(k messageKey, m *coexistence.Message) {
				for _, change := range changes[k] {
					change(m)
					m.ID, m.PhoneNumberID = k.id, k.phone
				}
			})
		if err != nil {
			return err
		}
		conversations = changed.results(messages, people)
		return nil
	})
	if err != nil {
		return nil, nil, err
	}
	return stored, conversations, nil
}

// results returns the conversation of each change's message, if it has changed and its contact was
// read. That is all conversations but those of groups.
func (c *changedConversations) results(
	messages []coexistence.MessageChange, people *people,
) []coexistence.Conversation {
	contacts := map[int64]*person{}
	for _, one := range people.list {
		if one.merged == nil && one.conversation != 0 {
			contacts[one.conversation] = one
		}
	}
	list := make([]coexistence.Conversation, len(messages))
	for i, m := range messages {
		id := c.of[messageKey{m.PhoneNumberID, m.ID}]
		if sum, one := c.byID[id], contacts[id]; sum != nil && one != nil {
			list[i] = sum.conversation()
			list[i].Contact = one.contact.Clone()
		}
	}
	return list
}

// messageChanges groups changes by message. The keys are ascending.
func messageChanges(list []coexistence.MessageChange) ([]messageKey, map[messageKey][]func(*coexistence.Message)) {
	var keys []messageKey
	byKey := make(map[messageKey][]func(*coexistence.Message), len(list))
	for _, c := range list {
		k := messageKey{c.PhoneNumberID, c.ID}
		if byKey[k] == nil {
			keys = append(keys, k)
		}
		byKey[k] = append(byKey[k], c.Change)
	}
	slices.SortFunc(keys, messageKey.compare)
	return keys, byKey
}

// batchLocks are the locks that an attempt takes before it changes contacts: none at first, and
// then those that earlier attempts found to be necessary.
type batchLocks struct {
	rows    bool // of the contacts
	numbers map[graph.PhoneNumberID]bool
}

// changeContacts changes contacts within a transaction. If a number turns out to need a lock, it
// adds the number to locks and asks for another attempt, since locks of numbers are taken in one
// order and before any row.
func (s *Store) changeContacts(
	ctx context.Context, tx *sql.Tx, f *forgotten, changes []coexistence.ContactChange, locks *batchLocks,
) (*people, error) {
	p := &people{forgotten: f}
	if len(changes) == 0 {
		return p, nil
	}
	if err := s.lockNumbers(ctx, tx, locks.numbers); err != nil {
		return nil, err
	}
	if err := s.readPeople(ctx, tx, p, changes, locks.rows); err != nil {
		return nil, err
	}
	var strangers []suspect
	for _, c := range changes {
		if !p.knows(c) {
			strangers = append(strangers, suspect{c.PhoneNumberID, c.Aliases})
		}
	}
	if len(strangers) > 0 {
		if err := f.look(ctx, strangers...); err != nil {
			return nil, err
		}
	}
	for _, c := range changes {
		p.apply(c)
	}
	missing := false
	for _, k := range p.list {
		if s.db.Dialect == sqldb.PostgreSQL && !k.stays() && !locks.numbers[k.phone] {
			if locks.numbers == nil {
				locks.numbers = map[graph.PhoneNumberID]bool{}
			}
			locks.numbers[k.phone], missing = true, true
		}
	}
	if missing {
		return nil, errAgain
	}
	return p, s.writePeople(ctx, tx, p, locks.rows)
}

// lockNumbers takes the locks of numbers that lockContacts takes for one.
func (s *Store) lockNumbers(ctx context.Context, tx *sql.Tx, phones map[graph.PhoneNumberID]bool) error {
	if len(phones) == 0 {
		return nil
	}
	var hashes []int64
	for phone := range phones {
		hashes = append(hashes, contactLock(phone))
	}
	slices.Sort(hashes)
	cells := make([]sqldb.Cell, len(hashes))
	for i, h := range hashes {
		cells[i] = sqldb.Number(h)
	}
	// Rows of unnest come in order, and each is locked before the next.
	_, err := s.exec(ctx, tx, "SELECT pg_advisory_xact_lock(n) FROM unnest(CAST(? AS bigint[])) AS n",
		sqldb.Array(cells))
	return err
}

// readPeople reads all contacts that the changes look for. With lock, it locks their rows until the
// transaction ends.
func (s *Store) readPeople(
	ctx context.Context, tx *sql.Tx, p *people, changes []coexistence.ContactChange, lock bool,
) error {
	p.byAlias = map[aliasKey]*person{}
	p.read = map[aliasKey]bool{}
	var rows [][]sqldb.Cell
	for _, c := range changes {
		for _, a := range c.Aliases {
			if k := keyOf(c.PhoneNumberID, a); !p.read[k] {
				p.read[k] = true
				rows = append(rows, []sqldb.Cell{sqldb.Text(k.phone), sqldb.Text(k.alias)})
			}
		}
	}
	from, args := s.db.Dialect.Table([]string{"phone text", "alias text"}, rows)
	if lock {
		if err := s.lockFound(ctx, tx, from+" JOIN coexistence_aliases a ON a.phone = r.phone AND a.alias = r.alias",
			args...); err != nil {
			return err
		}
	}
	query := "SELECT a.phone, a.alias, a.conversation, COALESCE(c.doc, '') FROM " + from +
		` CROSS JOIN coexistence_aliases a LEFT JOIN coexistence_contacts c ON c.conversation = a.conversation
		WHERE a.phone = r.phone AND a.alias = r.alias`
	byID := map[int64]*person{}
	return s.read(ctx, tx, func(rows *sql.Rows) error {
		var k aliasKey
		var row storedContact
		if err := rows.Scan(&k.phone, &k.alias, &row.id, &row.doc); err != nil {
			return err
		}
		one := byID[row.id]
		if one == nil {
			var err error
			row.contact.PhoneNumberID = graph.PhoneNumberID(k.phone)
			if row.doc != "" {
				if row.contact, err = decode[coexistence.Contact](row.doc); err != nil {
					return err
				}
			}
			one = &person{
				phone: row.contact.PhoneNumberID, rows: []storedContact{row}, contact: row.contact.Clone(),
				conversation: row.id,
			}
			byID[row.id] = one
			p.list = append(p.list, one)
		}
		p.byAlias[k] = one
		return nil
	}, query, args...)
}

// writePeople stores changed contacts: first those with the same aliases, then new ones, each group
// in a statement or two, then one by one those that were merged or got another alias. locked says
// that the rows are locked, so that they cannot have changed.
func (s *Store) writePeople(ctx context.Context, tx *sql.Tx, p *people, locked bool) error {
	var known [][]sqldb.Cell
	var ids []int64
	var added, others []*person
	renamed := map[int64]named{}
	for _, k := range p.list {
		switch {
		case k.merged != nil:
		case k.stays():
			doc, err := encode(&k.contact)
			if err != nil {
				return err
			}
			if old := k.rows[0]; doc != old.doc {
				ids = append(ids, old.id)
				if words := k.contact.Words(); !slices.Equal(words, old.contact.Words()) {
					renamed[old.id] = named{k.phone, words}
				}
				known = append(known, []sqldb.Cell{sqldb.Number(old.id), sqldb.Text(k.contact.Key), sqldb.Text(doc),
					sqldb.Text(old.doc)})
			}
		case p.adds(k):
			added = append(added, k)
		default:
			others = append(others, k)
		}
	}
	if err := s.updatePeople(ctx, tx, ids, known, locked); err != nil {
		return err
	}
	if err := s.putNames(ctx, tx, renamed, false); err != nil {
		return err
	}
	if err := s.insertPeople(ctx, tx, added); err != nil {
		return err
	}
	for _, k := range others {
		var err error
		if k.conversation, err = s.replace(ctx, tx, k.phone, k.rows, k.contact); err != nil {
			return err
		}
	}
	return nil
}

// updatePeople stores contacts that keep their aliases, if each is unchanged since it was read.
func (s *Store) updatePeople(ctx context.Context, tx *sql.Tx, ids []int64, rows [][]sqldb.Cell, locked bool) error {
	if len(ids) > 1 && !locked && s.db.Dialect == sqldb.PostgreSQL {
		// UPDATE locks rows in any order, and two of them could deadlock.
		among, arg := s.db.Dialect.Among("conversation", ids)
		_, err := s.exec(ctx, tx, "SELECT conversation FROM coexistence_contacts WHERE "+among+
			" ORDER BY conversation FOR UPDATE", arg)
		if err != nil {
			return err
		}
	}
	n, err := s.execTable(ctx, tx, "UPDATE coexistence_contacts SET contact_key = r.contact_key, doc = r.doc FROM ",
		[]string{"id bigint", "contact_key text", "doc text", "old text"}, rows,
		" WHERE coexistence_contacts.conversation = r.id AND coexistence_contacts.doc = r.old")
	if err == nil && n < int64(len(rows)) {
		err = errAgain
	}
	return err
}

// insertPeople stores new contacts, whose aliases are known to belong to no contact.
func (s *Store) insertPeople(ctx context.Context, tx *sql.Tx, list []*person) error {
	if len(list) == 0 {
		return nil
	}
	keys := make([]aliasKey, len(list)) // a key is the first alias, and no two have one in common
	for i, k := range list {
		keys[i] = keyOf(k.phone, k.contact.Key)
	}
	ids, err := s.newConversations(ctx, tx, keys)
	if err != nil {
		return err
	}
	var aliases []aliasKey
	var rows [][]sqldb.Cell
	for i, k := range list {
		doc, err := encode(&k.contact)
		if err != nil {
			return err
		}
		k.conversation = ids[keys[i]]
		rows = append(rows, []sqldb.Cell{sqldb.Number(k.conversation), sqldb.Text(string(k.phone)),
			sqldb.Text(k.contact.Key), sqldb.Text(doc)})
		for _, a := range k.contact.Aliases {
			aliases = append(aliases, keyOf(k.phone, a))
			ids[keyOf(k.phone, a)] = k.conversation
		}
	}
	_, err = s.execTable(ctx, tx, "INSERT INTO coexistence_contacts (conversation, phone, contact_key, doc) "+
		"SELECT conversation, phone, contact_key, doc FROM ",
		[]string{"conversation bigint", "phone text", "contact_key text", "doc text"}, rows, "")
	if err != nil {
		return err
	}
	names := map[int64]named{}
	for _, k := range list {
		names[k.conversation] = named{k.phone, k.contact.Words()}
	}
	if err := s.putNames(ctx, tx, names, true); err != nil {
		return err
	}
	return s.nameConversations(ctx, tx, aliases, ids)
}
