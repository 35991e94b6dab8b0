package outbox

import (
	"context"
	"crypto/rand"
	"sync"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence"
)

// A lease is a number that is reserved for this process. Every statement that begins a request
// checks in the database that the lease still holds, so that a process which was stopped for longer
// than its lease begins nothing more.
type lease struct {
	*Outbox

	phone  graph.PhoneNumberID
	holder string // a random name of this lease, not of the process
	client *cloudapi.Client
	ended  chan struct{} // gets one for each request that is over
}

// acquire takes the number, or prolongs the lease that has it, and reports whether it has it now.
func (l *lease) acquire(ctx context.Context) (bool, error) {
	n, err := l.db.exec(ctx, nil, "Run", `UPDATE outbox_numbers SET holder = ?, held_until = {now} + ?
		WHERE phone = ? AND (holder = ? AND held_until >= {now} OR held_until < {now})`,
		l.holder, l.cfg.LeaseDuration.Milliseconds(), string(l.phone), l.holder)
	return n == 1, err
}

// release gives the number up. If that fails, the lease ends by itself after Config.LeaseDuration.
func (l *lease) release(ctx context.Context) {
	_, err := l.db.exec(context.WithoutCancel(ctx), nil, "Run",
		"UPDATE outbox_numbers SET held_until = 0 WHERE phone = ? AND holder = ?", string(l.phone), l.holder)
	l.note(ctx, err)
}

// prolong prolongs the lease three times in its duration until ctx ends, the lease is lost or the
// database fails. After a shutdown it does so no more: two thirds of the lease are left at least,
// in which requests under way can end.
func (l *lease) prolong(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(l.cfg.LeaseDuration / 3):
		}
		if held, err := l.acquire(context.WithoutCancel(ctx)); err != nil || !held {
			return
		}
	}
}

// serve leases a number and sends what it has, until nothing is left, the lease is lost or ctx
// ends. It returns nil at once if another process has the number.
//
// Before it sends anything, whatever an earlier process left behind as sending becomes unknown: the
// lease proves that this process is gone or has stopped, and its requests may have been accepted.
func (o *Outbox) serve(ctx context.Context, phone graph.PhoneNumberID) error {
	l := &lease{
		Outbox: o, phone: phone, holder: rand.Text(), ended: make(chan struct{}, o.cfg.MaxConcurrentSends),
	}
	if held, err := l.acquire(ctx); err != nil || !held {
		return err
	}
	defer l.release(ctx)
	holding, stop := context.WithCancel(ctx) // ends with the lease
	var renewal sync.WaitGroup
	defer renewal.Wait()
	defer stop()
	renewal.Go(func() {
		defer stop()
		l.prolong(holding)
	})

	if _, err := o.db.exec(ctx, nil, "Run",
		"UPDATE outbox_entries SET state = 'unknown', next_at = {now} + ? WHERE phone = ? AND state = 'sending'",
		o.cfg.UnknownTimeout.Milliseconds(), string(phone)); err != nil {
		return err
	}
	if err := l.rename(ctx); err != nil {
		return err
	}
	s, err := o.cfg.Tracker.Store().Number(ctx, phone)
	if err == nil && (s.Stage == coexistence.StageOffboarded || s.Stage == coexistence.StageRemoved) {
		o.suspend(ctx, phone, min(suspension, 10*o.cfg.PollInterval)) // its entries wait until it is back
		return nil
	}
	if l.client, err = o.cfg.Tracker.Client(ctx, phone); err != nil {
		o.suspend(ctx, phone, suspension)
		return err
	}
	if err := l.sendAll(holding); err != nil {
		return err
	}
	return l.settle(holding)
}

// rename files entries under the conversation with a recipient who had none when they were put in,
// so that they keep their order with those that name it.
func (l *lease) rename(ctx context.Context) error {
	const found = ` FROM coexistence_aliases a
		WHERE a.phone = outbox_entries.phone AND a.alias = outbox_entries.person)`
	_, err := l.db.exec(ctx, nil, "Run", `UPDATE outbox_entries
		SET person = (SELECT 'conv_' || CAST(a.conversation AS text)`+found+`
		WHERE phone = ? AND state IN ('queued', 'unknown') AND EXISTS (SELECT 1`+found, string(l.phone))
	return err
}
