package sqlstore

import (
	"context"
	"database/sql"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/sqldb"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/tombstone"
)

// tombstoneKey returns the secret of the database, which was created with its tables and never
// changes.
func (s *Store) tombstoneKey(ctx context.Context, q querier) (tombstone.Key, error) {
	if known := s.key.Load(); known != nil {
		return *known, nil
	}
	var secret string
	err := s.read(ctx, q, func(rows *sql.Rows) error { return rows.Scan(&secret) },
		"SELECT secret FROM coexistence_tombstone_key WHERE id = 1")
	if err != nil {
		return nil, err
	}
	key := tombstone.Key(secret)
	s.key.Store(&key)
	return key, nil
}

// forgotten are the tombstones that a transaction has looked for. Before something is stored of a
// new number or person, its tombstone is looked for.
type forgotten struct {
	s     *Store
	q     querier
	key   tombstone.Key
	until map[string]time.Time // by mark; zero for those that do not exist
}

// A suspect is a new number and, if there are names, a new person, which may have been forgotten.
type suspect struct {
	phone graph.PhoneNumberID
	names []string
}

// look reads the tombstones of all suspects, in one statement at most.
func (f *forgotten) look(ctx context.Context, list ...suspect) (err error) {
	if f.key == nil {
		f.until = map[string]time.Time{}
		if f.key, err = f.s.tombstoneKey(ctx, f.q); err != nil {
			return err
		}
	}
	var marks []string
	want := func(mark string) {
		if _, known := f.until[mark]; !known {
			f.until[mark] = time.Time{}
			marks = append(marks, mark)
		}
	}
	for _, x := range list {
		want(f.key.Number(x.phone))
		for _, name := range x.names {
			want(f.key.Person(x.phone, name))
		}
	}
	if len(marks) == 0 {
		return nil
	}
	among, arg := f.s.db.Dialect.AmongTexts("mark", marks)
	return f.s.read(ctx, f.q, func(rows *sql.Rows) error {
		var mark string
		var until int64
		err := rows.Scan(&mark, &until)
		f.until[mark] = time.UnixMicro(until).UTC()
		return err
	}, "SELECT mark, until_at FROM coexistence_tombstones WHERE "+among, arg)
}

// of returns the tombstones of a suspect that look has read.
func (f *forgotten) of(x suspect) coexistence.Tombstones {
	t := coexistence.Tombstones{Number: f.until[f.key.Number(x.phone)]}
	for _, name := range x.names {
		if until := f.until[f.key.Person(x.phone, name)]; until.After(t.Person) {
			t.Person = until
		}
	}
	return t
}

// putTombstones stores the tombstones of what is forgotten until a moment, or moves them forward,
// and deletes those that are too old to be of use.
func (s *Store) putTombstones(ctx context.Context, tx *sql.Tx, x suspect, until time.Time) error {
	key, err := s.tombstoneKey(ctx, tx)
	if err != nil {
		return err
	}
	marks := []string{key.Number(x.phone)}
	if len(x.names) > 0 {
		marks = nil
	}
	for _, name := range x.names {
		marks = append(marks, key.Person(x.phone, name))
	}
	rows := make([][]sqldb.Cell, len(marks))
	for i, mark := range marks {
		rows[i] = []sqldb.Cell{sqldb.Text(mark), sqldb.Number(until.UnixMicro())}
	}
	_, err = s.execTable(ctx, tx, "INSERT INTO coexistence_tombstones (mark, until_at) SELECT mark, until_at FROM ",
		[]string{"mark text", "until_at bigint"}, rows, ` WHERE true ON CONFLICT (mark) DO UPDATE
			SET until_at = CASE WHEN excluded.until_at > coexistence_tombstones.until_at THEN excluded.until_at
				ELSE coexistence_tombstones.until_at END`)
	if err != nil {
		return err
	}
	_, err = s.exec(ctx, tx, "DELETE FROM coexistence_tombstones WHERE until_at < ?",
		time.Now().Add(-coexistence.TombstoneTTL).UnixMicro())
	return err
}

// lift deletes the tombstone of a number that is signed up again. An erasure of the number has to
// be finished first.
func (s *Store) lift(ctx context.Context, tx *sql.Tx, phone graph.PhoneNumberID) error {
	var busy int
	err := s.read(ctx, tx, func(rows *sql.Rows) error { return rows.Scan(&busy) },
		"SELECT COUNT(*) FROM coexistence_erasures WHERE phone = ?", text(phone))
	if err != nil {
		return err
	}
	if busy > 0 {
		return errBusy
	}
	key, err := s.tombstoneKey(ctx, tx)
	if err != nil {
		return err
	}
	_, err = s.exec(ctx, tx, "DELETE FROM coexistence_tombstones WHERE mark = ?", key.Number(phone))
	return err
}
