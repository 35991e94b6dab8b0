package cloudapi

import (
	"context"
	"net/http"
	"net/url"
	"regexp"
	"unicode/utf8"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// A WebhookOverride sends the webhooks of one number or account to a URL of its own.
type WebhookOverride struct {
	// CallbackURL is https and has at most 200 characters. If empty, the override is removed.
	CallbackURL string

	// VerifyToken is the token that the handshake at that URL expects. Meta does the handshake
	// before it answers.
	VerifyToken graph.Secret
}

// check passes the zero value, which removes an override.
func (o WebhookOverride) check() error {
	if o == (WebhookOverride{}) {
		return nil
	}
	var p problems
	u, err := url.Parse(o.CallbackURL)
	if err != nil || u.Scheme != "https" || u.Host == "" {
		p.add("WebhookOverride.CallbackURL is not an https URL")
	}
	if n := utf8.RuneCountInString(o.CallbackURL); n > 200 {
		p.add("WebhookOverride.CallbackURL has %d characters; Meta accepts 200", n)
	}
	if o.VerifyToken.IsZero() {
		p.add("WebhookOverride.VerifyToken is empty; the handshake at the callback URL needs it")
	}
	return p.err()
}

// SetWebhook sends the number's webhooks to a URL of its own, or to the account's or app's again.
// Events about the account stay where they are.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/override
//
// graph:POST /{phone-number-id} webhook_configuration
func (s *PhonesService) SetWebhook(ctx context.Context, phone graph.PhoneNumberID, o WebhookOverride) error {
	if err := o.check(); err != nil {
		return err
	}
	type config struct {
		URI   string `json:"override_callback_uri"`
		Token string `json:"verify_token,omitzero"`
	}
	return s.update(ctx, phone, struct {
		Config config `json:"webhook_configuration"`
	}{config{o.CallbackURL, o.VerifyToken.Reveal()}})
}

// update changes one setting of a number's node. Meta takes the same value twice.
func (s *PhonesService) update(ctx context.Context, phone graph.PhoneNumberID, body any) error {
	return do(ctx, s.c, request{
		method: http.MethodPost, path: "/{phone-number-id}", ids: []string{string(phone)}, phone: phone,
		replay: RetryIdempotent,
	}, body)
}

// RequestName asks Meta to review a new display name. Numbers in the WhatsApp Business app get
// theirs there.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/display-names
//
// graph:POST /{phone-number-id} new_display_name
func (s *PhonesService) RequestName(ctx context.Context, phone graph.PhoneNumberID, name string) error {
	if name == "" {
		return invalid("the new display name is empty")
	}
	return s.update(ctx, phone, struct {
		Name string `json:"new_display_name"`
	}{name})
}

// pinRe matches PINs and verification codes.
var pinRe = regexp.MustCompile(`^[0-9]{6}$`)

// SetPIN sets or changes the two-step verification PIN of a number that lives on Cloud API only.
// That of a coexistence number is set in the app.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/business-phone-numbers/two-step-verification
//
// graph:POST /{phone-number-id} pin
func (s *PhonesService) SetPIN(ctx context.Context, phone graph.PhoneNumberID, pin graph.Secret) error {
	if !pinRe.MatchString(pin.Reveal()) {
		return invalid("a PIN has six digits")
	}
	return s.update(ctx, phone, struct {
		PIN string `json:"pin"`
	}{pin.Reveal()})
}

// A SearchVisibility is whether people find a number by its name. Meta may add values.
type SearchVisibility string

const (
	SearchVisible SearchVisibility = "VISIBLE"
	SearchHidden  SearchVisibility = "HIDDEN"
)

// SetSearchVisibility shows a number to people who search, or hides it.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/business-phone-numbers/phone-numbers
//
// graph:POST /{phone-number-id} search_visibility
func (s *PhonesService) SetSearchVisibility(ctx context.Context, phone graph.PhoneNumberID, v SearchVisibility) error {
	if v == "" {
		return invalid("the SearchVisibility is empty")
	}
	return s.update(ctx, phone, struct {
		V SearchVisibility `json:"search_visibility"`
	}{v})
}
