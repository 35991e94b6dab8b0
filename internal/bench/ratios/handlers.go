//go:build unix

package main

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/bench/payload"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/bench/report"
)

// handlers measures how many requests a second a server answers with each handler, which is what a
// host sees.
//
// It is measured as the bars were: the server on one thread of one core, the load on another core,
// over loopback and kept-alive connections, one request at a time on each, and so many of them that
// the server never waits.
//
// How fast a shared machine is changes from one moment to the next by more than the handlers
// differ. They therefore take very short turns, a ratio is one of neighbors in time, and the median
// of all rounds counts.
func handlers(r *report.Report) error {
	if !r.Wants("P14", "P15") {
		return nil
	}
	s, err := startServer()
	if err != nil {
		return err
	}
	defer s.stop()
	small := load{in: "text", conns: 16, window: 20 * time.Millisecond, rounds: 250}
	large := load{in: "history", conns: 2, window: 50 * time.Millisecond, rounds: 60}

	got, err := measure(s.addr, small, "/empty", "/verify", "/ours", "/v1", "/ours/all")
	if err != nil {
		return err
	}
	r.AtLeast("P14", "handler req/s, one text: ours / only read and verify", got.ratio(2, 1), 0.8, 0.88)
	r.AtLeast("P15", "handler req/s, one text: ours / read, verify, v1", got.ratio(2, 3), 1.6, 1.9)
	r.Info("P15", "P15 of a decoder that takes no time", got.ratio(1, 3))
	for i, what := range []string{"nothing", "read, verify", "ours", "read, verify, v1", "ours without deduplication"} {
		r.Info("P14", "handler, one text, "+what+": µs", 1e6/got.rate(i))
	}
	// A handler that leaves a megabyte unread makes net/http close the connection: here the first
	// path is the cheapest that reads.
	if got, err = measure(s.addr, large, "/verify", "/ours/all", "/v1"); err != nil {
		return err
	}
	r.AtLeast("P15", "handler req/s, 1 MB history: ours / read, verify, v1", got.ratio(1, 2), 4, 5)
	r.Info("P15", "handler req/s, 1 MB history: ours / only read and verify", got.ratio(1, 0))
	return nil
}

// A load is how requests are sent.
type load struct {
	in     string // which of bodies
	conns  int
	window time.Duration // of one handler in a round
	rounds int
}

// bodies are made by the process that sends them: a flag would be too long.
var bodies = map[string]func() []byte{
	"text":    payload.Text,
	"history": func() []byte { return payload.History(3000, 40) },
}

// rounds are the requests per second of each handler, round by round.
type rounds [][]float64

// measure lets a process load the paths in turn.
func measure(addr string, l load, paths ...string) (rounds, error) {
	cmd, err := again(1, "-load", "-addr", addr, "-paths", strings.Join(paths, ","), "-in", l.in,
		"-conns", strconv.Itoa(l.conns), "-window", l.window.String(), "-rounds", strconv.Itoa(l.rounds))
	if err != nil {
		return nil, err
	}
	out, err := cmd.Output()
	if err != nil {
		return nil, err
	}
	var all rounds
	for line := range strings.Lines(string(out)) {
		var round []float64
		for word := range strings.FieldsSeq(line) {
			rate, err := strconv.ParseFloat(word, 64)
			if err != nil {
				return nil, err
			}
			round = append(round, rate)
		}
		all = append(all, round)
	}
	return all, nil
}

// ratio returns how many requests handler i answers while handler j answers one.
func (all rounds) ratio(i, j int) float64 {
	return all.median(func(round []float64) float64 { return round[i] / round[j] })
}

// rate returns how many requests a second handler i answers.
func (all rounds) rate(i int) float64 {
	return all.median(func(round []float64) float64 { return round[i] })
}

// median is the value in the middle of all rounds: one that another program disturbed does not
// count.
func (all rounds) median(of func(round []float64) float64) float64 {
	var values []float64
	for _, round := range all {
		values = append(values, of(round))
	}
	slices.Sort(values)
	return values[len(values)/2]
}
