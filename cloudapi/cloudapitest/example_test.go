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

// Set up once, and go back before each test.
func ExampleServer_Snapshot() {
	srv := cloudapitest.NewServer(cloudapitest.Config{})
	defer srv.Close()
	phone := srv.AddPhone(cloudapitest.Phone{})
	client, err := cloudapi.NewClient(srv.ClientConfig())
	if err != nil {
		fmt.Println(err)
		return
	}
	ready, err := srv.Snapshot()
	if err != nil {
		fmt.Println(err)
		return
	}
	var ids []graph.MessageID
	for range 2 {
		sent, err := client.Messages.Send(context.Background(), phone.ID, cloudapi.Message{
			To: cloudapi.ToPhone("+1 555 010 0142"), Content: &cloudapi.Text{Body: "Hello"},
		})
		if err != nil {
			fmt.Println(err)
			return
		}
		ids = append(ids, sent.ID)
		if err := srv.WaitIdle(context.Background()); err != nil {
			fmt.Println(err)
			return
		}
		if err := srv.Restore(ready); err != nil {
			fmt.Println(err)
			return
		}
	}
	fmt.Println(ids[0] == ids[1], len(srv.Sent()))
	// Output: true 0
}
