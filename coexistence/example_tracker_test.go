package coexistence_test

import (
	"context"
	"fmt"
	"log"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/cloudapitest"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

// simulated returns a tracker of one onboarded number on a simulated Graph API, where everything is
// subscribed. The caller closes the server.
func simulated() (*cloudapitest.Server, *coexistence.Tracker, cloudapitest.Phone) {
	srv := cloudapitest.NewServer(cloudapitest.Config{})
	number := srv.AddPhone(cloudapitest.Phone{PhoneNumber: "+1 555 010 0199"})
	subscription := cloudapitest.AppSubscription{CallbackURL: "https://example.com/webhook"}
	for _, field := range append(coexistence.Fields(), coexistence.OptionalFields()...) {
		subscription.Fields = append(subscription.Fields, string(field))
	}
	srv.Subscribe(subscription)
	srv.SubscribeWABA(number.WABAs[0])
	client, err := cloudapi.NewClient(srv.ClientConfig())
	if err != nil {
		log.Fatal(err)
	}
	tracker, err := coexistence.NewTracker(coexistence.Config{
		Store:  new(coexistence.MemStore),
		Client: func(context.Context, graph.PhoneNumberID) (*cloudapi.Client, error) { return client, nil },
	})
	if err != nil {
		log.Fatal(err)
	}
	err = tracker.Onboard(context.Background(), cloudapi.Onboarding{
		PhoneNumberID: number.ID, WABAIDs: number.WABAs, DisplayPhoneNumber: number.PhoneNumber,
		OnboardedAt: time.Now(),
	})
	if err != nil {
		log.Fatal(err)
	}
	return srv, tracker, number
}

// A tracker needs a store. Everything else has a default.
func ExampleNewTracker() {
	_, err := coexistence.NewTracker(coexistence.Config{})
	fmt.Println(err != nil)
	tracker, err := coexistence.NewTracker(coexistence.Config{Store: new(coexistence.MemStore)})
	fmt.Println(tracker != nil, err)
	// Output:
	// true
	// true <nil>
}

// What signup.Config.Connected does with a business that has just connected.
func ExampleTracker_Onboard() {
	ctx := context.Background()
	tracker, err := coexistence.NewTracker(coexistence.Config{Store: new(coexistence.MemStore)})
	if err != nil {
		log.Fatal(err)
	}
	err = tracker.Onboard(ctx, cloudapi.Onboarding{ // of a signup: signup.Connection.Onboarding
		PhoneNumberID: phone, WABAIDs: []graph.WABAID{"200000000000001"}, OnboardedAt: time.Now(),
	})
	if err != nil {
		log.Fatal(err)
	}
	number, err := tracker.Store().Number(ctx, phone)
	fmt.Println(number.Stage, err)
	// Output: onboarded <nil>
}

// An answer goes out and is in the conversation at once, so that its echo is recognized.
func ExampleTracker_Send() {
	srv, tracker, number := simulated()
	defer srv.Close()
	ctx := context.Background()
	srv.RecordInbound(number.ID, graph.Identity{WAID: "15550100101"}, "wamid.1")

	sent, err := tracker.Send(ctx, number.ID, cloudapi.Message{
		To: cloudapi.ToPhone("+1 555 010 0101"), Content: &cloudapi.Text{Body: "Until six"},
	})
	if err != nil {
		log.Fatal(err) // a handler returns it
	}
	m, err := tracker.Store().Message(ctx, number.ID, sent.ID)
	fmt.Println(m.Origin, m.Text, err)
	// Output: api Until six <nil>
}

// A message that something else has sent, such as a queue of the host's own.
func ExampleTracker_RecordSent() {
	srv, tracker, number := simulated()
	defer srv.Close()
	ctx := context.Background()
	client, err := tracker.Client(ctx, number.ID)
	if err != nil {
		log.Fatal(err)
	}
	m := cloudapi.Message{To: cloudapi.ToPhone("+1 555 010 0101"), Content: &cloudapi.Text{Body: "Ready!"}}
	sent, err := client.Messages.Send(ctx, number.ID, m)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(tracker.RecordSent(ctx, number.ID, sent, m))
	stored, err := tracker.Store().Message(ctx, number.ID, sent.ID)
	fmt.Println(stored.Text, err)
	// Output:
	// <nil>
	// Ready! <nil>
}

// Does the number still coexist? Ask before acting on a disconnection.
func ExampleTracker_Refresh() {
	srv, tracker, number := simulated()
	defer srv.Close()

	n, err := tracker.Refresh(context.Background(), number.ID)
	fmt.Println(n.Stage, n.Placement, err)
	// Output: onboarded both <nil>
}

// What is missing before the one-time syncs are requested. It changes nothing.
func ExampleTracker_Preflight() {
	srv, tracker, number := simulated()
	defer srv.Close()
	srv.Subscribe(cloudapitest.AppSubscription{
		Fields: []string{"messages"}, CallbackURL: "https://example.com/webhook",
	})

	p, err := tracker.Preflight(context.Background(), number.ID)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(p.OK())
	for _, problem := range p.Problems {
		fmt.Println(problem.Check)
	}
	// Output:
	// false
	// fields
}

// What is due for one number, such as right after it was onboarded: here, both syncs.
func ExampleTracker_Reconcile() {
	srv, tracker, number := simulated()
	defer srv.Close()
	ctx := context.Background()

	if err := tracker.Reconcile(ctx, number.ID); err != nil {
		log.Fatal(err)
	}
	n, err := tracker.Store().Number(ctx, number.ID)
	fmt.Println(n.Stage, n.CanRequestSync(time.Now()), err)
	// Output: syncing false <nil>
}

// A function in a cloud, called by a timer, does for all numbers what Run does in a server.
func ExampleTracker_ReconcileAll() {
	srv, tracker, _ := simulated()
	defer srv.Close()

	fmt.Println(tracker.ReconcileAll(context.Background()))
	// Output: <nil>
}

// A server does what is due for all numbers for as long as it runs.
func ExampleTracker_Run() {
	srv, tracker, _ := simulated()
	defer srv.Close()
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		tracker.Run(ctx)
		close(done)
	}()

	stop() // when the server ends
	<-done
	fmt.Println("nothing is under way any more")
	// Output: nothing is under way any more
}

