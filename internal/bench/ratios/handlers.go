//go:build unix

package main

import (
	"fmt"
	"slices"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/bench/payload"
)

// handlers measures how many requests a second a server answers with each handler, which is what a host sees.
//
// It is measured as the bars were: the server on one thread of one core, the load on another core, over loopback and kept-alive
// connections, one request at a time on each, and so many of them that the server never waits. A server that waits pays for
// being woken, the same for every handler, which makes them look alike.
//
// A round measures every handler once. If the one that does least is more than a fifth below its best, something else was at
// work, and the round does not count. Of the others each handler's best does, as everywhere here. If even there a server did
// not have its core for itself, requests per second of processor time have to do, which on a saturated core are the same.
func handlers(r *report) error {
	if !r.wants("P14", "P15") {
		return nil
	}
	s, err := startServer()
	if err != nil {
		return err
	}
	defer s.stop()
	small := load{in: "text", conns: 16, window: 60 * time.Millisecond, rounds: 60}
	large := load{in: "history", conns: 2, window: 200 * time.Millisecond, rounds: 20}

	got, err := s.measure(r, small, "/empty", "/verify", "/ours", "/v1")
	if err != nil {
		return err
	}
	empty, verify, ours, v1 := got[0], got[1], got[2], got[3]
	r.atLeast("P14", "handler req/s, one text: ours / only read and verify", ours.rate/verify.rate, 0.8, 0.88)
	r.atLeast("P15", "handler req/s, one text: ours / read, verify, v1", ours.rate/v1.rate, 1.6, 1.9)
	r.info("     P14 by processor time", verify.cpu/ours.cpu)
	r.info("     P15 by processor time", v1.cpu/ours.cpu)
	r.info("     P15 of a decoder that takes no time", verify.rate/v1.rate)
	for _, line := range []struct {
		what string
		used usage
	}{{"nothing", empty}, {"read, verify", verify}, {"ours", ours}, {"read, verify, v1", v1}} {
		r.info(fmt.Sprintf("     handler, one text, %s: %.0f req/s; µs of processor", line.what, line.used.rate), line.used.cpu*1e6)
	}
	// A handler that leaves a megabyte unread makes net/http close the connection: here the first path is the cheapest that reads.
	if got, err = s.measure(r, large, "/verify", "/ours", "/v1"); err != nil {
		return err
	}
	verify, ours, v1 = got[0], got[1], got[2]
	r.atLeast("P15", "handler req/s, 1 MB history: ours / read, verify, v1", ours.rate/v1.rate, 4, 5)
	r.info("     handler req/s, 1 MB history: ours / only read and verify", ours.rate/verify.rate)
	r.info("     P15 by processor time", v1.cpu/ours.cpu)
	return nil
}

// A load is how requests are sent.
type load struct {
	in     string // which of bodies
	conns  int
	window time.Duration
	rounds int
}

var bodies = map[string]func() []byte{
	"text":    payload.Text,
	"history": func() []byte { return payload.History(3000, 40) },
}

// usage is what a handler did in a round: requests per second, and seconds of processor time for each.
type usage struct{ rate, cpu float64 }

// alone reports whether the server worked all the time, as it does under more load than it can bear unless it has to share its
// core.
func (u usage) alone() bool { return u.rate*u.cpu > 0.93 }

// measure loads the paths in turn, round by round, and returns the best that each did in the rounds that count. The
// first path is that of the handler that does least.
func (s *server) measure(r *report, l load, paths ...string) ([]usage, error) {
	rounds := make([][]usage, l.rounds)
	fastest := 0.0
	for i := range rounds {
		for _, path := range paths {
			used, err := s.load(l, path)
			if err != nil {
				return nil, err
			}
			rounds[i] = append(rounds[i], used)
		}
		fastest = max(fastest, rounds[i][0].rate)
	}
	all := best(slices.DeleteFunc(rounds, func(round []usage) bool { return round[0].rate < 0.8*fastest }))
	if slices.ContainsFunc(all, func(u usage) bool { return !u.alone() }) {
		r.note("something else was at work all the time: requests per second of processor time")
		for i := range all {
			all[i].rate = 1 / all[i].cpu
		}
	}
	return all, nil
}

// best returns the best that each handler did in the rounds.
func best(rounds [][]usage) []usage {
	best := slices.Clone(rounds[0])
	for _, round := range rounds[1:] {
		for i, used := range round {
			best[i].rate = max(best[i].rate, used.rate)
			best[i].cpu = min(best[i].cpu, used.cpu)
		}
	}
	return best
}

// load runs the load once and returns what the server did meanwhile.
func (s *server) load(l load, path string) (usage, error) {
	before, err := s.cpu()
	if err != nil {
		return usage{}, err
	}
	requests, rate, err := runClient(s.addr, path, l)
	if err != nil {
		return usage{}, err
	}
	after, err := s.cpu()
	return usage{rate, (after - before) / float64(requests)}, err
}
