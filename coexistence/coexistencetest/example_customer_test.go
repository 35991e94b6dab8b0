package coexistencetest_test

import (
	"context"
	"fmt"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/coexistencetest"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/signup"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

// newCoexisting returns a world with one number that coexists, and a client of its business. The
// caller closes the world.
func newCoexisting() (*coexistencetest.World, *coexistencetest.Phone, *cloudapi.Client) {
	world := coexistencetest.NewWorld(coexistencetest.Config{})
	phone := world.NewPhone(coexistencetest.PhoneConfig{PhoneNumber: "+1 555-010-0100"})
	if _, err := phone.Connect(coexistencetest.HistoryShared); err != nil {
		panic(err)
	}
	client, err := cloudapi.NewClient(world.ClientConfig())
	if err != nil {
		panic(err)
	}
	return world, phone, client
}

// A signup of your host, from the launch to the connection, in one call.
func ExampleSignUp() {
	world := coexistencetest.NewWorld(coexistencetest.Config{})
	defer world.Close()
	phone := world.NewPhone(coexistencetest.PhoneConfig{})
	client, err := cloudapi.NewClient(world.ClientConfig())
	if err != nil {
		panic(err)
	}
	flow, err := signup.NewFlow(signup.Config{ConfigurationID: world.ConfigurationID(), Client: client})
	if err != nil {
		panic(err)
	}
	b, err := coexistencetest.SignUp(context.Background(), flow, phone, coexistencetest.HistoryDeclined)
	if err != nil {
		panic(err)
	}
	fmt.Println(b.Outcome, phone.Coexists())
	// Output: ready true
}

// A customer sends more than texts.
func ExampleCustomer_SendContent() {
	world, phone, _ := newCoexisting()
	defer world.Close()
	customer := phone.AddCustomer(coexistencetest.CustomerConfig{Name: "Ada", PhoneNumber: "+1 555-010-0142"})
	for _, content := range []coexistencetest.Content{
		coexistencetest.Image("my bread"), coexistencetest.Voice(),
		coexistencetest.Location("Bakery", "1 Main Street", 37.48, -122.14),
		coexistencetest.ContactCard("Ben", "+1 555-010-0143"),
	} {
		customer.SendContent(content)
	}
	fmt.Println(len(phone.Chat(customer)))
	// Output: 4
}

// A customer taps a button that your host has sent.
func ExampleCustomer_Tap() {
	world, phone, client := newCoexisting()
	defer world.Close()
	customer := phone.AddCustomer(coexistencetest.CustomerConfig{Name: "Ada", PhoneNumber: "+1 555-010-0142"})
	customer.Send("Do you deliver?")
	sent, err := client.Messages.Send(context.Background(), phone.ID(), cloudapi.Message{
		To: cloudapi.ToIdentity(customer.Identity()),
		Content: &cloudapi.Interactive{
			Body:   "Shall we deliver today?",
			Action: &cloudapi.ReplyButtons{Buttons: []cloudapi.ReplyButton{{ID: "yes", Title: "Yes, today"}}},
		},
	})
	if err != nil {
		panic(err)
	}
	id, err := customer.Tap(sent.ID, "Yes, today")
	fmt.Println(id != "", err)
	_, err = customer.Tap(sent.ID, "No")
	fmt.Println(err != nil) // the message has no such button
	// Output:
	// true <nil>
	// true
}

// The owner answers on the phone, and deletes the answer.
func ExamplePhone_Send() {
	world, phone, _ := newCoexisting()
	defer world.Close()
	customer := phone.AddCustomer(coexistencetest.CustomerConfig{Name: "Ada", PhoneNumber: "+1 555-010-0142"})
	customer.Send("Are you open?")
	answer := phone.Send(customer, "Until five.")
	_, err := phone.Edit(answer, "Until six.")
	fmt.Println(err)
	_, err = phone.Revoke(answer)
	fmt.Println(err)
	// Output:
	// <nil>
	// <nil>
}

// The owner changes the number, loses the phone or lets the app lie idle: each ends with the
// webhooks of Meta.
func ExamplePhone_Disconnect() {
	world, phone, _ := newCoexisting()
	defer world.Close()
	phone.Disconnect()
	fmt.Println(phone.Coexists())
	// Output: false
}

// A template waits for Meta's verdict.
func ExampleWorld_ReviewTemplate() {
	world, phone, client := newCoexisting()
	defer world.Close()
	made, err := client.Templates.Create(context.Background(), phone.WABA(), coexistencetest.HelloWorld())
	if err != nil {
		panic(err)
	}
	err = world.ReviewTemplate(made.ID, coexistencetest.TemplateReview{Event: webhook.TemplateApproved})
	fmt.Println(made.Status, err)
	// Output: PENDING <nil>
}

// A whole week passes at once.
func ExampleWorld_Advance() {
	world, phone, _ := newCoexisting()
	defer world.Close()
	before := world.Now()
	phone.LieIdle()
	fmt.Println(world.Now().Sub(before) > 0, phone.Coexists())
	// Output: true false
}

// Meta's agent answers beside your host.
func ExamplePhone_AddResponder() {
	world, phone, _ := newCoexisting()
	defer world.Close()
	agent, err := phone.AddResponder(coexistencetest.ResponderConfig{Name: "Agent", Reply: "I am the agent."})
	if err != nil {
		panic(err)
	}
	fmt.Println(agent.Name(), agent.Role())
	// Output: Agent ai_agent
}

// What the simulator does, and whether Meta documents it.
func ExampleFidelity() {
	var assumed int
	for _, b := range coexistencetest.Fidelity() {
		if b.Assumed {
			assumed++
		}
	}
	fmt.Println(assumed > 0)
	// Output: true
}
