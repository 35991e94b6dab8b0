package webhook

import (
	"encoding/json"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// An Interactive is the answer to an interactive message.
type Interactive struct {
	// Kind is interactive.type as Meta wrote it. Reply tells the same by its Go type.
	Kind string

	// Reply is the answer. Never nil; what has no type yet is an [*UnknownReply].
	Reply InteractiveReply

	// At is a time that Meta prints inside some address answers. Mostly zero.
	At graph.Timestamp
}

// An InteractiveReply is the answer of a customer. The set of implementations is closed; each is a
// pointer.
//
//sumtype:decl
type InteractiveReply interface{ interactiveReply() }

func (*ButtonReply) interactiveReply()         {}
func (*ListReply) interactiveReply()           {}
func (*FlowReply) interactiveReply()           {}
func (*CallPermissionReply) interactiveReply() {}
func (*PaymentMethodReply) interactiveReply()  {}
func (*UnknownReply) interactiveReply()        {}

// A ButtonReply is the press of a reply button.
type ButtonReply struct {
	ID    string `json:"id"`
	Title string `json:"title"`
}

// A ListReply is a row chosen from a list.
type ListReply struct {
	ID          string `json:"id"`
	Title       string `json:"title"`
	Description string `json:"description"`
}

// A FlowReply (nfm_reply) is a finished Flow or address form.
type FlowReply struct {
	Name string `json:"name"` // "flow", "address_message"
	Body string `json:"body"` // "Sent"

	// Response is JSON in a string. Its shape is the Flow author's, and it is not always an object,
	// nor always valid.
	Response string `json:"response_json"`
}

// A CallPermissionReply says whether the business may call.
type CallPermissionReply struct {
	Response  string          `json:"response"` // "accept", "reject"
	Permanent bool            `json:"is_permanent"`
	ExpiresAt graph.Timestamp `json:"expiration_timestamp"` // zero for a permanent permission
	Source    string          `json:"response_source"`      // "user_action", "automatic"
}

// A PaymentMethodReply is the way to pay that a customer in Brazil chose.
type PaymentMethodReply struct {
	Method       string          `json:"payment_method"` // "offsite_card_pay"
	At           graph.Timestamp `json:"payment_timestamp"`
	ReferenceID  string          `json:"reference_id"`
	LastFour     string          `json:"last_four_digits"`
	CredentialID string          `json:"credential_id"`
}

// An UnknownReply has a kind that this package does not know, or none.
type UnknownReply struct {
	// Raw is the object that Kind names, or nil. It aliases the delivery's body.
	Raw json.RawMessage
}
