package outbox

import (
	"context"
	"database/sql"
	"iter"
	"math"
	"slices"
	"strings"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/sqldb"
)

// A Filter narrows [Outbox.List]. An empty member does not narrow; entries must match all others.
type Filter struct {
	// PhoneNumberID is the number that sends.
	PhoneNumberID graph.PhoneNumberID

	// ConversationID is as in [Message]: the ID of a conversation, also one that was merged into
	// another, or an alias of the customer, if PhoneNumberID is set. For entries that were put in
	// without one, and that lead to no conversation, it is the recipient, see
	// cloudapi.Recipient.Key.
	ConversationID string

	// Campaign asks for the entries of one campaign. Those of none cannot be asked for alone.
	Campaign string

	// States are the states of which an entry must have one.
	States []State

	// Newest begins with the entry that was put in last. If false, the oldest comes first.
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

// List walks through entries in the order in which they were put in, or in the opposite one. It
// reads pages of a thousand, when the loop gets there: what changes meanwhile may be seen as it was
// or as it is, and no entry is seen twice. The first error ends the walk.
func (o *Outbox) List(ctx context.Context, f Filter) iter.Seq2[Entry, error] {
	const page = 1000
	return func(yield func(Entry, error) bool) {
		order, beyond := " ORDER BY seq", " AND seq > (SELECT seq FROM outbox_entries WHERE id = ?)"
		if f.Newest {
			order, beyond = " ORDER BY seq DESC", " AND seq < (SELECT seq FROM outbox_entries WHERE id = ?)"
		}
		if err := o.resolve(ctx, &f); err != nil {
			yield(Entry{}, err)
			return
		}
		condition, values := f.where()
		where, args := condition, values
		left := f.Limit
		if left <= 0 {
			left = math.MaxInt
		}
		for left > 0 {
			size := min(page, left)
			list, err := o.list(ctx, "List", where+order+" LIMIT ?", append(slices.Clip(args), size)...)
			if err != nil {
				yield(Entry{}, err)
				return
			}
			for _, e := range list {
				if !yield(e, nil) {
					return
				}
			}
			if len(list) < size {
				return
			}
			left -= size
			where, args = condition+beyond, append(slices.Clip(values), list[size-1].ID)
		}
	}
}

// resolve puts the ID by which entries are stored into the filter, in place of another name of the
// conversation.
func (o *Outbox) resolve(ctx context.Context, f *Filter) error {
	if f.ConversationID == "" {
		return nil
	}
	f.ConversationID = coexistence.Alias(f.ConversationID)
	from, args := o.db.Dialect.Table([]string{"phone text", "person text", "former bigint"}, [][]sqldb.Cell{{
		sqldb.Text(string(f.PhoneNumberID)), sqldb.Text(f.ConversationID), serial(f.ConversationID),
	}})
	_, err := o.db.row(ctx, "List", "SELECT "+conversation+" FROM "+from, args, &f.ConversationID)
	return err
}

// where returns the condition of a filter for SQL, and its arguments in the order of their places.
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

// list reads the entries that rest selects: a WHERE clause, and what may follow one.
func (o *Outbox) list(ctx context.Context, what, rest string, args ...any) (list []Entry, err error) {
	return o.query(ctx, what, "SELECT "+columns+" FROM outbox_entries "+rest, args...)
}

// query runs a statement that returns columns, a change of entries included.
func (o *Outbox) query(ctx context.Context, what, query string, args ...any) (list []Entry, err error) {
	err = o.db.rows(ctx, what, query, args, func(rows *sql.Rows) error {
		e, err := scanEntry(rows.Scan)
		list = append(list, e)
		return err
	})
	return list, err
}

// Cancel fails an entry that waits to be sent, and reports whether it did. What is under way or
// with Meta cannot be called back: an unknown entry is given up, which means that it is not sent
// again and that later messages of its conversation wait for it no longer. If a status tells that
// it arrived after all, it is sent.
func (o *Outbox) Cancel(ctx context.Context, id string) (bool, error) {
	n, err := o.db.exec(ctx, nil, "Cancel", `UPDATE outbox_entries
		SET state = 'failed', reason = 'canceled', failed_at = {now} WHERE id = ? AND state IN ('queued', 'unknown')`, id)
	if n > 0 {
		o.Notify()
	}
	return n > 0, err
}

// Requeue lets an entry go out again that is [StateFailed] or [StateUnknown], and reports whether
// it did. For an unknown one that is a decision: if Meta took the message after all, the person
// gets it twice.
func (o *Outbox) Requeue(ctx context.Context, id string) (bool, error) {
	n, err := o.db.exec(ctx, nil, "Requeue", `UPDATE outbox_entries
		SET state = 'queued', reason = '', code = 0, attempts = 0, next_at = 0, held = 0,
			failed_at = 0, wamid = '', sent_at = 0, delivered_at = 0, read_at = 0
		WHERE id = ? AND state IN ('failed', 'unknown')`, id)
	if n > 0 {
		o.Notify()
	}
	return n > 0, err
}
