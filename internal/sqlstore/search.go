package sqlstore

import (
	"context"
	"database/sql"
	"encoding/hex"
	"errors"
	"math"
	"slices"
	"strings"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/sqldb"
)

const (
	// textLot is how many messages SQLite indexes at once. If each commit updated the index, it
	// would write and merge segments of one row.
	textLot = 1024

	// walked is how many of the latest messages PostgreSQL scans before it uses its index, which
	// returns all messages with a word, however common it is.
	walked = 2000

	// shortPrefix is the length of the longest prefix that SQLite's index has as a list of its own,
	// which can be scanned. For a longer prefix it collects all messages first.
	shortPrefix = 3

	// sifted is how many messages with the short prefix are searched for the whole word, before
	// SQLite is asked for the whole word.
	sifted = 500

	// few is how many messages of all numbers are looked at, to find a word that few have. Only for
	// more of them is the word of the number looked up as well: nearly all messages may have that,
	// and SQLite takes a while to skip them.
	few = 100
)

// numberWord is a word that stands for a number in the index of its messages, because one index
// serves all numbers.
func numberWord(phone graph.PhoneNumberID) string {
	return "n" + hex.EncodeToString([]byte(text(phone)))
}

// searched returns the indexed text of a message, "" if it has none.
func searched(m coexistence.Message) string {
	words := m.SearchWords()
	if len(words) == 0 {
		return ""
	}
	return numberWord(m.PhoneNumberID) + " " + strings.Join(words, " ")
}

// indexAdded lets SQLite index new messages, once there are many. Triggers of the table keep
// indexed messages up to date when they change or are deleted.
func (s *Store) indexAdded(ctx context.Context, tx *sql.Tx, added int) error {
	if s.db.Dialect != sqldb.SQLite || added == 0 {
		return nil
	}
	behind, err := s.textsBehind(ctx, tx)
	if err == nil && behind >= textLot {
		err = s.indexTexts(ctx, tx)
	}
	return err
}

// textsBehind returns roughly how many messages SQLite has yet to index.
func (s *Store) textsBehind(ctx context.Context, q querier) (n int64, err error) {
	err = s.read(ctx, q, func(rows *sql.Rows) error { return rows.Scan(&n) },
		"SELECT COALESCE((SELECT MAX(num) FROM coexistence_messages), 0) - upto FROM coexistence_texts_indexed")
	return n, err
}

// indexTexts adds all missing messages to SQLite's index.
func (s *Store) indexTexts(ctx context.Context, tx *sql.Tx) error {
	_, err := s.exec(ctx, tx, `INSERT INTO coexistence_texts (rowid, said) SELECT num, said FROM coexistence_messages
		WHERE num > (SELECT upto FROM coexistence_texts_indexed) AND said IS NOT NULL ORDER BY num`)
	if err == nil {
		_, err = s.exec(ctx, tx, `UPDATE coexistence_texts_indexed
			SET upto = COALESCE((SELECT MAX(num) FROM coexistence_messages), upto)`)
	}
	return err
}

// SearchMessages implements [coexistence.MessageStore]. SQLite returns them by the order in which
// they were stored, last first, PostgreSQL by their time, latest first. The slowest search in
// PostgreSQL is for a word in one of a hundred messages: about 0.1 s with a million messages.
func (s *Store) SearchMessages(
	ctx context.Context, phone graph.PhoneNumberID, words string, after coexistence.Cursor, limit int,
) ([]coexistence.Message, coexistence.Cursor, error) {
	opts := coexistence.ConversationListOptions{After: after, Limit: limit}
	below, err := opts.Bounds()
	if err != nil {
		return nil, "", err
	}
	wanted := coexistence.Words(words)
	if len(wanted) == 0 {
		return nil, "", explain("SearchMessages", ctx.Err())
	}
	search := s.searchPostgreSQL
	if s.db.Dialect == sqldb.SQLite {
		search = s.searchSQLite
	}
	found, err := search(ctx, phone, wanted, below, limit+1)
	if err != nil {
		return nil, "", explain("SearchMessages", err)
	}
	var next coexistence.Cursor
	if len(found) > limit {
		found = found[:limit]
		next = found[limit-1].at.Cursor()
	}
	list := make([]coexistence.Message, len(found))
	for i, f := range found {
		if list[i], err = f.message(); err != nil {
			return nil, "", explain("SearchMessages", err)
		}
	}
	return list, next, nil
}

// A foundMessage is a found message with its place in the result.
type foundMessage struct {
	messageDoc
	at coexistence.Place
}

