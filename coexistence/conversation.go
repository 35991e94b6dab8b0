package coexistence

import (
	"slices"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// serviceWindow is how long after a customer's message a business may answer with something other
// than a template.
const serviceWindow = 24 * time.Hour

// A Conversation is the summary of the messages between one number and one customer (or one group).
// Its messages are read with [MessageStore].Messages.
type Conversation struct {
	// PhoneNumberID is the business's number.
	PhoneNumberID graph.PhoneNumberID `json:"phone_number_id"`

	// ID names the conversation forever, whatever is learnt about the customer: keep it in tables
	// of your own. If two conversations turn out to be with one person, they become one, and the ID
	// of the other goes on to find it. It is never given to another conversation.
	ID string `json:"id"`

	// FormerIDs are those of conversations that have become a part of this one.
	FormerIDs []string `json:"former_ids,omitempty"`

	// Contact is the customer. Only PhoneNumberID, Key and Aliases are set if no contact is known,
	// as for a group.
	Contact Contact `json:"contact"`

	// MessageCount counts the messages that are shown.
	MessageCount int `json:"message_count"`

	// UnreadCount counts what the customer wrote, live, since the conversation was last read: see
	// [Message.Received], [Message.WrittenByPerson] and MessageStore.MarkRead.
	UnreadCount int `json:"unread_count"`

	// LastAt is when the latest message was written, and Last is that message: how it is shown in a
	// list. Both are zero where no message is shown; Last is also nil in what UpdateBatch returns.
	LastAt time.Time `json:"last_at,omitzero"`
	Last   *Message  `json:"last,omitempty"`

	// CustomerAt is when the customer last wrote, live, in whole seconds. History does not count,
	// because it opens no service window.
	CustomerAt time.Time `json:"customer_at,omitzero"`

	// HumanAt is when a person at the business last wrote, or edited, deleted or reacted in the
	// app.
	HumanAt time.Time `json:"human_at,omitzero"`
}

// HumanActive reports whether a person at the business was active in the conversation within the
// last while. A bot does well to stay silent then. What was sent through the API is a person's if
// it was sent as one's ([cloudapi.Message].ByPerson).
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

// clone returns a copy that shares nothing that can be changed.
func (c Conversation) clone() Conversation {
	c.FormerIDs, c.Contact = slices.Clone(c.FormerIDs), c.Contact.Clone()
	if c.Last != nil {
		c.Last = new(c.Last.Clone())
	}
	return c
}

// Cursor returns the place of the conversation in the list of its number. It is empty without Last.
func (c Conversation) Cursor() Cursor {
	if c.Last == nil {
		return ""
	}
	return c.Last.Cursor()
}

// Summarize adds up the messages of the conversation, given in their order, of which everything up
// to a place was read. Stores that summarise conversations in Go use it; it skips what is not
// shown.
func (c *Conversation) Summarize(messages []*Message, read Place) {
	answered := false
	for _, m := range slices.Backward(messages) {
		c.HumanAt = later(c.HumanAt, m.HumanAt())
		if !m.Visible() {
			continue
		}
		c.MessageCount++
		if c.Last == nil {
			c.Last, c.LastAt = new(m.Clone()), m.At
			c.Last.ConversationID = c.ID
		}
		answered = answered || m.WrittenByPerson()
		if m.Received() {
			c.CustomerAt = later(c.CustomerAt, m.At.Truncate(time.Second))
			if !answered && m.Place().Compare(read) > 0 {
				c.UnreadCount++
			}
		}
	}
}
