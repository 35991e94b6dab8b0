package main

import (
	"context"
	"fmt"
	"io"
	"time"
)

// runOutbox kills whole hosts at random moments while they answer, a third of what they send meets
// a fault, and one status in four comes late, when Meta's history has to tell. Three hosts share a
// server; SQLite has one.
func runOutbox(ctx context.Context, out io.Writer, engine string, o options) error {
	z := size{messages: o.entries, conversations: max(20, o.entries/25), numbers: 6, answers: 1}
	t, err := newWholeTrial(ctx, out, engine, o.seed, z)
	if err != nil {
		return err
	}
	defer t.close()
	t.meta.misbehave(0.3, 2*time.Second)
	_, err = tortureWhole(ctx, t, max(1, o.entries/50))
	return err
}

// tortureWhole kills hosts, kills times in all, while they send: in their start, with calls under
// way, and with statuses to handle.
func tortureWhole(ctx context.Context, t *trial, kills int) (w wholeVerdict, err error) {
	n := 1
	if hasServer(t.engine) {
		n = 3
	}
	if err := t.start(ctx, n); err != nil {
		return w, err
	}
	share := t.gen.plan.deliveries / (kills + 1)
	for k := range kills {
		// There is always more to send than what the kill waits for.
		t.gen.allow((k + 3) * share)
		i := t.random.IntN(n)
		if t.random.IntN(6) > 0 { // else somewhere in its start, or soon after
			if err := t.taken(ctx, k*share+t.random.IntN(share+1)); err != nil {
				return w, err
			}
		}
		time.Sleep(time.Duration(t.random.IntN(100)) * time.Millisecond)
		t.running()[i].kill()
		t.mu.Lock()
		t.kills++
		t.mu.Unlock()
		if err := t.spawn(i); err != nil {
			return w, err
		}
	}
	w, _, err = t.finishWhole(ctx)
	if err != nil {
		return w, err
	}
	faults, carried := t.meta.faults()
	fmt.Fprintf(t.out, "%s: %d hosts, %d kills, %d calls failed on purpose and %d of them were carried out, %d "+
		"statuses came late, in %.0f s\n  %v\n", t.engine, n, t.kills, faults, carried, t.meta.delayed,
		time.Since(t.began).Seconds(), w)
	return w, nil
}

// taken waits until Meta has so many answers.
func (t *trial) taken(ctx context.Context, n int) error {
	return await(ctx, 5*time.Millisecond, fmt.Sprintf("%d answers at Meta", n),
		func(ctx context.Context) (string, bool, error) {
			taken, open := t.meta.count()
			t.progressWhole(report{})
			return fmt.Sprintf("%d answers, %d waiting for statuses", taken, open), taken >= n, ctx.Err()
		})
}
