package outbox

import (
	"context"
	"database/sql"
	"iter"
	"strings"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// A Filter says which entries are meant. What is empty does not matter.
type Filter struct {
	PhoneNumberID  graph.PhoneNumberID
	ConversationID string
	Campaign       string
	States         []State

	// Newest begins with the entry that was put in last. Else the oldest comes first.
	Newest bool

	// Limit is how many there are at most. If zero, all.
	Limit int
}

// Get returns an entry, or [ErrNotFound].
func (o *Outbox) Get(ctx context.Context, id string) (Entry, error) {
	list, err := o.list(ctx, "Get", "WHERE id = ?", id)
	if err == nil && len(list) == 0 {
		err = ErrNotFound
	}
	if err != nil {
		return Entry{}, err
	}
	return list[0], nil
}

// List walks through entries in the order in which they were put in. It reads pages of a thousand:
// what changes meanwhile may be seen as it was or as it is. The first error ends it.
func (o *Outbox) List(ctx context.Context, f Filter) iter.Seq2[Entry, error] {
	const page = 1000
	return func(yield func(Entry, error) bool) {
		where, args := f.where()
		order, beyond := " ORDER BY seq", " AND seq > (SELECT seq FROM outbox_entries WHERE id = ?)"
		if f.Newest {
			order, beyond = " ORDER BY seq DESC", " AND seq < (SELECT seq FROM outbox_entries WHERE id = ?)"
		}
		for left, last := f.Limit, ""; ; {
			size := page
			if f.Limit > 0 {
				size = min(page, left)
			}
			query, with := where, args
			if last != "" {
				query, with = where+beyond, append(args[:len(args):len(args)], last)
			}
			list, err := o.list(ctx, "List", query+order+" LIMIT ?", append(with[:len(with):len(with)], size)...)
			if err != nil {
				yield(Entry{}, err)
				return
			}
			for _, e := range list {
				if !yield(e, nil) {
					return
				}
			}
			if left -= len(list); len(list) < page || f.Limit > 0 && left <= 0 {
				return
			}
			last = list[len(list)-1].ID
		}
	}
}

func (f Filter) where() (condition string, args []any) {
	condition = "WHERE seq > 0"
	for column, value := range map[string]string{
		"phone": string(f.PhoneNumberID), "person": f.ConversationID, "campaign": f.Campaign,
	} {
		if value != "" {
			condition += " AND " + column + " = ?"
			args = append(args, value)
		}
	}
	if len(f.States) > 0 {
		condition += " AND state IN (?" + strings.Repeat(", ?", len(f.States)-1) + ")"
		for _, s := range f.States {
			args = append(args, string(s))
		}
	}
	return condition, args
}

func (o *Outbox) list(ctx context.Context, what, rest string, args ...any) (list []Entry, err error) {
	return o.query(ctx, what, "SELECT "+columns+" FROM outbox_entries "+rest, args...)
}

func (o *Outbox) query(ctx context.Context, what, query string, args ...any) (list []Entry, err error) {
	err = o.db.rows(ctx, what, query, args, func(rows *sql.Rows) error {
		e, err := scanEntry(rows.Scan)
		list = append(list, e)
		return err
	})
	return list, err
}

// Cancel fails an entry that waits for its turn, and reports whether it did. What is under way or
// with Meta cannot be called back.
func (o *Outbox) Cancel(ctx context.Context, id string) (bool, error) {
	n, err := o.db.exec(ctx, nil, "Cancel", "UPDATE outbox_entries SET state = 'failed', reason = 'canceled', failed_at = {now} WHERE id = ? AND state = 'queued'", id)
	return n > 0, err
}

// Requeue lets an entry go out again that is [StateFailed] or [StateUnknown], and reports whether
// it did. For an unknown one that is a decision: if Meta took the message after all, the person
// gets it twice.
func (o *Outbox) Requeue(ctx context.Context, id string) (bool, error) {
	n, err := o.db.exec(ctx, nil, "Requeue", `UPDATE outbox_entries SET state = 'queued', reason = '', code = 0, attempts = 0, next_at = 0,
		failed_at = 0, wamid = '', sent_at = 0, delivered_at = 0, read_at = 0 WHERE id = ? AND state IN ('failed', 'unknown')`, id)
	if n > 0 {
		o.Notify()
	}
	return n > 0, err
}
