package webhook

// Pricing says what a message costs. Decide by Type and Category. Since 2026-10-01 even service
// messages can be billed: never assume that an answer is free.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/pricing
type Pricing struct {
	Model    string          `json:"pricing_model"` // "PMP", per message; "CBP" before July 2025
	Type     PricingType     `json:"type"`
	Category PricingCategory `json:"category"`
	Billable *bool           `json:"billable"` // Meta will remove it
}

// Free reports whether the message costs nothing, by its type. A type that is not known, or none,
// is not free.
func (p *Pricing) Free() bool {
	switch p.Type {
	case PricingFreeService, PricingFreeEntryPoint, PricingFreeGroupService:
		return true
	}
	return false
}

// A PricingType says whether a message is billed, and if not, why. What each covers changed on
// 2026-10-01, when service messages beyond a free tier and utility templates inside a service
// window became billable. Meta adds values: expect unknown ones.
type PricingType string

const (
	PricingRegular          PricingType = "regular"                     // billed, since 2026-10-01 service too
	PricingFreeService      PricingType = "free_customer_service"       // since 2026-10-01: service in the free tier
	PricingFreeEntryPoint   PricingType = "free_entry_point"            // the customer came from an advertisement
	PricingFreeGroupService PricingType = "free_group_customer_service" // the same as free service, in a group
)

// A PricingCategory is what a message is billed as. Meta adds values: expect unknown ones.
type PricingCategory string

// The documented categories.
const (
	PricingAuthentication              PricingCategory = "authentication"
	PricingAuthenticationInternational PricingCategory = "authentication-international" // with a hyphen
	PricingMarketing                   PricingCategory = "marketing"
	PricingMarketingLite               PricingCategory = "marketing_lite"
	PricingReferralConversion          PricingCategory = "referral_conversion"
	PricingService                     PricingCategory = "service"
	PricingUtility                     PricingCategory = "utility"
	PricingGroupMarketing              PricingCategory = "group_marketing"
	PricingGroupService                PricingCategory = "group_service"
	PricingGroupUtility                PricingCategory = "group_utility"
)
