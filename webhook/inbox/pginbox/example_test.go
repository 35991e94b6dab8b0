package pginbox_test

import (
	"context"
	"log"
	"net/http"
	"os"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/inbox"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/inbox/pginbox"
)

// Several processes start the same program over one database.
func ExampleOpen() {
	ctx := context.Background()
	var mux webhook.Mux // with handlers of yours
	in, err := pginbox.Open(ctx, os.Getenv("DATABASE_URL"), &mux, inbox.Config{})
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = in.Shutdown(ctx) }()
	endpoint, err := webhook.NewEndpoint(webhook.Config{
		AppSecret: graph.Secret(os.Getenv("APP_SECRET")), VerifyToken: graph.Secret(os.Getenv("VERIFY_TOKEN")),
	}, in)
	if err != nil {
		log.Fatal(err)
	}
	http.Handle("/webhook", endpoint)
	if err := in.Start(ctx); err != nil {
		log.Fatal(err)
	}
}
