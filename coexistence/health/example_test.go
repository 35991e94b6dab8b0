package health_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/cloudapitest"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/health"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/storage"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

// bakery returns a tracker of one connected number, whose app has no field user_preferences.
func bakery(ctx context.Context) (tracker *coexistence.Tracker, end func()) {
	meta := cloudapitest.NewServer(cloudapitest.Config{}) // stands for Meta
	client, err := cloudapi.NewClient(meta.ClientConfig())
	if err != nil {
		log.Fatal(err)
	}
	meta.AddWABA(cloudapitest.WABA{ID: waba})
	meta.AddPhone(cloudapitest.Phone{ID: phone, WABAs: []graph.WABAID{waba}})
	meta.SubscribeWABA(waba)
	meta.Subscribe(cloudapitest.AppSubscription{CallbackURL: "https://example.com/webhook", Fields: []string{
		"account_update", "history", "messages", "smb_app_state_sync", "smb_message_echoes", "messaging_handovers",
		"standby",
	}})
	tracker, err = coexistence.NewTracker(coexistence.Config{
		Store:  new(coexistence.MemStore),
		Client: func(context.Context, graph.PhoneNumberID) (*cloudapi.Client, error) { return client, nil },
	})
	if err != nil {
		log.Fatal(err)
	}
	err = tracker.Onboard(ctx, cloudapi.Onboarding{PhoneNumberID: phone, WABAIDs: []graph.WABAID{waba}})
	if err != nil {
		log.Fatal(err)
	}
	return tracker, meta.Close
}

// tokens stands for db.Tokens().Get.
func tokens(context.Context, graph.PhoneNumberID) (storage.TokenInfo, error) {
	return storage.TokenInfo{ExpiresAt: time.Now().Add(5 * 24 * time.Hour)}, nil
}

// One call says how a number is, and what to do about what is wrong.
func ExampleMonitor_Health() {
	ctx := context.Background()
	tracker, end := bakery(ctx)
	defer end()
	monitor, err := health.New(health.Config{Tracker: tracker, Token: tokens}) // and Inbox, Outbox, Arrivals
	if err != nil {
		log.Fatal(err)
	}
	h, err := monitor.Health(ctx, phone)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(h.Status(), h.Connection.Stage)
	for _, p := range h.Wrong() {
		fmt.Printf("%s: %s (%s)\n%s\n", p.Name, p.Status, p.Code, p.Advice)
	}
	// Output:
	// warning onboarded
	// token: warning (token_expiring)
	// have the business connect again before the token ends
}

// Meta is asked when the host says so.
func ExampleMonitor_Read() {
	ctx := context.Background()
	tracker, end := bakery(ctx)
	defer end()
	monitor, err := health.New(health.Config{Tracker: tracker})
	if err != nil {
		log.Fatal(err)
	}
	h, err := monitor.Health(ctx, phone)
	fmt.Println(h.Quality.Status, h.Quality.Code, err)

	h, err = monitor.Read(ctx, phone)
	fmt.Println(h.Quality.Rating, h.Limits.MessagingLimit, h.Limits.MessagesPerSecond, !h.ReadAt.IsZero(), err)
	fmt.Println(h.Webhooks.Status, h.Webhooks.Code)
	// Output:
	// unknown not_read <nil>
	// GREEN TIER_250 20 true <nil>
	// warning optional_fields_missing
}

// Run calls OnChange by itself, once a minute; CheckAll does it once.
func ExampleMonitor_CheckAll() {
	ctx := context.Background()
	tracker, end := bakery(ctx)
	defer end()
	monitor, err := health.New(health.Config{
		Tracker: tracker,
		OnChange: func(_ context.Context, c health.Change) {
			switch {
			case c.Worse():
				fmt.Println("page someone:", c.To.Name, c.To.Status, c.To.Code)
			case c.Recovered():
				fmt.Println("over:", c.To.Name)
			}
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	at := time.Now().Add(time.Second)
	ban := func(state webhook.BanState) *webhook.AccountUpdate {
		at = at.Add(time.Second)
		return &webhook.AccountUpdate{
			EventInfo: webhook.EventInfo{WABAID: waba, At: at}, Event: webhook.AccountDisabledUpdate,
			Ban: &webhook.BanInfo{State: state},
		}
	}
	err = errors.Join(
		monitor.CheckAll(ctx),
		tracker.Handle(ctx, ban(webhook.BanInForce)), monitor.CheckAll(ctx), monitor.CheckAll(ctx),
		tracker.Handle(ctx, ban(webhook.BanLifted)), monitor.CheckAll(ctx),
	)
	fmt.Println(err)
	// Output:
	// page someone: enforcement broken banned
	// over: enforcement
	// <nil>
}

// Metrics show what the last look has found, without looking again.
func ExampleMonitor_Snapshot() {
	ctx := context.Background()
	tracker, end := bakery(ctx)
	defer end()
	monitor, err := health.New(health.Config{Tracker: tracker, Token: tokens})
	if err != nil {
		log.Fatal(err)
	}
	if err := monitor.CheckAll(ctx); err != nil {
		log.Fatal(err)
	}
	counts := map[health.Status]int{}
	for _, h := range monitor.Snapshot() {
		for _, p := range h.Parts() {
			counts[p.Status]++
		}
	}
	fmt.Println("warnings:", counts[health.StatusWarning], "broken:", counts[health.StatusBroken])
	// Output: warnings: 1 broken: 0
}

// Arrivals stand behind the host's handlers.
func ExampleArrivals() {
	ctx := context.Background()
	tracker, end := bakery(ctx)
	defer end()
	arrivals := new(health.Arrivals)
	handler := webhook.MultiHandler(tracker, arrivals) // what the inbox gets
	monitor, err := health.New(health.Config{Tracker: tracker, Arrivals: arrivals})
	if err != nil {
		log.Fatal(err)
	}
	err = handler.Handle(ctx, &webhook.IncomingMessage{
		EventInfo: webhook.EventInfo{PhoneNumberID: phone, At: time.Now()}, ID: "wamid.1",
		From: graph.Identity{WAID: "15550100101"}, Type: "text", Content: &webhook.Text{Body: "Are you open?"},
	})
	if err != nil {
		log.Fatal(err)
	}
	h, err := monitor.Health(ctx, phone)
	fmt.Println(time.Since(h.Delivery.LastAt) < time.Minute, len(h.Drift.Counts), err)
	// Output: true 0 <nil>
}
