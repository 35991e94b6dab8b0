package cloudapi

import (
	"context"
	"encoding/json"
	"net/http"
)

// An AppsService reads the settings of the app itself. It calls with the app's own token, made of
// [Config].AppID and AppSecret, whatever the client's token is.
type AppsService service

// An AppSubscription is the list of webhook fields that the app receives, and their URL.
type AppSubscription struct {
	// Object is "whatsapp_business_account" for everything WhatsApp.
	Object string `json:"object"`

	// CallbackURL receives the webhooks that no override sends elsewhere, see [WebhookOverride].
	CallbackURL string `json:"callback_url"`

	// Active is false for a subscription that makes no webhooks.
	Active bool `json:"active"`

	// Fields are the webhook fields. A field that is not here makes no webhooks and no error.
	Fields []AppSubscriptionField `json:"fields"`
}

// An AppSubscriptionField is a webhook field, such as "smb_message_echoes", with the version of its
// payload.
type AppSubscriptionField struct {
	Name    string `json:"name"`
	Version string `json:"version"` // such as "v25.0"; empty where Meta writes the name alone
}

// UnmarshalJSON reads a field with its version, or a bare name as old versions have it.
func (f *AppSubscriptionField) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] == '"' {
		return json.Unmarshal(b, &f.Name)
	}
	type plain AppSubscriptionField
	return json.Unmarshal(b, (*plain)(f))
}

// Subscriptions lists what the app is subscribed to. Coexistence needs the fields messages,
// account_update, history, smb_app_state_sync and smb_message_echoes on the object
// whatsapp_business_account; one that is missing causes silence, not an error.
//
// Meta: https://developers.facebook.com/docs/graph-api/reference/application/subscriptions
//
// graph:GET /{app-id}/subscriptions
func (s *AppsService) Subscriptions(ctx context.Context) ([]AppSubscription, error) {
	type entry struct {
		AppSubscription
		Active flexBool `json:"active"`
	}
	var subs []AppSubscription
	for e, err := range list[entry](ctx, s.c, request{
		method: http.MethodGet, path: "/{app-id}/subscriptions", ids: []string{string(s.c.AppID())}, as: asApp,
	}) {
		if err != nil {
			return nil, err
		}
		e.AppSubscription.Active = bool(e.Active)
		subs = append(subs, e.AppSubscription)
	}
	return subs, nil
}

// HasField reports whether the subscription is active and holds a webhook field.
func (s AppSubscription) HasField(name string) bool {
	for _, f := range s.Fields {
		if f.Name == name {
			return s.Active
		}
	}
	return false
}
