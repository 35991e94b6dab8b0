package webhook_test

import (
	"context"
	"fmt"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/webhooktest"
)

// One function for each type of event; what has none is ignored.
func ExampleOn() {
	var mux webhook.Mux
	webhook.On(&mux, func(_ context.Context, s *webhook.MessageStatus) error {
		fmt.Println("a message is", s.Status)
		return nil
	})
	events, err := webhook.Decode(webhooktest.Sample("messages", "status-delivered"))
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, ev := range events {
		if err := mux.Handle(context.Background(), ev); err != nil {
			fmt.Println(err)
		}
	}
	// Output: a message is delivered
}

// The fields to subscribe to in the app's dashboard are those that the handlers need.
func ExampleMux_Fields() {
	var mux webhook.Mux
	webhook.On(&mux, func(context.Context, *webhook.IncomingMessage) error { return nil })
	webhook.On(&mux, func(context.Context, *webhook.AccountUpdate) error { return nil })
	fmt.Println(mux.Fields())
	// Output: [account_update messages]
}

// A repeated delivery is acknowledged, and handled once.
func ExampleDispatch() {
	var mux webhook.Mux
	webhook.On(&mux, func(_ context.Context, m *webhook.IncomingMessage) error {
		fmt.Println("handled:", m.Text())
		return nil
	})
	receiver := webhook.Dispatch(&mux)
	for range 2 {
		delivery := webhook.Delivery{Body: webhooktest.Sample("messages", "text")}
		fmt.Println(receiver.Receive(context.Background(), delivery))
	}
	// Output:
	// handled: Do you have the blue one in stock?
	// <nil>
	// <nil>
}
