package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/storage"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/inbox"
)

// A size says how much a trial of whole hosts has to do.
type size struct {
	messages      int // of customers, at least
	conversations int
	numbers       int // of businesses
	answers       int // one message in so many is answered
}

// newWholeTrial makes a place for whole hosts, a plan of so many messages, and the Meta that they
// call.
func newWholeTrial(
	ctx context.Context, out io.Writer, engineName string, seed uint64, z size, settings ...string,
) (*trial, error) {
	s, err := newSite(ctx, engineName, settings...)
	if err != nil {
		return nil, err
	}
	return wholeTrialAt(out, engineName, s, seed, z)
}

// wholeTrialAt makes a trial of whole hosts at a place, which the trial closes.
func wholeTrialAt(out io.Writer, engineName string, s *site, seed uint64, z size) (*trial, error) {
	p := plan{seed: seed, conversations: z.conversations, numbers: z.numbers}
	for n := 0; n < z.messages; p.deliveries++ {
		if !p.repeats(p.deliveries) {
			n += len(p.parcel(p.deliveries).messages)
		}
	}
	t, err := trialAt(out, engineName, s, seed, p.deliveries)
	if err != nil {
		return nil, err
	}
	t.gen = newGenerator(p, t.socket.addr())
	t.meta = newMeta(p, t.socket.addr(), t.gen.begin)
	t.order = order{
		Mode: modeWhole, Lease: time.Second, Unknown: 1200 * time.Millisecond, Throughput: 200, Answers: z.answers,
	}
	return t, nil
}

// prepareStorage makes the tables of a whole host, and that of the effects.
func (t *trial) prepareStorage(ctx context.Context) error {
	return t.inStorage(ctx, func(db *storage.DB) error {
		return createEffects(ctx, db.SQL(), engines[t.engine].dialect)
	})
}

// inStorage opens what the hosts store, and closes it again. With SQLite no host may run.
func (t *trial) inStorage(ctx context.Context, do func(*storage.DB) error) error {
	db, err := engines[t.engine].storage(ctx, t.site.place)
	if err != nil {
		return err
	}
	return errors.Join(do(db), db.Close())
}

// A wholeVerdict is what whole hosts have done with what they accepted. Besides what the verdicts
// hold against them, nothing may be unstored, and no answer without its statuses.
type wholeVerdict struct {
	answers verdict // what Meta was sent, which is never to be sent twice
	effects verdict // of the handlers, which run at least once
	faults  string  // of the tracker and the outbox, or ""
}

// String is for people.
func (w wholeVerdict) String() string {
	a := w.answers
	return fmt.Sprintf("%d answers: %d lost, %d doubled, %d overtaken, %d invented (%d neighbours had an order to "+
		"keep)\n  effects: %v", a.handled, a.missing, a.twice, a.disordered, a.invented, a.decided, w.effects)
}

func (w wholeVerdict) err() error {
	var errs []error
	if err := w.answers.err(); err != nil {
		errs = append(errs, fmt.Errorf("of the answers %w", err))
	}
	if err := w.effects.err(); err != nil {
		errs = append(errs, fmt.Errorf("of the effects %w", err))
	}
	if w.faults != "" {
		errs = append(errs, errors.New(w.faults))
	}
	return errors.Join(errs...)
}

// finishWhole lets all be sent, handled, answered and read, shuts the hosts down, and judges.
func (t *trial) finishWhole(ctx context.Context) (w wholeVerdict, reports []report, err error) {
	t.gen.allow(t.gen.plan.deliveries)
	if err := t.gen.reach(ctx, t.gen.plan.deliveries); err != nil {
		return w, nil, err
	}
	t.sending.Wait()
	children := t.running()
	if err := t.drainWhole(ctx, children[0]); err != nil {
		return w, nil, err
	}
	for _, p := range children {
		r, err := p.end(ctx)
		if err != nil {
			return w, nil, err
		}
		reports = append(reports, r)
	}
	w, err = t.judgeWhole(ctx)
	return w, reports, errors.Join(err, w.err())
}

// drainWhole waits until the hosts have nothing left to handle or to send, and Meta no status to
// deliver.
func (t *trial) drainWhole(ctx context.Context, p *process) error {
	return await(ctx, 50*time.Millisecond, "everything to be handled, answered and read",
		func(ctx context.Context) (string, bool, error) {
			r, err := p.ask(ctx, "stats")
			if err != nil {
				return "", false, err
			}
			_, open := t.meta.count()
			t.progressWhole(r)
			found := fmt.Sprintf("%d events to be handled, %d answers to be sent, %d whose statuses are under way; "+
				"the child said: %s", r.Left, r.Unsent, open, p.said())
			// A message that Meta took has its statuses noted after the host had its answer.
			return found, r.Left == 0 && r.Unsent == 0 && open == 0 && t.meta.complete(), nil
		})
}

