package sqliteinbox_test

import (
	"context"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"

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
		fmt.Println("handled a message of type", m.Content.MessageType())
		return nil
	})
	in, err := sqliteinbox.Open(ctx, filepath.Join(dir, "inbox.db"), &mux, inbox.Config{})
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
		if err := in.WaitIdle(ctx); err != nil {
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

// The rows of a handler and the end of its event are one commit: whatever crashes, they are there
// once.
func ExampleOpen() {
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "inbox")
	if err != nil {
		panic(err)
	}
	defer func() { _ = os.RemoveAll(dir) }()

	var mux webhook.Mux
	webhook.On(&mux, func(ctx context.Context, m *webhook.IncomingMessage) error {
		tx, _ := inbox.Tx(ctx)
		_, err := tx.ExecContext(ctx, "CREATE TABLE IF NOT EXISTS tickets (message TEXT)")
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, "INSERT INTO tickets VALUES (?)", string(m.ID))
		return err
	})
	in, err := sqliteinbox.Open(ctx, filepath.Join(dir, "inbox.db"), inbox.InTx(&mux), inbox.Config{})
	if err != nil {
		panic(err)
	}
	err = in.Receive(ctx, webhook.Delivery{Body: webhooktest.Sample("messages", "text")})
	fmt.Println(err, in.WaitIdle(ctx))
	m, err := in.Metrics(ctx)
	fmt.Println(m.Dead, err, in.Shutdown(ctx))
	// Output:
	// <nil> <nil>
	// 0 <nil> <nil>
}
