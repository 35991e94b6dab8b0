package cloudapi_test

import (
	"context"
	"fmt"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/cloudapitest"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// The templates that can be sent today.
func ExampleTemplatesService_List() {
	srv, client, phone := shop()
	defer srv.Close()
	addTemplate(srv, phone, "summer_sale", "Our summer sale starts today.")

	approved := cloudapi.TemplateListOptions{Status: cloudapi.TemplateApproved}
	for t, err := range client.Templates.List(context.Background(), phone.WABAs[0], approved) {
		if err != nil {
			panic(err)
		}
		fmt.Println(t.Name, t.Language, t.Category)
	}
	// Output: summer_sale en_US MARKETING
}

// A template that is changed goes through Meta's review again.
func ExampleTemplatesService_Update() {
	srv, client, phone := shop()
	defer srv.Close()
	ctx := context.Background()
	id := addTemplate(srv, phone, "summer_sale", "Our summer sale starts today.").ID

	err := client.Templates.Update(ctx, id, cloudapi.TemplateUpdateParams{
		Components: []cloudapi.ComponentDefinition{{Type: cloudapi.ComponentBody, Text: "Our sale starts today."}},
	})
	if err != nil {
		panic(err)
	}
	t, err := client.Templates.Get(ctx, id)
	if err != nil {
		panic(err)
	}
	fmt.Println(t.Components[0].Text, t.Status)
	// Output: Our sale starts today. PENDING
}

// One language of a template is deleted by its id, all of them by the name.
func ExampleTemplatesService_Delete() {
	srv, client, phone := shop()
	defer srv.Close()
	ctx, waba := context.Background(), phone.WABAs[0]
	id := addTemplate(srv, phone, "summer_sale", "Our summer sale starts today.").ID
	addTemplate(srv, phone, "winter_sale", "Our winter sale starts today.")

	fmt.Println(client.Templates.Delete(ctx, waba, "summer_sale", id))
	fmt.Println(client.Templates.DeleteAllLanguages(ctx, waba, "winter_sale"))
	fmt.Println(len(srv.Templates(waba)))
	// Output:
	// <nil>
	// <nil>
	// 0
}

// Meta's library has texts that need no review.
func ExampleTemplatesService_Library() {
	srv, client, _ := shop()
	defer srv.Close()

	for t, err := range client.Templates.Library(context.Background(), cloudapi.LibraryOptions{Search: "delivery"}) {
		if err != nil {
			panic(err)
		}
		fmt.Println(t.Name, t.Category)
	}
	// Output: delivery_update_1 UTILITY
}

func ExampleTemplatesService_CreateFromLibrary() {
	srv, client, phone := shop()
	defer srv.Close()
	ctx := context.Background()
	found, err := graph.Collect(client.Templates.Library(ctx, cloudapi.LibraryOptions{Search: "delivery"}))
	if err != nil {
		panic(err)
	}

	made, err := client.Templates.CreateFromLibrary(ctx, phone.WABAs[0], cloudapi.TemplateFromLibraryParams{
		Name: "delivery", Language: "en_US", Category: graph.TemplateUtility, Library: found[0].Name,
	})
	if err != nil {
		panic(err)
	}
	fmt.Println(made.Status)
	// Output: APPROVED
}

// Templates for one-time codes: Meta writes the text, in every language that is named.
func ExampleTemplatesService_UpsertAuthentication() {
	srv, client, phone := shop()
	defer srv.Close()

	made, err := client.Templates.UpsertAuthentication(context.Background(), phone.WABAs[0],
		cloudapi.AuthenticationUpsertParams{
			Name: "login_code", Languages: []string{"en_US", "de"},
			Components: []cloudapi.ComponentDefinition{{Type: cloudapi.ComponentBody}},
		})
	if err != nil {
		panic(err)
	}
	for _, t := range made {
		fmt.Println(t.Language)
	}
	// Output:
	// en_US
	// de
}

// The text that Meta will write, before it is created.
func ExampleTemplatesService_Previews() {
	srv, client, phone := shop()
	defer srv.Close()

	options := cloudapi.PreviewOptions{Languages: []string{"en_US"}, SecurityRecommendation: true}
	for p, err := range client.Templates.Previews(context.Background(), phone.WABAs[0], options) {
		if err != nil {
			panic(err)
		}
		fmt.Println(p.Language, p.Body != "")
	}
	// Output: en_US true
}

// Meta pauses a template that people block. Once it is repaired it can be sent again.
func ExampleTemplatesService_Unpause() {
	srv, client, phone := shop()
	defer srv.Close()
	id := addTemplate(srv, phone, "summer_sale", "Our summer sale starts today.").ID
	srv.SetTemplateStatus(id, cloudapi.TemplatePaused)

	fmt.Println(client.Templates.Unpause(context.Background(), id))
	fmt.Println(srv.Templates(phone.WABAs[0])[0].Status)
	// Output:
	// <nil>
	// APPROVED
}

// A number moves to another account and takes its templates along.
func ExampleTemplatesService_Migrate() {
	srv, client, phone := shop()
	defer srv.Close()
	addTemplate(srv, phone, "summer_sale", "Our summer sale starts today.")
	target := srv.AddPhone(cloudapitest.Phone{PhoneNumber: "+1 555 010 0188"}).WABAs[0]

	moved, err := client.Templates.Migrate(context.Background(), target, cloudapi.TemplateMigrateParams{
		SourceWABAID: phone.WABAs[0],
	})
	if err != nil {
		panic(err)
	}
	fmt.Println(len(moved.Migrated), len(moved.Failed))
	// Output: 1 0
}

// Which of two templates is sent more, and which is blocked less? Meta counts once the account
// allows it.
func ExampleTemplatesService_Compare() {
	srv, client, phone := shop()
	defer srv.Close()
	ctx, waba := context.Background(), phone.WABAs[0]
	winter := addTemplate(srv, phone, "winter_sale", "Our winter sale starts today.").ID
	summer := addTemplate(srv, phone, "summer_sale", "Our summer sale starts today.").ID
	if err := client.WABAs.Update(ctx, waba, cloudapi.WABAUpdateParams{Insights: new(true)}); err != nil {
		panic(err)
	}

	rows, err := client.Templates.Compare(ctx, winter, summer, cloudapi.CompareOptions{
		Start: srv.Now().Add(-7 * 24 * time.Hour), End: srv.Now(),
	})
	if err != nil {
		panic(err)
	}
	for _, row := range rows {
		fmt.Println(row.Metric)
	}
	// Output:
	// BLOCK_RATE
	// MESSAGE_SENDS
}

// A group of templates is analyzed as one, such as the variants of a campaign.
func ExampleTemplateGroupsService_Create() {
	srv, client, phone := shop()
	defer srv.Close()
	ctx := context.Background()
	id := addTemplate(srv, phone, "summer_sale", "Our summer sale starts today.").ID

	group, err := client.TemplateGroups.Create(ctx, phone.WABAs[0], cloudapi.TemplateGroupCreateParams{
		Name: "seasons", Templates: []graph.TemplateID{id},
	})
	if err != nil {
		panic(err)
	}
	g, err := client.TemplateGroups.Get(ctx, group)
	if err != nil {
		panic(err)
	}
	fmt.Println(g.Name, len(g.Templates))
	// Output: seasons 1
}
