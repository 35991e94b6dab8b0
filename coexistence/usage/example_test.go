package usage_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/sqlite"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/storage"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/usage"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

// exampleDB returns a new database, and what removes it.
func exampleDB(ctx context.Context) (db *storage.DB, remove func()) {
	dir, err := os.MkdirTemp("", "usage")
	if err != nil {
		log.Fatal(err)
	}
	db, err = sqlite.Open(ctx, sqlite.Config{Path: filepath.Join(dir, "whatsapp.db")})
	if err != nil {
		log.Fatal(err)
	}
	return db, func() { _, _ = db.Close(), os.RemoveAll(dir) }
}

// exampleStatus is what arrives when a message of a category was delivered to a person in Brazil.
func exampleStatus(id graph.MessageID, c webhook.PricingCategory, t webhook.PricingType) *webhook.MessageStatus {
	return &webhook.MessageStatus{
		EventInfo: webhook.EventInfo{
			PhoneNumberID: "100000000000001", At: time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC),
		},
		ID: id, Status: webhook.StatusDelivered, Recipient: graph.Identity{UserID: "BR.1001"},
		Pricing: &webhook.Pricing{Category: c, Type: t},
	}
}

// exampleRates are prices that are made up. Yours come from Meta's rate card.
func exampleRates(l usage.Line) (usage.Money, bool) {
	prices := map[string]int64{"marketing BR": 62_500, "utility BR": 6_800}
	micros, ok := prices[string(l.Category)+" "+l.Market]
	return usage.Money{Currency: "USD", Micros: micros}, ok
}

// What a number has sent this month, what of it is free, and what it costs.
func Example() {
	ctx := context.Background()
	db, remove := exampleDB(ctx)
	defer remove()
	meter, err := db.Usage(usage.Config{})
	if err != nil {
		log.Fatal(err)
	}
	handler := webhook.MultiHandler(meter) // behind your tracker and outbox
	for _, ev := range []webhook.Event{
		exampleStatus("wamid.1", webhook.PricingService, webhook.PricingFreeService),
		exampleStatus("wamid.2", webhook.PricingMarketing, webhook.PricingRegular),
		exampleStatus("wamid.2", webhook.PricingMarketing, webhook.PricingRegular), // Meta repeats itself
	} {
		if err := handler.Handle(ctx, ev); err != nil {
			log.Fatal(err)
		}
	}

	month, err := meter.Month(ctx, "100000000000001", time.Date(2026, 11, 29, 0, 0, 0, 0, time.UTC))
	if err != nil {
		log.Fatal(err)
	}
	for _, l := range month.Lines {
		fmt.Println(l.Category, l.Market, l.Messages, "free:", l.Free())
	}
	fmt.Println("free service messages left:", month.FreeServiceLeft())
	fmt.Println(month.Cost(exampleRates))
	// Output:
	// marketing BR 1 free: false
	// service BR 1 free: true
	// free service messages left: 999
	// 0.0625 USD <nil>
}

// A budget of ten cents a month: the host is told once.
func ExampleConfig_budget() {
	ctx := context.Background()
	db, remove := exampleDB(ctx)
	defer remove()
	meter, err := db.Usage(usage.Config{
		Rates: exampleRates,
		Budget: func(context.Context, graph.PhoneNumberID) (usage.Money, error) {
			return usage.Money{Currency: "USD", Micros: 100_000}, nil
		},
		OnBudget: func(_ context.Context, a usage.Alert) error {
			fmt.Println(a.Month.PhoneNumberID, a.Month.Begin.Format("2006-01"), a.Cost, "of", a.Budget)
			return nil
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	for _, id := range []graph.MessageID{"wamid.1", "wamid.2", "wamid.3"} {
		err := meter.Handle(ctx, exampleStatus(id, webhook.PricingMarketing, webhook.PricingRegular))
		if err != nil {
			log.Fatal(err)
		}
	}
	// Output:
	// 100000000000001 2026-11 0.125 USD of 0.10 USD
}

// A month, and the one before it.
func ExampleMeter_Month() {
	ctx := context.Background()
	db, remove := exampleDB(ctx)
	defer remove()
	meter, err := db.Usage(usage.Config{})
	if err != nil {
		log.Fatal(err)
	}
	this, err := meter.Month(ctx, "100000000000001", time.Date(2026, 3, 31, 0, 0, 0, 0, time.UTC))
	if err != nil {
		log.Fatal(err)
	}
	before, err := meter.Month(ctx, "100000000000001", this.Begin.AddDate(0, -1, 0))
	fmt.Println(before.Begin.Format(time.DateOnly), before.End.Format(time.DateOnly), len(before.Lines), err)
	// Output:
	// 2026-02-01 2026-03-01 0 <nil>
}
