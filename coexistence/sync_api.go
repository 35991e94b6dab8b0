package coexistence

import (
	"context"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// A SyncAPI is the part of the Graph API that [Tracker.Begin] needs, with the business's own token. [API] makes one.
type SyncAPI interface {
	PhoneAPI

	// SubscribedApps lists the apps that receive the account's webhooks.
	SubscribedApps(ctx context.Context, waba graph.WABAID) ([]cloudapi.SubscribedApp, error)

	// Subscriptions lists what our app is subscribed to.
	Subscriptions(ctx context.Context) ([]cloudapi.AppSubscription, error)

	// SyncAppData asks the app for its data. It is never repeated.
	SyncAppData(ctx context.Context, phone graph.PhoneNumberID, kind cloudapi.SyncKind) (requestID string, err error)
}

// A PhoneAPI reads a number. [API] makes one.
type PhoneAPI interface {
	// Phone reads a number, with is_on_biz_app, platform_type and webhook_configuration.
	Phone(ctx context.Context, phone graph.PhoneNumberID) (*cloudapi.Phone, error)
}

// API returns the calls of c as a [Tracker] needs them. c calls with the token of the business that owns the number
// ([cloudapi.Client.WithToken]).
func API(c *cloudapi.Client) SyncAPI { return clientAPI{c} }

type clientAPI struct{ c *cloudapi.Client }

func (a clientAPI) Phone(ctx context.Context, phone graph.PhoneNumberID) (*cloudapi.Phone, error) {
	return a.c.Phones.Get(ctx, phone, cloudapi.PhoneGetOptions{})
}

func (a clientAPI) SubscribedApps(ctx context.Context, waba graph.WABAID) ([]cloudapi.SubscribedApp, error) {
	return a.c.WABAs.SubscribedApps(ctx, waba)
}

func (a clientAPI) Subscriptions(ctx context.Context) ([]cloudapi.AppSubscription, error) {
	return a.c.Apps.Subscriptions(ctx)
}

func (a clientAPI) SyncAppData(ctx context.Context, phone graph.PhoneNumberID, kind cloudapi.SyncKind) (string, error) {
	return a.c.Phones.SyncAppData(ctx, phone, kind)
}
