package cloudapi_test

import (
	"context"
	"fmt"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// A group of a number on Cloud API. Its id comes by webhook (GroupLifecycleUpdate); people join by
// the invitation link.
func ExampleGroupsService_Create() {
	srv, client, phone := cloudShop() // a coexistence number has no groups
	defer srv.Close()
	ctx := context.Background()

	request, err := client.Groups.Create(ctx, phone.ID, cloudapi.GroupCreateParams{
		Subject: "Bakers", JoinApproval: graph.JoinWithApproval,
	})
	if err != nil {
		panic(err)
	}
	group := srv.Groups(phone.ID)[0] // stands for the webhook, which has the same request id
	fmt.Println(group.RequestID == request, group.Subject)
	link, err := client.Groups.InviteLink(ctx, group.ID)
	fmt.Println(link != "", err)
	// Output:
	// true Bakers
	// true <nil>
}

// People who asked to join are let in.
func ExampleGroupsService_Approve() {
	srv, client, phone := cloudShop()
	defer srv.Close()
	ctx := context.Background()
	if _, err := client.Groups.Create(ctx, phone.ID, cloudapi.GroupCreateParams{
		Subject: "Bakers", JoinApproval: graph.JoinWithApproval,
	}); err != nil {
		panic(err)
	}
	group := srv.Groups(phone.ID)[0].ID
	srv.JoinGroup(group, ada)

	for request, err := range client.Groups.JoinRequests(ctx, group) {
		if err != nil {
			panic(err)
		}
		result, err := client.Groups.Approve(ctx, group, request.ID)
		if err != nil {
			panic(err)
		}
		fmt.Println(len(result.Done), len(result.Failed))
	}
	// Output: 1 0
}

// A message to everybody in the group.
func ExampleGroupsService_Get() {
	srv, client, phone := cloudShop()
	defer srv.Close()
	ctx := context.Background()
	if _, err := client.Groups.Create(ctx, phone.ID, cloudapi.GroupCreateParams{Subject: "Bakers"}); err != nil {
		panic(err)
	}
	id := srv.Groups(phone.ID)[0].ID
	srv.JoinGroup(id, ada)

	_, err := client.Messages.Send(ctx, phone.ID, cloudapi.Message{
		To: cloudapi.ToGroup(id), Content: &cloudapi.Text{Body: "Fresh bread at 7"},
	})
	if err != nil {
		panic(err)
	}
	group, err := client.Groups.Get(ctx, id)
	if err != nil {
		panic(err)
	}
	fmt.Println(group.Subject, group.ParticipantCount)
	// Output: Bakers 1
}
