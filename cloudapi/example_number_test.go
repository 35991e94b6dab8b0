package cloudapi_test

import (
	"context"
	"fmt"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/cloudapitest"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// Everything that is known of a number.
func ExamplePhonesService_Get() {
	srv, client, phone := shop()
	defer srv.Close()

	p, err := client.Phones.Get(context.Background(), phone.ID, cloudapi.PhoneGetOptions{})
	if err != nil {
		panic(err)
	}
	fmt.Println(p.DisplayPhoneNumber, p.Status, p.Coexists(), p.MessagesPerSecond())
	// Output: +1 555 010 0199 CONNECTED true 20
}

// One number delivers to a URL of its own, such as that of a test server.
func ExamplePhonesService_SetWebhook() {
	srv, client, phone := shop()
	defer srv.Close()

	fmt.Println(client.Phones.SetWebhook(context.Background(), phone.ID, cloudapi.WebhookOverride{}))
	// Output: <nil>
}

// The profile that customers see.
func ExampleProfilesService_Update() {
	srv, client, phone := shop()
	defer srv.Close()
	ctx := context.Background()

	err := client.Profiles.Update(ctx, phone.ID, cloudapi.ProfileUpdateParams{
		About: new("Bread since 1907"), Websites: []string{"https://example.com"},
	})
	if err != nil {
		panic(err)
	}
	profile, err := client.Profiles.Get(ctx, phone.ID)
	if err != nil {
		panic(err)
	}
	fmt.Println(profile.About, profile.Websites)
	// Output: Bread since 1907 [https://example.com]
}

// Calls are switched on.
func ExampleSettingsService_SetCalling() {
	srv, client, phone := shop()
	defer srv.Close()
	ctx := context.Background()

	err := client.Settings.SetCalling(ctx, phone.ID, cloudapi.CallingSettings{Status: graph.FeatureEnabled})
	if err != nil {
		panic(err)
	}
	settings, err := client.Settings.Get(ctx, phone.ID)
	if err != nil {
		panic(err)
	}
	fmt.Println(settings.Calling.Status)
	// Output: ENABLED
}

// What a customer sees in an empty chat: questions to tap, and commands.
func ExampleAutomationService_Set() {
	srv, client, phone := shop()
	defer srv.Close()
	ctx := context.Background()

	err := client.Automation.Set(ctx, phone.ID, cloudapi.Automation{
		Prompts:  []string{"When are you open?", "Order bread"},
		Commands: []cloudapi.AutomationCommand{{Name: "menu", Description: "What we bake today"}},
	})
	if err != nil {
		panic(err)
	}
	a, err := client.Automation.Get(ctx, phone.ID)
	if err != nil {
		panic(err)
	}
	fmt.Println(a.Prompts, len(a.Commands))
	// Output: [When are you open? Order bread] 1
}

func ExampleUsernamesService_Set() {
	srv, client, phone := shop()
	defer srv.Close()

	status, err := client.Usernames.Set(context.Background(), phone.ID, "bakery", cloudapi.UsernameSetOptions{})
	fmt.Println(status, err)
	// Output: approved <nil>
}

// A code for a shop window: it opens a chat with a first message in it.
func ExampleQRService_Create() {
	srv, client, phone := shop()
	defer srv.Close()

	code, err := client.QR.Create(context.Background(), phone.ID, cloudapi.QRCreateParams{
		PrefilledMessage: "I would like to order", Image: cloudapi.QRPNG,
	})
	if err != nil {
		panic(err)
	}
	fmt.Println(code.Prefilled, code.URL != "", code.ImageURL != "")
	// Output: I would like to order true true
}

// Only people who wrote within the last 24 hours can be blocked.
func ExampleBlockService_Add() {
	srv, client, phone := shop()
	defer srv.Close()
	ctx := context.Background()
	srv.RecordInbound(phone.ID, ada, "wamid.1")

	result, err := client.Block.Add(ctx, phone.ID, cloudapi.ToPhone("+1 555 010 0142"))
	fmt.Println(len(result.Done), len(result.Failed), err)
	for person, err := range client.Block.List(ctx, phone.ID) {
		fmt.Println(person.WAID, err)
	}
	// Output:
	// 1 0 <nil>
	// 15550100142 <nil>
}

// A number that is on Cloud API only. Never do this with a coexistence number: Meta refuses it.
func ExampleRegistrationService_Register() {
	srv, client, phone := cloudShop()
	defer srv.Close()
	ctx := context.Background()
	id, err := client.Registration.Add(ctx, phone.WABAs[0], cloudapi.PhoneNumberAddParams{
		CountryCode: "1", PhoneNumber: "5550100188", VerifiedName: "Bakery",
	})
	if err != nil {
		panic(err)
	}
	if err := client.Registration.RequestCode(ctx, id, cloudapi.CodeBySMS, "en_US"); err != nil {
		panic(err)
	}
	code := graph.Secret(srv.VerificationCode(id)) // the owner reads it off the phone
	if err := client.Registration.VerifyCode(ctx, id, code); err != nil {
		panic(err)
	}
	added, err := client.Phones.Get(ctx, id, cloudapi.PhoneGetOptions{})
	if err != nil {
		panic(err)
	}
	fmt.Println(client.Registration.Register(ctx, added, cloudapi.RegisterParams{PIN: "123456"}))
	// Output: <nil>
}

// Can this number send? If not, the entities say which of app, business, account and number is why.
func ExampleHealthService_Get() {
	srv, client, phone := shop()
	defer srv.Close()

	health, err := client.Health.Get(context.Background(), string(phone.ID))
	if err != nil {
		panic(err)
	}
	fmt.Println(health.Status.CanSend)
	// Output: AVAILABLE
}

// Meta remembers the phone number of a person who has hidden it since. Here one asks to be
// forgotten.
func ExampleContactBookService_Delete() {
	srv, client, phone := shop()
	defer srv.Close()

	deleted, err := client.ContactBook.Delete(context.Background(), phone.ID, ada.UserID)
	fmt.Println(deleted, err)
	// Output: true <nil>
}

// The conversation goes to Meta's Business Agent. With a tracker, use Tracker.Pass, which books it.
func ExampleThreadsService_Pass() {
	srv, client, phone := shop()
	defer srv.Close()
	srv.SetRouting(phone.ID, cloudapitest.Routing{On: true, Roles: []graph.HandoverRole{graph.RoleAIAgent}})
	srv.SetThread(phone.ID, ada, cloudapitest.OwnerUs)

	_, err := client.Threads.Pass(context.Background(), phone.ID, graph.RoleAIAgent, cloudapi.ThreadParams{
		To: cloudapi.ToPhone("+1 555 010 0142"), Metadata: "asked about an order",
	})
	fmt.Println(err, srv.Thread(phone.ID, ada))
	// Output: <nil> other
}
