package outbox

import (
	"context"
	"errors"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

// Handle implements [webhook.Handler]. Statuses tell what became of entries, and prove that Meta
// took those that are in doubt. Other events are passed over.
func (o *Outbox) Handle(ctx context.Context, ev webhook.Event) error {
	st, ok := ev.(*webhook.MessageStatus)
	if !ok || st.Type == "payment" {
		return nil
	}
	list, err := o.list(ctx, "Handle", // Written as one condition, it would read every entry of the number.
		`WHERE id = ? AND phone = ? OR id IN (SELECT id FROM outbox_entries WHERE phone = ? AND wamid = ? AND wamid <> '')`,
		st.CallbackData, string(st.PhoneNumberID), string(st.PhoneNumberID), string(st.ID))
	if err != nil || len(list) == 0 {
		return err
	}
	e := list[0]
	switch {
	case e.MessageID == "":
		to := st.Recipient
		err = o.accepted(ctx, e, &cloudapi.SentMessage{ID: st.ID, GroupID: st.GroupID, To: cloudapi.SentContact{
			Input: to.WAID, WAID: to.WAID, UserID: to.UserID, ParentUserID: to.ParentUserID,
		}})
	case e.MessageID != st.ID:
		o.cfg.Logger.ErrorContext(ctx, "outbox: Meta knows two messages of one entry", "phone", st.PhoneNumberID, "entry", e.ID, "first", e.MessageID, "second", st.ID)
	}
	if err != nil {
		return err
	}
	err = o.noteStatus(ctx, e.ID, st)
	o.changed(st.PhoneNumberID)
	return err
}

// noteStatus stores a status. None takes back another but one: who read a message got it, whatever
// failed before.
func (o *Outbox) noteStatus(ctx context.Context, id string, st *webhook.MessageStatus) error {
	at := st.At.UnixMilli()
	var err error
	switch st.Status {
	case webhook.StatusDelivered:
		_, err = o.db.exec(ctx, nil, "Handle", "UPDATE outbox_entries SET delivered_at = ? WHERE id = ? AND delivered_at = 0", at, id)
	case webhook.StatusRead, webhook.StatusPlayed:
		_, err = o.db.exec(ctx, nil, "Handle", `UPDATE outbox_entries SET read_at = ?, state = 'sent', reason = '', code = 0, failed_at = 0
			WHERE id = ? AND read_at = 0`, at, id)
	case webhook.StatusFailed:
		reason, code := "Meta could not deliver it, and does not say why", graph.Code(0)
		if len(st.Errors) > 0 {
			reason, code = st.Errors[0].Title, st.Errors[0].Code
		}
		_, err = o.db.exec(ctx, nil, "Handle", `UPDATE outbox_entries SET state = 'failed', reason = ?, code = ?, failed_at = ?
			WHERE id = ? AND failed_at = 0 AND read_at = 0`, reason, int64(code), at, id)
	default:
	}
	return err
}

// settle decides about entries in doubt that no status has told of for long enough. Meta's own
// history of the number does not say what a message was. So if it holds one that is in no entry,
// that may be one of them, and none is sent again yet.
func (t *turn) settle(ctx context.Context) error {
	list, err := t.list(ctx, "Run", "WHERE phone = ? AND state = 'unknown' AND next_at <= {now}", string(t.phone))
	if err != nil || len(list) == 0 {
		return err
	}
	began := list[0].AttemptedAt
	for _, e := range list {
		if e.AttemptedAt.Before(began) {
			began = e.AttemptedAt
		}
	}
	strange, err := t.strange(ctx, began.Add(-time.Hour)) // two clocks
	if err != nil {
		t.wait(ctx, list, t.cfg.UnknownTimeout)
		return err
	}
	if strange {
		t.wait(ctx, list, t.cfg.UnknownTimeout/2)
		return nil
	}
	for _, e := range list {
		_, err := t.db.exec(ctx, nil, "Run", "UPDATE outbox_entries SET state = 'queued', next_at = 0 WHERE id = ? AND state = 'unknown'", e.ID)
		if err != nil {
			return err
		}
	}
	t.Notify()
	return nil
}

// wait looks at entries in doubt again later.
func (t *turn) wait(ctx context.Context, list []Entry, d time.Duration) {
	for _, e := range list {
		_, err := t.db.exec(context.WithoutCancel(ctx), nil, "Run", "UPDATE outbox_entries SET next_at = {now} + ? WHERE id = ? AND state = 'unknown'",
			max(d, time.Second).Milliseconds(), e.ID)
		t.note(ctx, err)
	}
}

// strange reports whether Meta knows of a message since then that may be one of those in doubt.
func (t *turn) strange(ctx context.Context, since time.Time) (bool, error) {
	// The latest come first, but no page of Meta's promises it: what is old ends the walk only
	// behind what was younger.
	var before time.Time
	falling := true
	for h, err := range t.client.Messages.History(ctx, t.phone, cloudapi.MessageHistoryOptions{Limit: 100}) {
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
		if known, err := t.accountsFor(ctx, h.MessageID); err != nil || !known {
			return true, err
		}
	}
	return false, nil
}

// accountsFor reports whether it is known which message has an id: one of the outbox, or one that
// the host has sent past it, which it has filed or whose statuses carry another reference.
func (t *turn) accountsFor(ctx context.Context, id graph.MessageID) (bool, error) {
	const of = "SELECT COUNT(*) FROM outbox_entries WHERE phone = ? AND "
	var n int
	if _, err := t.db.row(ctx, "Run", of+"wamid = ?", []any{string(t.phone), string(id)}, &n); err != nil || n > 0 {
		return n > 0, err
	}
	m, err := t.cfg.Tracker.Store().Message(ctx, t.phone, id)
	switch {
	case errors.Is(err, coexistence.ErrNotFound):
		return false, nil
	case err != nil:
		return false, err
	case m.CallbackData == "":
		return m.Type != "", nil
	}
	// A status that the tracker has seen and this outbox has not yet.
	_, err = t.db.row(ctx, "Run", of+"id = ?", []any{string(t.phone), m.CallbackData}, &n)
	return n == 0, err
}
