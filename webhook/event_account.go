package webhook

import (
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// An AccountUpdate arrives when something happens to an account: it was shared with you,
// disconnected, restricted, banned, restored.
//
// It follows no callback override: it always goes to the app's own callback URL. It names an
// account and rarely a number; PhoneNumberID is always empty. Never order updates by time alone,
// and read the number before you act on a disconnection.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/account_update
type AccountUpdate struct {
	EventInfo `json:"-"`

	// Event is what happened.
	Event AccountEvent `json:"event"`

	// PhoneNumber is the number it is about, in digits, if Meta says so.
	PhoneNumber string `json:"phone_number"`

	// WABAInfo comes with events about partners and ad accounts.
	WABAInfo *WABAInfo `json:"waba_info"`

	// Disconnection comes with PARTNER_REMOVED (and ACCOUNT_OFFBOARDED) of coexistence numbers. It
	// may be missing.
	Disconnection *DisconnectionInfo `json:"disconnection_info"`

	// Ban comes with DISABLED_UPDATE, Violation with ACCOUNT_VIOLATION, Restrictions with
	// ACCOUNT_RESTRICTION.
	Ban          *BanInfo          `json:"ban_info"`
	Violation    *ViolationInfo    `json:"violation_info"`
	Restrictions []RestrictionInfo `json:"restriction_info"`

	// Country comes with BUSINESS_PRIMARY_LOCATION_COUNTRY_UPDATE.
	Country string `json:"country"`

	// InternationalRates comes with AUTH_INTL_PRICE_ELIGIBILITY_UPDATE.
	InternationalRates *InternationalRates `json:"auth_international_rate_eligibility"`

	// VolumeTier comes with VOLUME_BASED_PRICING_TIER_UPDATE.
	VolumeTier *VolumeTier `json:"volume_tier_info"`

	// Certification comes with PARTNER_CLIENT_CERTIFICATION_STATUS_UPDATE, CertificationNeeded with
	// PARTNER_CLIENT_CERTIFICATION_NEEDED.
	Certification       *CertificationInfo       `json:"partner_client_certification_info"`
	CertificationNeeded *CertificationNeededInfo `json:"partner_client_certification_needed_info"`
}

// An AccountEvent is an event in the life of an account. Meta adds values: expect unknown ones.
type AccountEvent string

// The documented events.
const (
	AccountPartnerAdded        AccountEvent = "PARTNER_ADDED"           // shared with you: Embedded Signup is done
	AccountPartnerRemoved      AccountEvent = "PARTNER_REMOVED"         // final: disconnected or no longer shared
	AccountPartnerAppInstalled AccountEvent = "PARTNER_APP_INSTALLED"   // your app was given permissions
	AccountPartnerAppRemoved   AccountEvent = "PARTNER_APP_UNINSTALLED" // your app's permissions were taken away
	AccountOffboarded          AccountEvent = "ACCOUNT_OFFBOARDED"      // temporary: phone changed or reinstalled
	AccountReconnected         AccountEvent = "ACCOUNT_RECONNECTED"     // restored after ACCOUNT_OFFBOARDED
	AccountDeleted             AccountEvent = "ACCOUNT_DELETED"
	AccountRestriction         AccountEvent = "ACCOUNT_RESTRICTION"
	AccountViolation           AccountEvent = "ACCOUNT_VIOLATION"
	AccountDisabledUpdate      AccountEvent = "DISABLED_UPDATE" // a ban is scheduled, in force or lifted
	AccountVerified            AccountEvent = "VERIFIED_ACCOUNT"
	AccountAdAccountLinked     AccountEvent = "AD_ACCOUNT_LINKED"
	AccountMMLiteTermsSigned   AccountEvent = "MM_LITE_TERMS_SIGNED"

	AccountCertificationStatus AccountEvent = "PARTNER_CLIENT_CERTIFICATION_STATUS_UPDATE"
	AccountCertificationNeeded AccountEvent = "PARTNER_CLIENT_CERTIFICATION_NEEDED"
	AccountPrimaryLocation     AccountEvent = "BUSINESS_PRIMARY_LOCATION_COUNTRY_UPDATE"
	AccountInternationalRates  AccountEvent = "AUTH_INTL_PRICE_ELIGIBILITY_UPDATE"
	AccountVolumeTier          AccountEvent = "VOLUME_BASED_PRICING_TIER_UPDATE"
)

// WABAInfo names the account that an update is about, and who owns it.
type WABAInfo struct {
	WABAID           graph.WABAID       `json:"waba_id"`
	OwnerBusinessID  graph.BusinessID   `json:"owner_business_id"`
	PartnerAppID     graph.AppID        `json:"partner_app_id"`
	SolutionID       string             `json:"solution_id"`
	SolutionPartners []graph.BusinessID `json:"solution_partner_business_ids"`
	AdAccount        string             `json:"ad_account_linked"`
	AdAccountID      string             `json:"ad_account_id"`
}

// DisconnectionInfo says why a coexistence number was disconnected.
type DisconnectionInfo struct {
	Reason      DisconnectionReason `json:"reason"`
	InitiatedBy string              `json:"initiated_by"` // "USER" or "SYSTEM"
}

// A DisconnectionReason is why a coexistence number was disconnected. Meta adds values: expect
// unknown ones.
type DisconnectionReason string

const (
	DisconnectedPrimaryInactivity   DisconnectionReason = "PRIMARY_INACTIVITY"   // the phone was idle for about 14 days
	DisconnectedCompanionInactivity DisconnectionReason = "COMPANION_INACTIVITY" // a companion idle for about 30 days
	DisconnectedBusinessDowngrade   DisconnectionReason = "BUSINESS_DOWNGRADE"   // moved to consumer WhatsApp
	DisconnectedChangeNumber        DisconnectionReason = "CHANGE_NUMBER"        // the number was changed
	DisconnectedReRegistered        DisconnectionReason = "USER_RE_REGISTERED"   // registered on another device
	DisconnectedAccount             DisconnectionReason = "ACCOUNT_DISCONNECTED" // enforcement, or a deleted account
)

// BanInfo is the state of a ban. Date is an English long date such as "April 17, 2025".
type BanInfo struct {
	State BanState `json:"waba_ban_state"`
	Date  string   `json:"waba_ban_date"`
}

// A BanState is the state of a ban. Meta adds values: expect unknown ones.
type BanState string

// The states of a ban: announced, in force, lifted.
const (
	BanScheduled BanState = "SCHEDULE_FOR_DISABLE"
	BanInForce   BanState = "DISABLE"
	BanLifted    BanState = "REINSTATE"
)

// ViolationInfo says which policy was violated.
type ViolationInfo struct {
	Type        string `json:"violation_type"` // an open list: "ADULT", "LOW_CALLING_QUALITY", …
	Remediation string `json:"remediation"`
}

// RestrictionInfo is something the account may not do. A zero ExpiresAt means that no end was
// given.
type RestrictionInfo struct {
	Type        RestrictionType `json:"restriction_type"`
	ExpiresAt   graph.Timestamp `json:"expiration"`
	Remediation string          `json:"remediation"`
}

// A RestrictionType is the kind of a restriction. Meta adds values: expect unknown ones.
type RestrictionType string

// The documented restrictions.
const (
	// Meta has also written RESTRICTION_ADD_PHONE_NUMBER_ACTION.
	RestrictedAddingNumbers RestrictionType = "RESTRICTED_ADD_PHONE_NUMBER_ACTION"

	RestrictedBusinessMessaging  RestrictionType = "RESTRICTED_BIZ_INITIATED_MESSAGING"
	RestrictedCustomerMessaging  RestrictionType = "RESTRICTED_CUSTOMER_INITIATED_MESSAGING"
	RestrictedUtilityTemplates   RestrictionType = "RESTRICTED_UTILITY_TEMPLATES"
	RestrictedDirectSendUtility  RestrictionType = "RESTRICTED_DIRECT_SEND_UTILITY_TEMPLATES"
	RestrictedCalling            RestrictionType = "RESTRICTED_BIZ_INITIATED_AND_USER_INITIATED_CALLING"
	RestrictedBusinessCalling    RestrictionType = "RESTRICTED_BUSINESS_INITIATED_CALLING"
	RestrictedUserCalling        RestrictionType = "RESTRICTED_USER_INITIATED_CALLING"
	RestrictedCallButtonIsHidden RestrictionType = "RESTRICTED_USER_INITIATED_CALLING_CALL_BUTTON_HIDDEN"
)

// InternationalRates says from when authentication messages cost international rates.
type InternationalRates struct {
	StartsAt   graph.Timestamp         `json:"start_time"`
	Exceptions []InternationalRatesDay `json:"exception_countries"`
}

// An InternationalRatesDay is a country with a date of its own.
type InternationalRatesDay struct {
	Country  string          `json:"country_code"`
	StartsAt graph.Timestamp `json:"start_time"`
}

// VolumeTier is a tier of volume pricing that was reached.
type VolumeTier struct {
	UpdatedAt      graph.Timestamp `json:"tier_update_time"`
	Category       string          `json:"pricing_category"`
	Tier           string          `json:"tier"` // such as "25000001:50000000"
	EffectiveMonth string          `json:"effective_month"`
	Region         string          `json:"region"`
}

// CertificationInfo is the state of a partner-led business verification.
type CertificationInfo struct {
	ClientBusinessID graph.BusinessID    `json:"client_business_id"`
	Status           CertificationStatus `json:"status"`
	RejectionReasons []RejectionReason   `json:"rejection_reasons"`
}

// A CertificationStatus is the state of a verification. Meta adds values: expect unknown ones.
type CertificationStatus string

// The documented states of a verification.
const (
	CertificationApproved  CertificationStatus = "APPROVED"
	CertificationDiscarded CertificationStatus = "DISCARDED"
	CertificationFailed    CertificationStatus = "FAILED"
	CertificationPending   CertificationStatus = "PENDING"
	CertificationRevoked   CertificationStatus = "REVOKED"
)

// A RejectionReason is the problem with a business's documents. One of Meta's pages writes
// underscores for the spaces; here they are spaces always. Meta adds values: expect unknown ones.
type RejectionReason string

// The documented reasons, with spaces.
const (
	RejectedAddress     RejectionReason = "ADDRESS NOT MATCHING"
	RejectedBusiness    RejectionReason = "BUSINESS NOT ELIGIBLE"
	RejectedName        RejectionReason = "LEGAL NAME NOT MATCHING"
	RejectedNameMissing RejectionReason = "LEGAL NAME NOT FOUND IN DOCUMENTS"
	RejectedDocuments   RejectionReason = "MALFORMED DOCUMENTS"
	RejectedWebsite     RejectionReason = "WEBSITE NOT MATCHING"
	RejectedNone        RejectionReason = "NONE"
)

// CertificationNeededInfo names the business that has to be verified.
type CertificationNeededInfo struct {
	ClientBusinessID graph.BusinessID `json:"client_business_id"`
}

// An AccountReviewUpdate arrives when Meta has reviewed an account against its policies. Only an
// approved account can be used.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/account_review_update
type AccountReviewUpdate struct {
	EventInfo `json:"-"`

	Decision ReviewDecision `json:"decision"`
}

// A ReviewDecision is the result of a review. Meta adds values: expect unknown ones.
type ReviewDecision string

// The documented decisions.
const (
	ReviewApproved ReviewDecision = "APPROVED"
	ReviewRejected ReviewDecision = "REJECTED"
	ReviewPending  ReviewDecision = "PENDING"
	ReviewDeferred ReviewDecision = "DEFERRED"
)
