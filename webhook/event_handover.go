package webhook

import (
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// A MessagingHandover arrives when a conversation gets another owner: an app of yours, an agent of
// Meta's, a person.
//
// After [HandoverControlPassed] the conversation is yours and the customer waits for you. After
// [HandoverControlTaken] it is not: what the customer writes arrives as [StandbyMessage], and to
// send a message is to take it back. No call tells the owner, so these events are the state. Go by
// roles; the ids of apps change.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/messaging_handovers
type MessagingHandover struct {
	EventInfo `json:"-"`

	// Type is what happened. Where Meta leaves it out, as its dashboard does, the other members
	// tell it.
	Type HandoverType `json:"type"`

	// Sender is the customer, if Meta says so.
	Sender graph.Identity

	// Passed comes with [HandoverControlPassed], Taken with [HandoverControlTaken].
	Passed *HandoverControl `json:"control_passed"`
	Taken  *HandoverControl `json:"control_taken"`
}

// Customer returns whose conversation it is. It may be empty.
func (h *MessagingHandover) Customer() graph.Identity { return h.Sender }

// A HandoverType says which way a conversation went. Meta adds values: expect unknown ones.
type HandoverType string

const (
	HandoverControlPassed HandoverType = "control_passed" // it is yours now: answer
	HandoverControlTaken  HandoverType = "control_taken"  // it is yours no more: be silent
)

// A HandoverControl says between whom a conversation went, and why. Any member may be empty.
type HandoverControl struct {
	PreviousOwnerAppID graph.AppID  `json:"previous_owner_app_id"`
	PreviousOwnerRole  HandoverRole `json:"previous_owner_role"`
	NewOwnerAppID      graph.AppID  `json:"new_owner_app_id"`
	NewOwnerRole       HandoverRole `json:"new_owner_role"`

	// PreviousOwnerAppRole is the deprecated form of PreviousOwnerRole, such as
	// "meta_business_agent".
	PreviousOwnerAppRole string `json:"previous_owner_app_role"`

	// Metadata is free text of up to 2,000 characters.
	Metadata string `json:"metadata"`

	// Context is what a machine wrote about the conversation so far. For display only.
	Context *HandoverContext `json:"conversation_context"`
}

// A HandoverRole is what an owner of conversations does. Meta adds values: expect unknown ones.
type HandoverRole string

// The documented roles.
const (
	RoleCustomerService HandoverRole = "customer_service"
	RoleMarketing       HandoverRole = "marketing"
	RoleUtility         HandoverRole = "utility"
	RoleClickToWhatsApp HandoverRole = "ctwa"
	RoleAIAgent         HandoverRole = "ai_agent"
	RoleEscalation      HandoverRole = "escalation"
)

// A HandoverContext holds a machine's prose about a conversation.
type HandoverContext struct {
	Type    string          `json:"type"` // "summary"
	Summary HandoverSummary `json:"summary"`
}

// A HandoverSummary is a summary in prose.
type HandoverSummary struct {
	Text string `json:"text"`
}
