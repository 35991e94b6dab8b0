package coexistence_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"
	"slices"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/cloudapitest"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

// A server that follows its businesses' numbers and answers customers, except where a person does.
func Example() {
	tracker, err := coexistence.NewTracker(coexistence.Config{Store: new(coexistence.MemStore)})
	if err != nil {
		log.Fatal(err)
	}
	var mux webhook.Mux
	webhook.On(&mux, func(ctx context.Context, m *webhook.IncomingMessage) error {
		may, err := tracker.MayAnswer(ctx, m)
		if err != nil || !may.Allowed {
			return err // or nil, while a person or another responder answers
		}
		return nil // answer here
	})
	endpoint, err := webhook.NewEndpoint(webhook.Config{AppSecret: "app-secret", VerifyToken: "verify-token"},
		webhook.Dispatch(webhook.MultiHandler(tracker, &mux)))
	if err != nil {
		log.Fatal(err)
	}
	http.Handle("/webhook", endpoint)
}

func ExampleNumber_Apply() {
	at := time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)
	s := coexistence.Number{}.Onboard(cloudapi.Onboarding{PhoneNumberID: "100000000000001",
		WABAIDs: []graph.WABAID{"200000000000001"}, OnboardedAt: at})
	fmt.Println(s.Stage, s.Remaining(at.Add(time.Hour)))

	for _, progress := range []int{8, 100, 60} { // chunks come in any order
		s = s.Apply(&webhook.HistoryChunk{Order: progress, Progress: progress})
	}
	fmt.Println(s.Stage, s.History.Status)

	s = s.Apply(&webhook.AccountUpdate{
		EventInfo: webhook.EventInfo{At: at.Add(20 * 24 * time.Hour)}, Event: webhook.AccountPartnerRemoved,
		Disconnection: &webhook.DisconnectionInfo{Reason: webhook.DisconnectedChangeNumber},
	})
	fmt.Println(s.Stage)
	fmt.Println(s.Remedy())
	// Output:
	// onboarded 23h0m0s
	// active complete
	// removed
	// The number was changed on the phone. Connect the new number.
}

