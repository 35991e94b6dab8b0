// Torture does to the inbox, and to whole hosts, what can happen to a server, while Meta delivers:
// it kills the process at random moments, cuts the power, fills the disk, stops a worker past its
// lease, lets the clock jump, kills and restarts the database. Then it compares what was answered
// with 200 with what the handlers did: nothing may be lost, have its effect twice, come out of
// order in its conversation, or be invented.
//
//	go run ./internal/system/torture              each trial, small: some minutes
//	go run ./internal/system/torture -full        500 kills in 200,000 deliveries, 50 power cuts
//	go run ./internal/system/torture -engine sqlite -only kills -seed 7
//	go run ./internal/system/torture -only outbox -full       5,000 answers, 100 kills
//	go run ./internal/system/torture -only soak -full         20 minutes at -rate texts a second
//	go run ./internal/system/torture -load        no torture: how fast it is, as tables
//
// Hosts run in processes of their own with the endpoint, the inbox and handlers that write an
// effect for each event, in the transaction in which it is settled (inbox.InTx). All of them serve
// one socket, which they inherit. One delivery in five repeats an earlier one, half of those in
// other company; what is not answered with 200 is sent again, later and in another order.
//
// In the trials outbox, disk, clock and soak, hosts are whole: tracker, outbox and a handler that
// answers, beside a simulated Meta that brings the statuses of each answer. What it was sent is
// judged in the same way: no answer may be lost, doubled or overtaken by a later one to the same
// person; and what the tracker has stored is compared with all that was said. The soak has no
// faults: it fails if memory, goroutines or connections still grow after the warm-up.
//
// PostgreSQL is a server of our own, made by initdb in a folder that is removed afterwards; NATS is
// this program in another part. NATS has no transaction for effects, so its handlers note them in a
// file, and are judged by "at least once". Power cuts and the full disk need root, loop devices and
// mkfs.ext4. What is missing is left out, and said.
//
// # Where to read
//
// A trial (trial.go) has an engine at a site (engine.go, site.go), children that are hosts
// (process.go on this side, child.go on theirs), a generator that sends what a plan says
// (sender.go, plan.go), and ends with a verdict (verdict.go) about the effects of the handlers
// (effect.go). The scenarios are in trial.go (kills), cut.go and image.go (power cuts), fault.go,
// load.go and flood.go.
//
// A whole host is whole.go, the Meta beside it meta.go, and its trial and verdict whole_trial.go.
// The scenarios are in outbox.go, disk.go, clock.go with signup.go, and soak.go with sample.go.
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"time"
)

// options are the flags, whose usage says what they mean.
type options struct {
	full              bool
	load              bool
	engine            string // several, with commas
	only              string // a scenario, or ""
	seed              uint64
	kills, deliveries int // 0 for the default, as are the others
	cuts, messages    int
	entries, rate     int
	soak              time.Duration
}

func main() {
	playPart()
	var o options
	flag.BoolVar(&o.full, "full", false, "500 kills during 200,000 deliveries, and 50 power cuts, for each engine")
	flag.BoolVar(&o.load, "load", false, "only the trials load, scale and flood, which measure")
	flag.StringVar(&o.engine, "engine", "sqlite,postgres,nats", "which engines")
	flag.StringVar(&o.only, "only", "", "which trials, of: "+strings.Join(names(), ", ")+"; if empty, all")
	flag.Uint64Var(&o.seed, "seed", uint64(time.Now().UnixNano()), "decides what is sent and when what happens")
	flag.IntVar(&o.kills, "kills", 0, "how many kills; if 0, 20, or 500 with -full")
	flag.IntVar(&o.deliveries, "deliveries", 0, "how many deliveries; if 0, 5,000, or 200,000 with -full")
	flag.IntVar(&o.cuts, "cuts", 0, "how many power cuts; if 0, 6, or 50 with -full")
	flag.IntVar(
		&o.messages, "messages", 0, "how many messages of history in the flood; if 0, 100,000, or a million with -full",
	)
	flag.IntVar(&o.entries, "entries", 0, "how many answers in the trial outbox; if 0, 300, or 5,000 with -full")
	flag.IntVar(&o.rate, "rate", 150, "how many texts a second in the soak, statuses not counted")
	flag.DurationVar(&o.soak, "soak", 0, "how long the soak lasts; if 0, 30 seconds, or 20 minutes with -full")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Stdout, o)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "torture:", err)
		os.Exit(1)
	}
}

