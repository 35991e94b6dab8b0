package webhook_test

import (
	"context"
	"errors"
	"fmt"
	"net/url"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/webhooktest"
)

// A function in a cloud, which gets its requests as values, answers Meta's check of the callback
// URL.
func ExampleHandshake() {
	query := url.Values{
		"hub.mode": {"subscribe"}, "hub.verify_token": {"verify-token"}, "hub.challenge": {"1158201444"},
	}
	fmt.Println(webhook.Handshake(query, "verify-token"))
	fmt.Println(webhook.Handshake(query, "another-token"))
	// Output:
	// 1158201444 true
	//  false
}

// Every event, as often as it comes: for a handler that looks for repeats itself.
func ExampleDispatchAll() {
	count := 0
	receiver := webhook.DispatchAll(webhook.HandlerFunc(func(context.Context, webhook.Event) error {
		count++
		return nil
	}))
	for range 2 {
		delivery := webhook.Delivery{Body: webhooktest.Sample("messages", "text")}
		if err := receiver.Receive(context.Background(), delivery); err != nil {
			fmt.Println(err)
		}
	}
	fmt.Println(count)
	// Output: 2
}

// What people read of a message, whatever its kind.
func ExampleContentText() {
	fmt.Println(webhook.ContentText(&webhook.Text{Body: "Are you open?"}))
	fmt.Println(webhook.ContentText(&webhook.Image{Caption: "my bread"}))
	// Output:
	// Are you open?
	// my bread
}

// A queue of your own asks whether another try is of use.
func ExampleIsPermanent() {
	fmt.Println(webhook.IsPermanent(errors.New("the database is down")))
	fmt.Println(webhook.IsPermanent(webhook.Permanent(errors.New("no such table"))))
	// Output:
	// false
	// true
}

// The events of a stored delivery, as a worker reads them.
func ExampleDelivery_Events() {
	delivery := webhook.Delivery{Body: webhooktest.Sample("messages", "text")}
	events, err := delivery.Events()
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, ev := range events {
		if m, ok := ev.(*webhook.IncomingMessage); ok {
			fmt.Println(m.Customer().Key() != "", m.Text())
		}
	}
	// Output: true Do you have the blue one in stock?
}

// The file of a message, whatever its kind: nil if it has none.
func ExampleContentMedia() {
	for _, c := range []webhook.Content{
		&webhook.Sticker{Media: webhook.Media{ID: "77", MIMEType: "image/webp"}}, &webhook.Text{Body: "Thanks!"},
	} {
		if file := webhook.ContentMedia(c); file != nil {
			fmt.Println(file.ID, file.MIMEType) // download it by its id
		}
	}
	// Output: 77 image/webp
}
