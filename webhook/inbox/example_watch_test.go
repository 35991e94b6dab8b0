package inbox_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/inbox"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/webhooktest"
)

// exampleInbox returns an inbox that has handled one delivery, with a handler that cannot.
func exampleInbox(ctx context.Context, h webhook.Handler) *inbox.Inbox {
	in, err := inbox.New(new(inbox.MemStore), h, inbox.Config{})
	if err != nil {
		log.Fatal(err)
	}
	err = errors.Join(in.Start(ctx),
		in.Receive(ctx, webhook.Delivery{Body: webhooktest.Sample("messages", "text")}), in.WaitIdle(ctx))
	if err != nil {
		log.Fatal(err)
	}
	return in
}

// broken is a handler with a bug that no repeat cures.
var broken = webhook.HandlerFunc(func(context.Context, webhook.Event) error {
	return webhook.Permanent(errors.New("no such table"))
})

// Worth an alarm: the oldest live event is old, or something was given up.
func ExampleInbox_Metrics() {
	ctx := context.Background()
	in := exampleInbox(ctx, broken)
	defer func() { _ = in.Shutdown(ctx) }()
	m, err := in.Metrics(ctx)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("late:", m.OldestLive > 5*time.Minute)
	fmt.Println("given up:", m.Dead, "hanging:", m.Hanging, "refused:", m.Refused)
	// Output:
	// late: false
	// given up: 1 hanging: 0 refused: 0
}

// Look at what was given up, repair the bug, and give it another chance.
func ExampleInbox_DeadLetters() {
	ctx := context.Background()
	in := exampleInbox(ctx, broken)
	defer func() { _ = in.Shutdown(ctx) }()
	var ids []inbox.ID
	for l, err := range in.DeadLetters(ctx, inbox.Filter{}) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(l.Reason)
		ids = append(ids, l.ID)
	}
	n, err := in.ReplayDeadLetters(ctx, ids...)
	fmt.Println(n, err)
	// Output:
	// no such table
	// 1 <nil>
}
