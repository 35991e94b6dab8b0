//go:build unix

package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/bench/report"
)

// A latency is what one open loop measured.
type latency struct {
	rate     float64 // texts a second that were due
	p50, p99 float64 // from when a text was due until it was handled, in milliseconds

	// backlog is how many texts were due a second or more before the end and still not handled
	// then.
	backlog int
}

// openLoop posts texts at a rate for a while. A text that cannot be posted when it is due, because
// all connections wait, is late from then on: a host that stalls is not measured less.
func openLoop(ctx context.Context, e engine, withTracker bool, rate float64, o options) (l latency, err error) {
	n := max(int(rate*o.window.Seconds()), 1)
	h, err := newHost(ctx, e, withTracker, n+warmUp)
	if err != nil {
		return l, err
	}
	defer func() { err = errors.Join(err, h.close(ctx)) }()
	if err := h.start(ctx, n); err != nil {
		return l, err
	}
	s := sender{addr: h.addr, rate: rate, make: func(n int) []byte { return text(tenantA, n) }}
	if _, err := s.run(ctx, n, conns); err != nil {
		return l, err
	}
	a, end := h.handled[tenantA], time.Now()
	for i, due := range s.due {
		if a.at[i].Load() == 0 && end.Sub(due) > time.Second {
			l.backlog++
		}
	}
	if err := a.wait(ctx, warmUp+n, roundTimeout); err != nil {
		return l, err
	}
	all := a.latencies(s.due)
	l.rate, l.p50, l.p99 = rate, report.Median(all), report.Quantile(all, 0.99)
	return l, nil
}

// measureLatency measures E3 at half of the rates that the closed loop has shown, and, for a page,
// the latency at other parts of them.
func measureLatency(ctx context.Context, r *report.Report, list []*capacity, o options) error {
	for _, e := range list {
		half := o.rate
		if half == 0 {
			half = e.with.rate / 2
		}
		var p99s []float64
		var backlog int
		var with, without latency
		for range o.rounds {
			var err error
			if without, err = openLoop(ctx, e.engine, false, half, o); err != nil {
				return fmt.Errorf("%s, open loop: %w", e.name, err)
			}
			if with, err = openLoop(ctx, e.engine, true, half, o); err != nil {
				return fmt.Errorf("%s, open loop: %w", e.name, err)
			}
			p99s = append(p99s, with.p99/without.p99)
			backlog += with.backlog
		}
		r.AtMost("E3", fmt.Sprintf("%s: backlog after %.0f texts/s", e.name, half), float64(backlog), 0, 0)
		r.AtMost("E3", e.name+": p99 with the tracker / without, same rate", report.Median(p99s), 2, 1.2)
		r.Info("E3", "with the tracker, p50 in ms, last round", with.p50)
		r.Info("E3", "with the tracker, p99 in ms, last round", with.p99)
		r.Info("E3", "without, p50 in ms, last round", without.p50)
		r.Info("E3", "without, p99 in ms, last round", without.p99)
		if o.page == "" {
			continue
		}
		for _, part := range []float64{0.1, 0.25, 0.5, 0.75, 0.9} {
			with, err := openLoop(ctx, e.engine, true, 2*half*part, o)
			if err != nil {
				return fmt.Errorf("%s, open loop: %w", e.name, err)
			}
			without, err := openLoop(ctx, e.engine, false, 2*half*part, o)
			if err != nil {
				return fmt.Errorf("%s, open loop: %w", e.name, err)
			}
			e.latencies = append(e.latencies, with)
			e.latenciesWithout = append(e.latenciesWithout, without)
		}
	}
	return nil
}
