package natsinbox_test

import (
	"context"
	"fmt"
	"log"
	"os"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/inbox"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/inbox/natsinbox"
)

// One line for a setting: the servers of a cluster, where they show their state, and how many keep
// each stream.
func ExampleParseURL() {
	cfg, err := natsinbox.ParseURL("nats://a:4222,nats://b:4222?monitor=http://a:8222&replicas=3")
	fmt.Println(cfg.URLs, cfg.Monitors, cfg.Replicas, err)
	// Output: [nats://a:4222 nats://b:4222] [http://a:8222] 3 <nil>
}

// Open refuses a server that does not sync every write.
func ExampleOpen() {
	ctx := context.Background()
	var mux webhook.Mux // with handlers of yours
	in, err := natsinbox.Open(ctx, os.Getenv("NATS_URL"), &mux, inbox.Config{})
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = in.Shutdown(ctx) }()
	if err := in.Start(ctx); err != nil {
		log.Fatal(err)
	}
}

// The options of a connection, such as a certificate, go into the Config.
func ExampleOpenStore() {
	ctx := context.Background()
	store, err := natsinbox.OpenStore(ctx, natsinbox.Config{URLs: []string{os.Getenv("NATS_URL")}})
	if err != nil {
		log.Fatal(err)
	}
	var mux webhook.Mux // with handlers of yours
	in, err := inbox.New(store, &mux, inbox.Config{})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(in.Start(ctx))
}
