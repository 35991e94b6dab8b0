package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"time"
)

// soakSamples is how often a soak is looked at between its start and its end.
const soakSamples = 20

// soakBehind is how many seconds of messages a host may be behind at the end of a soak. More means
// that it does not keep up with the rate.
const soakBehind = 5

// runSoak plays a soak, and fails if the host does not keep up with the rate.
func runSoak(ctx context.Context, out io.Writer, engine string, o options) error {
	behind, err := soak(ctx, out, engine, o)
	if err == nil && behind > soakBehind*o.rate {
		err = fmt.Errorf("the host is %d messages behind: this machine does not sustain the rate; give a lower -rate",
			behind)
	}
	return err
}

// soak lets customers write to a whole host at a constant rate for a while. One message in five is
// answered, and each answer has three statuses. Nothing may be lost or doubled, and after the
// warm-up the host's memory, goroutines and connections may not grow beyond the bounds of growth.
// behind is how many messages were not handled when the time was over.
func soak(ctx context.Context, out io.Writer, engine string, o options) (behind int, err error) {
	t, err := newWholeTrial(ctx, out, engine, o.seed, size{
		messages: max(1, int(o.soak.Seconds()*float64(o.rate))), conversations: 2000, numbers: 20, answers: 5,
	})
	if err != nil {
		return 0, err
	}
	defer t.close()
	t.order.Lease, t.order.Unknown, t.order.Throughput = 0, 0, 0 // as hosts have them
	db, err := sql.Open("pgx", t.site.place)
	if err != nil {
		return 0, err
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	if err := t.start(ctx, 1); err != nil {
		return 0, err
	}
	fmt.Fprintf(out, "%s: %d texts a second for %v\n", engine, o.rate, o.soak)
	list, err := t.soak(ctx, db, o.soak)
	if err != nil {
		return 0, err
	}
	// How far the host is behind is what the last sample says, before the rest is drained.
	last := list[len(list)-1]
	accepted, refused, broken := t.gen.counts()
	w, _, err := t.finishWhole(ctx)
	if err != nil {
		return 0, err
	}
	fmt.Fprintf(out, "%s: %d deliveries accepted, %d refused, %d broken off; %v\n  %v\n", engine,
		accepted, refused, broken, t.lateness(), w)
	if w.effects.twice > 0 {
		err = fmt.Errorf("%d effects are there twice, and no host was killed", w.effects.twice)
	}
	behind = t.gen.plan.deliveries - accepted + last.left
	return behind, errors.Join(err, growth(list))
}

// soak sends the plan evenly over a time, takes samples meanwhile, and prints them as they come.
func (t *trial) soak(ctx context.Context, db *sql.DB, lasts time.Duration) (list []sample, err error) {
	printSampleHead(t.out)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for begin := time.Now(); len(list) <= soakSamples; {
		passed := min(time.Since(begin), lasts)
		t.gen.allow(int(float64(t.gen.plan.deliveries) * passed.Seconds() / lasts.Seconds()))
		if passed >= lasts/soakSamples*time.Duration(len(list)) {
			s, err := t.sample(ctx, db, passed)
			if err != nil {
				return nil, err
			}
			list = append(list, s)
			s.print(t.out)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
	printTables(t.out, list[0], list[len(list)-1])
	return list, nil
}
