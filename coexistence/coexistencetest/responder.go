package coexistencetest

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/cloudapitest"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// A Routing says how a number with several responders is routed.
//
// Meta:
// https://developers.facebook.com/documentation/business-messaging/whatsapp/conversation-routing/overview
type Routing struct {
	// On means that the business has a routing configuration: each message reaches one responder,
	// and Cloud API refuses the service messages of the others (131070).
	On bool

	// HostRole is the role of the host. If empty, [graph.RoleCustomerService]; as
	// [graph.RoleEscalation] it may take conversations, and takes them by sending.
	HostRole graph.HandoverRole
}

// A ResponderConfig describes another responder of a number. The zero ResponderConfig is Meta's
// Business Agent, which says nothing by itself.
type ResponderConfig struct {
	// Role decides which conversations become the responder's. If empty, [graph.RoleAIAgent]:
	// Meta's Business Agent, to which every conversation goes that belongs to no one. Any other
	// role is that of a partner.
	Role graph.HandoverRole

	// Name is for people. If empty, made up.
	Name string

	// Reply answers each message that the responder receives. If empty, nothing does, and the
	// conversation waits for [Responder.Send].
	Reply string

	// PassOn is a word by which customers ask for a person: a text with it is not answered, and the
	// conversation is passed to the host. If empty, none is.
	PassOn string
}

// A Responder is another business, or Meta's Business Agent, that answers customers of a number
// beside the host.
//
// Meta:
// https://developers.facebook.com/documentation/business-messaging/whatsapp/conversation-routing/routing-roles
type Responder struct {
	phone  *Phone
	cfg    ResponderConfig
	events []ResponderEvent // guarded by the world's mu
}

// A ResponderEventType is what Meta tells a responder.
type ResponderEventType string

const (
	ResponderMessage ResponderEventType = "message"        // a customer wrote to it
	ResponderPassed  ResponderEventType = "control_passed" // a conversation was passed to it
	ResponderTaken   ResponderEventType = "control_taken"  // a conversation was taken from it
)

// A ResponderEvent is something that another responder was told.
type ResponderEvent struct {
	Type     ResponderEventType
	Customer *Customer
	At       time.Time

	// MessageID is that of a message, Metadata that of a handover.
	MessageID graph.MessageID
	Metadata  string
}

// AddResponder lets another responder answer on the number. It is an error if its role is taken.
//
// What the host then hears depends on whose a conversation is. While it is another's, the host gets
// copies of what is said in it under standby, and of the other's messages with their statuses; a
// handover to the host, or from it, is a messaging_handovers webhook. A conversation is no one's
// after a release, and once its customer has not written for 24 hours: what is written then goes to
// the responder whose role fits.
//
// With [Routing].On, Cloud API refuses service messages of the host in what is not its own.
// Without, a message of the host takes a conversation over from Meta's agent, and other partners
// get the same messages as the host, which hears nothing of their answers.
func (p *Phone) AddResponder(cfg ResponderConfig) (*Responder, error) {
	p.world.mu.Lock()
	defer p.world.mu.Unlock()
	cfg.Role = cmp.Or(cfg.Role, graph.RoleAIAgent)
	if cfg.Role == p.hostRole() || p.responder(cfg.Role) != nil {
		return nil, fmt.Errorf("coexistencetest: the role %s of the number is taken", cfg.Role)
	}
	if cfg.Name == "" {
		cfg.Name = "Another partner"
		if cfg.Role == graph.RoleAIAgent {
			cfg.Name = "Business Agent"
		}
	}
	r := &Responder{phone: p, cfg: cfg}
	p.responders = append(p.responders, r)
	p.applyRouting()
	return r, nil
}

// SetRouting sets how the number is routed. Conversations stay whose they are, as at Meta. It is an
// error if another responder has the role of the host.
func (p *Phone) SetRouting(r Routing) error {
	p.world.mu.Lock()
	defer p.world.mu.Unlock()
	if p.responder(cmp.Or(r.HostRole, graph.RoleCustomerService)) != nil {
		return fmt.Errorf("coexistencetest: the role %s of the number is taken", r.HostRole)
	}
	p.routing = r
	p.applyRouting()
	return nil
}

// Routing returns how the number is routed.
func (p *Phone) Routing() Routing {
	p.world.mu.Lock()
	defer p.world.mu.Unlock()
	return Routing{On: p.routing.On, HostRole: p.hostRole()}
}

// Responders returns the other responders of the number, in the order in which they were added.
func (p *Phone) Responders() []*Responder {
	p.world.mu.Lock()
	defer p.world.mu.Unlock()
	return slices.Clone(p.responders)
}

// hostRole is the role of the host. The caller must hold the world's mu.
func (p *Phone) hostRole() graph.HandoverRole {
	return cmp.Or(p.routing.HostRole, graph.RoleCustomerService)
}

// responder returns the responder with a role, or nil. The caller must hold the world's mu.
func (p *Phone) responder(role graph.HandoverRole) *Responder {
	for _, r := range p.responders {
		if r.cfg.Role == role {
			return r
		}
	}
	return nil
}

// applyRouting tells the Graph API how the number is routed. A configuration matters to it only
// beside a second responder. The caller must hold the world's mu.
func (p *Phone) applyRouting() {
	if p.id == "" {
		return // told when the number is onboarded
	}
	r := cloudapitest.Routing{
		On: p.routing.On && len(p.responders) > 0, Escalation: p.hostRole() == graph.RoleEscalation,
	}
	for _, other := range p.responders {
		r.Roles = append(r.Roles, other.cfg.Role)
	}
	p.world.graph.SetRouting(p.id, r)
}

// Role returns the responder's role, Name what people call it.
func (r *Responder) Role() graph.HandoverRole { return r.cfg.Role }

// Name returns what people call the responder.
func (r *Responder) Name() string { return r.cfg.Name }

// Events returns what the responder was told, the oldest first.
func (r *Responder) Events() []ResponderEvent {
	r.phone.world.mu.Lock()
	defer r.phone.world.mu.Unlock()
	return slices.Clone(r.events)
}

// told notes what the responder is told. The caller must hold the world's mu.
func (r *Responder) told(e ResponderEvent) {
	e.At = r.phone.world.Now()
	r.events = append(r.events, e)
	if n := r.phone.world.cfg.KeepLast; n > 0 && len(r.events) > n+n/4 {
		r.events = slices.Clone(r.events[len(r.events)-n:])
	}
}

// receive gives the responder a message of a customer: it answers, or passes the conversation on,
// as its config says. The caller must hold the world's mu.
func (r *Responder) receive(m *message) {
	c := m.chat.customer
	r.told(ResponderEvent{Type: ResponderMessage, Customer: c, MessageID: m.id})
	asks := r.cfg.PassOn != "" && strings.Contains(strings.ToLower(m.content.Text), strings.ToLower(r.cfg.PassOn))
	switch {
	case asks && c.phone.holder(c) == r:
		_ = r.pass(c, c.phone.hostRole(), "The customer asks for a person") // it has the conversation
	case r.cfg.Reply != "" && m.content.Type != "reaction":
		_, _ = r.send(c, "text", sub("text", object(str("body", r.cfg.Reply))), Text(r.cfg.Reply), nil)
	}
}

// errNotConnected is the error of what other responders do on a number that is not on Cloud API.
var errNotConnected = errors.New("coexistencetest: the number is not connected to Cloud API")
