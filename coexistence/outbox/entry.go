package outbox

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/sqldb"
)

// ErrNotFound says that there is no such entry.
var ErrNotFound = errors.New("outbox: there is no such entry; it was never put in, or Config.Retention is over")

// A State is the state of an entry.
type State string

const (
	StateQueued  State = "queued"  // it waits to be sent
	StateSending State = "sending" // a request is, or was, under way
	StateUnknown State = "unknown" // Meta may have taken it: a status, Meta's history or a person decides
	StateSent    State = "sent"    // Meta took it; DeliveredAt, ReadAt and FailedAt tell the rest
	StateFailed  State = "failed"  // it did not get there, or was canceled; Reason says why
)

// A Message is a message for the outbox.
type Message struct {
	// ID is the idempotency key: the same for the same cause, so that enqueueing it twice does
	// nothing. It travels as the message's CallbackData, in at most 512 characters, and every
	// status webhook repeats it: do not put personal data into it.
	ID string

	// PhoneNumberID is the number that sends.
	PhoneNumberID graph.PhoneNumberID

	// Payload is the message that is sent. Its CallbackData is the ID, its Priority follows from
	// Campaign, and SkipValidation is not kept.
	Payload cloudapi.Message

	// ConversationID is [coexistence.Conversation].ID: the messages of a conversation go one after
	// the other, whatever becomes known of the customer meanwhile. If empty, it is the conversation
	// with the recipient; as long as there is none, the recipient's key. It may also be another
	// name of the host's.
	ConversationID string

	// Campaign names the messages that are paused and counted together. They let others go first.
	// Empty for answers.
	Campaign string

	// ExpiresAt is when it is too late to send it, by the clock of the process that sends: then it
	// fails. If zero, it is never too late.
	ExpiresAt time.Time
}

// An Entry is a message in the outbox, with what became of it.
type Entry struct {
	Message

	State     State
	Reason    string          // why it failed, or waits: Meta's title of the error; empty if neither
	Code      graph.Code      // Meta's code; zero if there is none
	MessageID graph.MessageID // empty until Meta took it
	Attempts  int             // how often it was tried; Requeue begins again at zero

	// EnqueuedAt is when it was put in, AttemptedAt when it was tried last and SentAt when Meta
	// took it, by the database's clock. DeliveredAt, ReadAt and FailedAt are those of statuses, by
	// Meta's. Each is zero for what has not happened.
	EnqueuedAt, AttemptedAt, SentAt, DeliveredAt, ReadAt, FailedAt time.Time
}

// validate lists all mistakes of a message, those that Meta would refuse among them, and sets the
// CallbackData by which statuses find the entry.
func (m *Message) validate() error {
	var errs []error
	if m.ID == "" {
		errs = append(errs, errors.New("outbox: Message.ID is empty; name it after its cause"))
	}
	if m.PhoneNumberID == "" {
		errs = append(errs, errors.New("outbox: Message.PhoneNumberID is empty; which number sends it?"))
	}
	if c := m.Payload.CallbackData; c != "" && c != m.ID {
		errs = append(errs, errors.New("outbox: Message.Payload.CallbackData is the message's ID; leave it empty"))
	}
	m.Payload.CallbackData = m.ID
	return errors.Join(append(errs, m.Payload.Check())...)
}

// Enqueue puts messages in and says how many of them are new: those whose ID is there already stay
// as they are. All or none are put in. A message that Meta would refuse is an error that matches
// [cloudapi.ErrValidation].
func (o *Outbox) Enqueue(ctx context.Context, messages ...Message) (added int, err error) {
	added, err = o.enqueue(ctx, nil, messages)
	if err == nil && added > 0 {
		o.Notify()
		o.changed(messages[0].PhoneNumberID)
	}
	return added, err
}

// EnqueueTx is Enqueue as a part of a transaction on the same database: the messages go out after
// its commit. Call [Outbox.Notify] after that, or they go out within Config.PollInterval.
func (o *Outbox) EnqueueTx(ctx context.Context, tx *sql.Tx, messages ...Message) (added int, err error) {
	if tx == nil {
		return 0, errors.New("outbox: EnqueueTx needs a transaction; without one, call Enqueue")
	}
	return o.enqueue(ctx, tx, messages)
}

