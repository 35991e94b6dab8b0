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

// A MessagingTier is how many customers a business may write to first within a day. Meta adds
// values: expect unknown ones.
type MessagingTier string

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
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/business-scoped-user-ids
type BusinessUsernameUpdate struct {
	EventInfo `json:"-"`

	// Username is the name, without an @. Empty when it was deleted.
	Username string `json:"username"`

	Status graph.UsernameStatus `json:"status"`
}