func ExampleTracker_RequestSync() {
	srv := cloudapitest.NewServer(cloudapitest.Config{}) // in place of graph.facebook.com
	defer srv.Close()
	phone := srv.AddPhone(cloudapitest.Phone{PhoneNumber: "+1 555 010 0199"})
	client, err := cloudapi.NewClient(srv.ClientConfig())
	if err != nil {
		log.Fatal(err)
	}
	ctx := context.Background()
	tracker, err := coexistence.NewTracker(coexistence.Config{
		Store: new(coexistence.MemStore),
		Client: func(context.Context, graph.PhoneNumberID) (*cloudapi.Client, error) {
			return client, nil // with one business; with several, client.WithToken(the owner's token)
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	err = tracker.Onboard(ctx, cloudapi.Onboarding{PhoneNumberID: phone.ID, WABAIDs: phone.WABAs,
		DisplayPhoneNumber: phone.PhoneNumber, OnboardedAt: time.Now()})
	if err != nil {
		log.Fatal(err)
	}

	_, err = tracker.RequestSync(ctx, phone.ID)
	if e, ok := errors.AsType[*coexistence.PreflightError](err); ok {
		for _, problem := range e.Preflight.Problems {
			fmt.Println(problem.Check, "is not in place")
		}
	}

	// Put in place what is missing. Nothing was lost by asking.
	srv.Subscribe(cloudapitest.AppSubscription{
		Fields:      []string{"messages", "history", "smb_app_state_sync", "smb_message_echoes", "account_update"},
		CallbackURL: "https://example.com/webhook",
	})
	if err := client.WABAs.Subscribe(ctx, phone.WABAs[0]); err != nil {
		log.Fatal(err)
	}
	result, err := tracker.RequestSync(ctx, phone.ID)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(result.Requested, result.Number.Stage)

	_, err = tracker.RequestSync(ctx, phone.ID)
	fmt.Println(errors.Is(err, coexistence.ErrSyncAlreadyRequested))
	// Output:
	// subscription is not in place
	// fields is not in place
	// [smb_app_state_sync history] syncing
	// true
}

func ExampleTracker_Handle() {
	const body = `{"object":"whatsapp_business_account","entry":[{"id":"200000000000001","changes":[
		{"field":"messages","value":{"messaging_product":"whatsapp",
			"metadata":{"display_phone_number":"15550100199","phone_number_id":"100000000000001"},
			"contacts":[{"profile":{"name":"Ada"},"wa_id":"15550100101"}],
			"messages":[{"from":"15550100101","id":"wamid.1","timestamp":"1795000000",
				"type":"text","text":{"body":"Are you open?"}}]}},
		{"field":"smb_message_echoes","value":{"messaging_product":"whatsapp",
			"metadata":{"display_phone_number":"15550100199","phone_number_id":"100000000000001"},
			"message_echoes":[
				{"from":"15550100199","to":"15550100101","id":"wamid.2","timestamp":"1795000060",
					"type":"text","text":{"body":"Until 5"}},
				{"from":"15550100199","to":"15550100101","id":"wamid.3","timestamp":"1795000090","type":"edit",
					"edit":{"original_message_id":"wamid.2","message":{"type":"text","text":{"body":"Until 6"}}}}]}}]}]}`
	ctx := context.Background()
	store := new(coexistence.MemStore)
	tracker, err := coexistence.NewTracker(coexistence.Config{Store: store})
	if err != nil {
		log.Fatal(err)
	}
	if err := webhook.Dispatch(tracker).Receive(ctx, webhook.Delivery{Body: []byte(body)}); err != nil {
		log.Fatal(err)
	}

	for c, err := range store.Conversations(ctx, "100000000000001") {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(c.Contact.DisplayName(), c.MessageCount)
		for m, err := range store.Messages(ctx, c.PhoneNumberID, c.ID) {
			if err != nil {
				log.Fatal(err)
			}
			fmt.Println(m.Origin, m.Text, m.Edited())
		}
	}
	// Output:
	// Ada 2
	// customer Are you open? false
	// app Until 6 true
}

// A customer writes a word and gets no campaign any more; an answer goes.
func ExampleConfig_stopWords() {
	tracker, err := coexistence.NewTracker(coexistence.Config{
		Store: new(coexistence.MemStore), StopWords: []string{"stop", "unsubscribe"},
	})
	if err != nil {
		log.Fatal(err)
	}
	ctx := context.Background()
	err = tracker.Handle(ctx, &webhook.IncomingMessage{
		EventInfo: webhook.EventInfo{PhoneNumberID: "100000000000001", At: time.Now()},
		ID:        "wamid.1", From: graph.Identity{WAID: "15550100101"}, Content: &webhook.Text{Body: "STOP!"},
	})
	if err != nil {
		log.Fatal(err)
	}
	for _, priority := range []cloudapi.Priority{cloudapi.PriorityCampaign, cloudapi.PriorityReply} {
		may, err := tracker.MaySend(ctx, "100000000000001", "15550100101", cloudapi.Message{
			To: cloudapi.ToPhone("+15550100101"), Content: &cloudapi.Text{Body: "Hello"}, Priority: priority,
		})
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(may.Allowed, may.Reason, may.Thread.StoppedBy)
	}
	// Output:
	// false stopped word
	// true  word
}

// What to tick in the app dashboard: what the tracker needs, and what the host's own handlers need.
func ExampleFields() {
	var mux webhook.Mux
	webhook.On(&mux, func(context.Context, *webhook.IncomingMessage) error { return nil })
	webhook.On(&mux, func(context.Context, *webhook.MessageTemplateStatusUpdate) error { return nil })
	fields := append(coexistence.Fields(), mux.Fields()...)
	slices.Sort(fields)
	for _, field := range slices.Compact(fields) {
		fmt.Println(field)
	}
	// Output:
	// account_update
	// history
	// message_template_status_update
	// messages
	// smb_app_state_sync
	// smb_message_echoes
}

func ExampleAliases() {
	fmt.Println(coexistence.Aliases(graph.Identity{UserID: "MX.1001", WAID: "5215510000101"}))
	// Output: [MX.1001 525510000101]
}

// Tell a business what changes before it decides.
func ExampleFeatures() {
	for _, f := range coexistence.Features() {
		if f.App != coexistence.AppUnchanged {
			fmt.Printf("%s (%s): %s\n", f.Name, f.App, f.AppText)
		}
	}
	// Output:
	// Disappearing messages (disabled): They are turned off in chats with one person.
	// View-once messages (disabled): They are disabled in chats with one person.
	// Live location (disabled): It is disabled in chats with one person.
	// Broadcast lists (disabled): No new ones can be made, and existing ones can only be read.
	// Linked devices (reduced): All of them are logged out once. Up to four can be linked again, except for WhatsApp for Windows and Wear OS.
	// WhatsApp for Windows and for Wear OS (disabled): They cannot be linked. Customers who use them see a placeholder instead of your messages.
}