// enqueue puts messages in, in the transaction tx if it is not nil, and returns how many are new.
// All are validated before the first statement, so that one bad message leaves the transaction of a
// host as it was.
func (o *Outbox) enqueue(ctx context.Context, tx *sql.Tx, messages []Message) (added int, err error) {
	rows := make([][]sqldb.Cell, len(messages))
	for i, m := range messages {
		if err := m.validate(); err != nil {
			return 0, err
		}
		text, err := json.Marshal(m.Payload)
		if err != nil {
			return 0, err
		}
		person, byPerson := coexistence.Alias(cmp.Or(m.ConversationID, m.Payload.To.Key())), int64(0)
		if m.Payload.ByPerson {
			byPerson = 1
		}
		rows[i] = []sqldb.Cell{
			sqldb.Text(m.ID), sqldb.Text(string(m.PhoneNumberID)), sqldb.Text(person), serial(person),
			sqldb.Number(byPerson), sqldb.Text(m.Campaign), sqldb.Text(string(text)), sqldb.Number(millis(m.ExpiresAt)),
		}
	}
	if len(rows) == 0 {
		return 0, nil
	}
	from, args := o.db.Dialect.Table([]string{
		"id text", "phone text", "person text", "former bigint", "by_person bigint", "campaign text", "message text",
		"until_at bigint",
	}, rows)
	// Numbers come first: one without entries does no harm.
	_, err = o.db.exec(ctx, tx, "Enqueue", `INSERT INTO outbox_numbers (phone, holder, held_until, rests_until)
		SELECT DISTINCT r.phone, '', 0, 0 FROM `+from+` WHERE true ON CONFLICT (phone) DO NOTHING`, args...)
	if err != nil {
		return 0, err
	}
	// One statement is all or nothing by itself.
	return o.db.exec(ctx, tx, "Enqueue", `INSERT INTO outbox_entries (
			id, phone, person, by_person, campaign, rank, message,
			state, reason, code, wamid, attempts, put_at, until_at, tried_at, next_at,
			sent_at, delivered_at, read_at, failed_at, held)
		SELECT r.id, r.phone, `+conversation+`, r.by_person, r.campaign,
			CASE WHEN r.campaign = '' THEN 0 ELSE 1 END, r.message,
			'queued', '', 0, '', 0, {now}, r.until_at, 0, 0, 0, 0, 0, 0, 0
		FROM `+from+` WHERE true ORDER BY r.n ON CONFLICT (id) DO NOTHING`, args...)
}

// conversation is the conversation that r.person names in r.phone: by an alias, or by the id of one
// that was merged, which is r.former. Any other name stays. When conversations are merged, the
// store renames existing entries.
const conversation = `COALESCE(
	(SELECT 'conv_' || CAST(a.conversation AS text) FROM coexistence_aliases a
		WHERE a.phone = r.phone AND a.alias = r.person),
	(SELECT 'conv_' || CAST(f.conversation AS text) FROM coexistence_former_conversations f WHERE f.id = r.former),
	r.person)`

// serial returns the number in the id of a conversation, or NULL for another name.
func serial(name string) sqldb.Cell {
	digits, ok := strings.CutPrefix(name, "conv_")
	if n, err := strconv.ParseInt(digits, 10, 64); ok && err == nil {
		return sqldb.Number(n)
	}
	return sqldb.Cell{}
}

// columns are those that scanEntry reads, in its order.
const columns = `id, phone, person, by_person, campaign, message, state, reason, code, wamid, attempts,
	put_at, until_at, tried_at, sent_at, delivered_at, read_at, failed_at`

// scanEntry reads an entry from a row of columns. The priority is not stored; it follows from the
// campaign.
func scanEntry(scan func(dest ...any) error) (e Entry, err error) {
	var text string
	byPerson := false
	var put, until, tried, sent, delivered, read, failed int64
	err = scan(&e.ID, &e.PhoneNumberID, &e.ConversationID, &byPerson, &e.Campaign, &text,
		&e.State, &e.Reason, &e.Code, &e.MessageID, &e.Attempts,
		&put, &until, &tried, &sent, &delivered, &read, &failed)
	if err != nil {
		return e, err
	}
	e.ExpiresAt, e.EnqueuedAt, e.AttemptedAt, e.SentAt = moment(until), moment(put), moment(tried), moment(sent)
	e.DeliveredAt, e.ReadAt, e.FailedAt = moment(delivered), moment(read), moment(failed)
	if err := json.Unmarshal([]byte(text), &e.Payload); err != nil {
		return e, fmt.Errorf("the message of entry %q does not decode: %w", e.ID, err)
	}
	e.Payload.ByPerson = byPerson
	if e.Campaign != "" {
		e.Payload.Priority = cloudapi.PriorityCampaign
	}
	return e, nil
}

// millis writes a moment for the database; a zero time is 0.
func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

// moment reads what millis wrote.
func moment(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}
