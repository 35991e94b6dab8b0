package relay_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http/httptest"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/inbox"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/relay"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/webhooktest"
)

// Production hands what is about one number on to staging, which verifies it as if it came from
// Meta.
func Example() {
	ctx := context.Background()
	staging := stagingServer() // its endpoint verifies with "staging-secret"
	defer staging.Close()

	forward, err1 := relay.New(relay.Config{
		URL: staging.URL, AppSecret: "staging-secret",
		Keep: func(c relay.Change) bool { return c.PhoneNumberID == "300000000000001" }, // nil for everything
	})
	// In production, sqliteinbox.Open or pginbox.Open, and the host's inbox instead of Dispatch.
	queue, err2 := inbox.New(new(inbox.MemStore), forward, inbox.Config{})
	endpoint, err3 := webhook.NewEndpoint(webhook.Config{AppSecret: "app-secret", VerifyToken: "made-up"},
		forward.Split(webhook.Dispatch(new(webhook.Mux)), queue))
	if err := errors.Join(err1, err2, err3); err != nil {
		log.Fatal(err)
	}
	fmt.Println(queue.Start(ctx))

	answer := httptest.NewRecorder()
	endpoint.ServeHTTP(answer, webhooktest.NewRequest(webhooktest.Sample("messages", "text"), "app-secret"))
	fmt.Println(answer.Code, queue.WaitIdle(ctx), queue.Shutdown(ctx))
	// Output:
	// <nil>
	// staging: Do you have the blue one in stock?
	// 200 <nil> <nil>
}

// stagingServer prints what customers write.
func stagingServer() *httptest.Server {
	var mux webhook.Mux
	webhook.On(&mux, func(_ context.Context, m *webhook.IncomingMessage) error {
		fmt.Println("staging:", m.Text())
		return nil
	})
	endpoint, err := webhook.NewEndpoint(
		webhook.Config{AppSecret: "staging-secret", VerifyToken: "made-up"}, webhook.Dispatch(&mux))
	if err != nil {
		log.Fatal(err)
	}
	return httptest.NewServer(endpoint)
}
