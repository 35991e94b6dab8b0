package cloudapi_test

import (
	"context"
	"fmt"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/cloudapitest"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// The number calls a customer who has allowed it. The session is that of your WebRTC library.
func ExampleCallsService_Connect() {
	srv, client, phone := cloudShop()
	defer srv.Close()
	ctx := context.Background()
	on := cloudapi.CallingSettings{Status: graph.FeatureEnabled}
	if err := client.Settings.SetCalling(ctx, phone.ID, on); err != nil {
		panic(err)
	}
	srv.PermitCalls(phone.ID, ada, cloudapi.PermissionTemporary)

	permission, err := client.Calls.Permission(ctx, phone.ID, cloudapi.ToPhone("+1 555 010 0142"))
	if err != nil {
		panic(err)
	}
	fmt.Println(permission.Permission.Status)
	id, err := client.Calls.Connect(ctx, phone.ID, cloudapi.CallConnectParams{
		To:      cloudapi.ToPhone("+1 555 010 0142"),
		Session: graph.CallSession{Type: graph.SDPOffer, SDP: "v=0"},
	})
	fmt.Println(id != "", err)
	// Output:
	// temporary
	// true <nil>
}

// A customer calls. The webhook event is Call, with the id and the offer.
func ExampleCallsService_Accept() {
	srv, client, phone := cloudShop()
	defer srv.Close()
	ctx := context.Background()
	on := cloudapi.CallingSettings{Status: graph.FeatureEnabled}
	if err := client.Settings.SetCalling(ctx, phone.ID, on); err != nil {
		panic(err)
	}
	call := srv.AddCall(cloudapitest.Call{PhoneNumberID: phone.ID, Person: ada}).ID

	answer := graph.CallSession{Type: graph.SDPAnswer, SDP: "v=0"}
	fmt.Println(client.Calls.PreAccept(ctx, phone.ID, call, answer)) // the media connect already
	fmt.Println(client.Calls.Accept(ctx, phone.ID, call, cloudapi.CallAcceptParams{Session: answer}))
	fmt.Println(client.Calls.Terminate(ctx, phone.ID, call))
	// Output:
	// <nil>
	// <nil>
	// <nil>
}
