package outbox

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/sqldb"
)

// suspension is how long a number sends nothing after it turned out that it cannot: its token does
// not work, or its business has left.
const suspension = time.Minute

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
// the process that continues.
func (o *Outbox) Shutdown(ctx context.Context) error {
	o.mu.Lock()
	o.started = true // even if it was not: no Start is to follow
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

// run is the loop of a process: every PollInterval, or when Notify is called, it starts to serve
// the numbers that have something to do and are leased to no process. A number is served by a
// goroutine of its own until it has nothing left, so that a slow number holds no other back. Once
// an hour it purges old entries.
func (o *Outbox) run(ctx context.Context) {
	var numbers sync.WaitGroup
	defer numbers.Wait()
	purged := time.Time{}
	for ctx.Err() == nil {
		if time.Since(purged) > time.Hour {
			purged = time.Now()
			o.purge(ctx)
		}
		o.expire(ctx)
		for _, phone := range o.due(ctx) {
			numbers.Go(func() {
				if err := o.serve(ctx, phone); err != nil && ctx.Err() == nil {
					o.cfg.Logger.ErrorContext(ctx, "outbox: sending stopped, and begins again",
						"phone", phone, "err", err)
					o.suspend(ctx, phone, 5*time.Second)
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

// due returns the numbers that are neither leased nor suspended and have something to do: a message
// to send, one in doubt to settle, or one that a process left behind in the middle of a request.
func (o *Outbox) due(ctx context.Context) (phones []graph.PhoneNumberID) {
	err := o.db.rows(ctx, "Run", `SELECT n.phone FROM outbox_numbers n
		WHERE n.held_until < {now} AND n.rests_until < {now} AND (
			EXISTS (SELECT 1 FROM outbox_entries e WHERE e.phone = n.phone AND e.state = 'sending')
			OR EXISTS (SELECT 1 FROM outbox_entries e
				WHERE e.phone = n.phone AND e.state = 'queued' AND e.next_at <= {now}
				AND e.campaign NOT IN (SELECT id FROM outbox_campaigns WHERE paused = 1))
			OR EXISTS (SELECT 1 FROM outbox_entries e
				WHERE e.phone = n.phone AND e.state = 'unknown' AND e.next_at <= {now}))`,
		nil, func(rows *sql.Rows) error {
			var phone graph.PhoneNumberID
			err := rows.Scan(&phone)
			phones = append(phones, phone)
			return err
		})
	o.note(ctx, err)
	return phones
}

// expire fails the queued entries whose ExpiresAt is over, by the clock of this process: the moment
// is a host's. One that is being sent, or is in doubt, may still arrive, so it is left alone.
func (o *Outbox) expire(ctx context.Context) {
	_, err := o.db.exec(sqldb.Unhurried(ctx), nil, "Run", `UPDATE outbox_entries
		SET state = 'failed', reason = 'too late: Message.ExpiresAt is over', failed_at = {now}
		WHERE state = 'queued' AND until_at > 0 AND until_at < ?`, time.Now().UnixMilli())
	o.note(ctx, err)
}

// purge deletes finished entries that are older than Config.Retention.
func (o *Outbox) purge(ctx context.Context) {
	_, err := o.db.exec(sqldb.Unhurried(ctx), nil, "Run",
		"DELETE FROM outbox_entries WHERE state IN ('sent', 'failed') AND put_at < {now} - ?",
		o.cfg.Retention.Milliseconds())
	o.note(ctx, err)
}

// note logs an error of the database that has no caller to return to. What failed is tried again
// with the next turn of the loop.
func (o *Outbox) note(ctx context.Context, err error) {
	if err != nil && ctx.Err() == nil {
		o.cfg.Logger.ErrorContext(ctx, "outbox: the database does not answer", "err", err)
	}
}

// suspend keeps a number from being served for d, by any process. Its entries wait.
func (o *Outbox) suspend(ctx context.Context, phone graph.PhoneNumberID, d time.Duration) {
	_, err := o.db.exec(context.WithoutCancel(ctx), nil, "Run",
		"UPDATE outbox_numbers SET rests_until = {now} + ? WHERE phone = ?", d.Milliseconds(), string(phone))
	o.note(ctx, err)
}
