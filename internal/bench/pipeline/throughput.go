//go:build unix

package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/bench/report"
)

// roundTimeout is how long a round may take.
const roundTimeout = 5 * time.Minute

// A throughput is what one closed loop measured.
type throughput struct {
	rate            float64 // texts handled a second
	process, server float64 // microseconds of processor a text
	disk            float64 // bytes a text, with indexes
}

// closedLoop posts n texts as fast as the host acknowledges them, and waits until all are handled.
func closedLoop(ctx context.Context, e engine, withTracker bool, n int) (t throughput, err error) {
	h, err := newHost(ctx, e, withTracker, n+warmUp)
	if err != nil {
		return t, err
	}
	defer func() { err = errors.Join(err, h.close(ctx)) }()
	if err := h.start(ctx, n); err != nil {
		return t, err
	}
	empty, err := h.size(ctx)
	if err != nil {
		return t, err
	}
	process, server := h.used(ctx)
	begin := time.Now()
	s := sender{addr: h.addr, make: func(n int) []byte { return text(tenantA, n) }}
	if _, err := s.run(ctx, n, conns); err != nil {
		return t, err
	}
	a := h.handled[tenantA]
	if err := a.wait(ctx, warmUp+n, roundTimeout); err != nil {
		return t, err
	}
	t.rate = float64(n) / a.last(n).Sub(begin).Seconds()
	process2, server2 := h.used(ctx)
	t.process = float64((process2 - process).Microseconds()) / float64(n)
	t.server = float64((server2 - server).Microseconds()) / float64(n)
	size, err := h.size(ctx)
	t.disk = (size - empty) / float64(n)
	return t, err
}

// commitTime is how long bare commits are counted.
const commitTime = 2 * time.Second

// bareCommits returns how many transactions of one row each the engine commits in a second, by the
// driver that the stores use: over 16 connections, with a row of the size of a text.
func bareCommits(ctx context.Context, e engine) (rate float64, err error) {
	const writers = 16
	opened, drop, err := e.fresh(ctx)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, drop()) }()
	pool := opened.SQL()
	if _, err := pool.ExecContext(ctx, "CREATE TABLE bare (id bigint PRIMARY KEY, body text NOT NULL)"); err != nil {
		return 0, err
	}
	body := strings.Repeat("Do you have rye bread? ", 20)
	insert := func(i int64) error { return insertRow(ctx, pool, i, body) }
	var next atomic.Int64
	errs := make([]error, writers)
	begin := time.Now()
	var all sync.WaitGroup
	for w := range writers {
		all.Go(func() {
			for errs[w] == nil && time.Since(begin) < commitTime {
				errs[w] = insert(next.Add(1))
			}
		})
	}
	all.Wait()
	return float64(next.Load()) / time.Since(begin).Seconds(), errors.Join(errs...)
}

// insertRow commits one row. $1 is a parameter in both engines.
func insertRow(ctx context.Context, db *sql.DB, id int64, body string) error {
	_, err := db.ExecContext(ctx, "INSERT INTO bare (id, body) VALUES ($1, $2)", id, body)
	return err
}

// measureThroughput measures E1 and E2: rounds of the inbox with and without the tracker, and of
// bare commits, taking turns.
func measureThroughput(ctx context.Context, r *report.Report, list []*capacity, o options) error {
	for _, e := range list {
		var with, without []throughput
		var ratios, ofCommits, commits []float64
		for round := range o.rounds {
			// Whichever comes first has an idle disk before it: they take turns at that, too.
			for _, tracker := range [][]bool{{false, true}, {true, false}}[round%2] {
				t, err := closedLoop(ctx, e.engine, tracker, o.texts)
				if err != nil {
					return fmt.Errorf("%s, closed loop: %w", e.name, err)
				}
				if tracker {
					with = append(with, t)
				} else {
					without = append(without, t)
				}
			}
			bare, err := bareCommits(ctx, e.engine)
			if err != nil {
				return fmt.Errorf("%s, bare commits: %w", e.name, err)
			}
			commits = append(commits, bare)
			ratios = append(ratios, with[round].rate/without[round].rate)
			ofCommits = append(ofCommits, with[round].rate/bare)
		}
		e.with, e.without, e.commits = medians(with), medians(without), report.Median(commits)
		bar, stretch := 0.65, 0.8
		if e.name == "PostgreSQL" {
			bar, stretch = 0.7, 0.85
		}
		r.AtLeast("E1", e.name+": handled with the tracker / without", report.Median(ratios), bar, stretch)
		printThroughput(r, "with the tracker", e.with)
		printThroughput(r, "without", e.without)
		if e.name == "PostgreSQL" {
			r.AtLeast("E2", e.name+": handled with the tracker / bare commits", report.Median(ofCommits), 0.5, 0.7)
		}
		r.Info("E2", e.name+": bare commits/s", e.commits)
	}
	return nil
}

// printThroughput prints what rounds have measured.
func printThroughput(r *report.Report, name string, t throughput) {
	r.Info("E1", name+", texts/s", t.rate)
	r.Info("E1", name+", µs of processor, process", t.process)
	if t.server > 0 {
		r.Info("E1", name+", µs of processor, server", t.server)
	}
	r.Info("E1", name+", bytes of disk", t.disk)
}

// medians has the median of each figure.
func medians(list []throughput) throughput {
	of := func(figure func(throughput) float64) float64 {
		values := make([]float64, len(list))
		for i, t := range list {
			values[i] = figure(t)
		}
		return report.Median(values)
	}
	return throughput{
		rate:    of(func(t throughput) float64 { return t.rate }),
		process: of(func(t throughput) float64 { return t.process }),
		server:  of(func(t throughput) float64 { return t.server }),
		disk:    of(func(t throughput) float64 { return t.disk }),
	}
}
