package outbox

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/sqldb"
)

// ErrNotFound says that there is no such entry.
var ErrNotFound = errors.New("outbox: there is no such entry; it was never put in, or Config.Keep is over")

// A State is how far an entry is.
type State string

const (
	Queued  State = "queued"  // it waits for its turn
	Trying  State = "trying"  // a request is, or was, under way
	Unknown State = "unknown" // Meta may have taken it: a status, Meta's history or a person decides
	Sent    State = "sent"    // Meta took it; DeliveredAt, ReadAt and FailedAt tell the rest
	Failed  State = "failed"  // it did not get there, or was cancelled; Reason says why
)

// An Entry is a message in the outbox. The host fills in what is above the line.
type Entry struct {
	// ID names the entry, and is the message's CallbackData: at most 512 characters, and the same for the same cause, so that putting it
	// in twice does nothing. Do not put personal data into it, Meta repeats it.
	ID string

	// Phone is the number that sends.
	Phone graph.PhoneNumberID

	// Message is what is sent. Its CallbackData is the entry's ID, its Priority follows from Campaign, and Unchecked is not kept.
	Message cloudapi.Message

	// Person is the host's name for whom it is for, such as the key of the conversation. Entries of one person go one after the other.
	// If empty, it is the recipient.
	Person string

	// Campaign names the entries that are paused and counted together. They let others go first. Empty for answers.
	Campaign string

	// Until is when it is too late to send it: then it fails. If zero, it is never too late.
	Until time.Time

	// ---- What became of it. ----

	State     State
	Reason    string          // why it failed, or waits: Meta's title of the error
	Code      graph.Code      // Meta's code, if it gave one
	MessageID graph.MessageID // once Meta took it
	Attempts  int             // how often it was tried

	PutAt, TriedAt, SentAt, DeliveredAt, ReadAt, FailedAt time.Time // zero for what has not happened
}

func (e *Entry) validate() error {
	var errs []error
	if e.ID == "" {
		errs = append(errs, errors.New("outbox: Entry.ID is empty; name it after its cause"))
	}
	if e.Phone == "" {
		errs = append(errs, errors.New("outbox: Entry.Phone is empty; which number sends it?"))
	}
	if c := e.Message.CallbackData; c != "" && c != e.ID {
		errs = append(errs, errors.New("outbox: Entry.Message.CallbackData is the entry's ID; leave it empty"))
	}
	e.Message.CallbackData = e.ID
	return errors.Join(append(errs, e.Message.Check())...)
}

// Put puts entries in and says how many of them are new: those whose ID is there already stay as they are. All or none are put in. A message
// that Meta would refuse is an error that matches [cloudapi.ErrInvalid].
//
// If tx is a transaction on the same database, they are part of it, and go out after its commit. If it is nil, they have one of their own.
func (o *Outbox) Put(ctx context.Context, tx *sql.Tx, entries ...Entry) (added int, err error) {
	rows := make([][]sqldb.Cell, len(entries))
	for i, e := range entries {
		if err := e.validate(); err != nil {
			return 0, err
		}
		text, err := json.Marshal(e.Message)
		if err != nil {
			return 0, err
		}
		rows[i] = []sqldb.Cell{
			sqldb.Text(e.ID), sqldb.Text(string(e.Phone)), sqldb.Text(cmp.Or(e.Person, e.Message.To.Key())), sqldb.Text(e.Campaign),
			sqldb.Text(string(text)), sqldb.Number(millis(e.Until)),
		}
	}
	if len(rows) == 0 {
		return 0, nil
	}
	from, texts := o.db.Dialect.Table([]string{"id text", "phone text", "person text", "campaign text", "message text", "until_at bigint"}, rows)
	args := make([]any, len(texts))
	for i, t := range texts {
		args[i] = t
	}
	// Numbers come first: one without entries does no harm.
	_, err = o.db.exec(ctx, tx, "Put", `INSERT INTO outbox_numbers (phone, holder, held_until, rests_until)
		SELECT DISTINCT r.phone, '', 0, 0 FROM `+from+` WHERE true ON CONFLICT (phone) DO NOTHING`, args...)
	if err != nil {
		return 0, err
	}
	// One statement is all or nothing by itself.
	added, err = o.db.exec(ctx, tx, "Put", `INSERT INTO outbox_entries (id, phone, person, campaign, rank, message, state, reason, code, wamid,
			attempts, put_at, until_at, tried_at, next_at, sent_at, delivered_at, read_at, failed_at)
		SELECT r.id, r.phone, r.person, r.campaign, CASE WHEN r.campaign = '' THEN 0 ELSE 1 END, r.message, 'queued', '', 0, '', 0, {now}, r.until_at, 0, 0, 0, 0, 0, 0
		FROM `+from+` WHERE true ORDER BY r.n ON CONFLICT (id) DO NOTHING`, args...)
	if err == nil && tx == nil && added > 0 {
		o.Wake()
		o.changed(entries[0].Phone)
	}
	return added, err
}

const columns = `id, phone, person, campaign, message, state, reason, code, wamid, attempts, put_at, until_at, tried_at, sent_at,
	delivered_at, read_at, failed_at`

func scanEntry(scan func(dest ...any) error) (e Entry, err error) {
	var text string
	var put, until, tried, sent, delivered, read, failed int64
	err = scan(&e.ID, &e.Phone, &e.Person, &e.Campaign, &text, &e.State, &e.Reason, &e.Code, &e.MessageID, &e.Attempts,
		&put, &until, &tried, &sent, &delivered, &read, &failed)
	if err != nil {
		return e, err
	}
	e.Until, e.PutAt, e.TriedAt, e.SentAt = moment(until), moment(put), moment(tried), moment(sent)
	e.DeliveredAt, e.ReadAt, e.FailedAt = moment(delivered), moment(read), moment(failed)
	if err := json.Unmarshal([]byte(text), &e.Message); err != nil {
		return e, fmt.Errorf("the message of entry %q does not decode: %w", e.ID, err)
	}
	if e.Campaign != "" {
		e.Message.Priority = cloudapi.PriorityCampaign
	}
	return e, nil
}

func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

func moment(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}
