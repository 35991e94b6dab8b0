package sqliteinbox_test

import (
	"context"
	"fmt"
	"net/http/httptest"
	"os"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/inbox"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/inbox/sqliteinbox"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/webhooktest"
)

func Example() {
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "inbox")
	if err != nil {
		panic(err)
	}
	defer func() { _ = os.RemoveAll(dir) }()

	var mux webhook.Mux
	webhook.On(&mux, func(_ context.Context, m *webhook.IncomingMessage) error {
		fmt.Println("handled a message of type", m.Content.Type())
		return nil
	})
	in, err := sqliteinbox.Open(ctx, dir, &mux, inbox.Config{})
	if err != nil {
		panic(err)
	}
	endpoint, err := webhook.NewEndpoint(webhook.Config{AppSecret: "made-up", VerifyToken: "made-up"}, in)
	if err != nil {
		panic(err)
	}

	// Meta delivers, and repeats.
	for range 2 {
		answer := httptest.NewRecorder()
		endpoint.ServeHTTP(answer, webhooktest.NewRequest(webhooktest.Sample("messages", "text"), "made-up"))
		if err := in.Idle(ctx); err != nil {
			panic(err)
		}
		fmt.Println("was answered", answer.Code)
	}
	fmt.Println(in.Shutdown(ctx))
	// Output:
	// handled a message of type text
	// was answered 200
	// was answered 200
	// <nil>
}

// A handler's own rows and the fact that the event is done are one commit: they are there once, whatever crashes.
func Example_exactlyOnce() {
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "inbox")
	if err != nil {
		panic(err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	store, err := sqliteinbox.OpenStore(ctx, dir)
	if err != nil {
		panic(err)
	}
	if _, err := store.DB().ExecContext(ctx, "CREATE TABLE orders (message TEXT)"); err != nil {
		panic(err)
	}
	var mux webhook.Mux
	webhook.On(&mux, func(ctx context.Context, m *webhook.IncomingMessage) error {
		tx, _ := inbox.Tx(ctx)
		_, err := tx.ExecContext(ctx, "INSERT INTO orders (message) VALUES (?)", string(m.ID))
		return err
	})
	in, err := inbox.New(store, inbox.InTx(&mux), inbox.Config{Closer: store})
	if err != nil {
		panic(err)
	}
	if err := in.Start(ctx); err != nil {
		panic(err)
	}
	err = in.Receive(ctx, webhook.Delivery{Body: webhooktest.Sample("messages", "text")})
	fmt.Println(err, in.Idle(ctx))
	var orders int
	fmt.Println(store.DB().QueryRowContext(ctx, "SELECT COUNT(*) FROM orders").Scan(&orders), orders)
	fmt.Println(in.Shutdown(ctx))
	// Output:
	// <nil> <nil>
	// <nil> 1
	// <nil>
}
