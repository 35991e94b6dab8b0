package cloudapi_test

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"fmt"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/flowendpoint"
)

// A Flow is a draft until it is published; a published one is never changed again.
func ExampleFlowsService_Create() {
	srv, client, phone := shop()
	defer srv.Close()
	ctx := context.Background()

	made, err := client.Flows.Create(ctx, phone.WABAs[0], cloudapi.FlowCreateParams{
		Name: "booking", Categories: []string{"APPOINTMENT_BOOKING"},
	})
	if err != nil {
		panic(err)
	}
	// The screens, as Meta's Flow Builder exports them. Meta says what is wrong with them.
	result, err := client.Flows.UploadJSON(ctx, made.ID, []byte(`{"version":"6.0","screens":[{}]}`))
	if err != nil {
		panic(err)
	}
	fmt.Println(len(result.ValidationErrors), client.Flows.Publish(ctx, made.ID))

	flow, err := client.Flows.Get(ctx, made.ID)
	if err != nil {
		panic(err)
	}
	fmt.Println(flow.Name, flow.Status)
	// Output:
	// 0 <nil>
	// booking PUBLISHED
}

// A Flow with an endpoint encrypts with the key of the number. Package flowendpoint has the other
// half of it.
func ExampleFlowsService_SetKey() {
	srv, client, phone := shop()
	defer srv.Close()
	ctx := context.Background()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	text, err := flowendpoint.MarshalPublicKey(key)
	if err != nil {
		panic(err)
	}

	if err := client.Flows.SetKey(ctx, phone.ID, text); err != nil {
		panic(err)
	}
	stored, err := client.Flows.Key(ctx, phone.ID)
	if err != nil {
		panic(err)
	}
	fmt.Println(stored.Status)
	// Output: VALID
}
