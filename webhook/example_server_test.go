package webhook_test

import (
	"log"
	"net/http"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

// The server around an endpoint.
func ExampleNewEndpoint_server() {
	endpoint, err := webhook.NewEndpoint(webhook.Config{AppSecret: "app-secret", VerifyToken: "verify-token"},
		webhook.Dispatch(new(webhook.Mux))) // in production an inbox, which keeps deliveries
	if err != nil {
		log.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/webhook", endpoint)
	server := &http.Server{
		Addr: ":8080", Handler: mux, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute,
	}
	log.Fatal(server.ListenAndServe())
}
