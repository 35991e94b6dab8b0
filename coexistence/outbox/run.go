package outbox

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence"
)

// rest is how long a number sends nothing after it turned out that it cannot: its token does not
// work, or it is suspended.
const rest = time.Minute

// Start begins to send what is put in, in goroutines that end with [Outbox.Shutdown]. The end of
// ctx does not end them; its values reach the calls.
func (o *Outbox) Start(ctx context.Context) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.started {
		return errors.New("outbox: Start was called before, or after Shutdown")
	}
	o.started = true
	ctx, o.stop = context.WithCancel(context.WithoutCancel(ctx))
	o.running.Go(func() { o.run(ctx) })
	return nil
}

// Shutdown ends an outbox: nothing more is begun, and what is under way is waited for, which takes
// seconds. If ctx ends first, its error is returned; what is under way then counts as unknown for
// the process that goes on.
func (o *Outbox) Shutdown(ctx context.Context) error {
	o.mu.Lock()
	o.started = true // or never will be
	if o.stop != nil {
		o.stop()
	}
	o.mu.Unlock()
	ended := make(chan struct{})
	go func() {
		o.running.Wait()
		close(ended)
	}()
	select {
	case <-ended:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("outbox: messages were still being sent: %w", ctx.Err())
	}
}

// run sends until ctx ends.
func (o *Outbox) run(ctx context.Context) {
	var numbers sync.WaitGroup
	defer numbers.Wait()
	tidied := time.Time{}
	for ctx.Err() == nil {
		if time.Since(tidied) > time.Hour {
			tidied = time.Now()
			o.purge(ctx)
		}
		o.expire(ctx)
		for _, phone := range o.due(ctx) {
			numbers.Go(func() {
				if err := o.serve(ctx, phone); err != nil && ctx.Err() == nil {
					o.cfg.Logger.ErrorContext(ctx, "outbox: sending stopped, and begins again", "phone", phone, "err", err)
					o.lay(ctx, phone, 5*time.Second)
				}
			})
		}
		select {
		case <-ctx.Done():
		case <-o.wake:
		case <-time.After(o.cfg.PollInterval):
		}
	}
}

// due returns the numbers for which there is something to send or to find out, and which no process
// serves.
func (o *Outbox) due(ctx context.Context) (phones []graph.PhoneNumberID) {
	err := o.db.rows(ctx, "Run", `SELECT n.phone FROM outbox_numbers n WHERE n.held_until < {now} AND n.rests_until < {now} AND (
			EXISTS (SELECT 1 FROM outbox_entries e WHERE e.phone = n.phone AND e.state = 'sending')
			OR EXISTS (SELECT 1 FROM outbox_entries e WHERE e.phone = n.phone AND e.state = 'queued' AND e.next_at <= {now}
				AND e.campaign NOT IN (SELECT id FROM outbox_campaigns WHERE paused = 1))
			OR EXISTS (SELECT 1 FROM outbox_entries e WHERE e.phone = n.phone AND e.state = 'unknown' AND e.next_at <= {now}))`,
		nil, func(rows *sql.Rows) error {
			var phone graph.PhoneNumberID
			err := rows.Scan(&phone)
			phones = append(phones, phone)
			return err
		})
	o.note(ctx, err)
	return phones
}

// expire fails entries whose ExpiresAt is over.
func (o *Outbox) expire(ctx context.Context) {
	_, err := o.db.exec(ctx, nil, "Run", `UPDATE outbox_entries SET state = 'failed', reason = 'too late: Message.ExpiresAt is over', failed_at = {now}
		WHERE state = 'queued' AND until_at > 0 AND until_at < {now}`)
	o.note(ctx, err)
}

func (o *Outbox) purge(ctx context.Context) {
	_, err := o.db.exec(ctx, nil, "Run", "DELETE FROM outbox_entries WHERE state IN ('sent', 'failed') AND put_at < {now} - ?", o.cfg.Retention.Milliseconds())
	o.note(ctx, err)
}

// note logs an error that no caller of [Outbox.Start] can see. It is tried again.
func (o *Outbox) note(ctx context.Context, err error) {
	if err != nil && ctx.Err() == nil {
		o.cfg.Logger.ErrorContext(ctx, "outbox: the database does not answer", "err", err)
	}
}

// lay lets a number rest.
func (o *Outbox) lay(ctx context.Context, phone graph.PhoneNumberID, d time.Duration) {
	_, err := o.db.exec(context.WithoutCancel(ctx), nil, "Run", "UPDATE outbox_numbers SET rests_until = {now} + ? WHERE phone = ?", d.Milliseconds(), string(phone))
	o.note(ctx, err)
}

// A turn is a number in the hands of this process.
type turn struct {
	*Outbox

	phone  graph.PhoneNumberID
	holder string
	client *cloudapi.Client
	ended  chan struct{} // gets one for each request that is over
}

// hold takes a number, or prolongs that, and reports whether it is held.
func (t *turn) hold(ctx context.Context) (bool, error) {
	n, err := t.db.exec(ctx, nil, "Run", `UPDATE outbox_numbers SET holder = ?, held_until = {now} + ?
		WHERE phone = ? AND (holder = ? AND held_until >= {now} OR held_until < {now})`,
		t.holder, t.cfg.LeaseDuration.Milliseconds(), string(t.phone), t.holder)
	return n == 1, err
}

// serve sends what a number has, until nothing is left, the hold is lost or ctx ends.
func (o *Outbox) serve(ctx context.Context, phone graph.PhoneNumberID) error {
	t := &turn{Outbox: o, phone: phone, holder: rand.Text(), ended: make(chan struct{}, o.cfg.MaxConcurrentSends)}
	if held, err := t.hold(ctx); err != nil || !held {
		return err
	}
	last := context.WithoutCancel(ctx)
	defer func() { // or it ends by itself
		_, err := o.db.exec(last, nil, "Run", "UPDATE outbox_numbers SET held_until = 0 WHERE phone = ? AND holder = ?", string(phone), t.holder)
		o.note(ctx, err)
	}()
	holding, stop := context.WithCancel(ctx)
	var heart sync.WaitGroup
	defer heart.Wait()
	defer stop()
	heart.Go(func() {
		defer stop()
		for {
			select {
			case <-holding.Done():
				return
			case <-time.After(o.cfg.LeaseDuration / 3):
			}
			if held, err := t.hold(last); err != nil || !held {
				return
			}
		}
	})

	// What a process was sending when it died may have been accepted.
	if _, err := o.db.exec(ctx, nil, "Run", "UPDATE outbox_entries SET state = 'unknown', next_at = {now} + ? WHERE phone = ? AND state = 'sending'",
		o.cfg.UnknownTimeout.Milliseconds(), string(phone)); err != nil {
		return err
	}
	s, err := o.cfg.Tracker.Store().Number(ctx, phone)
	if err == nil && (s.Stage == coexistence.StageOffboarded || s.Stage == coexistence.StageRemoved) {
		o.lay(ctx, phone, min(rest, 10*o.cfg.PollInterval)) // its entries wait until it is back
		return nil
	}
	if t.client, err = o.cfg.Tracker.Client(ctx, phone); err != nil {
		o.lay(ctx, phone, rest)
		return err
	}
	if err := t.sendAll(holding); err != nil {
		return err
	}
	return t.settle(holding)
}
