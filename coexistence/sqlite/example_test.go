package sqlite_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/sqlite"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/inbox"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/webhooktest"
)

func Example() {
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "coexistence")
	if err != nil {
		panic(err)
	}
	defer func() { _ = os.RemoveAll(dir) }()

	// What one run of a program stores …
	config := sqlite.Config{Path: filepath.Join(dir, "coexistence.db")}
	db, err := sqlite.Open(ctx, config)
	if err != nil {
		panic(err)
	}
	tracker, err := coexistence.NewTracker(coexistence.Config{Store: db.Store()})
	if err != nil {
		panic(err)
	}
	err = tracker.Onboard(ctx, cloudapi.Onboarding{
		PhoneNumberID: "106540352242922", WABAIDs: []graph.WABAID{"102290129340398"}, DisplayPhoneNumber: "+1 555 0100",
		OnboardedAt: time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC),
	})
	fmt.Println(err, db.Close())

	// … the next one finds.
	db, err = sqlite.Open(ctx, config)
	if err != nil {
		panic(err)
	}
	defer db.Close()
	state, err := db.Store().Number(ctx, "106540352242922")
	fmt.Println(state.Stage, state.Remaining(state.OnboardedAt.Add(time.Hour)), err)
	// Output:
	// <nil> <nil>
	// onboarded 23h0m0s <nil>
}

// A handler's own rows and the fact that the event is done are one commit: they are there once,
// whatever crashes.
func ExampleOpen_exactlyOnce() {
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "coexistence")
	if err != nil {
		panic(err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	db, err := sqlite.Open(ctx, sqlite.Config{Path: filepath.Join(dir, "whatsapp.db")})
	if err != nil {
		panic(err)
	}
	if _, err := db.SQL().ExecContext(ctx, "CREATE TABLE orders (message TEXT)"); err != nil {
		panic(err)
	}
	var mux webhook.Mux
	webhook.On(&mux, func(ctx context.Context, m *webhook.IncomingMessage) error {
		tx, _ := inbox.Tx(ctx)
		_, err := tx.ExecContext(ctx, "INSERT INTO orders (message) VALUES (?)", string(m.ID))
		return err
	})
	in, err := db.Inbox(inbox.InTx(&mux), inbox.Config{})
	if err != nil {
		panic(err)
	}
	if err := in.Start(ctx); err != nil {
		panic(err)
	}
	err = in.Receive(ctx, webhook.Delivery{Body: webhooktest.Sample("messages", "text")})
	fmt.Println(err, in.WaitIdle(ctx))
	var orders int
	fmt.Println(db.SQL().QueryRowContext(ctx, "SELECT COUNT(*) FROM orders").Scan(&orders), orders)
	fmt.Println(in.Shutdown(ctx), db.Close())
	// Output:
	// <nil> <nil>
	// <nil> 1
	// <nil> <nil>
}
