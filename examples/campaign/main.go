// Campaign sends a template to 5,000 customers through one coexistence number, and no customer gets it twice.
//
// Meta is the fake Graph API of this repository, over real HTTP: it enforces the throughput of the number, fails requests in
// every way that is known, and reports what it accepted by signed webhooks. The messages are in an outbox on disk; the worker
// that sends them is a process of its own, which is killed in the middle of its work and started again.
//
// It needs no account and no network. In the end it looks into the fake, and fails if a message is there twice or not at all.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
)

// options are the flags.
type options struct {
	messages int
	rate     int
	faults   float64
	crashes  int
	seed     uint64
	outbox   string
}

func main() {
	if os.Getenv(workerEnv) != "" {
		os.Exit(workerMain())
	}
	var o options
	flag.IntVar(&o.messages, "messages", 5000, "how many customers there are")
	flag.IntVar(&o.rate, "rate", 500, fmt.Sprintf("messages a second that both sides count; Meta's real limit is %d", cloudapi.CoexistenceRate))
	flag.Float64Var(&o.faults, "faults", 0.06, "share of requests that fail")
	flag.IntVar(&o.crashes, "crashes", 3, "how often the worker is killed")
	flag.Uint64Var(&o.seed, "seed", 1, "decides which requests fail, and how")
	flag.StringVar(&o.outbox, "outbox", "", "folder of the outbox; if empty, a temporary one that is deleted in the end")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Stdout, o); err != nil {
		fmt.Fprintln(os.Stderr, "campaign:", err)
		stop()
		os.Exit(1)
	}
}

// run plays the campaign and prints what became of it.
func run(ctx context.Context, out *os.File, o options) error {
	if o.outbox == "" {
		dir, err := os.MkdirTemp("", "campaign")
		if err != nil {
			return err
		}
		defer func() { _ = os.RemoveAll(dir) }()
		o.outbox = dir
	}
	// The webhook endpoint and the workers write into the same outbox, each to a file of its own.
	box, err := openOutbox(o.outbox, "webhooks", o.messages)
	if err != nil {
		return err
	}
	defer box.close()
	m, err := startMeta(o, box)
	if err != nil {
		return err
	}
	defer m.close()

	introduce(out, o)
	s := &supervisor{meta: m, box: box, options: o, progress: newProgress(out, o.messages)}
	err = s.run(ctx)
	s.progress.done()
	if err != nil {
		return err
	}
	m.settle()
	if err := box.refresh(); err != nil {
		return err
	}
	report(out, s)
	return check(m, o)
}

// introduce says what is real and what is not.
func introduce(out *os.File, o options) {
	fmt.Fprintf(out, "\n%s customers, one coexistence number\n\n", thousands(o.messages))
	if o.rate == cloudapi.CoexistenceRate {
		fmt.Fprintf(out, "  Such a number may pass %d messages a second.\n", o.rate)
	} else {
		fmt.Fprintf(out, "  Such a number may pass %d messages a second, which takes %d s. To be shorter, both sides count %d a second\n"+
			"  here; everything else is as it would be. Run it with -rate %[1]d for the real thing.\n",
			cloudapi.CoexistenceRate, o.messages/cloudapi.CoexistenceRate, o.rate)
	}
	fmt.Fprintf(out, "  %.0f %% of the requests fail, and the worker that sends is killed %d times. Seed %d.\n\n", 100*o.faults, o.crashes, o.seed)
}

// check looks into the fake: each customer's message is there once.
func check(m *meta, o options) error {
	copies := map[string]int{}
	for _, sent := range m.srv.Sent() {
		copies[sent.CallbackData]++
	}
	twice, missing := 0, 0
	for i := range o.messages {
		switch n := copies[callbackData(i)]; {
		case n == 0:
			missing++
		case n > 1:
			twice++
		}
	}
	if twice+missing > 0 || len(copies) != o.messages {
		return fmt.Errorf("%d customers got the message twice, %d not at all", twice, missing)
	}
	return nil
}
