package cloudapi_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/cloudapitest"
)

func ExampleWABAsService_Get() {
	srv, client, _ := shop()
	defer srv.Close()
	waba := srv.AddWABA(cloudapitest.WABA{Name: "Bakery"}).ID

	account, err := client.WABAs.Get(context.Background(), waba, cloudapi.WABAGetOptions{})
	if err != nil {
		panic(err)
	}
	fmt.Println(account.Name)
	// Output: Bakery
}

// Which apps get the webhooks of an account?
func ExampleWABAsService_SubscribedApps() {
	srv, client, phone := shop()
	defer srv.Close()
	ctx := context.Background()
	if err := client.WABAs.Subscribe(ctx, phone.WABAs[0]); err != nil {
		panic(err)
	}

	apps, err := client.WABAs.SubscribedApps(ctx, phone.WABAs[0])
	if err != nil {
		panic(err)
	}
	fmt.Println(len(apps), apps[0].ID == srv.App().ID, apps[0].OverrideCallbackURL == "")
	// Output: 1 true true
}

// Insights on templates, once switched on, stay on.
func ExampleWABAsService_Update() {
	srv, client, phone := shop()
	defer srv.Close()

	params := cloudapi.WABAUpdateParams{Insights: new(true)}
	fmt.Println(client.WABAs.Update(context.Background(), phone.WABAs[0], params))
	// Output: <nil>
}

// The partner's own system user may work with the account of a business.
func ExampleWABAsService_AssignUser() {
	srv, client, phone := shop()
	defer srv.Close()
	ctx := context.Background()
	partner := srv.AddBusiness(cloudapitest.Business{Name: "Partner"}).ID

	for user, err := range client.Businesses.SystemUsers(ctx, partner) {
		if err != nil {
			panic(err)
		}
		fmt.Println(client.WABAs.AssignUser(ctx, phone.WABAs[0], user.ID, "MANAGE"))
	}
	for user, err := range client.WABAs.AssignedUsers(ctx, phone.WABAs[0], partner) {
		fmt.Println(user.Tasks, err)
	}
	// Output:
	// <nil>
	// [MANAGE] <nil>
}

// The log of changes to an account.
func ExampleWABAsService_Activities() {
	srv, client, phone := shop()
	defer srv.Close()
	ctx, waba := context.Background(), phone.WABAs[0]
	partner := srv.AddBusiness(cloudapitest.Business{Name: "Partner"}).ID
	for user, err := range client.Businesses.SystemUsers(ctx, partner) {
		fmt.Println(errors.Join(err, client.WABAs.AssignUser(ctx, waba, user.ID, "MANAGE")))
	}

	for a, err := range client.WABAs.Activities(ctx, waba, cloudapi.ActivityOptions{}) {
		if err != nil {
			panic(err)
		}
		fmt.Println(a.Type, a.ActorType)
	}
	// Output:
	// <nil>
	// USER_ADDED SYSTEM
}

// The accounts that businesses share with a partner, the newest first.
func ExampleBusinessesService_ClientWABAs() {
	srv, client, _ := shop()
	defer srv.Close()
	partner := srv.AddBusiness(cloudapitest.Business{Name: "Partner"}).ID
	srv.AddWABA(cloudapitest.WABA{Name: "Bakery"})

	options := cloudapi.WABAListOptions{Sort: "creation_time_descending", Limit: 1}
	for account, err := range client.Businesses.ClientWABAs(context.Background(), partner, options) {
		if err != nil {
			panic(err)
		}
		fmt.Println(account.Name)
		break
	}
	// Output: Bakery
}

// A token for a business that has granted access, without a new signup.
func ExampleBusinessesService_CreateToken() {
	srv, client, _ := shop()
	defer srv.Close()
	business := srv.AddBusiness(cloudapitest.Business{Name: "Bakery"}).ID

	token, err := client.Businesses.CreateToken(context.Background(), business, cloudapi.BusinessTokenParams{})
	fmt.Println(token, err) // encrypt token.Reveal() and store it
	// Output: [secret] <nil>
}

