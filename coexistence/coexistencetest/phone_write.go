package coexistencetest

import (
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// Send writes to a customer in the app. If the number coexists, the host gets an echo, which it
// must not answer. It returns the message's id.
//
// Meta:
// https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/smb_message_echoes
func (p *Phone) Send(to *Customer, text string) graph.MessageID { return p.SendContent(to, Text(text)) }

// SendContent sends anything else than text: a file, a place, a contact, a reaction.
func (p *Phone) SendContent(to *Customer, content Content) graph.MessageID {
	p.world.mu.Lock()
	defer p.world.mu.Unlock()
	p.used()
	m := p.newMessage(to.chat, AuthorPhone, content, "", p.world.Now())
	p.tellEcho(m, m.wire(), m.content.Type)
	return m.id
}

// Edit replaces the text, or the caption, of a message that was written on the phone less than 15
// minutes ago. The edit is an echo with an id of its own, which is returned. It fails for a message
// that was deleted, is too old, has no text or was not written on the phone.
func (p *Phone) Edit(id graph.MessageID, text string) (graph.MessageID, error) {
	p.world.mu.Lock()
	defer p.world.mu.Unlock()
	m, err := p.own(id, AuthorPhone, editWindow)
	if err != nil {
		return "", err
	}
	edit, value, err := p.edit(m, text)
	if err != nil {
		return "", err
	}
	p.used()
	p.world.relied.on(relyPhoneEdits)
	p.tellEcho(edit, sub("edit", value), "edit")
	return edit.id, nil
}

// Revoke deletes a message that was written on the phone less than two days ago, for everyone. The
// echo of that has an id of its own, which is returned.
func (p *Phone) Revoke(id graph.MessageID) (graph.MessageID, error) {
	p.world.mu.Lock()
	defer p.world.mu.Unlock()
	m, err := p.own(id, AuthorPhone, revokeWindow)
	if err != nil {
		return "", err
	}
	p.used()
	p.world.relied.on(relyPhoneEdits)
	revoke := p.revoke(m)
	p.tellEcho(revoke, sub("revoke", object(str("original_message_id", id))), "revoke")
	return revoke.id, nil
}

// tellEcho tells the host that a person at the business wrote, edited or deleted on the phone. In
// an echo the business is the sender and the customer the recipient, and the list is
// message_echoes. The caller must hold the world's mu.
func (p *Phone) tellEcho(m *message, content member, kind string) {
	if p.stage != stageConnected || p.cloudOnly {
		return
	}
	m.liveAt = p.world.Now()
	p.world.relied.on(relyEchoes)
	// The customer is named by all ids that a webhook may show, in the member to and its like.
	c := m.chat.customer
	id := c.identity()
	var quoted []byte
	if m.content.ReplyTo != "" && kind != "reaction" {
		quoted = object(str("from", id.WAID), str("id", m.content.ReplyTo))
	}
	echo := object(
		sub("context", quoted), str("from", p.digits()), str("to", id.WAID), str("to_user_id", id.UserID),
		str("id", m.id),
		m.timestamp(), str("type", kind), content)
	p.tell("smb_message_echoes", p.echoContact(c), sub("message_echoes", list(echo)))
}

// echoContact is the contacts member beside echoes, where a profile has no name. It is left out for
// a customer without a user id.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/smb_message_echoes
func (p *Phone) echoContact(c *Customer) member {
	id := c.identity()
	if id.UserID == "" {
		return member{}
	}
	var profile []byte
	if id.Username != "" {
		profile = object(str("username", id.Username))
	}
	return sub("contacts", list(object(sub("profile", profile), str("wa_id", id.WAID), str("user_id", id.UserID))))
}
