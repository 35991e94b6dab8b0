package outbox

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

// Handle implements [webhook.Handler]. A status tells what became of an entry, and proves that Meta
// took one that is in doubt; it finds the entry by its callback data, or by the message id if that
// is known. A message of the customer and a handover let go what is held in the conversation: it is
// tried again, and held again if it is still not ours. Other events are ignored, and so are
// statuses of payments, which are about an order.
//
// A status that says that the conversation is another responder's lets the entry wait for it again.
//
// Handle is idempotent: a status that comes again, or late, changes nothing.
func (o *Outbox) Handle(ctx context.Context, ev webhook.Event) error {
	switch ev := ev.(type) {
	case *webhook.IncomingMessage:
		return o.letGo(ctx, ev.PhoneNumberID, ev.Customer())
	case *webhook.MessagingHandover:
		return o.letGo(ctx, ev.PhoneNumberID, ev.Customer())
	default:
	}
	st, ok := ev.(*webhook.MessageStatus)
	if !ok || st.Type == "payment" {
		return nil
	}
	// Two subqueries, one for each index: with OR instead, PostgreSQL reads all entries.
	list, err := o.list(ctx, "Handle", `WHERE phone = ? AND seq IN (
		SELECT seq FROM outbox_entries WHERE id = ?
		UNION ALL SELECT seq FROM outbox_entries WHERE phone = ? AND wamid = ? AND wamid <> '')`,
		string(st.PhoneNumberID), st.CallbackData, string(st.PhoneNumberID), string(st.ID))
	if err != nil || len(list) == 0 {
		return err
	}
	e := list[0]
	notOurs := st.Status == webhook.StatusFailed && len(st.Errors) > 0 &&
		errors.Is(st.Errors[0].Code, graph.ErrNotOwner)
	again := e.MessageID != "" && slices.Contains([]State{StateQueued, StateSending, StateUnknown}, e.State)
	arrived := st.Status != webhook.StatusSent && st.Status != webhook.StatusFailed
	switch {
	case again && e.MessageID == st.ID && !arrived, notOurs && e.MessageID != "" && e.MessageID != st.ID:
		// About the message that was refused because the conversation was another responder's: its
		// id stays until another message takes its place. If it arrived after all, nothing goes
		// again.
		return nil
	case e.MessageID == "", again:
		to := st.Recipient
		err = o.accepted(ctx, e, &cloudapi.SentMessage{
			ID: st.ID, GroupID: st.GroupID, At: e.AttemptedAt, To: cloudapi.SentContact{
				Input: to.WAID, WAID: to.WAID, UserID: to.UserID, ParentUserID: to.ParentUserID,
			},
		})
	case e.MessageID != st.ID:
		o.cfg.Logger.ErrorContext(ctx, "outbox: Meta knows two messages of one entry",
			"phone", st.PhoneNumberID, "entry", e.ID, "first", e.MessageID, "second", st.ID)
	}
	if err != nil {
		return err
	}
	if notOurs {
		err = o.holdRefused(ctx, e.ID, st)
	} else {
		err = o.noteStatus(ctx, e.ID, st)
	}
	o.changed(st.PhoneNumberID)
	return err
}

// holdRefused puts an entry back whose message Meta took and then failed because the conversation
// is another responder's. It was not delivered, so it goes again, as another message, once the
// conversation is ours. Of a repeated status only the first finds the entry sent.
func (o *Outbox) holdRefused(ctx context.Context, id string, st *webhook.MessageStatus) error {
	_, err := o.db.exec(ctx, nil, "Handle", `UPDATE outbox_entries
		SET state = 'queued', held = 1, reason = ?, code = ?, sent_at = 0, next_at = {now} + ?
		WHERE id = ? AND wamid = ? AND state = 'sent' AND delivered_at = 0 AND read_at = 0 AND failed_at = 0`,
		coexistence.AnswerOtherResponder.Text(), int64(st.Errors[0].Code), holdTime.Milliseconds(), id, string(st.ID))
	return err
}

// noteStatus stores a status, whose moment is that of Meta's clock. The first of a kind counts, and
// none takes back another, with one exception: a message that was read did arrive, so read clears a
// failure that was reported before, such as one of another device of the recipient.
func (o *Outbox) noteStatus(ctx context.Context, id string, st *webhook.MessageStatus) error {
	at := st.At.UnixMilli()
	var err error
	switch st.Status {
	case webhook.StatusDelivered:
		_, err = o.db.exec(ctx, nil, "Handle",
			"UPDATE outbox_entries SET delivered_at = ? WHERE id = ? AND delivered_at = 0", at, id)
	case webhook.StatusRead, webhook.StatusPlayed:
		_, err = o.db.exec(ctx, nil, "Handle", `UPDATE outbox_entries
			SET read_at = ?, state = 'sent', reason = '', code = 0, failed_at = 0
			WHERE id = ? AND read_at = 0`, at, id)
	case webhook.StatusFailed:
		reason, code := "Meta could not deliver it, and does not say why", graph.Code(0)
		if len(st.Errors) > 0 {
			reason, code = st.Errors[0].Title, st.Errors[0].Code
		}
		_, err = o.db.exec(ctx, nil, "Handle", `UPDATE outbox_entries
			SET state = 'failed', reason = ?, code = ?, failed_at = ?
			WHERE id = ? AND failed_at = 0 AND read_at = 0`, reason, int64(code), at, id)
	default:
	}
	return err
}

