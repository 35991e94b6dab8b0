//go:build unix

// Command million imports a long history the way a host does, and draws what it costs: a million
// past messages as signed POSTs over real HTTP, through the endpoint, the decoder and the tracker,
// into SQLite.
//
//	go run ./coexistence/sqlite/internal/million -o history.svg
//
// What to look for: the cost of a message is the same at the beginning and at the end, and memory
// stays where it is. Time on the clock suffers from whatever else the machine does; time on the
// processor does not, so both are drawn.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"time"
)

func main() {
	messages := flag.Int("messages", 1_000_000, "how many messages")
	chunk := flag.Int("chunk", 3000, "how many of them are in a POST")
	out := flag.String("o", "", "draw into this `file`, as SVG")
	keep := flag.String("db", "", "use this `file` for the database and keep it; otherwise a temporary one")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	fmt.Printf("%s %s/%s, %d processors\n", runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.NumCPU())
	fmt.Printf("%9s %9s %12s %12s %9s %9s %9s\n", "messages", "seconds", "messages/s", "µs CPU each", "heap MB",
		"RSS MB", "file MB")
	began := time.Now()
	samples, err := run(ctx, *messages, *chunk, *keep, func(s sample) {
		fmt.Printf("%9d %9.1f %12.0f %12.1f %9.1f %9.1f %9.1f\n",
			s.messages, time.Since(began).Seconds(), 1e6/s.wall, s.cpu, s.heap, s.rss, s.file)
	})
	if err == nil {
		fmt.Println(summary(samples))
		if *out != "" {
			err = os.WriteFile(*out, draw(samples), 0o600)
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "million:", err)
		os.Exit(1)
	}
}

// summary compares the last fifth of the samples with the first. What is near 1 does not depend on
// how much is stored.
func summary(samples []sample) string {
	// One sample at either end is too few: a checkpoint of the database falls into some of them.
	n := max(1, len(samples)/5)
	first, last := mean(samples[:n]), mean(samples[len(samples)-n:])
	return fmt.Sprintf("per message, the last fifth against the first: time %.2f, processor %.2f; heap %+.1f MB, RSS "+
		"%+.1f MB",
		last.wall/first.wall, last.cpu/first.cpu, last.heap-first.heap, last.rss-first.rss)
}

// mean is the mean of what samples measure, whatever stretch each covers.
func mean(samples []sample) sample {
	var m sample
	for _, s := range samples {
		m.wall, m.cpu, m.heap, m.rss = m.wall+s.wall, m.cpu+s.cpu, m.heap+s.heap, m.rss+s.rss
	}
	n := float64(len(samples))
	m.wall, m.cpu, m.heap, m.rss = m.wall/n, m.cpu/n, m.heap/n, m.rss/n
	return m
}