// A handler behind the tracker gets the conversation of its event.
func ExampleTracker_Conversation() {
	ctx, tracker := context.Background(), bakery()
	message := customerWrites("wamid.4", "15550100101", "Ada", "Until when?")
	if err := tracker.Handle(ctx, message); err != nil {
		log.Fatal(err)
	}
	c, err := tracker.Conversation(ctx, message)
	fmt.Println(c.Contact.DisplayName(), c.MessageCount, c.WindowOpen(time.Now()), err)
	// Output: Ada 3 true <nil>
}

// Which responder has a conversation, and is a person in it? With one responder, Meta never says.
func ExampleTracker_Thread() {
	ctx, tracker := context.Background(), bakery()
	thread, err := tracker.Thread(ctx, phone, "15550100101")
	fmt.Println(thread.Owner == coexistence.OwnerUnknown, time.Until(thread.WindowClosesAt()) > 23*time.Hour, err)
	// Output: true true <nil>
}

// A conversation goes to Meta's Business Agent.
func ExampleTracker_Pass() {
	srv, tracker, number := simulated()
	defer srv.Close()
	ctx, customer := context.Background(), graph.Identity{WAID: "15550100101"}
	srv.SetRouting(number.ID, cloudapitest.Routing{On: true, Roles: []graph.HandoverRole{graph.RoleAIAgent}})
	srv.SetThread(number.ID, customer, cloudapitest.OwnerUs)

	_, err := tracker.Pass(ctx, number.ID, graph.RoleAIAgent, cloudapi.ThreadParams{
		To: cloudapi.ToIdentity(customer), Metadata: "asks about an order",
	})
	if err != nil {
		log.Fatal(err)
	}
	thread, err := tracker.Thread(ctx, number.ID, "15550100101")
	fmt.Println(thread.Owner, thread.Role, err)
	// Output: other ai_agent <nil>
}

