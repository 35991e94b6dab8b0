// Quickstart tells the whole story of one business whose WhatsApp Business app number goes through
// coexistence: may it take part, Embedded Signup, the one-time syncs, messages from three sides, a
// changed phone, the goodbye.
//
// It needs no account and no network. host.go is what a SaaS writes; the other side, Meta and the
// phone, is the simulator coexistencetest. The two talk over real HTTP on this machine, with real
// signatures.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/eligibility"
)

func main() {
	seed := flag.Uint64("seed", 1, "decides everything that is left to chance")
	messages := flag.Int("messages", 5000, "how many past messages the phone holds")
	named := flag.String("policy", "",
		`the rules to check numbers by: empty for the documented ones, a date or "today" for Meta's`)
	flag.Parse()
	policy, err := eligibility.ParsePolicy(*named)
	if err != nil {
		fmt.Fprintln(os.Stderr, "quickstart:", err)
		os.Exit(2)
	}

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	if err := run(ctx, os.Stdout, *seed, *messages, policy); err != nil {
		fmt.Fprintln(os.Stderr, "quickstart:", err)
		os.Exit(1)
	}
}

// run tells the story in chapters; each uses what the ones before have left. A chapter that finds
// the host in a different state than it should be ends the program with an error.
func run(
	ctx context.Context, out *os.File, seed uint64, messages int, policy func(time.Time) eligibility.Policy,
) error {
	s, err := newStory(ctx, out, seed, messages, policy)
	if err != nil {
		return err
	}
	defer s.close()
	for i, chapter := range []struct {
		title string
		tell  func(context.Context) error
	}{
		{"May this number take part?", s.eligibility},
		{"Embedded Signup", s.signup},
		{"Contacts and history, once", s.sync},
		{"Messages from three sides", s.live},
		{"A new phone", s.changePhone},
		{"The goodbye", s.goodbye},
		{"One conversation, as the host has it", s.timeline},
		{"Summary", s.summary},
	} {
		fmt.Fprintf(out, "\n%d  %s\n\n", i+1, chapter.title)
		if err := chapter.tell(ctx); err != nil {
			return fmt.Errorf("chapter %d, %s: %w", i+1, chapter.title, err)
		}
	}
	return nil
}
