//go:build unix

// Command pipeline measures what a host pays for a live text: HTTP, endpoint, inbox, tracker and
// one handler, against yardsticks of the same run. It prints each ratio beside its bar and its
// stretch goal, and exits with 1 if a bar is missed.
//
//	go run ./internal/bench/pipeline
//
// SQLite is always measured, PostgreSQL if COEXISTENCE_POSTGRES is the URL of a database whose role
// may create others: each round has a database of its own. 500 people write to one number over 64
// connections. What is compared takes turns, and the median ratio of the rounds counts: on a
// machine that others use, neighbors in time are disturbed alike. Processor time is steadier than
// rates.
//
// With -o docs/capacity.md it also fills in the table of that page, and draws its picture.
//
// What the screens of an inbox cost (E5) takes minutes to fill databases for, and is measured where
// it is asked for; without that, E5 is what they add to a chunk of history:
//
//	go run ./internal/bench/pipeline -only E5 -screens 1000000
//
// E6 (a page of dead letters) is measured by a benchmark of the inbox's stores.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"strings"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/bench/report"
)

// options are how much is measured.
type options struct {
	rounds, texts, statuses int
	window                  time.Duration // of an open loop
	rate                    float64       // of the open loop; 0 for half of the closed loop's
	page                    string        // file
	screens                 int           // messages; 0 for no screens
}

func main() {
	var o options
	only := flag.String("only", "", "measure only the lines whose number has this `prefix`, such as E1")
	engine := flag.String("engine", "", "measure only the engine of this `name`, such as SQLite")
	flag.IntVar(&o.rounds, "rounds", 5, "how many rounds")
	flag.IntVar(&o.texts, "texts", 20_000, "how many texts in a closed loop and in a backlog")
	flag.IntVar(&o.statuses, "statuses", 60_000, "how many statuses are a flood")
	flag.DurationVar(&o.window, "window", 10*time.Second, "how long an open loop lasts")
	flag.Float64Var(&o.rate, "rate", 0, "texts a second of the open loop; 0 for half of what the closed loop shows")
	flag.IntVar(&o.screens, "screens", 0,
		"measure the screens of an inbox, too (E5), at 10,000 messages and at so many, such as 1000000 or 3000000")
	flag.StringVar(&o.page, "o", "", "fill in the table of this `page` (Markdown) and draw the picture beside it")
	drained := flag.String("drain", "", "be the process that drains a backlog in this `engine`")
	tracker := flag.Bool("tracker", true, "drain with the tracker")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	list := engines(os.Getenv("COEXISTENCE_POSTGRES"))
	if *drained != "" {
		exit(printDrain(ctx, list, *drained, *tracker, o.texts))
	}
	if *engine != "" {
		if list = named(list, *engine); len(list) == 0 {
			exit(fmt.Errorf("there is no engine %q; PostgreSQL needs COEXISTENCE_POSTGRES", *engine))
		}
	}
	if o.page != "" && *only != "" {
		exit(errors.New("a page needs all that is measured: leave -only out"))
	}
	var capacities []*capacity
	for _, e := range list {
		capacities = append(capacities, &capacity{engine: e})
	}
	r := &report.Report{Out: os.Stdout, Only: *only}
	fmt.Printf("%s %s/%s, %d processors\n", runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.NumCPU())
	if err := measure(ctx, r, capacities, o); err != nil {
		exit(err)
	}
	if o.page != "" {
		if err := fillIn(o, capacities); err != nil {
			exit(err)
		}
	}
	if r.Missed > 0 {
		fmt.Printf("%d bars missed\n", r.Missed)
		os.Exit(1)
	}
}

// A capacity is what was measured of an engine, as far as it was wanted.
type capacity struct {
	engine

	with, without               throughput // with the tracker and without
	commits                     float64    // a second
	latencies, latenciesWithout []latency  // at growing rates, with the tracker and without
	drained                     [2]float64 // texts a second of a backlog, with 1 and 2 processors
	alone, beside               float64    // p95 of a number in ms, and beside the flood of another one
}

// measure measures all that is wanted. The open loop needs the rates of the closed one, unless it
// is told its own.
func measure(ctx context.Context, r *report.Report, list []*capacity, o options) error {
	for _, m := range []struct {
		wanted  bool
		measure func(context.Context, *report.Report, []*capacity, options) error
	}{
		{r.Wants("E1", "E2") || r.Wants("E3") && o.rate == 0, measureThroughput},
		{r.Wants("E3"), measureLatency},
		{r.Wants("E4"), measureNeighbor},
		{r.Wants("E5"), measureChunks},
		{r.Wants("E5") && o.screens > 0, measureScreens},
		{r.Wants("E7"), measureDrain},
	} {
		if !m.wanted {
			continue
		}
		if err := m.measure(ctx, r, list, o); err != nil {
			return err
		}
	}
	return nil
}

// named returns the engines of a name, in any case.
func named(list []engine, name string) []engine {
	for _, e := range list {
		if strings.EqualFold(e.name, name) {
			return []engine{e}
		}
	}
	return nil
}

// printDrain is what the process of drainElsewhere does.
func printDrain(ctx context.Context, list []engine, name string, withTracker bool, n int) error {
	list = named(list, name)
	if len(list) == 0 {
		return fmt.Errorf("there is no engine %q; PostgreSQL needs COEXISTENCE_POSTGRES", name)
	}
	rate, err := drain(ctx, list[0], withTracker, n)
	if err == nil {
		fmt.Println(rate)
	}
	return err
}

// exit ends the process, with what went wrong in it.
func exit(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "pipeline:", err)
		os.Exit(1)
	}
	os.Exit(0)
}