// searchSQLite indexes new messages and scans the index from its end. If the last word is long, it
// scans those with its short prefix first: that fills the page if the word is common, and if it is
// rare, there is not much to collect. Before each of these scans, it looks whether few messages
// have the words at all.
func (s *Store) searchSQLite(
	ctx context.Context, phone graph.PhoneNumberID, words []string, below coexistence.Place, limit int,
) (found []foundMessage, err error) {
	behind, err := s.textsBehind(ctx, s.db)
	if err != nil {
		return nil, err
	}
	if behind > 0 {
		if err := s.write(ctx, "SearchMessages", func(tx *sql.Tx) error { return s.indexTexts(ctx, tx) }); err != nil {
			return nil, err
		}
	}
	last := len(words) - 1
	number, prefix := numberWord(phone), words[last]
	ofNumber := func(words []string) []string { return append([]string{number}, words...) }
	var walks []textWalk
	if long := []rune(prefix); len(long) > shortPrefix {
		short := append(slices.Clone(words[:last]), string(long[:shortPrefix]))
		walks = append(walks, textWalk{short, prefix, few}, textWalk{ofNumber(short), prefix, sifted})
	}
	walks = append(walks, textWalk{words, "", few}, textWalk{ofNumber(words), "", math.MaxInt32})
	for _, w := range walks {
		var all bool
		found, all, err = s.walkTexts(ctx, w, number, below, limit)
		if err != nil || all || len(found) == limit {
			break
		}
	}
	return found, err
}

// A textWalk is a scan of SQLite's index: for messages that have all words, the last one as a
// prefix, among the first most ones only. If long is not empty, a word has to begin with that.
type textWalk struct {
	words []string
	long  string
	most  int
}

// walkTexts returns messages of a number, last stored first. all says that there are no more. Each
// word is quoted, so that none is an operator.
func (s *Store) walkTexts(
	ctx context.Context, w textWalk, number string, below coexistence.Place, limit int,
) (found []foundMessage, all bool, err error) {
	scanned := 0
	query := `"` + strings.Join(w.words, `" AND "`) + `"*`
	err = s.read(ctx, s.db, func(rows *sql.Rows) error {
		scanned++
		var f foundMessage
		var said string
		err := rows.Scan(&f.at.Second, &f.conversation, &f.doc, &said) // the row instead of the time
		if err == nil && strings.HasPrefix(said, number+" ") && strings.Contains(said, " "+w.long) {
			if found = append(found, f); len(found) == limit {
				err = errEnough
			}
		}
		return err
	}, `SELECT m.num, COALESCE(m.conversation, 0), m.doc, m.said FROM coexistence_texts t
		CROSS JOIN coexistence_messages m ON m.num = t.rowid
		WHERE coexistence_texts MATCH ? AND t.rowid < ? ORDER BY t.rowid DESC LIMIT ?`, query, below.Second, w.most)
	if errors.Is(err, errEnough) {
		err = nil
	}
	return found, scanned < w.most, err
}

// errEnough ends a scan. It never reaches a caller.
var errEnough = errors.New("enough was found")

// searchPostgreSQL scans the latest messages, and uses the index if they are not enough. That is
// not left to the planner, which does not know how common words are.
func (s *Store) searchPostgreSQL(
	ctx context.Context, phone graph.PhoneNumberID, words []string, below coexistence.Place, limit int,
) (found []foundMessage, err error) {
	query := "'" + strings.Join(append([]string{numberWord(phone)}, words...), "' & '") + "':*"
	scan := func(rows *sql.Rows) error {
		var f foundMessage
		var micros int64
		err := rows.Scan(&micros, &f.at.Position, &f.at.ID, &f.conversation, &f.doc)
		f.at.Second = micros / 1_000_000
		found = append(found, f)
		return err
	}
	p := placeOf(below)
	err = s.read(ctx, s.db, scan, `SELECT said_at, pos, id, COALESCE(conversation, 0), doc FROM (
			SELECT said_at, pos, id, conversation, doc, said FROM coexistence_messages
			WHERE phone = ? AND said IS NOT NULL AND (said_at, pos, id) < (?, ?, ?)
			ORDER BY said_at DESC, pos DESC, id DESC LIMIT ?) m
		WHERE to_tsvector('simple', said) @@ to_tsquery('simple', ?) ORDER BY said_at DESC, pos DESC, id DESC LIMIT ?`,
		text(phone), p.at, p.pos, p.id, walked, query, limit)
	if err != nil || len(found) == limit {
		return found, err
	}
	found = nil
	err = s.read(ctx, s.db, scan, `WITH hits AS MATERIALIZED (SELECT phone, id, said_at, pos FROM coexistence_messages
			WHERE said IS NOT NULL AND to_tsvector('simple', said) @@ to_tsquery('simple', ?)),
		page AS MATERIALIZED (SELECT phone, id FROM hits WHERE phone = ? AND (said_at, pos, id) < (?, ?, ?)
			ORDER BY said_at DESC, pos DESC, id DESC LIMIT ?)
		SELECT m.said_at, m.pos, m.id, COALESCE(m.conversation, 0), m.doc
		FROM page JOIN coexistence_messages m ON m.phone = page.phone AND m.id = page.id
		ORDER BY m.said_at DESC, m.pos DESC, m.id DESC`, query, text(phone), p.at, p.pos, p.id, limit)
	return found, err
}

// A named is the words of a person's names, with the business's number.
type named struct {
	phone graph.PhoneNumberID
	words []string
}

