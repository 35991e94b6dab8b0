package coexistence

import (
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// serviceWindow is how long after a customer's message a business may answer with something other
// than a template.
const serviceWindow = 24 * time.Hour

// A Conversation is what one number and one customer (or one group) have said to each other, in
// numbers. Its messages are read with [MessageStore].Messages.
type Conversation struct {
	// PhoneNumberID is the business's number.
	PhoneNumberID graph.PhoneNumberID `json:"phone_number_id"`

	// ID names the conversation. It is the customer's [Contact].Key.
	ID string `json:"id"`

	// Contact is the customer. Only PhoneNumberID, ID and Aliases are set if no contact has the ID,
	// as for a group.
	Contact Contact `json:"contact"`

	// MessageCount counts the messages that are shown.
	MessageCount int `json:"message_count"`

	// LastAt is when the latest message was written.
	LastAt time.Time `json:"last_at,omitzero"`

	// CustomerAt is when the customer last wrote, live. History does not count, because it opens no
	// service window.
	CustomerAt time.Time `json:"customer_at,omitzero"`

	// HumanAt is when a person at the business last wrote, edited, deleted or reacted in the app.
	HumanAt time.Time `json:"human_at,omitzero"`
}

// HumanActive reports whether a person at the business was active in the conversation within the
// last while. A bot does well to stay silent then. What was sent through the API is no person.
func (c Conversation) HumanActive(within time.Duration, now time.Time) bool {
	return !c.HumanAt.IsZero() && now.Sub(c.HumanAt) < within
}

// WindowOpen reports whether the customer wrote within the last 24 hours, so that Cloud API takes
// more than templates. What the business writes in the app neither needs nor extends the window.
func (c Conversation) WindowOpen(now time.Time) bool {
	return now.Before(c.WindowClosesAt())
}

// WindowClosesAt returns when the customer service window ends: 24 hours after the customer last
// wrote. It is in the past once the window is closed, and zero if the customer never wrote.
func (c Conversation) WindowClosesAt() time.Time {
	if c.CustomerAt.IsZero() {
		return time.Time{}
	}
	return c.CustomerAt.Add(serviceWindow)
}

// Add counts a message in. Stores that summarise conversations in Go use it; it skips what is not
// shown.
func (c *Conversation) Add(m Message) {
	if at := m.HumanAt(); m.Person != "" {
		c.HumanAt = later(c.HumanAt, at)
	}
	if !m.Visible() {
		return
	}
	c.MessageCount++
	c.LastAt = later(c.LastAt, m.At)
	if m.Origin == OriginCustomer && !m.Outbound {
		c.CustomerAt = later(c.CustomerAt, m.At)
	}
}
