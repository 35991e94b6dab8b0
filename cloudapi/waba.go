package cloudapi

import (
	"bytes"
	"encoding/json"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// A WABA is a WhatsApp Business Account. Members that were not asked for, or that Meta left out,
// are zero.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/whatsapp-business-accounts
type WABA struct {
	ID   graph.WABAID `json:"id"`
	Name string       `json:"name"`

	// Currency is the ISO 4217 code that the WABA pays in.
	Currency string `json:"currency"`

	// TimezoneID is Meta's number of a time zone, such as "1" for Los Angeles. It is not an IANA
	// name.
	TimezoneID string `json:"timezone_id"`

	// Country is the ISO 3166 code of the business's country.
	Country string `json:"country"`

	// OwnershipType is such as "SELF_OWNED" or "CLIENT_OWNED", seen from the business that asks.
	OwnershipType string `json:"ownership_type"`

	// AccountReviewStatus is Meta's review of the account, such as "APPROVED";
	// BusinessVerificationStatus that of its portfolio, such as "verified".
	AccountReviewStatus        string `json:"account_review_status"`
	BusinessVerificationStatus string `json:"business_verification_status"`

	// MessageTemplateNamespace was needed for the templates of the On-Premises API. Cloud API does
	// not use it.
	MessageTemplateNamespace string `json:"message_template_namespace"`

	Status string `json:"status"`

	// PrimaryFundingID is the payment method of the account: see [Allocation].Credential. Empty if
	// it has none. Ask for it alone: Meta shows it to solution partners only, as hosts report
	// (October 2026), and refuses the whole call to others with [graph.CodePermissionDenied].
	PrimaryFundingID string `json:"primary_funding_id"`

	// OwnerBusinessInfo is the business portfolio that owns the WABA; OnBehalfOfBusinessInfo the
	// one it was made for in the model that ended in 2025.
	OwnerBusinessInfo      BusinessInfo `json:"owner_business_info"`
	OnBehalfOfBusinessInfo BusinessInfo `json:"on_behalf_of_business_info"`

	// IsEnabledForInsights reports that template analytics are on. It has to be asked for, like all
	// that follow.
	IsEnabledForInsights bool `json:"is_enabled_for_insights"`

	// MessagingLimit is how many people the portfolio may write to first in 24 hours, such as
	// "TIER_2K".
	MessagingLimit string `json:"whatsapp_business_manager_messaging_limit"`

	// MarketingOnboarding and MarketingAPI say whether [MessagesService.SendMarketing] can be used.
	MarketingOnboarding string `json:"marketing_messages_onboarding_status"`
	MarketingAPI        string `json:"marketing_messages_lite_api_status"`

	// Raw is the WABA as Meta wrote it, for fields that have no member here.
	Raw json.RawMessage `json:"-"`

	// Response is the status, trace ids and usage of the response.
	Response Response `json:"-"`
}

// A BusinessInfo names a business portfolio.
type BusinessInfo struct {
	ID   graph.BusinessID `json:"id"`
	Name string           `json:"name"`
}

// UnmarshalJSON reads a WABA as Meta writes it, even where it has numbers for strings.
func (w *WABA) UnmarshalJSON(b []byte) error {
	type plain WABA
	aux := struct {
		*plain
		TimezoneID       flexString `json:"timezone_id"`
		PrimaryFundingID flexString `json:"primary_funding_id"`
		Insights         flexBool   `json:"is_enabled_for_insights"`
	}{plain: (*plain)(w)}
	if err := json.Unmarshal(b, &aux); err != nil {
		return err
	}
	w.TimezoneID = string(aux.TimezoneID)
	w.PrimaryFundingID = string(aux.PrimaryFundingID)
	w.IsEnabledForInsights = bool(aux.Insights)
	w.Raw = bytes.Clone(b)
	return nil
}

func (w *WABA) setMeta(m Response) { w.Response = m }

func (w *WABA) incomplete() string { return withoutID(w.ID) }
