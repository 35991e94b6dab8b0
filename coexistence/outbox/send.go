package outbox

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence"
)

// callTime is how long a call may take, waiting for the limiter included; farewell how long it has
// when the process is to end.
const callTime, farewell = 30 * time.Second, 5 * time.Second

// sendAll sends until nothing is left that may go now. It looks at the number's stage now and then:
// a business may leave in the middle.
func (t *turn) sendAll(ctx context.Context) error {
	var calls sync.WaitGroup
	defer calls.Wait()
	slots := make(chan struct{}, t.cfg.MaxConcurrentSends)
	looked := time.Now()
	for ctx.Err() == nil {
		select {
		case slots <- struct{}{}:
		case <-ctx.Done():
			return nil
		}
		if time.Since(looked) > time.Second {
			looked = time.Now()
			s, err := t.cfg.Tracker.Store().Number(ctx, t.phone)
			if err != nil && !errors.Is(err, coexistence.ErrNotFound) {
				return err
			}
			if s.Stage == coexistence.StageOffboarded || s.Stage == coexistence.StageRemoved {
				return nil
			}
		}
		began := time.Now() // before the claim: a process that takes over begins to wait after it
		e, err := t.claim(ctx)
		switch {
		case err != nil:
			return err
		case e != nil:
			calls.Go(func() {
				t.send(ctx, *e, began)
				<-slots
				select {
				case t.ended <- struct{}{}:
				default:
				}
			})
			continue
		}
		<-slots
		if len(slots) == 0 {
			return nil
		}
		// The next message of a conversation waits for the one under way; and something may have
		// been put in.
		select {
		case <-ctx.Done():
		case <-t.ended:
		case <-time.After(t.cfg.PollInterval):
		}
	}
	return nil
}

// claim takes the next entry: answers before campaigns, and one at a time for a person, so that
// they arrive in order. It is nil if there is none, or if the number is not held any more.
func (t *turn) claim(ctx context.Context) (*Entry, error) {
	list, err := t.query(ctx, "Run", `UPDATE outbox_entries SET state = 'sending', tried_at = {now}, attempts = attempts + 1 WHERE state = 'queued' AND id = (
			SELECT e.id FROM outbox_entries e WHERE e.phone = ? AND e.state = 'queued' AND e.next_at <= {now}
				AND (e.until_at = 0 OR e.until_at > {now}) AND e.campaign NOT IN (SELECT id FROM outbox_campaigns WHERE paused = 1)
				AND NOT EXISTS (SELECT 1 FROM outbox_entries b WHERE b.phone = e.phone AND b.person = e.person
					AND (b.state = 'sending' OR b.state = 'queued' AND b.campaign = e.campaign AND b.seq < e.seq))
			ORDER BY e.rank, e.seq LIMIT 1)
		AND EXISTS (SELECT 1 FROM outbox_numbers n WHERE n.phone = ? AND n.holder = ? AND n.held_until > {now})
		RETURNING `+columns, string(t.phone), string(t.phone), t.holder)
	if err != nil || len(list) == 0 {
		return nil, err
	}
	return &list[0], nil
}

// send sends an entry and stores what is known of it. It is not cut off when the process is to end,
// only hurried.
func (t *turn) send(ctx context.Context, e Entry, began time.Time) {
	last := context.WithoutCancel(ctx)
	calling, cancel := context.WithDeadline(last, began.Add(min(callTime, t.cfg.UnknownTimeout)))
	defer cancel()
	defer context.AfterFunc(ctx, func() { time.AfterFunc(farewell, cancel) })()
	sent, err := t.client.Messages.Send(calling, e.PhoneNumberID, e.Payload)
	if err == nil {
		err = t.accepted(last, e, sent)
	} else {
		err = t.rejected(last, e, err)
	}
	if err != nil {
		// The entry stays as it is, and is in doubt for the process that serves the number next.
		t.cfg.Logger.ErrorContext(ctx, "outbox: what became of a message could not be stored; a status or Meta's history settles it",
			"phone", e.PhoneNumberID, "entry", e.ID, "err", err)
	}
	t.changed(e.PhoneNumberID)
}

// accepted files a message that Meta took, and then notes that it is sent. In this order, a process
// that dies in between leaves an entry in doubt, which a status settles; filing it again does no
// harm.
func (o *Outbox) accepted(ctx context.Context, e Entry, sent *cloudapi.SentMessage) error {
	if err := o.cfg.Tracker.RecordSent(ctx, e.PhoneNumberID, sent, e.Payload); err != nil {
		return err
	}
	_, err := o.db.exec(ctx, nil, "Run", `UPDATE outbox_entries SET state = 'sent', reason = '', code = 0, wamid = ?, sent_at = {now}
		WHERE id = ? AND state IN ('queued', 'sending', 'unknown')`, string(sent.ID), e.ID)
	return err
}

// rejected stores what an error means for an entry.
func (t *turn) rejected(ctx context.Context, e Entry, err error) error {
	state, reason, code := StateFailed, err.Error(), graph.Code(0) // an error that is not Meta's: the message itself is wrong
	var wait time.Duration
	if failure, ok := errors.AsType[*cloudapi.Error](err); ok {
		code = failure.Code
		if info, ok := graph.Lookup(failure.Code, failure.Subcode); ok && code != 0 {
			reason = info.Title
		}
		switch {
		case failure.Outcome == cloudapi.OutcomeUnknown:
			state, wait = StateUnknown, t.cfg.UnknownTimeout
		case failure.Outcome == cloudapi.OutcomeNotSent, errors.Is(err, graph.ErrThrottled), errors.Is(err, graph.ErrTemporary):
			state, wait = StateQueued, max(backoff(e.Attempts), failure.RetryAfter)
		case errors.Is(err, graph.ErrAuth), errors.Is(err, graph.ErrPermission), errors.Is(err, graph.ErrAccessLost),
			errors.Is(err, graph.ErrIntegrity), errors.Is(err, graph.ErrRegistration):
			state = StateQueued // every other message of the number would fail in the same way
			t.cfg.Logger.WarnContext(ctx, "outbox: a number cannot send, and rests", "phone", e.PhoneNumberID, "code", int(code), "reason", reason)
			t.lay(ctx, e.PhoneNumberID, rest)
			wait = rest
		}
	}
	_, err = t.db.exec(ctx, nil, "Run", `UPDATE outbox_entries SET state = ?, reason = ?, code = ?, next_at = {now} + ?,
		failed_at = CASE WHEN ? = 'failed' THEN {now} ELSE 0 END WHERE id = ? AND state = 'sending'`,
		string(state), reason, int64(code), wait.Milliseconds(), string(state), e.ID)
	return err
}

// backoff is the pause after the attempt-th failure, from 1.
func backoff(attempt int) time.Duration {
	return min(time.Second<<min(max(attempt-1, 0), 10), 5*time.Minute)
}
