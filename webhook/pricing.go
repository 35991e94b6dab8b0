package webhook

// Pricing is the price category of a message. Decide by Type and Category. Since 2026-10-01 even
// service messages can be billed: never assume that an answer is free.
//
// From that day, 1,000 delivered service messages are free per business phone number and calendar
// month, those in groups included; nothing is carried over, and reactions are neither billed nor
// counted. What follows is [PricingRegular]. In which time zone a month begins, and whether
// messages of another responder of the number count, Meta does not say (November 2026). What the
// owner writes in the WhatsApp Business app is free and not counted.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/pricing
type Pricing struct {
	Model    string          `json:"pricing_model"` // "PMP", per message; "CBP" before July 2025
	Type     PricingType     `json:"type"`
	Category PricingCategory `json:"category"`
	Subtype  PricingSubtype  `json:"subtype"`  // since September 2026; mostly empty
	Billable *bool           `json:"billable"` // Meta will remove it
}

// Free reports whether the message costs nothing, by its type and subtype. A type that is not
// known, or none, is not free.
func (p *Pricing) Free() bool {
	if p.Subtype == PricingPaidExempt {
		return true
	}
	switch p.Type {
	case PricingFreeService, PricingFreeEntryPoint, PricingFreeGroupService:
		return true
	}
	return false
}

// A PricingType says whether a message is billed, and if not, why. What each covers changed on
// 2026-10-01, when service messages beyond a free tier and utility templates inside a service
// window became billable. Meta adds values: expect unknown ones.
//
// [PricingFreeEntryPoint] is for the free entry point window, which opens when the business answers
// a customer who came from an advertisement that leads to WhatsApp: up to 7 days since September
// 2026, 72 hours before that.
type PricingType string

const (
	PricingRegular          PricingType = "regular"                     // billed, since 2026-10-01 service too
	PricingFreeService      PricingType = "free_customer_service"       // since 2026-10-01: service in the free tier
	PricingFreeEntryPoint   PricingType = "free_entry_point"            // see below
	PricingFreeGroupService PricingType = "free_group_customer_service" // the same as free service, in a group
)

// A PricingSubtype says more about a [PricingType]. Meta adds values: expect unknown ones.
type PricingSubtype string

// PricingPaidExempt marks what would be billed beyond the free tier and is not, because a
// government or a non-profit sent it: until 2027-12-31. Its type is PricingRegular as far as known
// (November 2026).
const PricingPaidExempt PricingSubtype = "paid_exempt"

// A PricingCategory is the category by which a message is billed. Meta adds values: expect unknown
// ones.
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
