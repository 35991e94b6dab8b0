package webhook

import (
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// A UserPreference arrives when a customer stops or resumes marketing messages. Honour
// [PreferenceStop]: Meta refuses what is sent in spite of it.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/user_preferences
type UserPreference struct {
	EventInfo `json:"-"`

	// User is the customer.
	User graph.Identity

	// ProfileName is the name that the customer shows, where Meta sends it.
	ProfileName string

	Category PreferenceCategory `json:"category"`
	Value    PreferenceValue    `json:"value"`

	// SignupID comes with [PreferenceSignup].
	SignupID string `json:"signup_id"`

	// Detail says it for people.
	Detail string `json:"detail"`
}

// Customer returns whose preference it is.
func (p *UserPreference) Customer() graph.Identity { return p.User }

// A PreferenceCategory is a kind of message. Meta adds values: expect unknown ones.
type PreferenceCategory string

// PreferenceMarketing is the only documented category.
const PreferenceMarketing PreferenceCategory = "marketing_messages"

// A PreferenceValue is the choice of a customer. Meta adds values: expect unknown ones.
type PreferenceValue string

// The values that Meta sends.
const (
	PreferenceStop   PreferenceValue = "stop"
	PreferenceResume PreferenceValue = "resume"
	PreferenceSignup PreferenceValue = "signup" // seen in dashboard samples
)

// A UserIDUpdate was to arrive when a customer gets another business-scoped user id. Meta
// documented it in March 2026 and withdrew it in August: it cannot be subscribed to. Bodies of that
// time are still decoded. What arrives instead is an [IncomingMessage] with a [*SystemMessage] of
// the type [SystemUserChangedUserID].
type UserIDUpdate struct {
	EventInfo `json:"-"`

	// User is the customer, under the new id.
	User graph.Identity

	// ProfileName is the name that the customer shows, where Meta sends it.
	ProfileName string

	// UserID and ParentUserID are the old and the new ids.
	UserID       UserIDChange `json:"user_id"`
	ParentUserID UserIDChange `json:"parent_user_id"`

	// Detail says it for people.
	Detail string `json:"detail"`
}

// Customer returns who got another id, under the new one.
func (u *UserIDUpdate) Customer() graph.Identity { return u.User }

// A UserIDChange is an old and a new id.
type UserIDChange struct {
	Previous graph.UserID `json:"previous"`
	Current  graph.UserID `json:"current"`
}
