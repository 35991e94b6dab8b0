package webhook_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/webhooktest"
)

// A complete receiver: a mux for what the host cares about, an endpoint that verifies.
func Example() {
	var mux webhook.Mux
	webhook.On(&mux, func(_ context.Context, m *webhook.IncomingMessage) error {
		fmt.Println(m.ProfileName, "wrote:", m.Text())
		return nil
	})
	webhook.On(&mux, func(_ context.Context, e *webhook.BusinessAppEcho) error {
		fmt.Println("someone at the business wrote to", e.Customer().WAID)
		return nil
	})
	endpoint, err := webhook.NewEndpoint(webhook.Config{AppSecret: "app-secret", VerifyToken: "verify-token"},
		webhook.Dispatch(&mux))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("subscribe to", mux.Fields())

	for _, sample := range [][2]string{{"messages", "text"}, {"smb_message_echoes", "text"}} {
		answer := httptest.NewRecorder()
		endpoint.ServeHTTP(answer, webhooktest.NewRequest(webhooktest.Sample(sample[0], sample[1]), "app-secret"))
		fmt.Println(answer.Code)
	}
	// Output:
	// subscribe to [messages smb_message_echoes]
	// Alma Reyes wrote: Do you have the blue one in stock?
	// 200
	// someone at the business wrote to 15550100123
	// 200
}

func ExampleNewEndpoint() {
	_, err := webhook.NewEndpoint(webhook.Config{AppSecret: " "}, webhook.Dispatch(new(webhook.Mux)))
	fmt.Println(err)
	// Output:
	// webhook: Config.AppSecret is empty; copy it from the app dashboard, App settings, Basic
	// webhook: Config.VerifyToken is empty; choose a random text and enter it beside the callback URL too
}

func ExampleVerify() {
	body := []byte(`{"object":"whatsapp_business_account","entry":[]}`)
	signature := webhook.Sign("app-secret", body)
	fmt.Println(webhook.Verify(body, signature, "app-secret"))
	fmt.Println(webhook.Verify(body, signature, "new-secret", "app-secret"))
	fmt.Println(errors.Is(webhook.Verify(body, signature, "another-app's"), webhook.ErrSignature))
	// Output:
	// <nil>
	// <nil>
	// true
}

func ExampleSign() {
	fmt.Println(webhook.Sign("app-secret", []byte(`{}`)))
	// Output: sha256=bd9549eb87a414d3df28b5a60ea86d4a11e2f1c6258edbd18f56d3c23c0f908d
}

func ExampleDecode() {
	events, err := webhook.Decode(webhooktest.Sample("messages", "batch"))
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, ev := range events {
		switch ev := ev.(type) {
		case *webhook.IncomingMessage:
			fmt.Println("message", ev.Content.MessageType())
		case *webhook.MessageStatus:
			fmt.Println("status", ev.Status)
		case *webhook.AccountUpdate:
			fmt.Println("account", ev.WABAID, ev.Event)
		}
	}
	// Output:
	// message text
	// message text
	// status read
	// account 200000000000002 ACCOUNT_OFFBOARDED
}

// A drift report: what Meta sends that this version has no type for.
func ExampleMux_Default() {
	var mux webhook.Mux
	webhook.On(&mux, func(context.Context, *webhook.IncomingMessage) error { return nil })
	mux.Default(func(_ context.Context, ev webhook.Event) error {
		fmt.Printf("%T of field %s\n", ev, ev.Info().Field)
		return nil
	})
	body := webhooktest.Sample("flows", "status")
	_ = webhook.Dispatch(&mux).Receive(context.Background(), webhook.Delivery{Body: body})
	// Output: *webhook.FlowUpdate of field flows
}

func ExamplePermanent() {
	h := webhook.HandlerFunc(func(context.Context, webhook.Event) error {
		return webhook.Permanent(errors.New("the customer's account is closed"))
	})
	endpoint, _ := webhook.NewEndpoint(webhook.Config{AppSecret: "app-secret", VerifyToken: "verify-token"},
		webhook.Dispatch(h))
	answer := httptest.NewRecorder()
	endpoint.ServeHTTP(answer, webhooktest.NewRequest(webhooktest.Sample("messages", "text"), "app-secret"))
	fmt.Println(answer.Code, "so that Meta does not repeat it")
	// Output: 200 so that Meta does not repeat it
}

// Store first, handle later: the endpoint only writes the delivery down.
func ExampleReceiverFunc() {
	var stored []webhook.Delivery
	store := webhook.ReceiverFunc(func(_ context.Context, d webhook.Delivery) error {
		if len(stored) == 1 {
			return fmt.Errorf("%w: the disk is full", webhook.ErrUnavailable)
		}
		stored = append(stored, d)
		return nil
	})
	endpoint, _ := webhook.NewEndpoint(webhook.Config{AppSecret: "app-secret", VerifyToken: "verify-token"}, store)
	for range 2 {
		answer := httptest.NewRecorder()
		endpoint.ServeHTTP(answer, webhooktest.NewRequest(webhooktest.Sample("messages", "text"), "app-secret"))
		fmt.Println(answer.Code, http.StatusText(answer.Code))
	}
	events, _ := stored[0].Events()
	fmt.Printf("%d event\n", len(events))
	// Output:
	// 200 OK
	// 503 Service Unavailable
	// 1 event
}

// The tracker first, then the host's own handlers: they can rely on what it stored.
func ExampleMultiHandler() {
	say := func(word string) webhook.Handler {
		return webhook.HandlerFunc(func(context.Context, webhook.Event) error {
			fmt.Println(word)
			return nil
		})
	}
	_ = webhook.MultiHandler(say("track"), say("handle")).Handle(context.Background(), new(webhook.IncomingMessage))
	// Output:
	// track
	// handle
}

func ExampleHistoryChunk_Messages() {
	events, _ := webhook.Decode(webhooktest.Sample("history", "chunk"))
	for thread, m := range events[0].(*webhook.HistoryChunk).Messages() {
		side := "customer"
		if m.Outbound {
			side = "business"
		}
		fmt.Println(thread.Customer.Key(), side, m.Content.MessageType())
	}
	// Output:
	// 15550100123 customer text
	// 15550100123 business text
	// 15550100123 customer media_placeholder
	// 15550100124 customer text
	// 15550100124 business text
}

func ExampleDeliveryStatus_Supersedes() {
	stored := webhook.DeliveryStatus("")
	for _, arrived := range []webhook.DeliveryStatus{webhook.StatusDelivered, webhook.StatusSent, webhook.StatusRead} {
		if arrived.Supersedes(stored) {
			stored = arrived
		}
	}
	fmt.Println(stored)
	// Output: read
}
