package inbox

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"strings"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/sqldb"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

// attempt hands an event to the handler, and returns what follows from that. settled says that the
// handler has settled the event already, in a transaction of its own (InTx): then out is what it
// settled, whatever the handler returned.
//
// An event of which the process has died too often is not handled again. Nor is one that this
// release decodes in a different way than the one that split its delivery: the handler would get a
// different event than the key says. It comes again, because that happens while a new release is
// rolled out.
//
// p is the event as it was prepared, with the context of its handlers; without an event, it was
// not.
func (in *Inbox) attempt(l *lease, rec Record, p webhook.Preparation, w *watch) (out Settlement, settled bool) {
	if rec.Abandoned >= maxAbandoned {
		out = deadly(rec)
		in.count(out.Disposition)
		in.cfg.Logger.ErrorContext(l.ctx, "an event was given up; it is among the dead letters",
			"key", rec.DedupKey, "phone", rec.PhoneNumberID, "err", out.Reason)
		return out, false
	}
	ev, err := p.Event, error(nil)
	if ev == nil {
		p.Context = l.ctx
		ev, err = in.decoded.take(rec)
	}
	if ev == nil || !rec.is(ev) {
		out = in.judge(l, Settlement{ID: rec.ID}, nil, errors.Join(errOtherwise, err), rec.Attempts+1)
		in.count(out.Disposition)
		in.logOutcome(l.ctx, in.cfg.Logger.With("key", rec.DedupKey, "phone", rec.PhoneNumberID), rec, out,
			errors.Join(errOtherwise, err))
		return out, false
	}
	attempt := rec.Attempts + 1
	begin := time.Now()
	ctx, cancel := context.WithTimeout(p.Context, in.cfg.HandlerTimeout)
	defer cancel()
	c := &current{store: in.store, token: l.token, rec: rec}
	ctx = context.WithValue(ctx, currentKey{}, c)
	in.counts.running.Add(1)
	w.begin()
	err = handleSafely(ctx, in.handler, ev)
	w.end()
	in.counts.running.Add(-1)
	out = in.judge(l, Settlement{ID: rec.ID}, ev, err, attempt)
	if c.settled {
		out = c.out
	}
	info := ev.Info()
	in.count(out.Disposition)
	in.logAttempt(ctx, c, info, out, err)
	in.cfg.Observe(ctx, Attempt{
		Field: info.Field, PhoneNumberID: info.PhoneNumberID, Backfill: rec.Backfill, Attempt: attempt,
		Disposition: out.Disposition, Err: err, Duration: time.Since(begin), Lag: time.Since(rec.ReceivedAt),
	})
	return out, c.settled
}

// logAttempt logs what the host cannot see otherwise: an event that failed or was given up, and a
// handler that fails after it has settled its event. Where a handler panicked is in the log alone.
func (in *Inbox) logAttempt(ctx context.Context, c *current, info webhook.EventInfo, out Settlement, err error) {
	if err == nil && out.Disposition == DispositionDone {
		return // as nearly always, and not worth a logger
	}
	log := in.cfg.Logger.With("key", c.rec.DedupKey).With(stack(err)...)
	if c.settled && err != nil {
		log.ErrorContext(ctx, "an event was settled within the handler, which failed afterwards; it does not "+
			"come again",
			"err", err)
	}
	in.logOutcome(ctx, log.With("field", info.Field, "phone", info.PhoneNumberID), c.rec, out, err)
}

// logOutcome logs that an event failed or was given up.
func (in *Inbox) logOutcome(ctx context.Context, log *slog.Logger, rec Record, out Settlement, err error) {
	log = log.With("attempt", rec.Attempts+1)
	switch out.Disposition {
	case DispositionDead:
		log.ErrorContext(ctx, "an event was given up; it is among the dead letters", "err", out.Reason)
	case DispositionRetry:
		log.WarnContext(ctx, "an event failed and will be tried again", "pause", out.RetryAfter, "err", err)
	case DispositionDone, DispositionRelease: // nothing failed
	}
}

// judge returns the outcome that follows from the handler's error. An attempt that was cut off, by
// a shutdown or because another process took over, does not count.
func (in *Inbox) judge(l *lease, out Settlement, ev webhook.Event, err error, attempt int) Settlement {
	bad, undecodable := ev.(*webhook.UndecodableEvent)
	switch {
	case webhook.IsPermanent(err):
		out.Disposition, out.Reason = DispositionDead, reason(err)
	case err != nil && l.ctx.Err() != nil:
		out.Disposition = DispositionRelease
	case err != nil && attempt >= in.cfg.MaxAttempts:
		out.Disposition, out.Reason = DispositionDead, fmt.Sprintf("failed %d times: %s", attempt, reason(err))
		if attempt == 1 {
			out.Reason = "failed once: " + reason(err)
		}
	case err != nil:
		out.Disposition, out.Reason, out.RetryAfter = DispositionRetry, reason(err), max(in.cfg.Backoff(attempt), 0)
	case undecodable:
		out = parked(out.ID, bad)
	}
	return out
}

// parked is the outcome of what a handler took well that this release cannot decode. It is kept
// with its bytes: a later release may understand it.
func parked(id ID, bad *webhook.UndecodableEvent) Settlement {
	return Settlement{
		ID: id, Disposition: DispositionDead,
		Reason: "parked, because this release cannot decode it; replay it with a later one: " + reason(bad.Err),
	}
}

