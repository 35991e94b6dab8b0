package main

import (
	"context"
	"database/sql"
	"errors"
	"sync"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// sendersPerNumber is how many requests are under way for a number: 20 a second, each of which may take a while.
const sendersPerNumber = 8

// work sends what is in the outbox and keeps house, until ctx ends and everything that was begun is done.
func (a *app) work(ctx context.Context) (ended <-chan struct{}) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		var all sync.WaitGroup
		defer all.Wait()
		all.Go(func() { a.keepHouse(ctx) })
		for ctx.Err() == nil {
			changed := a.news.wait()
			for _, phone := range a.phonesWithWork(ctx) {
				all.Go(func() {
					if err := a.tend(ctx, phone); err != nil && ctx.Err() == nil {
						a.log.ErrorContext(ctx, "sending stopped, and begins again", "phone", phone, "err", err)
					}
				})
			}
			select {
			case <-ctx.Done():
			case <-time.After(500 * time.Millisecond):
			case <-changed:
				time.Sleep(20 * time.Millisecond) // what else is new comes along
			}
		}
	}()
	return done
}

// phonesWithWork are the numbers for which there is something to send or to find out, and which no living process holds.
func (a *app) phonesWithWork(ctx context.Context) (phones []graph.PhoneNumberID) {
	err := a.db.each(ctx, `SELECT DISTINCT o.phone FROM saas_outbox o JOIN saas_numbers n ON n.phone = o.phone
		LEFT JOIN saas_campaigns c ON c.id = o.campaign WHERE n.held_until < {now} AND (o.state = 'trying'
			OR o.state = 'queued' AND COALESCE(c.paused, 0) = 0 OR o.state = 'unknown' AND o.tried_at < {now} - $1)`,
		[]any{a.patience.Milliseconds()}, func(rows *sql.Rows) error {
			var phone graph.PhoneNumberID
			err := rows.Scan(&phone)
			phones = append(phones, phone)
			return err
		})
	if err != nil && ctx.Err() == nil {
		a.log.ErrorContext(ctx, "the outbox cannot be read", "err", err)
	}
	return phones
}

// hold takes a number for a while, or prolongs that. One process at a time sends for a number, so that one limiter counts its messages,
// and whoever takes over knows that what was being tried is in doubt.
func (a *app) hold(ctx context.Context, phone graph.PhoneNumberID, holder string) (bool, error) {
	n, err := a.db.exec(ctx, `UPDATE saas_numbers SET holder = $1, held_until = {now} + $2
		WHERE phone = $3 AND (holder = $1 AND held_until >= {now} OR held_until < {now})`, holder, a.lease.Milliseconds(), string(phone))
	return n == 1, err
}

// tend sends what is queued for a number until nothing is left, the hold is lost or ctx ends.
func (a *app) tend(ctx context.Context, phone graph.PhoneNumberID) error {
	holder := a.name + " " + newID()
	if ok, err := a.hold(ctx, phone, holder); err != nil || !ok {
		return err
	}
	last := context.WithoutCancel(ctx)
	defer func() {
		_, _ = a.db.exec(last, "UPDATE saas_numbers SET held_until = 0 WHERE phone = $1 AND holder = $2", string(phone), holder) // or it ends by itself
	}()
	ctx, stop := context.WithCancel(ctx)
	var all sync.WaitGroup
	defer all.Wait()
	defer stop()
	all.Go(func() {
		for ctx.Err() == nil {
			select {
			case <-ctx.Done():
			case <-time.After(a.lease / 3):
				if ok, err := a.hold(ctx, phone, holder); err != nil || !ok {
					stop()
				}
			}
		}
	})

	n, err := a.numberBy(ctx, "phone", string(phone))
	if err != nil {
		return err
	}
	client, err := a.calls(ctx, n)
	if err != nil {
		return err
	}
	// What somebody was trying when he died may have been accepted.
	if _, err := a.db.exec(ctx, "UPDATE saas_outbox SET state = 'unknown', tried_at = {now} WHERE phone = $1 AND state = 'trying'", string(phone)); err != nil {
		return err
	}
	var senders sync.WaitGroup
	var mu sync.Mutex
	var failed error
	for range sendersPerNumber {
		senders.Go(func() {
			if err := a.sendQueued(ctx, n, client, holder, &mu); err != nil {
				mu.Lock()
				defer mu.Unlock()
				failed = errors.Join(failed, err)
				stop()
			}
		})
	}
	senders.Wait()
	if failed != nil || ctx.Err() != nil {
		return failed
	}
	return a.settle(ctx, n, client)
}

