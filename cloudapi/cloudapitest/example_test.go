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
	srv := cloudapitest.NewServer()
	defer srv.Close()
	phone := srv.AddPhone(cloudapitest.Phone{})

	client, err := cloudapi.NewClient(srv.Config())
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
func ExampleServer_DropNext() {
	srv := cloudapitest.NewServer()
	defer srv.Close()
	phone := srv.AddPhone(cloudapitest.Phone{})
	client, err := cloudapi.NewClient(srv.Config())
	if err != nil {
		fmt.Println(err)
		return
	}
	message := cloudapi.Message{To: cloudapi.ToPhone("+1 555 010 0142"), Content: &cloudapi.Text{Body: "Only once"}}

	srv.FailNext(graph.CodeRateLimitHit)
	_, err = client.Messages.Send(context.Background(), phone.ID, message)
	fmt.Println(err, srv.Count("POST", "/{phone-number-id}/messages"))

	srv.DropNext()
	_, err = client.Messages.Send(context.Background(), phone.ID, message)
	failed, _ := errors.AsType[*cloudapi.Error](err)
	fmt.Println(failed.Outcome, len(srv.Sent()))
	// Output:
	// <nil> 2
	// unknown 2
}

func ExampleServer_Advance() {
	srv := cloudapitest.NewServer()
	defer srv.Close()
	phone := srv.AddPhone(cloudapitest.Phone{})
	client, err := cloudapi.NewClient(srv.Config())
	if err != nil {
		fmt.Println(err)
		return
	}
	srv.Advance(25 * time.Hour)
	_, err = client.Phones.SyncAppData(context.Background(), phone.ID, cloudapi.SyncHistory)
	fmt.Println(errors.Is(err, graph.CodeSyncWindowClosed))
	// Output: true
}
