package cloudapi

import (
	"bytes"
	"encoding/json"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// A Phone is a business phone number. Members that were not asked for, or that Meta left out, are
// zero.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/business-phone-numbers/phone-numbers
type Phone struct {
	ID graph.PhoneNumberID `json:"id"`

	// DisplayPhoneNumber is for people: formatted, and in Brazil perhaps without a digit. Never
	// send to it or route by it.
	DisplayPhoneNumber string `json:"display_phone_number"`

	// VerifiedName is the display name that customers see.
	VerifiedName string `json:"verified_name"`

	// Status is the state on Cloud API, PlatformType where the number is registered.
	Status       PhoneStatus  `json:"status"`
	PlatformType PlatformType `json:"platform_type"`

	// IsOnBizApp reports that the WhatsApp Business app uses the number.
	IsOnBizApp bool `json:"is_on_biz_app"`

	CodeVerificationStatus CodeVerificationStatus `json:"code_verification_status"`

	// NameStatus is the review of VerifiedName, NewNameStatus that of NewDisplayName.
	NameStatus    NameStatus `json:"name_status"`
	NewNameStatus NameStatus `json:"new_name_status"`

	QualityRating graph.QualityRating `json:"quality_rating"`
	AccountMode   AccountMode         `json:"account_mode"`

	// Throughput is that of ordinary numbers. [Phone.MessagesPerSecond] knows that a coexistence
	// number has less, whatever stands here.
	Throughput           Throughput           `json:"throughput"`
	WebhookConfiguration WebhookConfiguration `json:"webhook_configuration"`

	// LastOnboardedAt is when the number was onboarded last. Whether it moves when a coexistence
	// number comes back is not documented.
	LastOnboardedAt graph.Timestamp `json:"last_onboarded_time"`

	// IsOfficialBusinessAccount reports the badge beside the name.
	IsOfficialBusinessAccount bool `json:"is_official_business_account"`

	// IsPINEnabled reports that the number has a two-step verification PIN.
	IsPINEnabled bool `json:"is_pin_enabled"`

	// IsPreverifiedNumber reports a number that a partner verified before a business took it.
	IsPreverifiedNumber bool `json:"is_preverified_number"`

	// MessagingLimit is how many people the portfolio of the number may write to first in 24 hours,
	// such as "TIER_2K". It has to be asked for, like all that follow; versions before v24.0 do not
	// know it.
	MessagingLimit string `json:"whatsapp_business_manager_messaging_limit"`

	SearchVisibility SearchVisibility `json:"search_visibility"`
	NewDisplayName   string           `json:"new_display_name"`  // that was asked for and is not approved yet
	Username         string           `json:"username"`          // empty for a number without one
	CountryCode      string           `json:"country_code"`      // ISO 3166, such as "BR"
	CountryDialCode  string           `json:"country_dial_code"` // digits, such as "55"
	HostPlatform     string           `json:"host_platform"`
	Certificate      string           `json:"certificate"` // of the display name

	// Raw is the number as Meta wrote it, for fields that have no member here.
	Raw json.RawMessage `json:"-"`

	// Response is the status, trace ids and usage of the response.
	Response Response `json:"-"`
}

// Coexists reports whether the number is used by the WhatsApp Business app and by Cloud API at
// once. It needs the fields is_on_biz_app and platform_type, which [PhonesService.Get] asks for.
func (p *Phone) Coexists() bool { return p.IsOnBizApp && p.PlatformType == PlatformCloudAPI }

// UnmarshalJSON reads a number as Meta writes it, even where it has strings for booleans.
func (p *Phone) UnmarshalJSON(b []byte) error {
	type plain Phone
	aux := struct {
		*plain
		DisplayPhoneNumber  flexString `json:"display_phone_number"`
		CountryDialCode     flexString `json:"country_dial_code"`
		Username            flexString `json:"username"`
		IsOnBizApp          flexBool   `json:"is_on_biz_app"`
		IsOfficial          flexBool   `json:"is_official_business_account"`
		IsPINEnabled        flexBool   `json:"is_pin_enabled"`
		IsPreverifiedNumber flexBool   `json:"is_preverified_number"`
	}{plain: (*plain)(p)}
	if err := json.Unmarshal(b, &aux); err != nil {
		return err
	}
	p.DisplayPhoneNumber = string(aux.DisplayPhoneNumber)
	p.CountryDialCode, p.Username = string(aux.CountryDialCode), string(aux.Username)
	p.IsOnBizApp = bool(aux.IsOnBizApp)
	p.IsOfficialBusinessAccount = bool(aux.IsOfficial)
	p.IsPINEnabled = bool(aux.IsPINEnabled)
	p.IsPreverifiedNumber = bool(aux.IsPreverifiedNumber)
	p.Raw = bytes.Clone(b)
	return nil
}

func (p *Phone) setMeta(m Response) { p.Response = m }

func (p *Phone) incomplete() string { return withoutID(p.ID) }

// A PhoneStatus is the state of a number on Cloud API. Meta may add values.
type PhoneStatus string

const (
	PhoneConnected    PhoneStatus = "CONNECTED" // can send
	PhonePending      PhoneStatus = "PENDING"   // not registered yet
	PhoneLinked       PhoneStatus = "LINKED"
	PhoneDisconnected PhoneStatus = "DISCONNECTED"
	PhoneMigrated     PhoneStatus = "MIGRATED"     // to another account
	PhoneFlagged      PhoneStatus = "FLAGGED"      // low quality
	PhoneRestricted   PhoneStatus = "RESTRICTED"   // the messaging limit is used up or cut
	PhoneRateLimited  PhoneStatus = "RATE_LIMITED" // for a while
	PhoneBanned       PhoneStatus = "BANNED"
	PhoneDeleted      PhoneStatus = "DELETED"
)

// A PlatformType is the platform on which a number is registered. Meta may add values.
type PlatformType string

const (
	PlatformCloudAPI      PlatformType = "CLOUD_API"
	PlatformOnPremise     PlatformType = "ON_PREMISE"
	PlatformNotApplicable PlatformType = "NOT_APPLICABLE" // not registered
)

// A CodeVerificationStatus says whether the number's owner was verified by SMS or voice. Meta may
// add values.
type CodeVerificationStatus string

const (
	CodeVerified    CodeVerificationStatus = "VERIFIED"
	CodeNotVerified CodeVerificationStatus = "NOT_VERIFIED"
	CodeExpired     CodeVerificationStatus = "EXPIRED" // it has to be verified again
)

// A NameStatus is the state of the review of a display name. Meta may add values.
type NameStatus string

const (
	NameApproved               NameStatus = "APPROVED"
	NameAvailableWithoutReview NameStatus = "AVAILABLE_WITHOUT_REVIEW"
	NamePendingReview          NameStatus = "PENDING_REVIEW"
	NameDeclined               NameStatus = "DECLINED"
	NameExpired                NameStatus = "EXPIRED"
	NameNone                   NameStatus = "NONE" // there is no name, or none under review
)

// An AccountMode tells test numbers from others. Meta may add values.
type AccountMode string

const (
	AccountLive    AccountMode = "LIVE"
	AccountSandbox AccountMode = "SANDBOX" // a test number of Meta's
)

// A Throughput is the rate at which a number may send.
type Throughput struct {
	Level ThroughputLevel `json:"level"`
}

// A ThroughputLevel is a step of throughput. Coexistence numbers have 20 messages a second whatever
// it says. Meta may add values.
type ThroughputLevel string

const (
	ThroughputStandard      ThroughputLevel = "STANDARD" // 80 messages a second
	ThroughputHigh          ThroughputLevel = "HIGH"     // 1,000 messages a second
	ThroughputNotApplicable ThroughputLevel = "NOT_APPLICABLE"
)

// A WebhookConfiguration lists the callback URLs that are set, most specific first: the first that
// is not empty gets the webhooks. Events about the account always go to the app's.
type WebhookConfiguration struct {
	PhoneNumber string `json:"phone_number"`
	WABA        string `json:"whatsapp_business_account"`
	Application string `json:"application"`
}
