// Package inboxtest tests stores of a WhatsApp webhook inbox: the implementations of inbox.Store.
// Use it in the tests of a store of your own:
//
//	err := inboxtest.TestStore(t.Context(), inboxtest.Engine{
//		New: func(ctx context.Context) (inboxtest.Storage, error) { return newStorage(ctx, t) },
//	})
//	if err != nil {
//		t.Fatal(err)
//	}
package inboxtest