func (a *app) sendQueued(ctx context.Context, n *number, client *cloudapi.Client, holder string, turn *sync.Mutex) error {
	for ctx.Err() == nil {
		s, err := a.state(ctx, n)
		if err != nil || !s.Stage.Live() {
			return err // a number that is suspended keeps its letters
		}
		l, err := a.claim(ctx, n.Phone, holder, turn)
		if err != nil || l == nil {
			return err
		}
		if err := a.send(ctx, client, l); err != nil {
			return err
		}
		a.news.tell()
	}
	return nil
}

// claim takes the next letter: replies before campaigns, and one at a time for a person, so that they arrive in order.
func (a *app) claim(ctx context.Context, phone graph.PhoneNumberID, holder string, turn *sync.Mutex) (*letter, error) {
	turn.Lock()
	defer turn.Unlock()
	l, err := readLetter(a.db.db.QueryRowContext(ctx, a.db.sql(`UPDATE saas_outbox SET state = 'trying', tried_at = {now} WHERE state = 'queued' AND id =
			(SELECT o.id FROM saas_outbox o LEFT JOIN saas_campaigns c ON c.id = o.campaign
				WHERE o.phone = $1 AND o.state = 'queued' AND COALESCE(c.paused, 0) = 0
					AND NOT EXISTS (SELECT 1 FROM saas_outbox t WHERE t.phone = o.phone AND t.person = o.person AND t.state = 'trying')
				ORDER BY CASE WHEN o.campaign = '' THEN 0 ELSE 1 END, o.created_at, o.id LIMIT 1)
			AND EXISTS (SELECT 1 FROM saas_numbers n WHERE n.phone = $1 AND n.holder = $2 AND n.held_until > {now})
		RETURNING `+letterColumns), string(phone), holder).Scan)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil //nolint:nilnil // nothing is left
	}
	return l, err
}

// send sends a letter and notes what is known of it. What has begun is not cut off by a shutdown.
func (a *app) send(ctx context.Context, client *cloudapi.Client, l *letter) error {
	calling, cancel := context.WithTimeout(context.WithoutCancel(ctx), min(a.patience, 30*time.Second))
	defer cancel()
	last := context.WithoutCancel(ctx)
	sent, err := client.Messages.Send(calling, l.Phone, l.message())
	if err == nil {
		return a.file(last, l, sent)
	}
	state, problem := "failed", err.Error() // the letter itself is wrong
	if e, ok := errors.AsType[*cloudapi.Error](err); ok {
		info, _ := graph.Lookup(e.Code, e.Subcode)
		problem = info.Title
		switch {
		case e.Outcome == cloudapi.OutcomeUnknown:
			state = "unknown"
		case e.Outcome == cloudapi.OutcomeNotSent, errors.Is(err, graph.ErrThrottled):
			state = "queued"
			defer pause(ctx, max(time.Second, min(e.RetryAfter, a.lease)))
		}
	}
	_, err = a.db.exec(last, "UPDATE saas_outbox SET state = $1, problem = $2, failed_at = CASE WHEN $1 = 'failed' THEN {now} ELSE 0 END WHERE id = $3 AND state = 'trying'",
		state, problem, l.ID)
	return err
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// settle decides about letters in doubt that no status has told of for long enough. If Meta's own history of the number holds a message
// that the outbox cannot account for, it is one of them, and its status is late: none is sent again yet.
func (a *app) settle(ctx context.Context, n *number, client *cloudapi.Client) error {
	var count, since int64
	err := a.db.one(ctx, "SELECT COUNT(*), COALESCE(MIN(tried_at), 0) FROM saas_outbox WHERE phone = $1 AND state = 'unknown' AND tried_at < {now} - $2",
		[]any{string(n.Phone), a.patience.Milliseconds()}, &count, &since)
	if err != nil || count == 0 {
		return err
	}
	from := moment(since).Add(-a.patience - time.Hour)
	for h, err := range client.Messages.History(ctx, n.Phone, cloudapi.MessageHistoryOptions{Limit: 100}) {
		if err != nil {
			return err
		}
		if len(h.Events) > 0 && h.Events[0].At.Before(from) {
			break // before the number sent any of them
		}
		var known int
		if err := a.db.one(ctx, "SELECT COUNT(*) FROM saas_outbox WHERE phone = $1 AND wamid = $2", []any{string(n.Phone), string(h.Message)}, &known); err != nil || known == 0 {
			pause(ctx, time.Second)
			return err
		}
	}
	_, err = a.db.exec(ctx, "UPDATE saas_outbox SET state = 'queued' WHERE phone = $1 AND state = 'unknown' AND tried_at <= {now} - $2", string(n.Phone), a.patience.Milliseconds())
	return err
}
