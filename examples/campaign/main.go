// Campaign sends a template to 5,000 customers through one coexistence number, and no customer
// gets it twice.
//
// The messages are in an outbox in a SQLite file. The worker that sends them is a process of its
// own, which is killed several times and started again. Meta is the simulator, over real HTTP: it
// fails requests in every known way and reports what it accepted by signed webhooks.
//
// The program needs no account and no network. In the end it looks into the simulator, and fails if
// a message is there twice or is missing.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/cloudapitest"
)

// options are the flags.
type options struct {
	messages int     // one for each customer
	rate     int     // messages a second
	faults   float64 // share of requests, from 0 to 1
	crashes  int
	seed     uint64
	db       string // path of the SQLite file
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	var err error
	if text := os.Getenv(workerEnv); text != "" {
		err = workerMain(ctx, text)
	} else {
		var o options
		flag.IntVar(&o.messages, "messages", 5000, "number of customers")
		flag.IntVar(&o.rate, "rate", 200,
			fmt.Sprintf("messages a second; Meta's limit is %d", cloudapi.CoexistenceRate))
		flag.Float64Var(&o.faults, "faults", 0.06, "share of requests that fail")
		flag.IntVar(&o.crashes, "crashes", 3, "how often the worker is killed")
		flag.Uint64Var(&o.seed, "seed", 1, "decides which requests fail, and how")
		flag.StringVar(&o.db, "db", "", "new SQLite `file`; if empty, a temporary one that is deleted in the end")
		flag.Parse()
		err = run(ctx, os.Stdout, o)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "campaign:", err)
		stop()
		os.Exit(1)
	}
}

// run plays the campaign, prints a report and proves it against the simulator: not against the
// outbox, whose books are what is to be proved.
func run(ctx context.Context, out *os.File, o options) error {
	if o.db == "" {
		dir, err := os.MkdirTemp("", "campaign")
		if err != nil {
			return err
		}
		defer func() { _ = os.RemoveAll(dir) }()
		o.db = filepath.Join(dir, "whatsapp.db")
	}
	introduce(out, o)
	s, err := newSupervisor(ctx, out, o)
	if err != nil {
		return err
	}
	defer s.world.Close()
	if err := s.run(ctx); err != nil {
		return err
	}
	s.report(out)
	return check(s.world.Graph().Sent(), o.messages)
}

// introduce says what is real and what is not. A coexistence number passes no more than 20 messages
// a second at Meta, whatever is sent with it; the simulator refuses more only at that rate.
func introduce(out io.Writer, o options) {
	fmt.Fprintf(out, "\n%s customers, one coexistence number\n\n", thousands(o.messages))
	if o.rate == cloudapi.CoexistenceRate {
		fmt.Fprintf(out, "  Such a number may pass %d messages a second, and the simulator refuses more.\n", o.rate)
	} else {
		fmt.Fprintf(out, "  Such a number may pass %d messages a second, which takes %d s. "+
			"To save time, the limiter allows %d here.\n  With -rate %[1]d it is the real thing.\n",
			cloudapi.CoexistenceRate, o.messages/cloudapi.CoexistenceRate, o.rate)
	}
	fmt.Fprintf(out, "  %.0f %% of the requests fail, and the worker that sends is killed %d times. Seed %d.\n\n",
		100*o.faults, o.crashes, o.seed)
}

// check fails unless Meta has the message of each customer, once, and nothing else. The callback
// data of a message is the id of its entry in the outbox: that is how a status finds its entry,
// too.
func check(sent []cloudapitest.SentMessage, customers int) error {
	copies := map[string]int{}
	for _, m := range sent {
		copies[m.CallbackData]++
	}
	twice, missing := 0, 0
	for i := range customers {
		switch n := copies[entryID(i)]; {
		case n == 0:
			missing++
		case n > 1:
			twice++
		}
	}
	if twice+missing > 0 || len(copies) != customers {
		return fmt.Errorf("of %d messages at Meta, %d customers got theirs twice, and %d none",
			len(sent), twice, missing)
	}
	return nil
}
