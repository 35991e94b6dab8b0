package coexistencetest

import (
	"encoding/json"
	"fmt"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

// Send makes the responder write to a customer. It is an error if the conversation is not the
// responder's ([graph.CodeThreadOwnedByOther]), unless sending takes it over, or if the customer
// has not written for 24 hours ([graph.CodeReengagementMessage]).
func (r *Responder) Send(c *Customer, text string) (graph.MessageID, error) {
	r.phone.world.mu.Lock()
	defer r.phone.world.mu.Unlock()
	return r.send(c, "text", sub("text", object(str("body", text))), Text(text), nil)
}

// SendTemplate makes the responder send a template of the account, which needs neither the
// conversation nor an open window.
func (r *Responder) SendTemplate(c *Customer, name, language string) (graph.MessageID, error) {
	p := r.phone
	p.world.mu.Lock()
	defer p.world.mu.Unlock()
	t, ok := p.template(name, language)
	if !ok {
		return "", errNoTemplate
	}
	components, err := json.Marshal(t.Components)
	if err != nil {
		return "", err
	}
	definition := object(str("name", name), str("language", language), str("category", t.Category),
		str("status", t.Status), sub("components", escaped(components)))
	content := sub("template", object(str("name", name), sub("language", object(str("code", language)))))
	return r.send(c, "template", content, Content{Type: "template", Text: name}, definition)
}

// send is Send for any content: as it is in the request of the responder, and as the phone shows
// it. definition is that of a template. The host gets a copy with its statuses while the
// conversation is not its own. The caller must hold the world's mu.
func (r *Responder) send(
	c *Customer, kind string, wire member, content Content, definition []byte,
) (graph.MessageID, error) {
	p := r.phone
	service := kind != "template"
	bySending := r.cfg.Role == graph.RoleEscalation || !p.routing.On && r.cfg.Role != graph.RoleAIAgent
	switch {
	case p.stage != stageConnected:
		return "", errNotConnected
	case service && !p.world.graph.WindowOpen(p.id, c.known()):
		return "", fmt.Errorf("coexistencetest: %w", graph.CodeReengagementMessage)
	case service && p.routed() && p.holder(c) != r && !bySending:
		return "", fmt.Errorf("coexistencetest: %w", graph.CodeThreadOwnedByOther)
	case service && p.routed():
		if err := r.take(c, takenBySending); err != nil {
			return "", err
		}
	}
	m := p.newMessage(c.chat, AuthorResponder, content, "", p.world.Now())
	m.responder, m.status = r, "read"
	if c.cfg.NoReceipts {
		m.status = "delivered"
	}
	if p.holder(c) == nil {
		return m.id, nil // the host is no standby partner in its own conversations
	}
	m.liveAt = p.world.Now()
	p.world.relied.on(relyStandby)
	to := []member{str("to", c.waid())}
	if c.waid() == "" {
		to = []member{str("recipient", c.cfg.UserID)}
	}
	request := object(append([]member{
		str("messaging_product", "whatsapp"), str("recipient_type", "individual"),
	}, append(to, str("type", kind), wire)...)...)
	p.tell(webhook.FieldStandby, sub("standby", object(sub("message_echoes", list(object(
		str("id", m.id), m.timestamp(), sub("message", request), sub("template", definition)))))))
	p.tellStandbyStatuses(c, m, kind)
	return m.id, nil
}

// tellStandbyStatuses tells the host how far a message of another responder came. All within its
// second: a status is a sign of another's conversation, and one from later would speak against a
// handover in between. The caller must hold the world's mu.
func (p *Phone) tellStandbyStatuses(c *Customer, m *message, kind string) {
	id := c.identity()
	for _, status := range []string{"sent", "delivered", "read"} {
		var price []byte
		if status != "read" {
			price = pricing(kind, "regular")
		} else if c.cfg.NoReceipts {
			return
		}
		p.tell(webhook.FieldStandby, sub("standby", object(sub("statuses", list(object(
			str("id", m.id), str("status", status), m.timestamp(), str("recipient_id", id.WAID),
			str("recipient_user_id", id.UserID), sub("pricing", price)))))))
	}
}
