package webhook

// An AccountAlert arrives when Meta has something to say about an account, a number or a business
// profile: a limit that cannot be raised yet, a profile picture that was lost, an official business
// account approved or rejected. Nothing is switched off by it; show Description to the people who
// run the account.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/account_alerts
type AccountAlert struct {
	EventInfo `json:"-"`

	// EntityType and EntityID say what it is about: "BUSINESS", "PHONE_NUMBER", "CURRENT_STATUS_ID"
	// (the profile).
	EntityType string `json:"entity_type"`
	EntityID   string `json:"entity_id"`

	// Type is the kind of the alert, Description its text for people.
	Type        AlertType `json:"alert_type"`
	Description string    `json:"alert_description"`

	// Severity is its urgency, Status whether it still applies.
	Severity AlertSeverity `json:"alert_severity"`
	Status   AlertStatus   `json:"alert_status"`
}

// An AlertType is the subject of an [AccountAlert]. Meta adds values: expect unknown ones.
type AlertType string

// The documented alerts. An OBA is an official business account, which has a badge.
const (
	AlertCapabilitiesDeferred     AlertType = "INCREASED_CAPABILITIES_ELIGIBILITY_DEFERRED"
	AlertCapabilitiesFailed       AlertType = "INCREASED_CAPABILITIES_ELIGIBILITY_FAILED"
	AlertCapabilitiesNeedMoreInfo AlertType = "INCREASED_CAPABILITIES_ELIGIBILITY_NEED_MORE_INFO"
	AlertOBAApproved              AlertType = "OBA_APPROVED"
	AlertOBARejected              AlertType = "OBA_REJECTED"
	AlertProfilePictureLost       AlertType = "PROFILE_PICTURE_LOST"
)

// An AlertSeverity is the urgency of an [AccountAlert]. Meta adds values: expect unknown ones.
type AlertSeverity string

// The documented severities, the most urgent first.
const (
	AlertCritical      AlertSeverity = "CRITICAL"
	AlertWarning       AlertSeverity = "WARNING"
	AlertInformational AlertSeverity = "INFORMATIONAL"
)

// An AlertStatus says whether an [AccountAlert] still holds. Meta adds values: expect unknown ones.
type AlertStatus string

// The documented states of an alert.
const (
	AlertActive AlertStatus = "ACTIVE"
	AlertNone   AlertStatus = "NONE"
)