// progressWhole shows how far it is, from time to time. r is zero if no host was asked.
func (t *trial) progressWhole(r report) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if time.Since(t.said) < 5*time.Second {
		return
	}
	t.said = time.Now()
	accepted, refused, broken := t.gen.counts()
	taken, open := t.meta.count()
	left := ""
	if r.Command != "" {
		left = fmt.Sprintf("; %d events to be handled, %d answers to be sent", r.Left, r.Unsent)
	}
	fmt.Fprintf(t.out, "  %4.0f s  %7d of %d deliveries accepted, %d refused, %d broken off, %d kills; %d answers at "+
		"Meta, %d of them waiting for statuses%s\n", time.Since(t.began).Seconds(), accepted,
		t.gen.plan.deliveries, refused, broken, t.kills, taken, open, left)
}

// judgeWhole opens what the hosts have stored, which no host has any more, and compares it with
// what was sent to them and what they sent.
func (t *trial) judgeWhole(ctx context.Context) (w wholeVerdict, err error) {
	err = t.inStorage(ctx, func(db *storage.DB) error {
		nothing := webhook.HandlerFunc(func(context.Context, webhook.Event) error { return nil })
		in, err := db.Inbox(nothing, inbox.Config{})
		if err != nil {
			return err
		}
		m, err := in.Metrics(ctx)
		if err != nil {
			return err
		}
		list, err := readEffects(ctx, db.SQL())
		if err != nil {
			return err
		}
		w.effects = judge(t.gen, list, true, 1)
		w.answers = judge(t.gen, t.meta.answers(), false, t.order.Answers)
		var faults []string
		if m.Dead > 0 || m.Depth() > 0 {
			faults = append(faults, fmt.Sprintf("%d events are left over, and %d are dead letters", m.Depth(), m.Dead))
		}
		unread, err := unread(ctx, db.SQL())
		if err != nil {
			return err
		}
		faults = append(faults, unread...)
		missing, err := t.unstored(ctx, db)
		if err != nil {
			return err
		}
		w.faults = strings.Join(append(faults, missing...), "; ")
		return nil
	})
	return w, err
}

// unread says which entries of the outbox are not sent, delivered and read, by their state and the
// reason of that.
func unread(ctx context.Context, db *sql.DB) (faults []string, err error) {
	rows, err := db.QueryContext(ctx, `SELECT state, reason, code, COUNT(*) FROM outbox_entries
		WHERE state <> 'sent' OR delivered_at = 0 OR read_at = 0 GROUP BY state, reason, code ORDER BY COUNT(*) DESC`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var state, reason string
		var code, n int
		if err := rows.Scan(&state, &reason, &code, &n); err != nil {
			return nil, err
		}
		faults = append(faults, fmt.Sprintf("%d answers are %s and not read (code %d): %s", n, state, code, reason))
	}
	return faults, rows.Err()
}

// unstored says what the tracker should have stored and has not: messages of either side with their
// words, and the conversations that they are in.
func (t *trial) unstored(ctx context.Context, db *storage.DB) (faults []string, err error) {
	stored := map[string]string{} // documents by message id
	rows, err := db.SQL().QueryContext(ctx, "SELECT id, doc FROM coexistence_messages")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var id, doc string
		if err := rows.Scan(&id, &doc); err != nil {
			return nil, err
		}
		stored[id] = doc
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	incoming, outgoing := 0, 0
	conversations := map[int]graph.PhoneNumberID{}
	for message, at := range t.gen.acked {
		if at == 0 {
			continue
		}
		if !strings.Contains(stored[wamid(message)], t.gen.plan.words(message)) {
			incoming++
		}
		conversations[t.gen.plan.conversation(message)] = phoneID(t.gen.plan.number(message))
	}
	for _, sent := range t.meta.Sent() {
		if !strings.Contains(stored[string(sent.ID)], sent.Text()) {
			outgoing++
		}
	}
	lost := 0
	for c, phone := range conversations {
		_, err := db.Store().Conversation(ctx, phone, graph.Identity{WAID: customer(c)}.Key())
		switch {
		case errors.Is(err, coexistence.ErrNotFound):
			lost++
		case err != nil:
			return nil, err
		}
	}
	for what, n := range map[string]int{
		"messages of customers": incoming, "answers": outgoing, "conversations": lost,
	} {
		if n > 0 {
			faults = append(faults, fmt.Sprintf("the tracker lacks %d %s", n, what))
		}
	}
	slices.Sort(faults)
	return faults, nil
}
