package coexistencetest

import (
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/cloudapitest"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

// A ThreadOwner says whose a conversation is for Meta.
type ThreadOwner struct {
	// Routed is false on a number whose conversations belong to no one because nothing routes them.
	Routed bool

	// Idle means that it is no one's until the customer writes. Otherwise it is that of Responder,
	// or of the host if that is nil.
	Idle      bool
	Responder *Responder
}

// ThreadOwner returns whose the conversation with a customer is.
func (c *Customer) ThreadOwner() ThreadOwner {
	p := c.phone
	p.world.mu.Lock()
	defer p.world.mu.Unlock()
	if !p.routed() {
		return ThreadOwner{}
	}
	idle := p.world.graph.Thread(p.id, c.known()) == cloudapitest.OwnerIdle
	return ThreadOwner{Routed: true, Idle: idle, Responder: p.holder(c)}
}

// routed reports whether conversations of the number belong to anyone: it has a configuration and
// another responder, or Meta's agent. The caller must hold the world's mu.
func (p *Phone) routed() bool {
	return p.stage == stageConnected && len(p.responders) > 0 &&
		(p.routing.On || p.responder(graph.RoleAIAgent) != nil)
}

// holder returns the responder that has a conversation, nil if it is the host's or no one's. The
// caller must hold the world's mu.
func (p *Phone) holder(c *Customer) *Responder {
	if !p.routed() || p.world.graph.Thread(p.id, c.known()) != cloudapitest.OwnerOther {
		return nil
	}
	if c.chat.holder == nil && len(p.responders) > 0 {
		return p.responders[0] // a test has used the Graph API's own SetThread
	}
	return c.chat.holder
}

// give makes a conversation that of a responder, or of the host for nil. The caller must hold the
// world's mu.
func (p *Phone) give(c *Customer, r *Responder) {
	owner := cloudapitest.OwnerUs
	if r != nil {
		owner = cloudapitest.OwnerOther
	}
	c.chat.holder = r
	p.world.graph.SetThread(p.id, c.known(), owner)
}

// route tells of a message of a customer: the owner of the conversation gets it, and the host a
// copy under standby if that is another responder. What is no one's goes to the responder for which
// the message is the entry point. The caller must hold the world's mu.
func (p *Phone) route(m *message, contacts, messages member) {
	c := m.chat.customer
	if !p.routed() {
		p.tell(webhook.FieldMessages, contacts, messages)
		for _, r := range p.responders {
			r.receive(m) // without a configuration every partner gets everything
		}
		return
	}
	p.world.relied.on(relyRouting)
	to := p.holder(c)
	if p.world.graph.Thread(p.id, c.known()) == cloudapitest.OwnerIdle {
		to = p.primary(m)
	}
	p.give(c, to)
	if to == nil {
		p.tell(webhook.FieldMessages, contacts, messages)
		return
	}
	p.world.relied.on(relyStandby)
	p.tell(webhook.FieldStandby, sub("standby", object(contacts, messages)))
	to.receive(m)
}

// primary returns the responder that a message reaches in a conversation that is no one's, nil for
// the host: Meta's agent where there is one, otherwise the partner whose role fits. The caller must
// hold the world's mu.
//
// Meta:
// https://developers.facebook.com/documentation/business-messaging/whatsapp/conversation-routing/routing-roles
func (p *Phone) primary(m *message) *Responder {
	if agent := p.responder(graph.RoleAIAgent); agent != nil {
		return agent
	}
	role := graph.RoleCustomerService
	if m.content.referral != "" {
		role = graph.RoleClickToWhatsApp
	} else if quoted := p.byID[m.content.ReplyTo]; quoted != nil {
		switch p.categoryOf(quoted.sent) {
		case graph.TemplateMarketing:
			role = graph.RoleMarketing
		case graph.TemplateUtility:
			role = graph.RoleUtility
		default:
		}
	}
	return p.responder(role)
}

// categoryOf returns the category of the template that a message was made of, empty for none. The
// caller must hold the world's mu.
func (p *Phone) categoryOf(sent cloudapitest.SentMessage) graph.TemplateCategory {
	name, language := sent.Template()
	if t, ok := p.template(name, language); ok && name != "" {
		return t.Category
	}
	return ""
}

// template finds a template of the accounts of the number. The caller must hold the world's mu.
func (p *Phone) template(name, language string) (cloudapitest.Template, bool) {
	for _, id := range p.wabas {
		list := p.world.graph.Templates(id)
		i := slices.IndexFunc(list, func(t cloudapitest.Template) bool {
			return t.Name == name && t.Language == language
		})
		if i >= 0 {
			return list[i], true
		}
	}
	return cloudapitest.Template{}, false
}

// threadMoved lets other responders know of a call of the host: they get what is passed to them and
// lose what is taken. A release notifies no one.
func (w *World) threadMoved(t cloudapitest.Thread) {
	w.mu.Lock()
	defer w.mu.Unlock()
	p := w.phoneByID(t.PhoneNumberID)
	if p == nil {
		return
	}
	w.relied.on(relyHandover)
	c := p.find(t.Customer)
	before := c.chat.holder
	c.chat.holder = nil
	switch t.Action {
	case "pass":
		if r := p.responder(t.Role); r != nil {
			c.chat.holder = r
			r.told(ResponderEvent{Type: ResponderPassed, Customer: c, Metadata: t.Metadata})
		}
	case "take":
		if before != nil {
			before.told(ResponderEvent{Type: ResponderTaken, Customer: c, Metadata: t.Metadata})
		}
	}
}

// takenBySending is the metadata of a conversation that was taken without a call.
const takenBySending = "Control taken via service message"

// takenOver books that the host has sent a message: one that Cloud API took may have taken the
// conversation over. That is so for the escalation partner, and, beside Meta's agent, for everyone
// without a configuration. The caller must hold the world's mu.
func (p *Phone) takenOver(c *Customer, sent cloudapitest.SentMessage) {
	if !p.routed() || !sent.Service() {
		return
	}
	if before := c.chat.holder; before != nil {
		before.told(ResponderEvent{Type: ResponderTaken, Customer: c, Metadata: takenBySending})
		p.world.relied.on(relyTakeOver)
	}
	if p.world.graph.Thread(p.id, c.known()) != cloudapitest.OwnerUs || c.chat.holder != nil {
		p.give(c, nil)
	}
}

// Pass passes a conversation of the responder to another role. If role is empty, it goes to the
// escalation partner, or to the host if there is none. The host gets messaging_handovers for what
// is passed to it, with the customer if webhooks show the number.
//
// Meta:
// https://developers.facebook.com/documentation/business-messaging/whatsapp/conversation-routing/thread-control
func (r *Responder) Pass(c *Customer, role graph.HandoverRole, metadata string) error {
	r.phone.world.mu.Lock()
	defer r.phone.world.mu.Unlock()
	return r.pass(c, role, metadata)
}

// pass is Pass. The caller must hold the world's mu.
func (r *Responder) pass(c *Customer, role graph.HandoverRole, metadata string) error {
	p := r.phone
	if role == "" {
		role = p.hostRole()
		if p.responder(graph.RoleEscalation) != nil {
			role = graph.RoleEscalation
		}
	}
	to := p.responder(role)
	switch {
	case p.holder(c) != r:
		return errNotHolder
	case to == r || to == nil && role != p.hostRole():
		return fmt.Errorf("coexistencetest: no other responder of the number has the role %s", role)
	}
	p.give(c, to)
	if to != nil {
		to.told(ResponderEvent{Type: ResponderPassed, Customer: c, Metadata: metadata})
		return nil
	}
	p.tellHandover(c, "control_passed", r.cfg.Role, role, metadata)
	return nil
}

// Release releases a conversation of the responder: it has no owner, and no one is notified.
func (r *Responder) Release(c *Customer) error {
	p := r.phone
	p.world.mu.Lock()
	defer p.world.mu.Unlock()
	if p.holder(c) != r {
		return errNotHolder
	}
	c.chat.holder = nil
	p.world.graph.SetThread(p.id, c.known(), cloudapitest.OwnerIdle)
	return nil
}

// Take takes a conversation from its owner, which the escalation partner alone may do. The host is
// notified if the conversation was its own.
func (r *Responder) Take(c *Customer, metadata string) error {
	r.phone.world.mu.Lock()
	defer r.phone.world.mu.Unlock()
	if r.cfg.Role != graph.RoleEscalation {
		return fmt.Errorf("coexistencetest: %w", graph.CodeThreadTakeNotPermitted)
	}
	return r.take(c, metadata)
}

// take is Take, for a responder that may. The caller must hold the world's mu.
func (r *Responder) take(c *Customer, metadata string) error {
	p := r.phone
	if !p.routed() {
		return errors.New("coexistencetest: conversations of the number are not routed, and so belong to no one")
	}
	before, hosts := p.holder(c), p.world.graph.Thread(p.id, c.known()) == cloudapitest.OwnerUs
	if before == r {
		return nil
	}
	p.give(c, r)
	switch {
	case before != nil:
		before.told(ResponderEvent{Type: ResponderTaken, Customer: c, Metadata: metadata})
	case hosts:
		p.tellHandover(c, "control_taken", p.hostRole(), r.cfg.Role, metadata)
	}
	return nil
}

// errNotHolder is the error of a responder that gives away what it does not have.
var errNotHolder = errors.New("coexistencetest: the conversation is not this responder's")

// tellHandover tells the host that a conversation was passed to it or taken from it. The caller
// must hold the world's mu.
//
// Meta:
// https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/messaging-handovers
func (p *Phone) tellHandover(c *Customer, kind string, from, to graph.HandoverRole, metadata string) {
	p.world.relied.on(relyHandover)
	var sender []byte
	if number := c.waid(); number != "" {
		sender = object(str("phone_number", number))
	}
	ch := p.change(webhook.FieldMessagingHandovers)
	ch.value = object(str("messaging_product", "whatsapp"), sub("sender", sender),
		sub("recipient", object(str("phone_number_id", p.id), str("display_phone_number", p.digits()))),
		str("type", kind), str("timestamp", strconv.FormatInt(p.world.Now().Unix(), 10)),
		sub(kind, object(str("previous_owner_role", from), str("new_owner_role", to), str("metadata", metadata))))
	p.world.dispatcher.send(ch)
}
