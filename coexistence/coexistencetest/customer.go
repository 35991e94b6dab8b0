package coexistencetest

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/phonenumber"
)

// A CustomerConfig describes a customer of one business.
//
// Meta:
// https://developers.facebook.com/documentation/business-messaging/whatsapp/business-scoped-user-ids
type CustomerConfig struct {
	// PhoneNumber is the phone number. If empty, the customer is known by user id and username
	// alone.
	PhoneNumber string

	// HideNumber keeps the number out of webhooks, as a user with a username can.
	HideNumber bool

	// UserID is the business-scoped user id. If empty, made up.
	UserID graph.UserID

	// OldStyle leaves user ids out, as in data from before April 2026.
	OldStyle bool

	// Username is the WhatsApp username, without @. Webhooks show it where Meta's do.
	Username string

	// Name is what the customer calls themselves. If empty, webhooks have no name in the profile,
	// as those of some senders do.
	Name string

	// Unreachable makes everything sent through Cloud API fail with 131026, as for a number
	// without WhatsApp. The call itself succeeds; a status tells of the failure.
	Unreachable bool

	// NoReceipts makes messages stop at "delivered": the customer has read receipts switched off.
	NoReceipts bool
}

// A Customer is a WhatsApp user as one business knows them. The same person has another user id at
// another business, and is another Customer here.
type Customer struct {
	phone *Phone

	// cfg is guarded by the world's mu: number and user id can change.
	cfg  CustomerConfig
	chat *chat
}

// config returns how the customer is now.
func (c *Customer) config() CustomerConfig {
	c.phone.world.mu.Lock()
	defer c.phone.world.mu.Unlock()
	return c.cfg
}

// Name returns what the customer calls themselves.
func (c *Customer) Name() string { return c.config().Name }

// PhoneNumber returns the customer's phone number, also if webhooks never show it.
func (c *Customer) PhoneNumber() string { return c.config().PhoneNumber }

// WAID returns the number's digits as webhooks have them, or "" if they never show it.
func (c *Customer) WAID() string {
	c.phone.world.mu.Lock()
	defer c.phone.world.mu.Unlock()
	return c.waid()
}

// waid is WAID. The caller must hold the world's mu.
func (c *Customer) waid() string {
	if c.cfg.HideNumber {
		return ""
	}
	return phonenumber.Digits(c.cfg.PhoneNumber)
}

// Identity returns what webhooks tell of the customer.
//
// Any of its members can be empty, and a host has to find the person by the others.
//
// Meta:
// https://developers.facebook.com/documentation/business-messaging/whatsapp/business-scoped-user-ids
func (c *Customer) Identity() graph.Identity {
	c.phone.world.mu.Lock()
	defer c.phone.world.mu.Unlock()
	return c.identity()
}

// identity is Identity. The caller must hold the world's mu.
func (c *Customer) identity() graph.Identity {
	id := graph.Identity{WAID: c.waid(), Username: c.cfg.Username}
	if !c.cfg.OldStyle {
		id.UserID = c.cfg.UserID
	}
	return id
}

// known is what the Graph API knows of the customer, also what webhooks do not show. The caller
// must hold the world's mu.
func (c *Customer) known() graph.Identity {
	return graph.Identity{UserID: c.cfg.UserID, WAID: phonenumber.Digits(c.cfg.PhoneNumber)}
}

// contact is the entry of contacts[] that accompanies messages and statuses. The profile is left
// out if there is nothing in it, and each id if Meta would not tell it. The caller must hold the
// world's mu.
func (c *Customer) contact() []byte {
	id := c.identity()
	var profile []byte
	if c.cfg.Name != "" || id.Username != "" {
		profile = object(str("name", c.cfg.Name), str("username", id.Username))
	}
	return object(sub("profile", profile), str("wa_id", id.WAID), str("user_id", id.UserID))
}

// Send makes the customer write to the business, and returns the message's id. The host gets it
// while the number coexists, and may answer freely for 24 hours from then.
//
// Meta:
// https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/messages
func (c *Customer) Send(text string) graph.MessageID { return c.SendContent(Text(text)) }

// SendContent makes the customer send anything else than text.
func (c *Customer) SendContent(content Content) graph.MessageID {
	c.phone.world.mu.Lock()
	defer c.phone.world.mu.Unlock()
	return c.sendContent(content)
}

// sendContent is SendContent. The caller must hold the world's mu.
func (c *Customer) sendContent(content Content) graph.MessageID {
	p := c.phone
	m := p.newMessage(c.chat, AuthorCustomer, content, "", p.world.Now())
	var referral []byte
	if content.referral != "" {
		referral = []byte(content.referral)
	}
	p.tellMessage(m, m.wire(), m.content.Type, sub("referral", referral))
	return m.id
}

// Limits on what a customer can do to a message.
//
// Meta:
// https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/messages/edit
const (
	editWindow   = 15 * time.Minute
	revokeWindow = 48 * time.Hour
)

// Edit replaces the text, or the caption, of a message that the customer sent less than 15 minutes
// ago. The edit is a message with an id of its own, which is returned. It fails for a message that
// was deleted, is too old, has no text or is not the customer's.
//
// Meta:
// https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/messages/edit
func (c *Customer) Edit(id graph.MessageID, text string) (graph.MessageID, error) {
	p := c.phone
	p.world.mu.Lock()
	defer p.world.mu.Unlock()
	m, err := p.own(id, AuthorCustomer, editWindow)
	if err != nil {
		return "", err
	}
	edit, value, err := p.edit(m, text)
	if err != nil {
		return "", err
	}
	p.world.relied.on(relyCustomerEdits)
	p.tellMessage(edit, sub("edit", value), "edit")
	return edit.id, nil
}

