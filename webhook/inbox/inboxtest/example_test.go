package inboxtest_test

import (
	"context"
	"fmt"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/inbox"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/inbox/inboxtest"
)

// The whole test of a store. Yours gives each check an empty schema, and opens two stores over it.
func ExampleTestStore() {
	err := inboxtest.TestStore(context.Background(), inboxtest.Engine{
		New: func(context.Context) (inboxtest.Storage, error) {
			store := new(inbox.MemStore)
			return inboxtest.Storage{
				Open:  func(context.Context) (inbox.Store, error) { return store, nil },
				Close: func() error { return nil },
			}, nil
		},
	})
	fmt.Println(err)
	// Output: <nil>
}
