package cloudapitest_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/cloudapitest"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

func ExampleNewServer() {
	srv := cloudapitest.NewServer(cloudapitest.Config{})
	defer srv.Close()
	phone := srv.AddPhone(cloudapitest.Phone{})

	client, err := cloudapi.NewClient(srv.ClientConfig())
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = client.Messages.Send(context.Background(), phone.ID, cloudapi.Message{
		To: cloudapi.ToPhone("+1 555 010 0142"), Content: &cloudapi.Text{Body: "Thanks!"},
	})
	fmt.Println(err)
	fmt.Println(srv.Sent()[0].Text())
	// Output:
	// <nil>
	// Thanks!
}

// A send that Meta refuses for the moment is repeated; one whose answer got lost is not.
func ExampleServer_Inject() {
	srv := cloudapitest.NewServer(cloudapitest.Config{})
	defer srv.Close()
	phone := srv.AddPhone(cloudapitest.Phone{})
	client, err := cloudapi.NewClient(srv.ClientConfig())
	if err != nil {
		fmt.Println(err)
		return
	}
	message := cloudapi.Message{To: cloudapi.ToPhone("+1 555 010 0142"), Content: &cloudapi.Text{Body: "Only once"}}

	srv.Inject(cloudapitest.Fault{Code: graph.CodeRateLimitHit})
	_, err = client.Messages.Send(context.Background(), phone.ID, message)
	fmt.Println(err, srv.Count("POST", "/{phone-number-id}/messages"))

	srv.Inject(cloudapitest.Fault{Drop: true, Accept: true})
	_, err = client.Messages.Send(context.Background(), phone.ID, message)
	failed, _ := errors.AsType[*cloudapi.Error](err)
	fmt.Println(failed.Outcome, len(srv.Sent()))
	// Output:
	// <nil> 2
	// unknown 2
}

func ExampleServer_Advance() {
	srv := cloudapitest.NewServer(cloudapitest.Config{})
	defer srv.Close()
	phone := srv.AddPhone(cloudapitest.Phone{})
	client, err := cloudapi.NewClient(srv.ClientConfig())
	if err != nil {
		fmt.Println(err)
		return
	}
	srv.Advance(25 * time.Hour)
	_, err = client.Phones.SyncAppData(context.Background(), phone.ID, cloudapi.SyncHistory)
	fmt.Println(errors.Is(err, graph.CodeSyncWindowClosed))
	// Output: true
}

// A queue is tried against everything that can go wrong. Whatever it does, no message may be on the
// server twice.
func ExampleServer_Chaos() {
	srv := cloudapitest.NewServer(cloudapitest.Config{})
	defer srv.Close()
	phone := srv.AddPhone(cloudapitest.Phone{})
	client, err := cloudapi.NewClient(srv.ClientConfig())
	if err != nil {
		fmt.Println(err)
		return
	}
	srv.Chaos(cloudapitest.Chaos{Rate: 0.5, Seed: 1})
	for i := range 100 {
		_, _ = client.Messages.Send(context.Background(), phone.ID, cloudapi.Message{ // here goes your queue
			To: cloudapi.ToPhone("+1 555 010 0142"), CallbackData: fmt.Sprint("order-", i),
			Content: &cloudapi.Text{Body: "Ready!"},
		})
	}
	seen := map[string]int{}
	for _, m := range srv.Sent() {
		seen[m.CallbackData]++
	}
	for order, n := range seen {
		if n > 1 {
			fmt.Println(order, "was sent", n, "times")
		}
	}
	fmt.Println("no message was sent twice")
	// Output: no message was sent twice
}

// A customer has written, so a free text may be sent; another one has not.
func ExampleServer_RecordInbound() {
	srv := cloudapitest.NewServer(cloudapitest.Config{Strict: true})
	defer srv.Close()
	phone := srv.AddPhone(cloudapitest.Phone{})
	customer := graph.Identity{WAID: "15550100142"}
	fmt.Println(srv.WindowOpen(phone.ID, customer))
	srv.RecordInbound(phone.ID, customer, "wamid.1")
	fmt.Println(srv.WindowOpen(phone.ID, customer))
	// Output:
	// false
	// true
}

// A template has to be there before it can be sent.
func ExampleServer_AddTemplate() {
	srv := cloudapitest.NewServer(cloudapitest.Config{})
	defer srv.Close()
	phone := srv.AddPhone(cloudapitest.Phone{})
	t := cloudapitest.Template{WABAID: phone.WABAs[0]}
	t.Name, t.Language, t.Category = "order_confirmation", "en_US", graph.TemplateUtility
	t.Components = []cloudapi.ComponentDefinition{{Type: cloudapi.ComponentBody, Text: "Your order is on its way."}}
	srv.AddTemplate(t)

	client, err := cloudapi.NewClient(srv.ClientConfig())
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = client.Messages.Send(context.Background(), phone.ID, cloudapi.Message{
		To:      cloudapi.ToPhone("+1 555 010 0142"),
		Content: &cloudapi.Template{Name: "order_confirmation", Language: "en_US"},
	})
	name, language := srv.Sent()[0].Template()
	fmt.Println(name, language, err)
	// Output: order_confirmation en_US <nil>
}

// The code of a popup, for tests of an exchange of your own.
func ExampleServer_AddCode() {
	srv := cloudapitest.NewServer(cloudapitest.Config{})
	defer srv.Close()
	code := srv.AddCode(cloudapitest.AuthorizationCode{})
	client, err := cloudapi.NewClient(srv.ClientConfig())
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = client.OAuth.Exchange(context.Background(), cloudapi.CodeExchangeParams{Code: code})
	fmt.Println(err)
	_, err = client.OAuth.Exchange(context.Background(), cloudapi.CodeExchangeParams{Code: code})
	fmt.Println(err != nil) // a code works once
	// Output:
	// <nil>
	// true
}

// What can go wrong by chance.
func ExampleChaosKinds() {
	fmt.Println(len(cloudapitest.ChaosKinds()) > 10)
	// Output: true
}

// Tests look at what was called, and how often.
func ExampleServer_Requests() {
	srv := cloudapitest.NewServer(cloudapitest.Config{})
	defer srv.Close()
	phone := srv.AddPhone(cloudapitest.Phone{})
	client, err := cloudapi.NewClient(srv.ClientConfig())
	if err != nil {
		fmt.Println(err)
		return
	}
	if _, err := client.Phones.Get(context.Background(), phone.ID, cloudapi.PhoneGetOptions{}); err != nil {
		fmt.Println(err)
	}
	for _, r := range srv.Requests() {
		fmt.Println(r.Method, r.Status)
	}
	fmt.Println(srv.Count("GET", "/{phone-number-id}"))
	// Output:
	// GET 200
	// 1
}
