package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"time"
)

// A serverClock is the clock of a PostgreSQL server, as far as our stores see it: they find a
// clock_timestamp() of the trial in front of PostgreSQL's, through the search path. No clock of
// this machine moves, and the server's own timers stay right. Under libfaketime they do not:
// PostgreSQL 15 finds no deadlock there any more (tried on 2026-11-29).
type serverClock struct{ db *sql.DB }

// newServerClock makes a clock that is right. A host that is started at the trial's place from then
// on sees it.
func newServerClock(ctx context.Context, t *trial) (*serverClock, error) {
	db, err := sql.Open("pgx", t.site.place)
	if err != nil {
		return nil, err
	}
	for _, statement := range []string{
		"CREATE SCHEMA clock", "CREATE TABLE clock.wrong (by INTERVAL NOT NULL)",
		"INSERT INTO clock.wrong VALUES ('0')",
		`CREATE FUNCTION clock.clock_timestamp() RETURNS TIMESTAMPTZ VOLATILE LANGUAGE SQL AS
			'SELECT pg_catalog.clock_timestamp() + by FROM clock.wrong'`,
	} {
		if _, err := db.ExecContext(ctx, statement); err != nil {
			return nil, errors.Join(err, db.Close())
		}
	}
	t.site.place, err = withParameter(t.site.place, "search_path", "clock,pg_catalog")
	return &serverClock{db}, err
}

// set makes the clock wrong by so much.
func (c *serverClock) set(ctx context.Context, by time.Duration) error {
	_, err := c.db.ExecContext(ctx, "UPDATE clock.wrong SET by = make_interval(secs => $1)", by.Seconds())
	return err
}

func (c *serverClock) close() { _ = c.db.Close() }

// runClock plays the trial outbox under a server whose clock is right, an hour ahead and an hour
// behind, and then one in which it is set forward and back meanwhile. A signup that began before is
// finished in each of them.
func runClock(ctx context.Context, out io.Writer, engine string, o options) error {
	var errs []error
	for _, by := range []time.Duration{0, time.Hour, -time.Hour} {
		errs = append(errs, runWrongClock(ctx, out, engine, o, by))
	}
	errs = append(errs, underClock(ctx, out, engine, o, func(t *trial, c *serverClock) error {
		return jumpServerClock(ctx, t, c)
	}))
	return errors.Join(errs...)
}

// runWrongClock plays the trial outbox under a server whose clock is wrong all the time.
func runWrongClock(ctx context.Context, out io.Writer, engine string, o options, by time.Duration) error {
	return underClock(ctx, out, engine, o, func(t *trial, c *serverClock) error {
		if err := c.set(ctx, by); err != nil {
			return err
		}
		fmt.Fprintf(out, "%s: the server's clock is wrong by %v\n", engine, by)
		_, err := tortureWhole(ctx, t, max(1, o.entries/100))
		if err == nil {
			fmt.Fprintf(out, "  %v\n", t.lateness())
		}
		return err
	})
}

// underClock makes a trial with a clock that can be set, and has a signup go through it.
func underClock(
	ctx context.Context, out io.Writer, engine string, o options, run func(*trial, *serverClock) error,
) error {
	z := size{messages: o.entries, conversations: max(20, o.entries/25), numbers: 6, answers: 1}
	t, err := newWholeTrial(ctx, out, engine, o.seed, z)
	if err != nil {
		return err
	}
	defer t.close()
	t.meta.misbehave(0.3, 2*time.Second)
	c, err := newServerClock(ctx, t)
	if err != nil {
		return err
	}
	defer c.close()
	finish, err := t.beginSignup(ctx)
	if err != nil {
		return err
	}
	return errors.Join(run(t, c), finish())
}

// clockWait is how long each position of a jumping clock is watched.
const clockWait = 15 * time.Second

// jumpServerClock sets the clock forward and back while hosts have leases, pauses and calls under
// way, and says what waits for the clock to come there again. At the end it stands where it was
// latest, so that nothing waits any more.
func jumpServerClock(ctx context.Context, t *trial, c *serverClock) error {
	fmt.Fprintf(t.out, "%s: the server's clock jumps\n", t.engine)
	if err := t.start(ctx, 3); err != nil {
		return err
	}
	steps := []time.Duration{0, time.Hour, 0, -time.Hour, time.Hour}
	for k, by := range steps {
		if err := c.set(ctx, by); err != nil {
			return err
		}
		// Half of what is sent under a clock is on its way when the clock is set again.
		n := (2*k + 1) * t.gen.plan.deliveries / (2 * len(steps))
		t.gen.allow(n)
		began := time.Now()
		r, open, err := t.watch(ctx, n)
		if err != nil {
			return err
		}
		fmt.Fprintf(t.out, "  clock %+.0f h: %d deliveries accepted; %v later %d events wait to be handled, "+
			"%d answers to be sent and %d for their statuses\n",
			by.Hours(), n, time.Since(began).Round(time.Second), r.Left,
			r.Unsent, open)
		next := (k + 1) * t.gen.plan.deliveries / len(steps)
		t.gen.allow(next)
		if err := t.gen.reach(ctx, (n+next)/2); err != nil {
			return err
		}
	}
	w, _, err := t.finishWhole(ctx)
	if err == nil {
		fmt.Fprintf(t.out, "%s: the server's clock jumped %d times, in %.0f s\n  %v\n  %v\n", t.engine, len(steps)-1,
			time.Since(t.began).Seconds(), w, t.lateness())
	}
	return err
}

// watch waits for n deliveries to be accepted, and then for clockWait, or until nothing is left to
// do. It returns what is left.
func (t *trial) watch(ctx context.Context, n int) (r report, open int, err error) {
	if err := t.gen.reach(ctx, n); err != nil {
		return r, 0, err
	}
	for end := time.Now().Add(clockWait); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		if r, err = t.running()[0].ask(ctx, "stats"); err != nil {
			return r, 0, err
		}
		if _, open = t.meta.count(); r.Left == 0 && r.Unsent == 0 && open == 0 {
			break
		}
	}
	return r, open, nil
}

// A lateness is how long after its delivery was accepted a message was answered.
type lateness struct{ p50, p99, most time.Duration }

// String is for people.
func (l lateness) String() string {
	return fmt.Sprintf("answered %v (p50), %v (p99) and at most %v after it was accepted",
		l.p50.Round(time.Millisecond), l.p99.Round(time.Millisecond), l.most.Round(time.Millisecond))
}

// lateness measures that of all messages.
func (t *trial) lateness() lateness {
	t.meta.mu.Lock()
	defer t.meta.mu.Unlock()
	var list []time.Duration
	for message, at := range t.meta.answered {
		if acked := t.gen.acked[message]; acked > 0 {
			list = append(list, max(0, at-acked))
		}
	}
	return lateness{quantile(list, 0.5), quantile(list, 0.99), quantile(list, 1)}
}
