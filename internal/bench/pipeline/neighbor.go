//go:build unix

package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/bench/report"
)

// neighborRate is how many texts a second the customers of tenant B write.
const neighborRate = 10

// measureNeighbor measures E4: how long tenant B's texts take while tenant A's number gets a flood
// of statuses, beside how long they take without it.
func measureNeighbor(ctx context.Context, r *report.Report, list []*capacity, o options) error {
	for _, e := range list {
		alone, beside, rate, err := neighbor(ctx, e.engine, o)
		if err != nil {
			return fmt.Errorf("%s, flood: %w", e.name, err)
		}
		e.alone, e.beside = alone, beside
		what := fmt.Sprintf("%s: p95 of B while A gets %d statuses / alone", e.name, o.statuses)
		r.AtMost("E4", what, beside/alone, 10, 3)
		r.Info("E4", "p95 of B alone, ms", alone)
		r.Info("E4", "p95 of B beside the flood, ms", beside)
		r.Info("E4", "statuses of A handled a second", rate)
	}
	return nil
}

// neighbor returns B's p95 without a flood and during one, which lasts until all of A's statuses
// are handled, and how many of those were handled in a second.
func neighbor(ctx context.Context, e engine, o options) (alone, beside, rate float64, err error) {
	const most = 20_000 // texts of B
	h, err := newHost(ctx, e, true, most)
	if err != nil {
		return 0, 0, 0, err
	}
	defer func() { err = errors.Join(err, h.close(ctx)) }()
	if err := h.inbox.Start(ctx); err != nil {
		return 0, 0, 0, err
	}
	b, texts := h.handled[tenantB], 0
	// p95 posts texts of B until flood is done, and returns how long they took.
	p95 := func(n int, flood context.Context) (float64, error) {
		first := texts
		s := sender{addr: h.addr, rate: neighborRate, make: func(n int) []byte { return text(tenantB, first+n) }}
		sent, err := s.run(flood, n, 4)
		if err != nil {
			return 0, err
		}
		texts += sent
		if err := b.wait(ctx, texts, roundTimeout); err != nil {
			return 0, err
		}
		var list []float64
		for i, due := range s.due[:sent] {
			list = append(list, float64(b.at[first+i].Load()-due.UnixNano())/float64(time.Millisecond))
		}
		if len(list) == 0 {
			return 0, errors.New("the flood was over before B had written")
		}
		return report.Quantile(list, 0.95), nil
	}
	if alone, err = p95(int(o.window.Seconds()*neighborRate), ctx); err != nil {
		return 0, 0, 0, err
	}
	flood, ended := context.WithCancel(ctx)
	defer ended()
	begin := time.Now()
	failed := make(chan error, 1)
	go func() {
		defer ended()
		s := sender{addr: h.addr, make: func(n int) []byte { return status(tenantA, n) }}
		_, err := s.run(ctx, o.statuses, conns)
		for err == nil && int(h.statuses.Load()) < o.statuses && time.Since(begin) < roundTimeout {
			time.Sleep(time.Millisecond)
		}
		rate = float64(h.statuses.Load()) / time.Since(begin).Seconds()
		failed <- err
	}()
	beside, err = p95(most-texts, flood)
	return alone, beside, rate, errors.Join(err, <-failed)
}
