package coexistencetest_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http/httptest"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/coexistencetest"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/signup"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

// A number from the popup to the first message, with a host that only prints.
func ExampleNewWorld() {
	ctx := context.Background()
	world := coexistencetest.NewWorld(coexistencetest.Config{
		Delivery: coexistencetest.DeliveryConfig{Parallel: 1}, // in the order in which things happen
	})
	defer world.Close()
	phone := world.NewPhone(coexistencetest.PhoneConfig{PhoneNumber: "+1 555-010-0100"})

	var mux webhook.Mux
	webhook.On(&mux, func(_ context.Context, m *webhook.IncomingMessage) error {
		fmt.Println("customer:", m.Text())
		return nil
	})
	webhook.On(&mux, func(_ context.Context, m *webhook.BusinessAppEcho) error {
		fmt.Println("phone:", m.Text())
		return nil
	})
	endpoint, err := webhook.NewEndpoint(world.WebhookConfig(), webhook.Dispatch(&mux))
	if err != nil {
		fmt.Println(err)
		return
	}
	host := httptest.NewServer(endpoint)
	defer host.Close()
	if err := world.DeliverTo(host.URL); err != nil {
		fmt.Println(err)
		return
	}
	client, err := cloudapi.NewClient(world.ClientConfig())
	if err != nil {
		fmt.Println(err)
		return
	}
	flow, err := signup.NewFlow(signup.Config{ConfigurationID: world.ConfigurationID(), Client: client})
	if err != nil {
		fmt.Println(err)
		return
	}
	if _, err := coexistencetest.SignUp(ctx, flow, phone, coexistencetest.HistoryShared); err != nil {
		fmt.Println(err)
		return
	}

	customer := phone.Customer("+1 555-010-0142")
	customer.Send("Are you open?")
	phone.Send(customer, "Until six.")
	fmt.Println(world.WaitDelivered(ctx))
	// Output:
	// customer: Are you open?
	// phone: Until six.
	// <nil>
}

// The popup refuses what Meta refuses, with Meta's code.
func ExamplePopup() {
	world := coexistencetest.NewWorld(coexistencetest.Config{})
	defer world.Close()
	old := world.NewPhone(coexistencetest.PhoneConfig{AppVersion: "2.23.1"})
	popup, err := world.OpenSignup(json.RawMessage(`{"config_id":"` + world.ConfigurationID() + `",
		"response_type":"code","override_default_response_type":true,
		"extras":{"featureType":"whatsapp_business_app_onboarding"}}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(popup.ChooseExistingAccount())
	fmt.Println(popup.EnterNumber(old.PhoneNumber()))
	result, err := popup.Cancel()
	fmt.Println(string(result.Message), err)
	// Output:
	// <nil>
	// coexistencetest: the popup shows code 4563015: Update the WhatsApp Business app
	// {"data":{"current_step":"PHONE_NUMBER_SETUP"},"type":"WA_EMBEDDED_SIGNUP","event":"CANCEL"} <nil>
}

// When nothing arrives, ask what Meta would never tell.
func ExampleWorld_Suppressed() {
	world := coexistencetest.NewWorld(coexistencetest.Config{})
	defer world.Close()
	phone := world.NewPhone(coexistencetest.PhoneConfig{})
	popup, err := world.OpenSignup(json.RawMessage(`{"config_id":"` + world.ConfigurationID() + `",
		"response_type":"code","override_default_response_type":true,
		"extras":{"featureType":"whatsapp_business_app_onboarding"}}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	if _, err := popup.Complete(phone, coexistencetest.HistoryShared); err != nil {
		fmt.Println(err)
		return
	}
	phone.Customer("+1 555-010-0142").Send("Anybody there?")
	all := world.Suppressed()
	fmt.Printf("%s: %s\n", all[len(all)-1].Field, all[len(all)-1].Reason)
	// Output: messages: the app does not subscribe to the field
}

// What a test has proved depends on what the simulator assumes.
func ExampleWorld_Evidence() {
	world := coexistencetest.NewWorld(coexistencetest.Config{})
	defer world.Close()
	phone := world.NewPhone(coexistencetest.PhoneConfig{})
	if _, err := phone.Connect(coexistencetest.HistoryShared); err != nil { // the popup, in one step
		fmt.Println(err)
		return
	}
	phone.EndCoexistence(webhook.DisconnectedChangeNumber, "USER")
	for _, r := range world.Evidence() {
		if r.Behavior.Assumed {
			fmt.Println("assumed:", r.What)
		}
	}
	// Output:
	// assumed: PARTNER events need no subscription to the account
	// assumed: a subscription to the account ends with the account's access
}

// Set up once, and restore before each test: the second one finds nothing of the first, and gets
// the same ids.
func ExampleWorld_Snapshot() {
	ctx := context.Background()
	world := coexistencetest.NewWorld(coexistencetest.Config{})
	defer world.Close()
	phone := world.NewPhone(coexistencetest.PhoneConfig{PhoneNumber: "+1 555-010-0100"})
	if _, err := phone.Connect(coexistencetest.HistoryShared); err != nil {
		fmt.Println(err)
		return
	}
	customer := phone.Customer("+1 555-010-0142")
	ready, err := world.Snapshot(ctx)
	if err != nil {
		fmt.Println(err)
		return
	}

	first := customer.Send("Are you open?")
	if err := world.Restore(ctx, ready); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("messages:", len(phone.Chat(customer)))
	fmt.Println("the same id:", customer.Send("Are you open?") == first)
	// Output:
	// messages: 0
	// the same id: true
}
