package inbox_test

import (
	"context"
	"fmt"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/inbox"
)

// InTx needs a store in a SQL database: package sqliteinbox has an example that works.
func ExampleInTx() {
	_, err := inbox.New(new(inbox.MemStore), inbox.InTx(new(webhook.Mux)), inbox.Config{})
	fmt.Println(err)
	// Output: inbox: InTx needs a store in a SQL database; open the inbox with package coexistence/sqlite or coexistence/postgres, or with sqliteinbox or pginbox
}

// A handler may run with and without InTx.
func ExampleTx() {
	var mux webhook.Mux
	webhook.On(&mux, func(ctx context.Context, m *webhook.IncomingMessage) error {
		tx, ok := inbox.Tx(ctx)
		if !ok {
			return nil // not within InTx: write with a connection of your own
		}
		_, err := tx.ExecContext(ctx, "INSERT INTO tickets (message) VALUES ($1)", string(m.ID))
		return err
	})
	fmt.Println(mux.Fields())
	// Output: [messages]
}
