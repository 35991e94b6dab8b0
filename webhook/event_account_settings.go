package webhook

import (
	"encoding/json"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// An AccountSettingsUpdate arrives when settings of a number were changed, by you or by another
// party: calling on or off, call hours, SIP. It holds the settings as they are now.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/account_settings_update
type AccountSettingsUpdate struct {
	EventInfo `json:"-"`

	// Type is what was changed, in small letters.
	Type AccountSettingsType `json:"type"`

	// Number holds the settings of the number, which is also in PhoneNumberID.
	Number *NumberSettings `json:"phone_number_settings"`
}

// An AccountSettingsType says which settings were changed. Meta adds values: expect unknown ones.
type AccountSettingsType string

// AccountSettingsNumber is the only documented type.
const AccountSettingsNumber AccountSettingsType = "phone_number_settings"

// NumberSettings are the settings of a business phone number.
type NumberSettings struct {
	PhoneNumberID graph.PhoneNumberID `json:"phone_number_id"`
	Calling       *CallingSettings    `json:"calling"`
}

// CallingSettings say whether, when and how a number can be called.
//
// They are not cloudapi.CallingSettings, of which an update is made: some settings come here in
// shapes that are not documented.
type CallingSettings struct {
	Status             graph.FeatureState `json:"status"`
	IconVisibility     string             `json:"call_icon_visibility"` // "DEFAULT" or "DISABLE_ALL"
	CallbackPermission graph.FeatureState `json:"callback_permission_status"`
	Hours              *graph.CallHours   `json:"call_hours"`
	SIP                *graph.SIPSettings `json:"sip"`
	SRTPKeyExchange    string             `json:"srtp_key_exchange_protocol"` // "DTLS" or "SDES"

	// Voicemail, Icons and AdditionalCodecs are settings of 2026 whose shape here is not
	// documented.
	Voicemail        json.RawMessage `json:"voicemail"`
	Icons            json.RawMessage `json:"call_icons"`
	AdditionalCodecs json.RawMessage `json:"audio_additional_codecs"`
}
