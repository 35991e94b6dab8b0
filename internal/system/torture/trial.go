package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"path/filepath"
	"sync"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/inbox"
)

// A trial is a run of children under load, on one engine, that ends with a verdict.
type trial struct {
	out     io.Writer
	engine  string
	rounds  int   // how often a fault happens
	order   order // of the children; Engine and Place are filled in
	site    *site
	notes   string // the file into which handlers write that have no database
	socket  *socket
	meta    *meta // what whole hosts send to; nil in trials of the inbox
	gen     *generator
	random  *rand.Rand
	began   time.Time
	sending sync.WaitGroup

	mu       sync.Mutex
	children []*process
	kills    int       // of children, so far
	left     int       // events to be handled after all was sent
	watching opened    // where the trial looks at effects meanwhile; opened when it first does
	said     time.Time // when progress was shown
}

// senders is how many deliveries are on their way at once.
const senders = 32

// newTrial makes a place for the engine, and a plan of so many deliveries.
func newTrial(
	ctx context.Context, out io.Writer, engineName string, seed uint64, deliveries int, settings ...string,
) (*trial, error) {
	s, err := newSite(ctx, engineName, settings...)
	if err != nil {
		return nil, err
	}
	return trialAt(out, engineName, s, seed, deliveries)
}

// trialAt makes a trial at a place, which the trial closes.
func trialAt(out io.Writer, engineName string, s *site, seed uint64, deliveries int) (*trial, error) {
	sock, err := newSocket()
	if err != nil {
		s.close()
		return nil, err
	}
	p := plan{seed: seed, deliveries: deliveries, conversations: 200}
	return &trial{
		out: out, engine: engineName, site: s, socket: sock, gen: newGenerator(p, sock.addr()), random: p.random(6, 0),
		began: time.Now(),
		order: order{Mode: modeEffects, Lease: 4 * time.Second}, notes: filepath.Join(s.dir, "notes"),
	}, nil
}

// close ends everything and removes the files.
func (t *trial) close() {
	t.gen.stop()
	for _, p := range t.running() {
		p.kill()
	}
	t.socket.close()
	t.sending.Wait()
	if t.meta != nil {
		t.meta.close()
	}
	if t.watching.db != nil {
		_ = t.watching.close()
	}
	t.site.close()
}

// running returns the children.
func (t *trial) running() []*process {
	t.mu.Lock()
	defer t.mu.Unlock()
	return append([]*process(nil), t.children...)
}

// spawn starts the i-th child, or starts it again.
func (t *trial) spawn(i int) error {
	o := t.order
	o.Engine, o.Place, o.Notes = t.engine, t.site.place, t.notes
	if t.meta != nil {
		o.Meta, o.Token = t.meta.URL, t.meta.SystemToken().Reveal()
	}
	p, err := spawn(t.socket, o)
	if err != nil {
		return err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if i == len(t.children) {
		t.children = append(t.children, nil)
	}
	t.children[i] = p
	return nil
}

// start spawns n children, and begins to send once they serve.
func (t *trial) start(ctx context.Context, n int) error {
	if err := t.prepare(ctx); err != nil {
		return err
	}
	for i := range n {
		if err := t.spawn(i); err != nil {
			return err
		}
	}
	for _, p := range t.running() {
		if err := p.ready(ctx); err != nil {
			return err
		}
	}
	t.sending.Go(func() { t.gen.run(senders) })
	return nil
}

// prepare opens the store once and makes the tables, because several children at once would be in
// each other's way.
func (t *trial) prepare(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, waitTimeout, errNoChange)
	defer cancel()
	e := engines[t.engine]
	if t.meta != nil {
		return t.prepareStorage(ctx)
	}
	o, err := e.open(ctx, t.site.place)
	if err == nil && o.db != nil {
		err = createEffects(ctx, o.db, e.dialect)
	}
	if err != nil {
		return err
	}
	return o.close()
}

// watched returns a context that ends when a child ends that was not killed, so that a trial fails
// at once and not by waitTimeout.
func (t *trial) watched(ctx context.Context, p *process) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	go func() {
		select {
		case <-p.ended:
			cancel(fmt.Errorf("a child has ended by itself (%v): %s", p.cmd.ProcessState, p.said()))
		case <-ctx.Done():
		}
	}()
	return ctx, func() { cancel(nil) }
}

// progress shows how far it is, from time to time.
func (t *trial) progress() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if time.Since(t.said) < 5*time.Second {
		return
	}
	t.said = time.Now()
	left := ""
	if t.left > 0 {
		left = fmt.Sprintf(", %d events left", t.left)
	}
	accepted, refused, broken := t.gen.counts()
	fmt.Fprintf(t.out, "  %4.0f s  %7d of %d deliveries accepted, %d refused, %d broken off, %d kills%s\n",
		time.Since(t.began).Seconds(), accepted, t.gen.plan.deliveries, refused, broken, t.kills, left)
}