// stack is where a handler panicked, for the log. The reason of a dead letter does not have it.
func stack(err error) []any {
	if p, ok := errors.AsType[*webhook.PanicError](err); ok {
		return []any{"stack", string(p.Stack)}
	}
	return nil
}

// reason is an error as it is stored: cut to 1,000 bytes, and valid UTF-8.
func reason(err error) string {
	const longest = 1000
	if err == nil {
		return ""
	}
	text := err.Error()
	if len(text) > longest {
		text = text[:longest] + "…"
	}
	return strings.ToValidUTF8(text, "\uFFFD")
}

// handleSafely turns a panic of the handler into an error.
func handleSafely(ctx context.Context, h webhook.Handler, ev webhook.Event) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = &webhook.PanicError{Type: fmt.Sprintf("%T", v), Stack: debug.Stack()}
		}
	}()
	return h.Handle(ctx, ev)
}

type currentKey struct{}

// A current is the event that a handler has, in the handler's context.
type current struct {
	store   Store
	token   LeaseToken
	rec     Record
	out     Settlement // what InTx settles it with
	settled bool
}

// An Info describes the delivery and the attempts of an event to its handler.
type Info struct {
	// Attempt counts the attempts to handle the event, from 1. Attempts that ended with the process
	// are not among them.
	Attempt int

	// ReceivedAt is when the event's delivery arrived.
	ReceivedAt time.Time

	// Backfill marks history and address books, which wait behind everything live.
	Backfill bool
}

// FromContext returns what the inbox knows about the event that a handler has. It reports false
// outside of an inbox.
func FromContext(ctx context.Context) (Info, bool) {
	c, ok := ctx.Value(currentKey{}).(*current)
	if !ok {
		return Info{}, false
	}
	return Info{Attempt: c.rec.Attempts + 1, ReceivedAt: c.rec.ReceivedAt, Backfill: c.rec.Backfill}, true
}

// InTx returns a Handler that passes an event on to h and settles it in one transaction of the
// store's database, which has to be a [TxSettler]: either the rows that h writes with [Tx] and the
// fact that the event is done are committed, or neither is. So the effects of each event are there
// exactly once, whatever crashes, and a process that lost the lease meanwhile commits nothing. An
// *[webhook.UndecodableEvent] is settled as a dead letter, which keeps its bytes.
//
//	webhook.On(&mux, func(ctx context.Context, m *webhook.IncomingMessage) error {
//		tx, _ := inbox.Tx(ctx)
//		_, err := tx.ExecContext(ctx, "INSERT INTO tickets …", m.ID)
//		return err
//	})
//	in, err := inbox.New(store, inbox.InTx(&mux), inbox.Config{})
//
// [New] refuses InTx over another store; within another handler, every event fails with one.
//
// h must not commit or roll back, nor use the inbox; an InTx within h fails. With
// [webhook.MultiHandler], InTx comes last: once it has committed, the event does not come again,
// even if a handler behind it fails. With SQLite, nothing else is written as long as h runs: be
// brief.
//
// If h is a [webhook.Preparer], so is what InTx returns. What it prepares is not part of the
// transaction.
func InTx(h webhook.Handler) webhook.Handler {
	if p, ok := h.(webhook.Preparer); ok {
		return txPreparer{txHandler{h}, p}
	}
	return txHandler{h}
}

// Tx returns the transaction in which the event is settled that a handler within [InTx] has.
// Outside of InTx there is none.
func Tx(ctx context.Context) (*sql.Tx, bool) { return sqldb.TxOf(ctx) }

var (
	errNoTx = errors.New(
		"inbox: InTx needs a store in a SQL database; open the inbox with package coexistence/sqlite or " +
			"coexistence/postgres, or with sqliteinbox or pginbox",
	)
	errTxTwice = errors.New("inbox: InTx within InTx; one around all handlers is enough")
)

// A txHandler is what InTx returns. New looks for it, so as to refuse it over a store without
// transactions.
type txHandler struct{ h webhook.Handler }

// A txPreparer is a txHandler around a preparer.
type txPreparer struct {
	txHandler
	preparer webhook.Preparer
}

// Prepare implements [webhook.Preparer].
func (t txPreparer) Prepare(ctx context.Context, batch []webhook.Preparation) {
	t.preparer.Prepare(ctx, batch)
}

// Handle implements [webhook.Handler].
func (t txHandler) Handle(ctx context.Context, ev webhook.Event) error {
	c, ok := ctx.Value(currentKey{}).(*current)
	if !ok {
		return errors.New("inbox: InTx was called outside of an inbox; give its handler to New or Open")
	}
	store, ok := c.store.(TxSettler)
	if !ok {
		return errNoTx
	}
	if _, within := Tx(ctx); within {
		return errTxTwice
	}
	out := Settlement{ID: c.rec.ID}
	if bad, ok := ev.(*webhook.UndecodableEvent); ok {
		out = parked(c.rec.ID, bad)
	}
	err := store.Transact(ctx, func(tx *sql.Tx) error {
		if err := t.h.Handle(sqldb.WithTx(ctx, tx), ev); err != nil {
			return err
		}
		return store.SettleTx(ctx, tx, c.token, []Settlement{out})
	})
	if err != nil {
		return err
	}
	c.out, c.settled = out, true
	return nil
}