// A customer tells a colleague not to get any more offers.
func ExampleTracker_StopMarketing() {
	ctx, tracker := context.Background(), bakery()
	fmt.Println(tracker.StopMarketing(ctx, phone, "15550100101"))
	offer := cloudapi.Message{
		To: cloudapi.ToPhone("+15550100101"), Content: &cloudapi.Text{Body: "20 % off"},
		Priority: cloudapi.PriorityCampaign,
	}
	may, err := tracker.MaySend(ctx, phone, "15550100101", offer)
	fmt.Println(may.Allowed, may.Reason, err)
	fmt.Println(tracker.ResumeMarketing(ctx, phone, "15550100101"))
	// Output:
	// <nil>
	// false stopped <nil>
	// <nil>
}

// What a business has to do after a disconnection, in words for it.
func ExampleNumber_Remedy() {
	n := coexistence.Number{}.Onboard(cloudapi.Onboarding{PhoneNumberID: phone, OnboardedAt: time.Now()})
	n = n.Apply(&webhook.AccountUpdate{
		EventInfo: webhook.EventInfo{At: time.Now().Add(time.Hour)}, Event: webhook.AccountPartnerRemoved,
		Disconnection: &webhook.DisconnectionInfo{Reason: webhook.DisconnectedCompanionInactivity},
	})
	fmt.Println(n.Stage, n.Remedy() != "")
	// Output: removed true
}

// Meta disconnects a number whose app lies unused for two weeks. Warn the business before.
func ExampleNumber_IdleWarning() {
	at := time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)
	n := coexistence.Number{}.Onboard(cloudapi.Onboarding{PhoneNumberID: phone, OnboardedAt: at})
	for _, days := range []int{1, 13} {
		fmt.Println(n.IdleWarning(at.Add(time.Duration(days) * 24 * time.Hour)))
	}
	// Output:
	// false
	// true
}

// A store of your own is filled with what a person may be called.
func ExampleIdentityOf() {
	fmt.Println(coexistence.IdentityOf("US.1001").UserID, coexistence.IdentityOf("@ada").Username)
	fmt.Println(coexistence.IdentityOf("15550100101").WAID)
	// Output:
	// US.1001 ada
	// 15550100101
}

// However a number is written, it is one person.
func ExampleAlias() {
	fmt.Println(coexistence.Alias("+1 (555) 010-0101"), coexistence.Alias("15550100101"))
	// Output: 15550100101 15550100101
}

// A bot looks at customers' messages only, and not at reactions, old or deleted ones.
func ExampleAnswerable() {
	fmt.Println(coexistence.Answerable(customerWrites("wamid.1", "15550100101", "Ada", "Are you open?")))
	fmt.Println(coexistence.Answerable(&webhook.MessageStatus{}))
	// Output:
	// true
	// false
}

// People by name or number.
func ExampleMemStore_FindPeople() {
	store := bakery().Store()
	found, err := store.FindPeople(context.Background(), phone, "+1 555 010 0102", 20)
	fmt.Println(len(found), err)
	// Output: 1 <nil>
}

// How much is unread, for the badge of a menu.
func ExampleMemStore_CountUnread() {
	unread, err := bakery().Store().CountUnread(context.Background(), phone)
	fmt.Println(unread.Messages, unread.Conversations, err)
	// Output: 3 2 <nil>
}

// Messages in the order in which the phone shows them, also within one second.
func ExampleMessage_Compare() {
	at := time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)
	a := coexistence.Message{ID: "wamid.1", At: at}
	b := coexistence.Message{ID: "wamid.2", At: at.Add(time.Second)}
	fmt.Println(a.Compare(b), b.Compare(a))
	// Output: -1 1
}

// The words of a text, for a store that keeps an index of its own.
func ExampleWords() {
	fmt.Println(coexistence.Words("Fresh bread, fresh rolls!"))
	fmt.Println(coexistence.PeopleWords("+1 555 010 0101"))
	// Output:
	// [fresh bread rolls]
	// [15550100101]
}