// finish lets all be sent and handled, shuts the children down, and judges. reports are the
// children's last ones.
func (t *trial) finish(ctx context.Context) (v verdict, reports []report, err error) {
	t.gen.allow(t.gen.plan.deliveries)
	if err := t.gen.reach(ctx, t.gen.plan.deliveries); err != nil {
		return v, nil, err
	}
	t.sending.Wait()
	children := t.running()
	if err := t.drain(ctx, children[0]); err != nil {
		return v, nil, err
	}
	for _, p := range children {
		r, err := p.end(ctx)
		if err != nil {
			return v, nil, err
		}
		reports = append(reports, r)
	}
	v, err = t.judge(ctx)
	return v, reports, err
}

// untilHandling waits until a child is in the midst of its events, or there are none. Much more is
// accepted in a moment than is handled, so a child that is killed by what is accepted alone may not
// have begun.
func (t *trial) untilHandling(ctx context.Context, p *process) error {
	return await(ctx, time.Millisecond, "a child to handle its first event",
		func(ctx context.Context) (string, bool, error) {
			r, err := p.ask(ctx, "stats")
			return fmt.Sprintf("%d events left to be handled", r.Left), r.Handled > 0 || r.Left == 0, err
		})
}

// drain waits until the store has nothing left to do, for any of the hosts.
func (t *trial) drain(ctx context.Context, p *process) error {
	return await(ctx, 20*time.Millisecond, "all events to be handled",
		func(ctx context.Context) (string, bool, error) {
			r, err := p.ask(ctx, "stats")
			if err != nil || r.Left == 0 {
				return "", true, err
			}
			t.mu.Lock()
			t.left = r.Left
			t.mu.Unlock()
			t.progress()
			return fmt.Sprintf("%d events left to be handled; the child said: %s", r.Left, p.said()), false, nil
		})
}

// judge reads the effects, and returns an error unless all is well.
func (t *trial) judge(ctx context.Context) (verdict, error) {
	v, err := t.verdict(ctx)
	return v, errors.Join(err, v.err())
}

// verdict opens the store, which no child has any more, and compares the effects with what was
// sent. Anything left in the store is an error: all was to be handled.
func (t *trial) verdict(ctx context.Context) (v verdict, err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, waitTimeout, errNoChange)
	defer cancel()
	o, err := engines[t.engine].open(ctx, t.site.place)
	if err != nil {
		return v, err
	}
	defer func() { err = errors.Join(err, o.close()) }()
	st, err := o.store.Stats(ctx)
	if err != nil {
		return v, err
	}
	list, err := t.effects(ctx, o)
	if err != nil {
		return v, err
	}
	v = judge(t.gen, list, o.db == nil, 1)
	if st.Dead > 0 || st.Depth() > 0 {
		reason := ""
		if letters, err := o.store.DeadLetters(ctx, inbox.Filter{}, 0, 1); err == nil && len(letters) > 0 {
			reason = ": " + letters[0].Reason
		}
		return v, fmt.Errorf("%d events are left over, and %d are dead letters%s", st.Depth(), st.Dead, reason)
	}
	return v, nil
}

// effects reads what the handlers left behind so far.
func (t *trial) effects(ctx context.Context, o opened) ([]effect, error) {
	if o.db == nil {
		return readNotes(t.notes)
	}
	return readEffects(ctx, o.db)
}

// torture kills children at random moments, kills times in all, while the plan is delivered: in
// their start, while they accept, and while they handle. With an engine that several processes may
// share, two run at once.
func torture(ctx context.Context, t *trial, kills int) (verdict, error) {
	n := 1
	if hasServer(t.engine) {
		n = 2
	}
	if err := t.start(ctx, n); err != nil {
		return verdict{}, err
	}
	share := t.gen.plan.deliveries / (kills + 1)
	for k := range kills {
		// There is always more to send than what the kill waits for.
		t.gen.allow((k + 3) * share)
		i := t.random.IntN(n)
		p := t.running()[i]
		if t.random.IntN(6) == 0 {
			// Somewhere in its start, or soon after.
			time.Sleep(time.Duration(t.random.IntN(150)) * time.Millisecond)
		} else {
			watched, done := t.watched(ctx, p)
			err := t.gen.reach(watched, k*share+t.random.IntN(share+1))
			if err == nil && t.random.IntN(2) == 0 {
				err = t.untilHandling(watched, p)
			}
			done()
			if err != nil {
				return verdict{}, err
			}
			time.Sleep(time.Duration(t.random.IntN(5000)) * time.Microsecond)
		}
		p.kill()
		t.mu.Lock()
		t.kills++
		t.mu.Unlock()
		if err := t.spawn(i); err != nil {
			return verdict{}, err
		}
		t.progress()
	}
	v, reports, err := t.finish(ctx)
	if err != nil {
		return v, err
	}
	accepted, refused, broken := t.gen.counts()
	var fenced int64
	for _, r := range reports {
		fenced += r.Fenced
	}
	fmt.Fprintf(t.out, "%s: %d kills, %d deliveries accepted in %.0f s; %d times there was no answer and %d "+
		"times it was not 200, %d of the last processes' events were fenced\n"+
		"  %v\n", t.engine, t.kills, accepted, time.Since(t.began).Seconds(), broken, refused, fenced, v)
	return v, nil
}