// putNames stores the words of people. fresh says that none are stored yet.
func (s *Store) putNames(ctx context.Context, tx *sql.Tx, people map[int64]named, fresh bool) error {
	if len(people) == 0 {
		return nil
	}
	ids := make([]int64, 0, len(people))
	for id := range people {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	var rows [][]sqldb.Cell
	for _, id := range ids {
		words := make([]string, len(people[id].words))
		for i, w := range people[id].words {
			words[i] = text(w)
		}
		slices.Sort(words)
		for _, w := range slices.Compact(words) {
			rows = append(rows, []sqldb.Cell{
				sqldb.Text(string(people[id].phone)), sqldb.Text(w), sqldb.Number(id),
			})
		}
	}
	if !fresh {
		among, arg := s.db.Dialect.Among("conversation", ids)
		if _, err := s.exec(ctx, tx, "DELETE FROM coexistence_names WHERE "+among, arg); err != nil {
			return err
		}
	}
	_, err := s.execTable(ctx, tx, "INSERT INTO coexistence_names (phone, word, conversation) "+
		"SELECT phone, word, conversation FROM ", []string{"phone text", "word text", "conversation bigint"}, rows, "")
	return err
}

// FindPeople implements [coexistence.MessageStore]. The rarest prefix is looked up in the index,
// the others among the words of those people.
func (s *Store) FindPeople(
	ctx context.Context, phone graph.PhoneNumberID, query string, limit int,
) ([]coexistence.Conversation, error) {
	if _, err := (coexistence.ConversationListOptions{Limit: limit}).Bounds(); err != nil {
		return nil, err
	}
	beginnings := coexistence.PeopleWords(query)
	if len(beginnings) == 0 {
		return nil, explain("FindPeople", ctx.Err())
	}
	if err := s.rarestFirst(ctx, phone, beginnings); err != nil {
		return nil, explain("FindPeople", err)
	}
	var where strings.Builder
	where.WriteString("n.phone = ? AND n.word < ?")
	args := []any{text(phone), text(beginnings[0]) + last}
	for _, b := range beginnings[1:] {
		where.WriteString(` AND EXISTS (SELECT 1 FROM coexistence_names o
			WHERE o.conversation = n.conversation AND o.phone = n.phone AND o.word >= ? AND o.word < ?)`)
		args = append(args, text(b), text(b)+last)
	}
	var ids []int64 // a person can have several words with that prefix
	word, id := text(beginnings[0]), int64(0)
	for full := true; full && len(ids) < limit; {
		n := 0
		err := s.read(ctx, s.db, func(rows *sql.Rows) error {
			n++
			err := rows.Scan(&word, &id)
			if len(ids) < limit && !slices.Contains(ids, id) {
				ids = append(ids, id)
			}
			return err
		}, "SELECT n.word, n.conversation FROM coexistence_names n WHERE "+where.String()+
			" AND (n.word, n.conversation) > (?, ?) ORDER BY n.word, n.conversation LIMIT ?",
			append(slices.Clone(args), word, id, pageSize)...)
		if err != nil {
			return nil, explain("FindPeople", err)
		}
		full = n == pageSize
	}
	return s.conversationsByID(ctx, ids)
}

// counted is how many words with a prefix are counted at most to find the rarest.
const counted = 200

// rarestFirst moves the prefix to the front that the fewest words have, so that a search for a
// common first name and a rare family name does not read everyone with the first name.
func (s *Store) rarestFirst(ctx context.Context, phone graph.PhoneNumberID, prefixes []string) error {
	if len(prefixes) < 2 {
		return nil
	}
	var columns []string
	var args, counts []any
	for _, p := range prefixes {
		columns = append(columns, `(SELECT COUNT(*) FROM (SELECT 1 FROM coexistence_names
			WHERE phone = ? AND word >= ? AND word < ? ORDER BY word, conversation LIMIT ?) AS w)`)
		args = append(args, text(phone), text(p), text(p)+last, counted)
		counts = append(counts, new(int))
	}
	err := s.read(ctx, s.db, func(rows *sql.Rows) error { return rows.Scan(counts...) },
		"SELECT "+strings.Join(columns, ", "), args...)
	if err != nil {
		return err
	}
	rarest := 0
	for i := range counts {
		if *counts[i].(*int) < *counts[rarest].(*int) {
			rarest = i
		}
	}
	prefixes[0], prefixes[rarest] = prefixes[rarest], prefixes[0]
	return nil
}

// last sorts after every word with a prefix.
const last = "\U0010FFFF"

// conversationsByID returns conversations in the order of their ids here.
func (s *Store) conversationsByID(ctx context.Context, ids []int64) ([]coexistence.Conversation, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	byID := map[int64]coexistence.Conversation{}
	among, arg := s.db.Dialect.Among("c.id", ids)
	err := s.readMany(ctx, len(ids), func(rows *sql.Rows) error {
		var row conversationRow
		if err := row.scan(rows); err != nil {
			return err
		}
		c, err := row.conversation()
		byID[row.id] = c
		return err
	}, s.conversationsOf("coexistence_conversations c WHERE "+among), arg)
	if err != nil {
		return nil, explain("FindPeople", err)
	}
	var list []coexistence.Conversation
	for _, id := range ids {
		if c, ok := byID[id]; ok { // it may have been merged meanwhile
			list = append(list, c)
		}
	}
	return list, nil
}
