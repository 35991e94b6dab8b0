package cloudapi

import (
	"context"
	"net/http"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// A WABAsService reads WhatsApp Business Accounts and connects the app's webhooks to them.
type WABAsService service

// WABAGetOptions are the options of [WABAsService.Get].
type WABAGetOptions struct {
	// Fields are the fields to ask for. If empty, the ones that every version knows. Meta refuses
	// the whole call with code 100 for one field that it does not know.
	Fields []string `url:"fields,comma,omitempty"`
}

var wabaFields = []string{
	"id", "name", "currency", "timezone_id", "country", "ownership_type", "account_review_status",
	"business_verification_status", "message_template_namespace", "owner_business_info",
}

// Get reads a WABA. For one that its business took away it returns [graph.ErrAccessLost].
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/whatsapp-business-accounts
//
// graph:GET /{waba-id}
func (s *WABAsService) Get(ctx context.Context, waba graph.WABAID, opts WABAGetOptions) (*WABA, error) {
	if len(opts.Fields) == 0 {
		opts.Fields = wabaFields
	}
	return call[WABA](ctx, s.c, request{
		method: http.MethodGet, path: "/{waba-id}", ids: []string{string(waba)}, options: opts,
	})
}

// Subscribe makes the app receive the WABA's webhooks. Without it there is no error and no webhook.
// It reads [WABAsService.SubscribedApps] first and leaves a subscription alone that is there: Meta
// would remove the account's [WebhookOverride] with a second one. [WABAsService.SetWebhook] removes
// it on purpose.
//
// Without Config.AppID, Subscribe cannot know which subscription is the app's own. It then returns
// [ErrValidation] if any of them has an override.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/override
func (s *WABAsService) Subscribe(ctx context.Context, waba graph.WABAID) error {
	apps, err := s.SubscribedApps(ctx, waba)
	if err != nil {
		return err
	}
	for _, app := range apps {
		switch own := s.c.AppID(); {
		case own != "" && app.ID == own:
			return nil
		case own == "" && app.OverrideCallbackURL != "":
			return invalid("subscribing could remove a callback override; " +
				"give Config.AppID, by which the app's own is found")
		}
	}
	return s.setWebhook(ctx, waba, WebhookOverride{})
}

// SetWebhook sends the account's webhooks to a URL of its own, or to the app's again. The app must
// be subscribed to the account and to the field messages. Events about the account, such as
// account_update, stay on the app's URL.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/override
//
// graph:POST /{waba-id}/subscribed_apps
func (s *WABAsService) SetWebhook(ctx context.Context, waba graph.WABAID, o WebhookOverride) error {
	if err := o.check(); err != nil {
		return err
	}
	return s.setWebhook(ctx, waba, o)
}

// setWebhook subscribes the app to an account, with an override or, for the zero value, without:
// Meta has one call for both.
func (s *WABAsService) setWebhook(ctx context.Context, waba graph.WABAID, o WebhookOverride) error {
	r := request{
		method: http.MethodPost, path: "/{waba-id}/subscribed_apps", ids: []string{string(waba)},
		replay: RetryIdempotent,
	}
	if o != (WebhookOverride{}) {
		body, err := encode(struct {
			URI   string `json:"override_callback_uri"`
			Token string `json:"verify_token"`
		}{o.CallbackURL, o.VerifyToken.Reveal()})
		if err != nil {
			return err
		}
		r.body, r.sensitive = body, []string{o.VerifyToken.Reveal()}
	}
	_, err := call[success](ctx, s.c, r)
	return err
}

// Unsubscribe ends the app's webhooks for the WABA, and removes an override.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/solution-providers/manage-webhooks
//
// graph:DELETE /{waba-id}/subscribed_apps
func (s *WABAsService) Unsubscribe(ctx context.Context, waba graph.WABAID) error {
	_, err := call[success](ctx, s.c, request{
		method: http.MethodDelete, path: "/{waba-id}/subscribed_apps", ids: []string{string(waba)},
		replay: RetryIdempotent,
	})
	return err
}

// A SubscribedApp is an app that receives the webhooks of a WABA.
type SubscribedApp struct {
	ID   graph.AppID
	Name string
	Link string // to the app's page

	// OverrideCallbackURL receives this WABA's webhooks in place of the app's own URL.
	OverrideCallbackURL string
}

// SubscribedApps lists the apps that receive the WABA's webhooks.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/override
//
// graph:GET /{waba-id}/subscribed_apps
func (s *WABAsService) SubscribedApps(ctx context.Context, waba graph.WABAID) ([]SubscribedApp, error) {
	type entry struct {
		App struct {
			ID   graph.AppID `json:"id"`
			Name string      `json:"name"`
			Link string      `json:"link"`
		} `json:"whatsapp_business_api_data"`
		Override string `json:"override_callback_uri"`
	}
	var apps []SubscribedApp
	for e, err := range list[entry](ctx, s.c, request{
		method: http.MethodGet, path: "/{waba-id}/subscribed_apps", ids: []string{string(waba)},
	}) {
		if err != nil {
			return nil, err
		}
		apps = append(apps, SubscribedApp{e.App.ID, e.App.Name, e.App.Link, e.Override})
	}
	return apps, nil
}