// settle decides about entries that are in doubt for longer than UnknownTimeout, by Meta's message
// history of the number. The history does not say what a message was. So if it holds one that
// cannot be accounted for, any of the entries may be that message, and none is sent again yet;
// otherwise Meta took none of them, and all go out again.
//
// It looks back to lookBack before the oldest attempt. The history is dated by Meta's clock and
// attempts by the database's, which may be wrong. So the database tells only how long ago that was,
// and this process's clock when.
func (l *lease) settle(ctx context.Context) error {
	list, err := l.list(ctx, "Run", "WHERE phone = ? AND state = 'unknown' AND next_at <= {now}", string(l.phone))
	if err != nil || len(list) == 0 {
		return err
	}
	oldest := list[0].AttemptedAt
	for _, e := range list {
		if e.AttemptedAt.Before(oldest) {
			oldest = e.AttemptedAt
		}
	}
	var databaseNow int64
	now := time.Now()
	if _, err := l.db.row(ctx, "Run", "SELECT {now}", nil, &databaseNow); err != nil {
		return err
	}
	since := now.Add(oldest.Sub(moment(databaseNow)) - lookBack)
	unaccounted, err := l.hasUnaccounted(ctx, since)
	if err != nil {
		l.postpone(ctx, list, l.cfg.UnknownTimeout)
		return err
	}
	if unaccounted {
		l.postpone(ctx, list, l.cfg.UnknownTimeout/2)
		return nil
	}
	for _, e := range list {
		_, err := l.db.exec(ctx, nil, "Run",
			"UPDATE outbox_entries SET state = 'queued', next_at = 0 WHERE id = ? AND state = 'unknown'", e.ID)
		if err != nil {
			return err
		}
	}
	l.Notify()
	return nil
}

// lookBack is how far the clock of this process may be ahead of Meta's, and how far that of the
// database may have been set back since an attempt.
const lookBack = 3 * time.Hour

// postpone lets entries in doubt be looked at again after d, a second at least.
func (l *lease) postpone(ctx context.Context, list []Entry, d time.Duration) {
	for _, e := range list {
		_, err := l.db.exec(context.WithoutCancel(ctx), nil, "Run",
			"UPDATE outbox_entries SET next_at = {now} + ? WHERE id = ? AND state = 'unknown'",
			max(d, time.Second).Milliseconds(), e.ID)
		l.note(ctx, err)
	}
}

// hasUnaccounted reports whether Meta's history since a moment holds a message that may be one of
// those in doubt.
//
// The latest messages came first whenever the history was read, but no page of Meta's promises it.
// So an old message ends the walk only as long as every message so far was older than the one
// before it, and only behind a younger one.
func (l *lease) hasUnaccounted(ctx context.Context, since time.Time) (bool, error) {
	var before time.Time
	falling := true
	for h, err := range l.client.Messages.History(ctx, l.phone, cloudapi.MessageHistoryOptions{Limit: 100}) {
		if err != nil {
			return false, err
		}
		if len(h.Events) > 0 {
			at := h.Events[0].At.Time
			falling = falling && (before.IsZero() || !at.After(before))
			if at.Before(since) {
				if falling && at.Before(before) {
					return false, nil
				}
				before = at
				continue
			}
			before = at
		}
		if known, err := l.accountsFor(ctx, h.MessageID); err != nil || !known {
			return true, err
		}
	}
	return false, nil
}

// accountsFor reports whether it is known which message has an id: an entry of the outbox, or a
// message that the host sent without it. The latter is in the store, with its content if the host
// recorded it, or with the callback data of its statuses, which then name no entry. A message of
// the business that is known from history alone may be the one in doubt: an import does not say
// whether the app or a call sent it.
func (l *lease) accountsFor(ctx context.Context, id graph.MessageID) (bool, error) {
	const of = "SELECT COUNT(*) FROM outbox_entries WHERE phone = ? AND "
	var n int
	if _, err := l.db.row(ctx, "Run", of+"wamid = ?", []any{string(l.phone), string(id)}, &n); err != nil || n > 0 {
		return n > 0, err
	}
	m, err := l.cfg.Tracker.Store().Message(ctx, l.phone, id)
	switch {
	case errors.Is(err, coexistence.ErrNotFound):
		return false, nil
	case err != nil:
		return false, err
	case m.CallbackData == "":
		return m.Type != "" && (!m.Outbound || m.Origin != coexistence.OriginHistory), nil
	}
	// If they name an entry, the tracker has seen a status that this outbox is yet to get.
	_, err = l.db.row(ctx, "Run", of+"id = ?", []any{string(l.phone), m.CallbackData}, &n)
	return n == 0, err
}
