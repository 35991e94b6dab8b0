package cloudapi

import (
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// A SentMessage is a message that Meta accepted. Accepted is not delivered: what becomes of it
// comes as status webhooks, and so do most errors about recipients, windows, media and payment.
type SentMessage struct {
	// ID names the message in its status webhooks.
	ID graph.MessageID

	// Status is set for templates, empty for the rest.
	Status SentStatus

	// To is the recipient as Meta resolved it. It is zero for groups.
	To SentContact

	// GroupID is the group, for messages to one.
	GroupID graph.GroupID

	// At is when Meta's answer was read, by the clock of this machine.
	At time.Time

	// Response is the status, trace ids and usage of the response.
	Response Response
}

// A SentContact is a recipient as Meta understood it.
type SentContact struct {
	// Input is the phone number or user id as it was sent.
	Input string

	// WAID is the person's number as WhatsApp knows it. It can differ from Input by a digit in
	// Brazil, Mexico and Argentina, and it is empty for messages to a user id.
	WAID string

	// UserID and ParentUserID are the person's business-scoped ids, if Meta sent them.
	UserID       graph.UserID
	ParentUserID graph.UserID
}

// Identity returns the contact as webhooks name people, for finding the conversation it belongs to.
func (c SentContact) Identity() graph.Identity {
	return graph.Identity{UserID: c.UserID, ParentUserID: c.ParentUserID, WAID: c.WAID}
}

// A SentStatus is the state of a template message that Meta has accepted. Meta may add values.
type SentStatus string

const (
	SentAccepted SentStatus = "accepted"                    // on its way
	SentHeld     SentStatus = "held_for_quality_assessment" // waits until the first recipients of the template reacted
	SentPaused   SentStatus = "paused"                      // the template is paused for its quality
)
