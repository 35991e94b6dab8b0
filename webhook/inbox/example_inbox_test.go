package inbox_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http/httptest"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/inbox"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/webhooktest"
)

// From the POST to the handler. A process of yours opens a store on disk instead: package
// coexistence/sqlite or coexistence/postgres.
func ExampleNew() {
	ctx := context.Background()
	var mux webhook.Mux
	webhook.On(&mux, func(_ context.Context, m *webhook.IncomingMessage) error {
		fmt.Println("handled:", m.Text())
		return nil
	})
	in, err := inbox.New(new(inbox.MemStore), &mux, inbox.Config{})
	if err != nil {
		log.Fatal(err)
	}
	endpoint, err := webhook.NewEndpoint(webhook.Config{AppSecret: "app-secret", VerifyToken: "verify-token"}, in)
	if err != nil {
		log.Fatal(err)
	}
	if err := in.Start(ctx); err != nil {
		log.Fatal(err)
	}
	answer := httptest.NewRecorder()
	endpoint.ServeHTTP(answer, webhooktest.NewRequest(webhooktest.Sample("messages", "text"), "app-secret"))
	fmt.Println("Meta got", answer.Code) // the delivery is stored
	fmt.Println(in.WaitIdle(ctx), in.Shutdown(ctx))
	// Unordered output:
	// Meta got 200
	// handled: Do you have the blue one in stock?
	// <nil> <nil>
}

// A handler that fails is tried again after a pause. It can see how often.
func ExampleFromContext() {
	ctx := context.Background()
	in, err := inbox.New(new(inbox.MemStore), webhook.HandlerFunc(func(ctx context.Context, _ webhook.Event) error {
		info, _ := inbox.FromContext(ctx)
		if info.Attempt == 1 {
			return errors.New("the database is down")
		}
		fmt.Println("attempt", info.Attempt, "backfill", info.Backfill)
		return nil
	}), inbox.Config{Backoff: func(int) time.Duration { return time.Millisecond }})
	if err != nil {
		log.Fatal(err)
	}
	err = errors.Join(in.Start(ctx),
		in.Receive(ctx, webhook.Delivery{Body: webhooktest.Sample("messages", "text")}), in.WaitIdle(ctx),
		in.Shutdown(ctx))
	fmt.Println(err)
	// Output:
	// attempt 2 backfill false
	// <nil>
}

// A page for those who run the service. It has no login: mount it where only they come.
func ExampleInbox_StatusPage() {
	ctx := context.Background()
	in := exampleInbox(ctx, broken)
	defer func() { _ = in.Shutdown(ctx) }()
	answer := httptest.NewRecorder()
	in.StatusPage().ServeHTTP(answer, httptest.NewRequest("GET", "/", nil))
	fmt.Println(answer.Code, answer.Header().Get("Content-Type"))
	// Output: 200 text/html; charset=utf-8
}

// A dead letter that is of no more use.
func ExampleInbox_DeleteDeadLetters() {
	ctx := context.Background()
	in := exampleInbox(ctx, broken)
	defer func() { _ = in.Shutdown(ctx) }()
	for letter, err := range in.DeadLetters(ctx, inbox.Filter{}) {
		if err != nil {
			log.Fatal(err)
		}
		n, err := in.DeleteDeadLetters(ctx, letter.ID)
		fmt.Println(n, err)
	}
	// Output: 1 <nil>
}

// The default pause: a second, then 2, 4 and so on, each a little random.
func ExampleDefaultBackoff() {
	pause := inbox.DefaultBackoff(3)
	fmt.Println(pause > 2*time.Second, pause < 6*time.Second)
	// Output: true true
}

// Deliveries are stored and acknowledged; workers of your own take them from there.
func ExampleSinkReceiver() {
	store := new(inbox.MemStore)
	receiver := inbox.SinkReceiver(store)
	err := receiver.Receive(context.Background(), webhook.Delivery{Body: webhooktest.Sample("messages", "text")})
	stats, err2 := store.Stats(context.Background())
	fmt.Println(err, stats.Deliveries, err2)
	// Output: <nil> 1 <nil>
}

// A person is forgotten: dead letters and events about it go.
func ExampleInbox_Forget() {
	ctx := context.Background()
	in := exampleInbox(ctx, broken)
	defer func() { _ = in.Shutdown(ctx) }()
	fmt.Println(in.Forget(ctx, inbox.ForgetRequest{PhoneNumberID: "106540352242922"}))
	// Output: <nil>
}
