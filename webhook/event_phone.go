package webhook

// A PhoneNumberNameUpdate arrives when Meta has reviewed the name that a number shows. The number
// is in DisplayPhoneNumber; PhoneNumberID is empty.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/phone_number_name_update
type PhoneNumberNameUpdate struct {
	EventInfo `json:"-"`

	Decision ReviewDecision `json:"decision"`
	Name     string         `json:"requested_verified_name"`

	// Reason is empty unless the name was rejected.
	Reason NameRejection `json:"rejection_reason"`
}

// A NameRejection says why a name was rejected. Meta adds values: expect unknown ones.
type NameRejection string

// The documented reasons.
const (
	NameEmployeeIssue       NameRejection = "NAME_EMPLOYEE_ISSUE"
	NameEndClientNotRelated NameRejection = "NAME_ENDCLIENT_NOTRELATED"
	NameFormatUnacceptable  NameRejection = "NAME_FORMAT_UNACCEPTABLE"
	NameIndividualIssue     NameRejection = "NAME_INDIVIDUAL_ISSUE"
	NameNotConsistent       NameRejection = "NAME_NOT_CONSISTENT"
	NameRejectionUnknown    NameRejection = "UNKNOWN"
)

// A PhoneNumberQualityUpdate arrives when the limits of a number change. The number is in
// DisplayPhoneNumber; PhoneNumberID is empty.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/phone_number_quality_update
type PhoneNumberQualityUpdate struct {
	EventInfo `json:"-"`

	Event PhoneQualityEvent `json:"event"`

	// MaxDailyConversations is how many customers the business may write to first within a day.
	MaxDailyConversations MessagingTier `json:"max_daily_conversations_per_business"`

	// CurrentLimit and OldLimit are the legacy form of it, which Meta removed in February 2026.
	CurrentLimit MessagingTier `json:"current_limit"`
	OldLimit     MessagingTier `json:"old_limit"`
}

// A PhoneQualityEvent is the kind of change. Meta adds values: expect unknown ones.
type PhoneQualityEvent string

// The documented events, the legacy ones last.
const (
	PhoneOnboarding        PhoneQualityEvent = "ONBOARDING"
	PhoneThroughputUpgrade PhoneQualityEvent = "THROUGHPUT_UPGRADE" // more messages a second
	PhoneFlagged           PhoneQualityEvent = "FLAGGED"            // legacy
	PhoneUnflagged         PhoneQualityEvent = "UNFLAGGED"          // legacy
	PhoneUpgrade           PhoneQualityEvent = "UPGRADE"            // legacy
	PhoneDowngrade         PhoneQualityEvent = "DOWNGRADE"          // legacy
)

// A SecurityUpdate arrives when the two-step PIN of a number is changed, or a request comes to turn
// it off. If the business did not do it, a stranger has access. The number is in
// DisplayPhoneNumber; PhoneNumberID is empty.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/security
type SecurityUpdate struct {
	EventInfo `json:"-"`

	Event SecurityEvent `json:"event"`

	// Requester is the id of the Meta user who asked. It comes only with [SecurityPINResetRequest].
	Requester string `json:"requester"`
}

// A SecurityEvent is an event about the PIN. Meta adds values: expect unknown ones.
type SecurityEvent string

// The documented events.
const (
	SecurityPINChanged        SecurityEvent = "PIN_CHANGED"
	SecurityPINResetRequest   SecurityEvent = "PIN_RESET_REQUEST"
	SecurityPINRequestSuccess SecurityEvent = "PIN_REQUEST_SUCCESS" // two-step verification is off
)
