package webhook

import "github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"

// A BusinessCapabilityUpdate arrives when a limit of the business changes: how many customers it
// may write to first in a day, how many numbers it may have.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/business_capability_update
type BusinessCapabilityUpdate struct {
	EventInfo `json:"-"`

	// MaxDailyConversations is a [MessagingTier] or, in older deliveries, a number; "-1" is no
	// limit.
	MaxDailyConversations MessagingTier `json:"max_daily_conversations_per_business"`

	// MaxDailyPerPhone is the limit of one number; -1 is no limit. Meta removed it in February
	// 2026: then it is zero.
	MaxDailyPerPhone int `json:"max_daily_conversation_per_phone"`

	// MaxPhonesPerBusiness and MaxPhonesPerWABA say how many numbers there may be. Zero if Meta did
	// not say.
	MaxPhonesPerBusiness int `json:"max_phone_numbers_per_business"`
	MaxPhonesPerWABA     int `json:"max_phone_numbers_per_waba"`
}

// A MessagingTier limits how many customers a business may write to first within a day. Meta adds
// values: expect unknown ones.
type MessagingTier string

// The documented tiers, named by customers a day.
const (
	Tier50        MessagingTier = "TIER_50"
	Tier250       MessagingTier = "TIER_250"
	Tier1K        MessagingTier = "TIER_1K"
	Tier2K        MessagingTier = "TIER_2K"
	Tier10K       MessagingTier = "TIER_10K"
	Tier100K      MessagingTier = "TIER_100K"
	TierUnlimited MessagingTier = "TIER_UNLIMITED"
	TierNotSet    MessagingTier = "TIER_NOT_SET"
)

// A BusinessUsernameUpdate arrives when the username of a business number is reserved, approved or
// deleted. The number is in DisplayPhoneNumber; PhoneNumberID is empty.
//
// Since 2026-09-15 Context says when Meta revoked a name: with the status deleted there is none
// left, with approved Username is the name that Meta put in its place.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/business-scoped-user-ids
type BusinessUsernameUpdate struct {
	EventInfo `json:"-"`

	// Username is the name, without an @. Empty when it was deleted.
	Username string `json:"username"`

	Status graph.UsernameStatus `json:"status"`

	// Context is why. Empty says nothing about who did it.
	Context UsernameContext `json:"context"`
}

// A UsernameContext is why a username changed. Meta adds values: expect unknown ones.
type UsernameContext string

// UsernameRevoked: Meta took the name away.
const UsernameRevoked UsernameContext = "revoked"

// A PartnerSolution arrives when a multi-partner solution is created or changes its state. It is
// about a business portfolio: WABAID is empty.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/partner_solutions
type PartnerSolution struct {
	EventInfo `json:"-"`

	Event  SolutionEvent  `json:"event"`
	ID     string         `json:"solution_id"`
	Status SolutionStatus `json:"solution_status"`
}

// Business returns the portfolio that the solution belongs to.
func (p *PartnerSolution) Business() graph.BusinessID { return graph.BusinessID(p.EntryID) }

// A SolutionEvent is an event in the life of a solution. Meta adds values: expect unknown ones.
type SolutionEvent string

// The documented events of a solution.
const (
	SolutionCreated SolutionEvent = "SOLUTION_CREATED"
	SolutionUpdated SolutionEvent = "SOLUTION_UPDATED"
)

// A SolutionStatus is the state of a solution. Meta adds values: expect unknown ones.
type SolutionStatus string

// The documented states of a solution.
const (
	SolutionActive              SolutionStatus = "ACTIVE"
	SolutionDeactivated         SolutionStatus = "DEACTIVATED"
	SolutionDraft               SolutionStatus = "DRAFT"
	SolutionInitiated           SolutionStatus = "INITIATED"
	SolutionPendingDeactivation SolutionStatus = "PENDING_DEACTIVATION"
	SolutionRejected            SolutionStatus = "REJECTED"
)

// A PaymentConfigurationUpdate arrives when a way to be paid, in India, is connected or changes its
// state.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/payment_configuration_update
type PaymentConfigurationUpdate struct {
	EventInfo `json:"-"`

	Name       string `json:"configuration_name"`
	Provider   string `json:"provider_name"` // "billdesk", "payu", "razorpay", "zaakpay"
	MerchantID string `json:"provider_mid"`

	Status    PaymentConfigurationStatus `json:"status"`
	CreatedAt graph.Timestamp            `json:"created_timestamp"`
	UpdatedAt graph.Timestamp            `json:"updated_timestamp"`
}

// A PaymentConfigurationStatus is the state of a way to be paid. Meta adds values: expect unknown
// ones.
type PaymentConfigurationStatus string

// The documented states, in Meta's spelling with spaces.
const (
	PaymentConfigurationActive          PaymentConfigurationStatus = "Active"
	PaymentConfigurationNeedsConnecting PaymentConfigurationStatus = "Needs Connecting"
	PaymentConfigurationNeedsTesting    PaymentConfigurationStatus = "Needs Testing"
)
