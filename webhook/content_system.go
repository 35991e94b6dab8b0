package webhook

import (
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// A SystemMessage tells that the customer's identity changed. No customer wrote it.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/messages/system
type SystemMessage struct {
	// Type is system.type.
	Type SystemMessageType `json:"type"`

	// Body is a sentence for people. Do not read numbers or ids out of it.
	Body string `json:"body"`

	// WAID is the new phone number, UserID and ParentUserID are the new ids.
	WAID         string       `json:"wa_id"`
	UserID       graph.UserID `json:"user_id"`
	ParentUserID graph.UserID `json:"parent_user_id"`

	// PreviousUserID and PreviousParentUserID are the old ids. Meta sends them since 2026-08-11.
	PreviousUserID       graph.UserID `json:"previous_user_id"`
	PreviousParentUserID graph.UserID `json:"previous_parent_user_id"`

	// NewWAID, Customer and IdentityHash come with the legacy types.
	NewWAID      string `json:"new_wa_id"`
	Customer     string `json:"customer"`
	IdentityHash string `json:"identity"`
}

// A SystemMessageType is the kind of change. Meta adds values: expect unknown ones.
type SystemMessageType string

// The documented types, the legacy ones last.
const (
	SystemUserChangedNumber       SystemMessageType = "user_changed_number"  // the old number is the message's From
	SystemUserChangedUserID       SystemMessageType = "user_changed_user_id" // join the old and the new id
	SystemCustomerChangedNumber   SystemMessageType = "customer_changed_number"
	SystemCustomerChangedIdentity SystemMessageType = "customer_identity_changed"
)