// What a token may do, and until when.
func ExampleOAuthService_DebugToken() {
	srv, client, phone := shop()
	defer srv.Close()
	token := srv.AddToken(cloudapitest.Token{WABAs: phone.WABAs, Lifetime: 60 * 24 * time.Hour})

	info, err := client.OAuth.DebugToken(context.Background(), token)
	if err != nil {
		panic(err)
	}
	fmt.Println(info.Valid, info.Scopes, info.ExpiresAt.IsZero())
	// Output: true [whatsapp_business_management whatsapp_business_messaging] false
}

// Is the app subscribed to the fields that it needs?
func ExampleAppsService_Subscriptions() {
	srv, client, _ := shop()
	defer srv.Close()
	srv.Subscribe(cloudapitest.AppSubscription{
		Fields: []string{"messages", "account_update"}, CallbackURL: "https://example.com/webhook",
	})

	subscriptions, err := client.Apps.Subscriptions(context.Background())
	if err != nil {
		panic(err)
	}
	for _, s := range subscriptions {
		fmt.Println(s.Object, s.HasField("messages"), s.HasField("history"))
	}
	// Output: whatsapp_business_account true false
}

// A Solution Partner pays for a business.
func ExampleCreditService_ShareAndAttach() {
	srv, client, _ := shop()
	defer srv.Close()
	ctx := context.Background()
	partner := srv.AddBusiness(cloudapitest.Business{Name: "Partner"}).ID
	account := srv.AddWABA(cloudapitest.WABA{Name: "Bakery"})
	srv.AddCreditLine(partner)

	for line, err := range client.Credit.Lines(ctx, partner) {
		if err != nil {
			panic(err)
		}
		allocation, err := client.Credit.ShareAndAttach(ctx, line.ID, account.ID, "EUR")
		if err != nil {
			panic(err)
		}
		fmt.Println(client.Credit.Revoke(ctx, allocation)) // when the contract ends
	}
	// Output: <nil>
}

// How many messages went out in each half hour.
func ExampleAnalyticsService_Messages() {
	srv, client, phone := shop()
	defer srv.Close()
	ctx := context.Background()
	_, err := client.Messages.Send(ctx, phone.ID, cloudapi.Message{
		To: cloudapi.ToPhone("+1 555 010 0142"), Content: &cloudapi.Text{Body: "Ready!"},
	})
	if err != nil {
		panic(err)
	}

	points, err := client.Analytics.Messages(ctx, phone.WABAs[0], cloudapi.AnalyticsQuery{
		Start: srv.Now().Add(-time.Hour), End: srv.Now().Add(time.Hour), Granularity: cloudapi.GranularityHalfHour,
	})
	if err != nil {
		panic(err)
	}
	var sent int64
	for _, p := range points {
		sent += p.Sent
	}
	fmt.Println(sent)
	// Output: 1
}

// How many messages are billed, by category.
func ExampleAnalyticsService_Pricing() {
	srv, client, phone := shop()
	defer srv.Close()
	ctx := context.Background()
	addTemplate(srv, phone, "summer_sale", "Our summer sale starts today.")
	_, err := client.Messages.Send(ctx, phone.ID, cloudapi.Message{
		To: cloudapi.ToPhone("+1 555 010 0142"), Content: &cloudapi.Template{Name: "summer_sale", Language: "en_US"},
	})
	if err != nil {
		panic(err)
	}

	points, err := client.Analytics.Pricing(ctx, phone.WABAs[0], cloudapi.AnalyticsQuery{
		Start: srv.Now().Add(-time.Hour), End: srv.Now().Add(time.Hour), Dimensions: []string{"PRICING_CATEGORY"},
	})
	if err != nil {
		panic(err)
	}
	for _, p := range points {
		fmt.Println(p.PricingCategory, p.Volume)
	}
	// Output: MARKETING 1
}
