package outbox_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/outbox"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/sqlite"
)

// reminder is a message to one customer.
func reminder(id string) outbox.Message {
	return outbox.Message{
		ID: id, PhoneNumberID: "100000000000001",
		Payload: cloudapi.Message{To: cloudapi.ToPhone("+15550100101"), Content: &cloudapi.Text{Body: "Ready!"}},
	}
}

// An order and the message about it are one commit: neither is there without the other.
func ExampleOutbox_EnqueueTx() {
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "outbox")
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	db, err := sqlite.Open(ctx, sqlite.Config{Path: filepath.Join(dir, "whatsapp.db")})
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	tracker, err := coexistence.NewTracker(coexistence.Config{Store: db.Store()})
	if err != nil {
		log.Fatal(err)
	}
	box, err := db.Outbox(outbox.Config{Tracker: tracker})
	if err != nil {
		log.Fatal(err)
	}

	tx, err := db.SQL().BeginTx(ctx, nil)
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = tx.Rollback() }() // does nothing after the commit
	if _, err := box.EnqueueTx(ctx, tx, reminder("order-7")); err != nil {
		log.Fatal(err)
	}
	fmt.Println(tx.Commit())
	box.Notify() // it goes out at once, and not half a second later
	entry, err := box.Get(ctx, "order-7")
	fmt.Println(entry.State, err)
	// Output:
	// <nil>
	// queued <nil>
}

// What became of a message, and of all that failed.
func ExampleOutbox_List() {
	ctx := context.Background()
	box, remove := exampleOutbox(ctx)
	defer remove()
	if _, err := box.Enqueue(ctx, reminder("order-7"), reminder("order-8")); err != nil {
		log.Fatal(err)
	}
	for entry, err := range box.List(ctx, outbox.Filter{States: []outbox.State{outbox.StateQueued}}) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(entry.ID, entry.State)
	}
	// Output:
	// order-7 queued
	// order-8 queued
}

// A message that is still waiting is not sent any more.
func ExampleOutbox_Cancel() {
	ctx := context.Background()
	box, remove := exampleOutbox(ctx)
	defer remove()
	if _, err := box.Enqueue(ctx, reminder("order-7")); err != nil {
		log.Fatal(err)
	}
	fmt.Println(box.Cancel(ctx, "order-7"))
	fmt.Println(box.Cancel(ctx, "order-9"))
	// Output:
	// true <nil>
	// false <nil>
}

// Sending begins with Start and ends with Shutdown.
func ExampleOutbox_Start() {
	ctx := context.Background()
	box, remove := exampleOutbox(ctx)
	defer remove()
	fmt.Println(box.Start(ctx))
	fmt.Println(box.Shutdown(ctx)) // when the server ends
	// Output:
	// <nil>
	// <nil>
}
