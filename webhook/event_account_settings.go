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

// CallingSettings say whether, when and how a number can be called. Statuses are "ENABLED" or
// "DISABLED".
type CallingSettings struct {
	Status             string       `json:"status"`
	IconVisibility     string       `json:"call_icon_visibility"`
	CallbackPermission string       `json:"callback_permission_status"`
	Hours              *CallHours   `json:"call_hours"`
	SIP                *SIPSettings `json:"sip"`
	SRTPKeyExchange    string       `json:"srtp_key_exchange_protocol"`

	// Voicemail, Icons and AdditionalCodecs are settings of 2026 whose shape here is not
	// documented.
	Voicemail        json.RawMessage `json:"voicemail"`
	Icons            json.RawMessage `json:"call_icons"`
	AdditionalCodecs json.RawMessage `json:"audio_additional_codecs"`
}

// CallHours say when a number can be called. Times are such as "0930", in the time zone TimeZone.
type CallHours struct {
	Status   string        `json:"status"`
	TimeZone string        `json:"timezone_id"` // such as "America/Sao_Paulo"
	Weekly   []CallWeekday `json:"weekly_operating_hours"`
	Holidays []CallHoliday `json:"holiday_schedule"`
}

// A CallWeekday is a day of the week on which calls are taken.
type CallWeekday struct {
	Day    string `json:"day_of_week"` // "MONDAY", …
	Opens  string `json:"open_time"`
	Closes string `json:"close_time"`
}

// A CallHoliday is a date with hours of its own.
type CallHoliday struct {
	Date   string `json:"date"` // such as "2026-01-01"
	Starts string `json:"start_time"`
	Ends   string `json:"end_time"`
}

// SIPSettings say where calls go by SIP. A number with SIP gets no [Call] events.
type SIPSettings struct {
	Status  string            `json:"status"`
	Servers []graph.SIPServer `json:"servers"`
}
