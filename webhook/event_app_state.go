package webhook

import (
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// An AppStateSync arrives for every contact of the business's address book after a contact sync was
// asked for, and later whenever a contact is added, edited or removed on the phone, without end.
//
// Per contact, the last At wins; deliveries are not ordered. Removing a contact removes a name,
// never a conversation.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/smb_app_state_sync
type AppStateSync struct {
	EventInfo

	Type   AppStateType
	Action AppStateAction

	// Contact is the contact that changed.
	Contact AppContact
}

// Customer returns the contact's identity.
func (a *AppStateSync) Customer() graph.Identity {
	return graph.Identity{
		UserID: a.Contact.UserID, ParentUserID: a.Contact.ParentUserID,
		WAID: a.Contact.PhoneNumber, Username: a.Contact.Username,
	}
}

// An AppStateType is the kind of data that changed in the app.
type AppStateType string

// AppStateContact is the only documented type. Skip others.
const AppStateContact AppStateType = "contact"

// An AppStateAction is the kind of change.
type AppStateAction string

const (
	AppStateAdd    AppStateAction = "add"    // added or edited: insert or replace
	AppStateRemove AppStateAction = "remove" // removed; the names are absent
)

// An AppContact is an entry of the business's address book. The names are the business's private
// labels, not what the customer calls itself.
type AppContact struct {
	FullName     string       `json:"full_name"`
	FirstName    string       `json:"first_name"`
	PhoneNumber  string       `json:"phone_number"` // absent if the customer hides it
	UserID       graph.UserID `json:"user_id"`
	ParentUserID graph.UserID `json:"parent_user_id"`
	Username     string       `json:"username"`
}
