package storage_test

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
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/storage"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/signup"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/inbox"
)

// newDatabase opens a database in a new folder, and returns what removes both.
func newDatabase(ctx context.Context) (db *storage.DB, remove func()) {
	dir, err := os.MkdirTemp("", "storage")
	if err != nil {
		log.Fatal(err)
	}
	keys, err := signup.ParseKeyring("MzIgcmFuZG9tIGJ5dGVzIGZyb20gdGhlIHNlY3JldHM=") // of the environment
	if err != nil {
		log.Fatal(err)
	}
	db, err = sqlite.Open(ctx, sqlite.Config{Path: filepath.Join(dir, "whatsapp.db"), Keyring: keys})
	if err != nil {
		log.Fatal(err)
	}
	return db, func() { _, _ = db.Close(), os.RemoveAll(dir) }
}

// One database for the whole host: what packages sqlite and postgres return is the same.
func ExampleDB() {
	ctx := context.Background()
	db, remove := newDatabase(ctx)
	defer remove()
	client, err := cloudapi.NewClient(cloudapi.Config{})
	if err != nil {
		log.Fatal(err)
	}

	tracker, err := coexistence.NewTracker(coexistence.Config{Store: db.Store(), Client: db.Tokens().Client(client)})
	if err != nil {
		log.Fatal(err)
	}
	box, err := db.Outbox(outbox.Config{Tracker: tracker})
	if err != nil {
		log.Fatal(err)
	}
	var mux webhook.Mux // with handlers of yours
	in, err := db.Inbox(webhook.MultiHandler(tracker, box, &mux), inbox.Config{})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(in.Start(ctx), box.Start(ctx))
	fmt.Println(in.Shutdown(ctx), box.Shutdown(ctx))
	// Output:
	// <nil> <nil>
	// <nil> <nil>
}

// What signup.Config.Connected stores: the token of a business, encrypted.
func ExampleTokens_Put() {
	ctx := context.Background()
	db, remove := newDatabase(ctx)
	defer remove()
	err := db.Tokens().Put(ctx, &signup.Connection{
		Tenant: "bakery", WABAID: "200000000000001", Token: "token-of-one-business",
		Phone: &cloudapi.Phone{ID: "100000000000001"},
	})
	if err != nil {
		log.Fatal(err)
	}
	info, err := db.Tokens().Get(ctx, "100000000000001")
	fmt.Println(info.Tenant, info.ExpiresAt.IsZero(), err)
	// Output: bakery true <nil>
}

// Calls for a number are made with the token of its business.
func ExampleTokens_Client() {
	ctx := context.Background()
	db, remove := newDatabase(ctx)
	defer remove()
	base, err := cloudapi.NewClient(cloudapi.Config{AppID: "400000000000004", AppSecret: "app-secret"})
	if err != nil {
		log.Fatal(err)
	}
	clients := db.Tokens().Client(base)
	_, err = clients(ctx, "100000000000001")
	fmt.Println(err)
	// Output: storage: there is no token for this number; have the business connect it
}

// Everything that is stored of a person, as JSON lines. Here nothing is.
func ExampleDB_Export() {
	ctx := context.Background()
	db, remove := newDatabase(ctx)
	defer remove()
	fmt.Println(db.Export(ctx, "100000000000001", "15550100101", os.Stdout))
	// Output: coexistence: not found in the store
}
