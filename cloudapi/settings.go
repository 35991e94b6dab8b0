package cloudapi

import (
	"context"
	"encoding/base64"
	"net/http"
	"slices"
	"strconv"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// A SettingsService switches calling, identity checks, encryption and storage of a number on and
// off.
type SettingsService service

// Settings are the settings of a number.
type Settings struct {
	Calling       CallingSettings   `json:"calling"`
	IdentityCheck IdentitySetting   `json:"user_identity_change"`
	Storage       StorageSetting    `json:"storage_configuration"`
	Encryption    PayloadEncryption `json:"payload_encryption"`

	Resource
}

// incomplete requires at least one of the groups: which ones Meta writes depends on the settings
// made so far.
func (s *Settings) incomplete() string {
	for _, name := range jsonNames(s.Raw) {
		switch name {
		case "calling", "user_identity_change", "storage_configuration", "payload_encryption":
			return ""
		}
	}
	return "the answer has no settings"
}

// CallingSettings are the settings for calls of a number. An update leaves empty members as they
// are.
//
// The webhook of changed settings has a type of its own: it brings call_icons and two newer
// settings in shapes that are not documented, and an update must not send those back.
type CallingSettings struct {
	Status             graph.FeatureState `json:"status,omitzero"`               // of calling as a whole
	IconVisibility     string             `json:"call_icon_visibility,omitzero"` // "DEFAULT" or "DISABLE_ALL"
	Icons              *CallIcons         `json:"call_icons,omitzero"`
	Hours              *graph.CallHours   `json:"call_hours,omitzero"`
	CallbackPermission graph.FeatureState `json:"callback_permission_status,omitzero"`
	SIP                *graph.SIPSettings `json:"sip,omitzero"`
	SRTPKeyExchange    string             `json:"srtp_key_exchange_protocol,omitzero"` // "DTLS" or "SDES"
}

// CallIcons show the call button in some countries only.
type CallIcons struct {
	// Countries are the ISO 3166 codes of people's countries, such as "US".
	Countries []string `json:"restrict_to_user_countries"`
}

// An IdentitySetting makes Meta refuse messages to people whose keys changed, see
// [Message].IdentityKeyHash.
type IdentitySetting struct {
	Enabled bool `json:"enable_identity_key_check"`
}

// A StorageSetting is the place where Meta stores data.
type StorageSetting struct {
	Status string `json:"status,omitzero"`

	// Region is the country that data at rest stays in, such as "DE".
	Region string `json:"data_localization_region,omitzero"`

	// RetentionMinutes is how long Meta stores messages; zero leaves it as it is.
	RetentionMinutes int `json:"retention_minutes,omitzero"`
}

// A PayloadEncryption is the encryption of what messages and webhooks hold, between Meta and the
// business. It is a beta of Meta's.
type PayloadEncryption struct {
	Status graph.FeatureState `json:"status"`

	// ClientKey is the business's public key in base64, which is required to switch it on. It is
	// not read back.
	ClientKey string `json:"client_encryption_key,omitzero"`

	// Fingerprint is that of the business's key, and CloudKey is Meta's. Both are read only.
	Fingerprint string `json:"client_encryption_key_fingerprint,omitzero"`
	CloudKey    string `json:"cloud_encryption_key,omitzero"`
}

// Get reads the settings.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/business-phone-numbers/settings
//
// graph:GET /{phone-number-id}/settings
func (s *SettingsService) Get(ctx context.Context, phone graph.PhoneNumberID) (*Settings, error) {
	return call[Settings](ctx, s.c, request{
		method: http.MethodGet, path: "/{phone-number-id}/settings", ids: []string{string(phone)}, phone: phone,
	})
}

// set changes one group of settings: Meta takes one in a call.
func (s *SettingsService) set(ctx context.Context, phone graph.PhoneNumberID, body any) error {
	return do(ctx, s.c, request{
		method: http.MethodPost, path: "/{phone-number-id}/settings", ids: []string{string(phone)}, phone: phone,
		replay: RetryIdempotent,
	}, body)
}

// SetCalling changes how a number is called. Coexistence numbers take calls in the app.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/calling/call-settings
//
// graph:POST /{phone-number-id}/settings calling
func (s *SettingsService) SetCalling(ctx context.Context, phone graph.PhoneNumberID, c CallingSettings) error {
	var p problems
	if c.Hours != nil {
		p.required("CallingSettings.Hours.Timezone", c.Hours.Timezone)
		for i, h := range c.Hours.Weekly {
			at := "CallingSettings.Hours.Weekly[" + strconv.Itoa(i) + "]"
			p.required(at+".Day", h.Day)
			for what, text := range map[string]string{".Open": h.Open, ".Close": h.Close} {
				if len(text) != 4 || !digitsRe.MatchString(text) {
					p.limit(`%s is not a time such as "0930"`, at+what)
				}
			}
		}
	}
	if c.SIP != nil {
		sip := *c.SIP
		sip.Servers = slices.Clone(sip.Servers)
		for i := range sip.Servers {
			p.required("CallingSettings.SIP.Servers["+strconv.Itoa(i)+"].Hostname", sip.Servers[i].Hostname)
			sip.Servers[i].Password = "" // Meta makes it
		}
		c.SIP = &sip
	}
	if err := p.err(); err != nil {
		return err
	}
	return s.set(ctx, phone, struct {
		C CallingSettings `json:"calling"`
	}{c})
}

// SetIdentityCheck switches the check of identity keys on or off. With it on, webhooks bring the
// hash for [Message].IdentityKeyHash.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/business-phone-numbers/phone-numbers
//
// graph:POST /{phone-number-id}/settings user_identity_change
func (s *SettingsService) SetIdentityCheck(
	ctx context.Context, phone graph.PhoneNumberID, state graph.FeatureState,
) error {
	if state != graph.FeatureEnabled && state != graph.FeatureDisabled {
		return invalid("the check of identity keys is FeatureEnabled or graph.FeatureDisabled")
	}
	return s.set(ctx, phone, struct {
		I IdentitySetting `json:"user_identity_change"`
	}{IdentitySetting{state == graph.FeatureEnabled}})
}

// SetStorage changes where data rests and for how long.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/local-storage
//
// graph:POST /{phone-number-id}/settings storage_configuration
func (s *SettingsService) SetStorage(ctx context.Context, phone graph.PhoneNumberID, storage StorageSetting) error {
	if storage == (StorageSetting{}) {
		return invalid("the StorageSetting is empty")
	}
	return s.set(ctx, phone, struct {
		S StorageSetting `json:"storage_configuration"`
	}{storage})
}

// SetEncryption switches payload encryption on, with a key, or off. Messages to Meta are then
// encrypted by the host and sent with [Do] to /{phone-number-id}/messages_encrypted.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/business-phone-numbers/settings
//
// graph:POST /{phone-number-id}/settings payload_encryption
func (s *SettingsService) SetEncryption(ctx context.Context, phone graph.PhoneNumberID, e PayloadEncryption) error {
	var p problems
	p.required("PayloadEncryption.Status", string(e.Status))
	if e.Status == graph.FeatureEnabled && e.ClientKey == "" {
		p.missing("PayloadEncryption.ClientKey is empty; switching encryption on wants a public key in base64")
	}
	if e.ClientKey != "" {
		if _, err := base64.StdEncoding.DecodeString(e.ClientKey); err != nil {
			p.limit("PayloadEncryption.ClientKey is not base64")
		}
	}
	if err := p.err(); err != nil {
		return err
	}
	e.Fingerprint, e.CloudKey = "", ""
	return s.set(ctx, phone, struct {
		E PayloadEncryption `json:"payload_encryption"`
	}{e})
}
