package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"sync"
	"sync/atomic"
	"text/tabwriter"
	"time"
)

// loadEach is how many deliveries one measurement has, and loadRounds how often it is taken; the
// best counts, because others use the machine as well.
const (
	loadEach   = 4000
	loadRounds = 2
)

// A measure is how fast deliveries were acknowledged: how many a second, and how long half of them
// and all but one in a hundred took.
type measure struct {
	rate     float64 // a second
	p50, p99 time.Duration
}

// measureLoad prints how fast deliveries are acknowledged over 1, 64 and 512 connections: by a host
// that reads and verifies, by one that keeps them in memory, and by one that keeps them in the
// engine, without and with handling them.
func measureLoad(ctx context.Context, out io.Writer, engine string, o options) error {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(
		table,
		"engine\tconnections\tbare /s\tp50\tp99\tin memory /s\tp50\tp99\tdurable /s\tp50\tp99\tand handled "+
			"/s\tp50\tp99\tdurable : bare\t",
	)
	for _, connections := range []int{1, 64, 512} {
		best := map[mode]measure{}
		modes := []mode{modeBare, modeMemory, modeKeep, modeHandle}
		for range loadRounds {
			for _, m := range modes {
				got, err := measureOnce(ctx, engine, order{Mode: m}, o.seed, connections, 1)
				if err != nil {
					return err
				}
				if got.rate > best[m].rate {
					best[m] = got
				}
			}
		}
		fmt.Fprintf(table, "%s\t%d\t", engine, connections)
		for _, m := range modes {
			b := best[m]
			fmt.Fprintf(
				table, "%.0f\t%v\t%v\t", b.rate, b.p50.Round(10*time.Microsecond), b.p99.Round(10*time.Microsecond),
			)
		}
		fmt.Fprintf(table, "%.2f\t\n", best[modeKeep].rate/best[modeBare].rate)
	}
	return table.Flush()
}

// measureScale prints how fast deliveries are acknowledged by 1, 2 and 4 processes that share a
// socket, and handle meanwhile. Of an engine whose store belongs to one process, each has a store
// of its own.
func measureScale(ctx context.Context, out io.Writer, engine string, o options) error {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(table, "engine\tprocesses\taccepted /s\tp50\tp99\t")
	for _, n := range []int{1, 2, 4} {
		m, err := measureOnce(ctx, engine, order{Mode: modeHandle}, o.seed, 64, n)
		if err != nil {
			return err
		}
		fmt.Fprintf(
			table, "%s\t%d\t%.0f\t%v\t%v\t\n", engine, n, m.rate, m.p50.Round(10*time.Microsecond),
			m.p99.Round(10*time.Microsecond),
		)
	}
	return table.Flush()
}

// measureOnce measures one mode with so many connections and processes. Requests are made before
// the clock runs.
func measureOnce(
	ctx context.Context, engine string, o order, seed uint64, connections, processes int,
) (measure, error) {
	sock, err := newSocket()
	if err != nil {
		return measure{}, err
	}
	defer sock.close()
	var s *site
	for i := range processes {
		if s == nil || !hasServer(engine) {
			if s, err = newSite(ctx, engine); err != nil {
				return measure{}, err
			}
			defer s.close()
		}
		o.Engine, o.Place = engine, s.place
		p, err := spawn(sock, o)
		if err != nil {
			return measure{}, err
		}
		defer p.kill()
		if err := p.ready(ctx); err != nil {
			return measure{}, fmt.Errorf("process %d: %w", i, err)
		}
	}
	p := plan{seed: seed, deliveries: loadEach, conversations: 1000}
	posts := make([][]byte, loadEach) // made before the clock runs
	for i := range posts {
		posts[i] = request(p.body(parcel{messages: []int{i * perDelivery}}))
	}
	return blast(sock.addr(), posts, connections)
}

// blast posts all of them over so many connections, each as soon as the one before is answered (a
// closed loop).
func blast(addr string, posts [][]byte, connections int) (measure, error) {
	var next atomic.Int64
	var all sync.WaitGroup
	times, errs := make([][]time.Duration, connections), make([]error, connections)
	begin := time.Now()
	for c := range connections {
		all.Go(func() {
			caller := caller{addr: addr, timeout: time.Minute}
			defer caller.close()
			for i := int(next.Add(1)) - 1; i < len(posts) && errs[c] == nil; i = int(next.Add(1)) - 1 {
				from := time.Now()
				status, err := caller.post(posts[i])
				if err == nil && status != 200 {
					err = fmt.Errorf("answered %d", status)
				}
				times[c], errs[c] = append(times[c], time.Since(from)), err
			}
		})
	}
	all.Wait()
	took := time.Since(begin)
	for _, err := range errs {
		if err != nil {
			return measure{}, err
		}
	}
	list := slices.Concat(times...)
	return measure{float64(len(posts)) / took.Seconds(), quantile(list, 0.5), quantile(list, 0.99)}, nil
}
