package graph

// A HandoverRole is the role of a responder on a number with several of them. It decides which
// conversations become its own. Meta adds values: expect unknown ones.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/conversation-routing/routing-roles
type HandoverRole string

// The documented roles, as of November 2026.
const (
	RoleCustomerService HandoverRole = "customer_service" // whatever is nothing else
	RoleMarketing       HandoverRole = "marketing"        // answers to marketing messages
	RoleUtility         HandoverRole = "utility"          // answers to utility messages
	RoleClickToWhatsApp HandoverRole = "ctwa"             // first messages from advertisements
	RoleAIAgent         HandoverRole = "ai_agent"         // Meta Business Agent
	RoleEscalation      HandoverRole = "escalation"       // the partner that takes over
)
