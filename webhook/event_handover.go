package webhook

import (
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// A MessagingHandover arrives when a conversation gets another owner: an app of yours, an agent of
// Meta's, a person.
//
// After [HandoverControlPassed] the conversation is yours and the customer waits for you; only the
// new owner gets it. After [HandoverControlTaken] it is not: what the customer writes arrives as
// [StandbyMessage]; only the former owner gets it. Nothing arrives when a conversation is released,
// when it has been idle for 24 hours, or for your own calls of thread_control. No call tells the
// owner, so these events and the field of each message are the state: coexistence.Tracker keeps it.
// Go by roles; the ids of apps change.
//
// Whether a message to a conversation of another owner takes it over depends on the number, and
// nothing in a webhook tells which holds. With conversation routing only the escalation partner
// takes over so, and everyone else is refused with [graph.CodeThreadOwnedByOther]. With Meta
// Business Agent and no routing, the message is sent and takes it over. Never send on purpose.
//
// State of Meta's pages: November 2026.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/messaging-handovers
type MessagingHandover struct {
	EventInfo `json:"-"`

	// Type is the kind of handover. Where Meta leaves it out, as its dashboard does, it follows
	// from the other members.
	Type HandoverType `json:"type"`

	// Sender is the customer, if Meta says so: by phone number, and in an older form, seen until
	// August 2026, by user id too.
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
	PreviousOwnerAppID graph.AppID        `json:"previous_owner_app_id"`
	PreviousOwnerRole  graph.HandoverRole `json:"previous_owner_role"`
	NewOwnerAppID      graph.AppID        `json:"new_owner_app_id"`
	NewOwnerRole       graph.HandoverRole `json:"new_owner_role"`

	// PreviousOwnerAppRole is the deprecated form of PreviousOwnerRole, such as
	// "meta_business_agent".
	PreviousOwnerAppRole string `json:"previous_owner_app_role"`

	// Metadata is free text of up to 2,000 characters.
	Metadata string `json:"metadata"`

	// Context is a machine-made summary of the conversation so far. For display only.
	Context *HandoverContext `json:"conversation_context"`
}

// A HandoverContext holds a machine's prose about a conversation.
type HandoverContext struct {
	Type    string          `json:"type"` // "summary"
	Summary HandoverSummary `json:"summary"`
}

// A HandoverSummary is a summary in prose.
type HandoverSummary struct {
	Text string `json:"text"`
}