// Revoke deletes a message that the customer sent less than two days ago, for everyone. The notice
// of that has an id of its own, which is returned.
//
// Meta:
// https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/messages
func (c *Customer) Revoke(id graph.MessageID) (graph.MessageID, error) {
	p := c.phone
	p.world.mu.Lock()
	defer p.world.mu.Unlock()
	m, err := p.own(id, AuthorCustomer, revokeWindow)
	if err != nil {
		return "", err
	}
	p.world.relied.on(relyCustomerEdits)
	revoke := p.revoke(m)
	p.tellMessage(revoke, sub("revoke", object(str("original_message_id", id))), "revoke")
	return revoke.id, nil
}

// SendUnavailable makes the customer write something that Cloud API cannot show, only the phone:
// the webhook says "unsupported" with code 131060. Often enough the real thing follows under the
// same id: [Customer.ResolveUnavailable].
//
// Meta:
// https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/messages/unsupported
func (c *Customer) SendUnavailable(text string) graph.MessageID {
	p := c.phone
	p.world.mu.Lock()
	defer p.world.mu.Unlock()
	m := p.newMessage(c.chat, AuthorCustomer, Text(text), "", p.world.Now())
	p.world.relied.on(relyUnavailable)
	problem := object(
		num("code", int(graph.CodeMessageUnavailable)),
		str("title", "This message is unavailable."), str("message", "This message is unavailable."),
		sub("error_data", object(str("details", "This message is currently unavailable."))))
	p.tellMessage(m, sub("unsupported", object(str("type", "unknown"))), "unsupported", sub("errors", list(problem)))
	return m.id
}

// ResolveUnavailable delivers what [Customer.SendUnavailable] left out, under the same id. A host
// that drops messages by their id alone loses it.
func (c *Customer) ResolveUnavailable(id graph.MessageID) error {
	p := c.phone
	p.world.mu.Lock()
	defer p.world.mu.Unlock()
	m := p.byID[id]
	if m == nil || m.author != AuthorCustomer {
		return errNotTheirs
	}
	p.tellMessage(m, m.wire(), m.content.Type)
	return nil
}

// errNotTheirs does not tell which of the two it is: WhatsApp does not offer to change what another
// person wrote.
var errNotTheirs = errors.New("coexistencetest: there is no such message, or someone else wrote it")

// own finds a message that its author may still change: not deleted, and younger than window; 0 is
// no limit. The caller must hold the world's mu.
func (p *Phone) own(id graph.MessageID, author Author, window time.Duration) (*message, error) {
	m := p.byID[id]
	switch {
	case m == nil || m.author != author:
		return nil, errNotTheirs
	case m.revoked:
		return nil, errors.New("coexistencetest: the message was deleted")
	case window != 0 && p.world.Now().Sub(m.at) > window:
		return nil, fmt.Errorf("coexistencetest: WhatsApp allows this for %v after the message was sent", window)
	}
	return m, nil
}

// edit changes the text of a message, and returns the message that tells of the edit with its
// content. The new content stands in a message of its own there, with a context whose id Meta sets
// to a constant. The caller must hold the world's mu.
func (p *Phone) edit(m *message, text string) (*message, []byte, error) {
	if !m.content.editable() {
		return nil, nil, fmt.Errorf("coexistencetest: a message of type %s cannot be edited", m.content.Type)
	}
	m.content.Text, m.edited = text, true
	value := object(
		str("original_message_id", m.id),
		sub("message", object(
			sub("context", object(str("id", "M0"))), str("type", m.content.Type), m.wire())))
	return p.notice(m), value, nil
}

// revoke deletes a message for everyone, and returns the message that tells of it. The content is
// kept, since what was told before is the host's to remember. The caller must hold the world's mu.
func (p *Phone) revoke(m *message) *message {
	m.revoked = true
	return p.notice(m)
}

// notice is a message that tells of a change to another one. It has an id of its own, which the
// host must not take for a new message, and the chat does not show it. The caller must hold the
// world's mu.
func (p *Phone) notice(m *message) *message {
	return &message{
		id: newMessageID(p.world.rand, m.chat.customer.waid()), chat: m.chat, author: m.author, at: p.world.Now(),
	}
}

// tellMessage tells the host that the customer wrote, and opens the customer service window. While
// the number does not coexist nothing is told, then or later. kind is the type on the wire, which
// for an edit is not that of the content. The caller must hold the world's mu.
func (p *Phone) tellMessage(m *message, content member, kind string, more ...member) {
	if p.stage != stageConnected {
		return
	}
	m.liveAt = p.world.Now()
	c := m.chat.customer
	id := c.identity()
	p.world.graph.RecordInbound(p.id, c.known(), m.id)
	var quoted []byte
	if m.content.ReplyTo != "" && kind != "reaction" {
		var product []byte
		if m.content.product != "" {
			product = []byte(m.content.product)
		}
		quoted = object(str("from", p.digits()), str("id", m.content.ReplyTo), sub("referred_product", product))
	}
	members := append([]member{
		sub("context", quoted), str("from", id.WAID), str("from_user_id", id.UserID), str("id", m.id), m.timestamp(),
		str("type", kind), content,
	}, more...)
	p.route(m, sub("contacts", list(c.contact())), sub("messages", list(object(members...))))
}

// username drops the @ that people write in front of a username and Meta does not.
func username(s string) string { return strings.TrimPrefix(s, "@") }
