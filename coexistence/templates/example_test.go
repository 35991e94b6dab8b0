package templates_test

import (
	"context"
	"fmt"
	"log"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/cloudapitest"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/templates"
)

// exampleCache returns a cache of a number whose account has the template news.
func exampleCache(ctx context.Context) (cache *templates.Cache, phone graph.PhoneNumberID, stop func()) {
	meta := cloudapitest.NewServer(cloudapitest.Config{})
	number := meta.AddPhone(cloudapitest.Phone{})
	news := cloudapitest.Template{WABAID: number.WABAs[0]}
	news.Name, news.Language, news.Category = "news", "en_US", graph.TemplateMarketing
	meta.AddTemplate(news)
	client, err := cloudapi.NewClient(meta.ClientConfig())
	if err != nil {
		log.Fatal(err)
	}
	clients := func(context.Context, graph.PhoneNumberID) (*cloudapi.Client, error) { return client, nil }
	store := new(coexistence.MemStore)
	tracker, err := coexistence.NewTracker(coexistence.Config{Store: store, Client: clients})
	if err != nil {
		log.Fatal(err)
	}
	err = tracker.Onboard(ctx, cloudapi.Onboarding{PhoneNumberID: number.ID, WABAIDs: number.WABAs})
	if err != nil {
		log.Fatal(err)
	}
	if cache, err = templates.New(templates.Config{Store: store, Client: clients}); err != nil {
		log.Fatal(err)
	}
	return cache, number.ID, meta.Close
}

// A template as it is now: listed once, and kept up to date by webhooks.
func ExampleCache_Find() {
	ctx := context.Background()
	cache, phone, stop := exampleCache(ctx)
	defer stop()
	t, err := cache.Find(ctx, phone, "news", "en_US")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(t.Name, t.Category, t.Status)
	// Output: news MARKETING APPROVED
}

// A template is checked before it is sent: here it does not exist.
func ExampleCache_Check() {
	ctx := context.Background()
	cache, phone, stop := exampleCache(ctx)
	defer stop()
	err := cache.Check(ctx, phone, &cloudapi.Template{Name: "nwes", Language: "en_US"})
	fmt.Println(err)
	// Output: templates: no account of the number has this template in this language; create it, or name its language exactly
}
