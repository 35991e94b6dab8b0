package sqlinbox

import (
	"context"
	"database/sql"
	"slices"
	"strings"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/sqldb"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/inbox"
)

// Append implements [inbox.Sink].
func (s *Store) Append(ctx context.Context, recs []inbox.Record) (added int, err error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	if len(recs) == 0 {
		return 0, nil
	}
	j, commits := &job{ctx: ctx, recs: recs}, s.commits
	if j.bulk = !slices.ContainsFunc(recs, func(rec inbox.Record) bool { return !rec.Bulk }); j.bulk {
		commits = s.bulk
	}
	if err := commits.do(ctx, j); err != nil {
		return 0, explain("Append", err)
	}
	return j.added, nil
}

// appendAll stores the deliveries of all jobs, and counts for each how many were new.
func (s *Store) appendAll(ctx context.Context, tx *sql.Tx, jobs []*job) error {
	type line struct {
		job *job
		rec inbox.Record
	}
	var lines []line
	for _, j := range jobs {
		j.added = 0
		for _, rec := range j.recs {
			lines = append(lines, line{j, rec})
		}
	}
	if s.dialect == SQLite {
		for _, l := range lines {
			n, err := s.exec(ctx, tx, appendInto+"(?, ?, ?, ?, ?, ?)"+unlessKnown, deliveryColumns(l.rec)...)
			if err != nil {
				return err
			}
			l.job.added += int(n)
		}
		return nil
	}
	// In the order of keys, so that two who store the same ones do not wait for each other.
	slices.SortStableFunc(lines, func(a, b line) int { return strings.Compare(a.rec.Key, b.rec.Key) })
	stored := map[string]bool{}
	for rest := lines; len(rest) > 0; {
		n := statementRows(len(rest))
		query := appendInto + strings.TrimSuffix(strings.Repeat("(?, ?, ?, ?, ?, ?), ", n), ", ") + unlessKnown + " RETURNING record_key"
		var args []any
		for _, l := range rest[:n] {
			args = append(args, deliveryColumns(l.rec)...)
		}
		if err := s.read(ctx, tx, func(rows *sql.Rows) error {
			var key sql.NullString
			err := rows.Scan(&key)
			stored[key.String] = true
			return err
		}, query, args...); err != nil {
			return err
		}
		rest = rest[n:]
	}
	for _, l := range lines {
		key := sqldb.Clean(l.rec.Key)
		if key == "" {
			l.job.added++
		} else if stored[key] {
			l.job.added++
			delete(stored, key) // the others are repeats of it
		}
	}
	if len(stored) > 0 || len(lines) > 0 {
		return s.notify(ctx, tx)
	}
	return nil
}

const (
	appendInto  = "INSERT INTO webhook_deliveries (record_key, bulk, received_at, changed_at, size, body) VALUES "
	unlessKnown = " ON CONFLICT DO NOTHING"
)

func deliveryColumns(rec inbox.Record) []any {
	body := rec.Body
	if body == nil {
		body = []byte{}
	}
	// changed_at is a moment from the beginning, as large as later ones: SQLite then changes a row in its place, and need not write the
	// body again.
	at := rec.ReceivedAt.UnixMicro()
	return []any{keyColumn(rec.Key), number(rec.Bulk), at, at, len(rec.Body), body}
}

func keyColumn(key string) sql.NullString {
	key = sqldb.Clean(key)
	return sql.NullString{String: key, Valid: key != ""}
}

func number(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// statementRows is how many of n rows go into one statement: a power of two, so that there are few different statements to prepare.
func statementRows(n int) int {
	size := 128
	for size > n {
		size /= 2
	}
	return size
}

// Channel is the channel on which a store in PostgreSQL notifies that something was appended. The payload is the schema of its tables.
const Channel = "webhook_inbox"

func (s *Store) notify(ctx context.Context, tx *sql.Tx) error {
	_, err := s.exec(ctx, tx, "SELECT pg_notify('"+Channel+"', current_schema())")
	return err
}
