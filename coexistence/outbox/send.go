package outbox

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence"
)

const (
	// callTimeout is how long a call may take, waiting for the limiter included.
	callTimeout = 30 * time.Second

	// shutdownGrace is how long a call that is under way may still take once the process is to end.
	shutdownGrace = 5 * time.Second
)

// sendAll sends until nothing is left that may go now, MaxConcurrentSends requests at once, and
// waits for all of them before it returns. Once a second it looks at the number's stage: a business
// may leave in the middle.
func (l *lease) sendAll(ctx context.Context) error {
	var calls sync.WaitGroup
	defer calls.Wait()
	slots := make(chan struct{}, l.cfg.MaxConcurrentSends)
	looked := time.Now()
	for ctx.Err() == nil {
		select {
		case slots <- struct{}{}:
		case <-ctx.Done():
			return nil
		}
		if time.Since(looked) > time.Second {
			looked = time.Now()
			if left, err := l.businessLeft(ctx); err != nil || left {
				return err
			}
		}
		began := time.Now() // before the claim: a process that takes over begins to wait after it
		e, err := l.claim(ctx)
		if err != nil {
			return err
		}
		if e != nil {
			calls.Go(func() {
				l.send(ctx, *e, began)
				<-slots
				select {
				case l.ended <- struct{}{}:
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
		case <-l.ended:
		case <-time.After(l.cfg.PollInterval):
		}
	}
	return nil
}

// businessLeft reports whether the business has disconnected the number. A number that the tracker
// does not know yet has not.
func (l *lease) businessLeft(ctx context.Context) (bool, error) {
	s, err := l.cfg.Tracker.Store().Number(ctx, l.phone)
	if err != nil && !errors.Is(err, coexistence.ErrNotFound) {
		return false, err
	}
	return s.Stage == coexistence.StageOffboarded || s.Stage == coexistence.StageRemoved, nil
}

// claim takes the next entry and counts an attempt, or returns nil if there is none, or if the
// lease is lost. Answers go before campaigns. An entry whose conversation has one under way, or an
// older one of the same campaign waiting, has to wait, so that a person reads messages in order. So
// has an answer behind one whose outcome is unknown, which may go out again; campaigns are not held
// up by that, nor hold up answers. An entry that is held keeps none behind it from being tried: a
// template may go, and what may not is held as well.
//
// It is one statement: what it finds and what it takes cannot be changed by another process
// between.
func (l *lease) claim(ctx context.Context) (*Entry, error) {
	list, err := l.query(ctx, "Run", `UPDATE outbox_entries
		SET state = 'sending', held = 0, tried_at = {now}, attempts = attempts + 1
		WHERE state = 'queued' AND id = (
			SELECT e.id FROM outbox_entries e WHERE e.phone = ? AND e.state = 'queued' AND e.next_at <= {now}
				AND (e.until_at = 0 OR e.until_at > ?)
				AND e.campaign NOT IN (SELECT id FROM outbox_campaigns WHERE paused = 1)
				AND NOT EXISTS (SELECT 1 FROM outbox_entries b WHERE b.phone = e.phone AND b.person = e.person
					AND (b.state = 'sending' OR b.seq < e.seq AND (b.state = 'queued' AND b.held = 0 AND b.campaign = e.campaign
						OR b.state = 'unknown' AND b.campaign = '' AND e.campaign = '')))
			ORDER BY e.rank, e.seq LIMIT 1)
		AND EXISTS (SELECT 1 FROM outbox_numbers n WHERE n.phone = ? AND n.holder = ? AND n.held_until > {now})
		RETURNING `+columns, string(l.phone), time.Now().UnixMilli(), string(l.phone), l.holder)
	if err != nil || len(list) == 0 {
		return nil, err
	}
	return &list[0], nil
}

// send sends an entry and stores what is known of it. The end of ctx does not cut it off, it only
// leaves it shutdownGrace: an answer that comes settles the entry, which would be in doubt without.
//
// The call ends UnknownTimeout after the claim at the latest. A process that takes over waits that
// long before it asks Meta's history, so no request can arrive after the history was read.
func (l *lease) send(ctx context.Context, e Entry, began time.Time) {
	last := context.WithoutCancel(ctx)
	calling, cancel := context.WithDeadline(last, began.Add(min(callTimeout, l.cfg.UnknownTimeout)))
	defer cancel()
	defer context.AfterFunc(ctx, func() { time.AfterFunc(shutdownGrace, cancel) })()
	may, err := l.cfg.Tracker.MaySend(calling, e.PhoneNumberID, e.ConversationID, e.Payload)
	var sent *cloudapi.SentMessage
	switch {
	case err != nil:
		err = l.requeue(last, e, "it could not be read who has the conversation", backoff(e.Attempts), false)
		if err != nil {
			l.note(ctx, err)
		}
		l.changed(e.PhoneNumberID)
		return
	case slices.Contains(holdReasons, may.Reason):
		wait := holdTime
		if !may.Until.IsZero() {
			wait = max(min(wait, time.Until(may.Until)), time.Second)
		}
		l.note(ctx, l.requeue(last, e, may.Reason.Text(), wait, true))
		l.changed(e.PhoneNumberID)
		return
	case may.Reason == coexistence.AnswerStopped:
		l.note(ctx, l.fail(last, e, may.Reason.Text()))
		l.changed(e.PhoneNumberID)
		return
	}
	sent, err = l.cfg.Send(calling, l.client, e.PhoneNumberID, e.Payload)
	if err == nil {
		err = l.accepted(last, e, sent)
	} else {
		err = l.rejected(last, e, err)
	}
	if err != nil {
		// The entry stays as it is, and is in doubt for the process that serves the number next.
		l.cfg.Logger.ErrorContext(ctx,
			"outbox: what became of a message could not be stored; a status or Meta's history settles it",
			"phone", e.PhoneNumberID, "entry", e.ID, "err", err)
	}
	l.changed(e.PhoneNumberID)
}

// accepted files a message that Meta took into its conversation, and then marks the entry as sent.
// In this order, a process that dies in between leaves an entry in doubt, which a status settles;
// to file the message a second time changes nothing.
func (o *Outbox) accepted(ctx context.Context, e Entry, sent *cloudapi.SentMessage) error {
	if err := o.cfg.Tracker.RecordSent(ctx, e.PhoneNumberID, sent, e.Payload); err != nil {
		return err
	}
	_, err := o.db.exec(ctx, nil, "Run", `UPDATE outbox_entries
		SET state = 'sent', reason = '', code = 0, wamid = ?, sent_at = {now}
		WHERE id = ? AND (state IN ('queued', 'sending', 'unknown') OR state = 'failed' AND reason = 'canceled')`,
		string(sent.ID), e.ID)
	return err
}

// rejected stores what an error means for an entry:
//
//   - unknown outcome: in doubt, for a status or Meta's history to settle;
//   - never sent, throttled, or a failure of Meta's servers: again, after a pause that grows;
//   - another responder has the conversation: held, until it is ours;
//   - the customer stopped marketing messages: it fails, and so will those that follow;
//   - token, permission or registration: the number is suspended, because all its messages would
//     fail in the same way, and the entry waits with them;
//   - all else is about this message, which fails.
func (l *lease) rejected(ctx context.Context, e Entry, err error) error {
	// An error that is no *cloudapi.Error is about the message: it does not encode, or breaks a
	// rule.
	state, reason, code := StateFailed, err.Error(), graph.Code(0)
	var wait time.Duration
	if failure, ok := errors.AsType[*cloudapi.Error](err); ok {
		code = failure.Code
		if info, ok := graph.Lookup(failure.Code, failure.Subcode); ok && code != 0 {
			reason = info.Title
		}
		switch {
		case failure.Outcome == cloudapi.OutcomeUnknown:
			state, wait = StateUnknown, l.cfg.UnknownTimeout
		case failure.Outcome == cloudapi.OutcomeNotSent,
			errors.Is(err, graph.ErrThrottled), errors.Is(err, graph.ErrTemporary):
			state, wait = StateQueued, max(backoff(e.Attempts), failure.RetryAfter)
		case errors.Is(err, graph.ErrNotOwner):
			l.note(ctx, l.cfg.Tracker.RecordRefused(ctx, e.PhoneNumberID, e.Payload, err))
			return l.requeue(ctx, e, reason, holdTime, true)
		case errors.Is(err, graph.ErrOptedOut):
			l.note(ctx, l.cfg.Tracker.RecordRefused(ctx, e.PhoneNumberID, e.Payload, err))
		case errors.Is(err, graph.ErrAuth), errors.Is(err, graph.ErrPermission), errors.Is(err, graph.ErrAccessLost),
			errors.Is(err, graph.ErrIntegrity), errors.Is(err, graph.ErrRegistration):
			state, wait = StateQueued, suspension
			l.cfg.Logger.WarnContext(ctx, "outbox: a number cannot send and is suspended",
				"phone", e.PhoneNumberID, "code", int(code), "reason", reason)
			l.suspend(ctx, e.PhoneNumberID, suspension)
		}
	}
	_, err = l.db.exec(ctx, nil, "Run", `UPDATE outbox_entries SET state = ?, reason = ?, code = ?, next_at = {now} + ?,
		failed_at = CASE WHEN ? = 'failed' THEN {now} ELSE 0 END WHERE id = ? AND state = 'sending'`,
		string(state), reason, int64(code), wait.Milliseconds(), string(state), e.ID)
	return err
}

// holdReasons are why an entry is held without being tried: the conversation is another
// responder's or no one's, or a program wrote to one that a person is at.
var holdReasons = []coexistence.AnswerReason{
	coexistence.AnswerOtherResponder, coexistence.AnswerIdle, coexistence.AnswerPaused,
	coexistence.AnswerPersonActive,
}

// holdTime is how long an entry is held at most until it is looked at again. What ends a hold
// mostly arrives as an event, which lets it go at once: see [Outbox.Handle]. Looking again after
// this time makes up for an event that was lost, and for [coexistence.Tracker.Resume], which is
// none.
const holdTime = 5 * time.Minute

// requeue puts an entry that was claimed back for a while. One that is held was not tried.
func (l *lease) requeue(ctx context.Context, e Entry, reason string, wait time.Duration, held bool) error {
	hold := 0
	if held {
		hold = 1
	}
	_, err := l.db.exec(ctx, nil, "Run", `UPDATE outbox_entries SET state = 'queued', reason = ?, code = 0,
		next_at = {now} + ?, held = ?, attempts = attempts - ? WHERE id = ? AND state = 'sending'`,
		reason, wait.Milliseconds(), hold, hold, e.ID)
	return err
}

// fail fails an entry that was claimed and not tried.
func (l *lease) fail(ctx context.Context, e Entry, reason string) error {
	_, err := l.db.exec(ctx, nil, "Run", `UPDATE outbox_entries SET state = 'failed', reason = ?, code = 0,
		failed_at = {now}, attempts = attempts - 1 WHERE id = ? AND state = 'sending'`, reason, e.ID)
	return err
}

// letGo lets the entries of a conversation go that were held.
func (o *Outbox) letGo(ctx context.Context, phone graph.PhoneNumberID, customer graph.Identity) error {
	var held int
	_, err := o.db.row(ctx, "Handle", "SELECT COUNT(*) FROM outbox_entries WHERE phone = ? AND held = 1",
		[]any{string(phone)}, &held)
	if err != nil || held == 0 {
		return err // there are many messages, and rarely is anything held
	}
	keys := coexistence.Aliases(customer)
	c, err := o.cfg.Tracker.Store().Contact(ctx, phone, customer)
	switch {
	case err == nil:
		keys = append(keys, c.Aliases...)
	case !errors.Is(err, coexistence.ErrNotFound):
		return err
	}
	// An entry is filed under the conversation if there was one, and otherwise under the
	// recipient's key.
	for _, key := range keys {
		f := Filter{PhoneNumberID: phone, ConversationID: key}
		if err := o.resolve(ctx, &f); err != nil {
			return err
		}
		keys = append(keys, f.ConversationID)
	}
	freed := 0
	for _, key := range keys {
		n, err := o.db.exec(ctx, nil, "Handle", `UPDATE outbox_entries SET held = 0, next_at = 0
			WHERE phone = ? AND state = 'queued' AND held = 1 AND person IN (?, ?)`, string(phone), key, "+"+key)
		if err != nil {
			return err
		}
		freed += n
	}
	if freed > 0 {
		o.Notify()
	}
	return nil
}

// backoff is the pause after the attempt-th failure, counted from 1: 1 s, doubled each time, up to
// five minutes.
func backoff(attempt int) time.Duration {
	return min(time.Second<<min(max(attempt-1, 0), 10), 5*time.Minute)
}