// playPart makes this process a host or a server, and ends it, if it was started for that.
func playPart() {
	switch {
	case os.Getenv(natsEnv) != "":
		os.Exit(natsMain())
	case os.Getenv(childEnv) != "":
		os.Exit(childMain())
	}
}

// A scenario is one of the things that can happen to a server, or one of the measurements.
type scenario struct {
	name     string
	measures bool     // runs with -load, and not without
	engines  []string // that can play it; nil if all can
	run      func(ctx context.Context, out io.Writer, engine string, o options) error
}

// wholeEngines are those in which a whole host keeps what it stores.
var wholeEngines = []string{"sqlite", "postgres"}

// scenarios are all of them, in their order.
var scenarios = []scenario{
	{"kills", false, nil, runKills},
	{"cuts", false, nil, runCuts},
	{"faults", false, nil, runFaults},
	{"outbox", false, wholeEngines, runOutbox},
	{"disk", false, wholeEngines, runDisk},
	{"clock", false, []string{"postgres"}, runClock},
	{"soak", false, []string{"postgres"}, runSoak},
	{"load", true, nil, measureLoad},
	{"scale", true, nil, measureScale},
	{"flood", true, nil, measureFlood},
}

// names are those of the scenarios.
func names() (list []string) {
	for _, s := range scenarios {
		list = append(list, s.name)
	}
	return list
}

// run plays the scenarios that the options name, with each engine. A scenario that this machine
// cannot play is left out, and says so; one that fails does not keep the others from being played.
func run(ctx context.Context, out io.Writer, o options) error {
	if o.full {
		o.kills, o.deliveries = cmp.Or(o.kills, 500), cmp.Or(o.deliveries, 200_000)
		o.cuts, o.messages = cmp.Or(o.cuts, 50), cmp.Or(o.messages, 1_000_000)
		o.entries, o.soak = cmp.Or(o.entries, 5000), cmp.Or(o.soak, 20*time.Minute)
	}
	o.kills, o.deliveries = cmp.Or(o.kills, 20), cmp.Or(o.deliveries, 5000)
	o.cuts, o.messages = cmp.Or(o.cuts, 6), cmp.Or(o.messages, 100_000)
	o.entries, o.soak = cmp.Or(o.entries, 300), cmp.Or(o.soak, 30*time.Second)
	if o.only != "" && !slices.Contains(names(), o.only) {
		return fmt.Errorf("there is no trial %q; there are: %s", o.only, strings.Join(names(), ", "))
	}
	fmt.Fprintf(out, "-seed %d\n", o.seed)
	var errs []error
	for _, s := range scenarios {
		if o.only != "" && o.only != s.name || o.only == "" && o.load != s.measures {
			continue
		}
		fmt.Fprintf(out, "\n%s\n", s.name)
		for name := range strings.SplitSeq(o.engine, ",") {
			if _, known := engines[name]; !known {
				return fmt.Errorf("there is no engine %q", name)
			}
			if s.engines != nil && !slices.Contains(s.engines, name) {
				continue
			}
			err := s.run(ctx, out, name, o)
			switch {
			case errors.Is(err, errMissing):
				fmt.Fprintf(out, "%s: left out: %v\n", name, err)
			case err != nil:
				fmt.Fprintf(out, "%s: FAILED: %v\n", name, err)
				errs = append(errs, fmt.Errorf("%s, %s: %w", s.name, name, err))
			}
		}
	}
	return errors.Join(errs...)
}

// runKills kills the host's processes while the plan is delivered.
func runKills(ctx context.Context, out io.Writer, engine string, o options) error {
	t, err := newTrial(ctx, out, engine, o.seed, o.deliveries)
	if err != nil {
		return err
	}
	defer t.close()
	_, err = torture(ctx, t, o.kills)
	return err
}

// runCuts cuts the power of an engine, and of its lazy twin, which has to lose something: otherwise
// the cuts prove nothing.
func runCuts(ctx context.Context, out io.Writer, engine string, o options) error {
	c, err := cutPower(ctx, out, engine, o.seed, o.cuts)
	if err != nil {
		return err
	}
	if c.lost > 0 || c.wrong != nil {
		return errors.Join(fmt.Errorf("power cuts took away %d messages that were accepted", c.lost), c.wrong)
	}
	lazy, err := cutPower(ctx, out, engine+"-lazy", o.seed, min(o.cuts, 15))
	if err != nil {
		return err
	}
	if lazy.lost == 0 {
		return errors.New("the engine with the lazy setting lost nothing, so these power cuts prove nothing")
	}
	return nil
}
