package cloudapitest

import (
	"slices"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// A ThreadOwner is the owner of a conversation, on a number with conversation routing.
type ThreadOwner string

const (
	OwnerIdle  ThreadOwner = ""      // no one's
	OwnerUs    ThreadOwner = "us"    // that of the app whose tokens call
	OwnerOther ThreadOwner = "other" // that of another responder
)

// Routing is the conversation routing of a number, as far as a caller can tell. The zero Routing is
// a number with one responder, which owns nothing because nothing needs to be owned.
type Routing struct {
	// On is true if the business has routed the number's conversations.
	On bool

	// Roles are the roles of other responders, to which a conversation can be passed.
	Roles []graph.HandoverRole

	// Escalation is true if our app is the escalation partner, which alone may take.
	Escalation bool
}

// A Thread is a conversation that was moved from one responder to another by a call.
type Thread struct {
	PhoneNumberID graph.PhoneNumberID
	Customer      graph.Identity
	Action        string             // "pass", "release", "take"
	Role          graph.HandoverRole // of the new owner, if there is one
	Metadata      string
	At            time.Time
}

// A routedThread is whose a conversation is, since when.
type routedThread struct {
	owner ThreadOwner
	at    time.Time // the customer's last message, or the handover
}

// SetRouting sets the conversation routing of a number. Threads keep their owners.
func (s *Server) SetRouting(number graph.PhoneNumberID, r Routing) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if p := s.phone(number); p != nil {
		r.Roles = slices.Clone(r.Roles)
		p.routing = r
	}
}

// SetThread makes a conversation belong to a responder, as a message of the customer or another
// responder's call does.
func (s *Server) SetThread(number graph.PhoneNumberID, customer graph.Identity, owner ThreadOwner) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if p := s.phone(number); p != nil {
		s.setThread(p, customer, owner)
	}
}

// setThread is SetThread. The caller must hold s.mu.
func (s *Server) setThread(p *phone, customer graph.Identity, owner ThreadOwner) {
	if p.threads == nil {
		p.threads = map[string]routedThread{}
	}
	for _, key := range identityKeys(customer) {
		p.threads[key] = routedThread{owner, s.now()}
	}
}

// Thread returns whose a conversation is. One without its customer for 24 hours is idle.
func (s *Server) Thread(number graph.PhoneNumberID, customer graph.Identity) ThreadOwner {
	s.mu.Lock()
	defer s.mu.Unlock()
	if p := s.phone(number); p != nil {
		return s.thread(p, customer)
	}
	return OwnerIdle
}

// thread is Thread. The caller must hold s.mu.
func (s *Server) thread(p *phone, customer graph.Identity) ThreadOwner {
	for _, key := range identityKeys(customer) {
		if t, ok := p.threads[key]; ok && s.now().Sub(t.at) < 24*time.Hour {
			return t.owner
		}
	}
	return OwnerIdle
}

// OnThread calls fn after a call of ours has moved a conversation, like [Server.OnMessage].
func (s *Server) OnThread(fn func(Thread)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.onThread = append(s.onThread, fn)
}

// threadHooks are called once the lock is free.
func (s *Server) threadHooks(t Thread) (after []func()) {
	for _, hook := range s.onThread {
		after = append(after, func() { hook(t) })
	}
	return after
}

// checkOwner refuses a service message to a conversation that is not ours. The escalation partner
// takes it over by sending. That the refusal comes as an answer is assumed: Meta's page was not
// readable in November 2026.
func (s *Server) checkOwner(c *call, m *SentMessage) *graphError {
	if !c.phone.routing.On || !m.Service() || s.thread(c.phone, m.To) == OwnerUs {
		return nil
	}
	if !c.phone.routing.Escalation {
		return &graphError{Code: graph.CodeThreadOwnedByOther}
	}
	s.setThread(c.phone, m.To, OwnerUs)
	return nil
}

// postThread moves a conversation. Both or neither of to and recipient are refused. What Meta says
// when it refuses is not known but for the code of take.
func (s *Server) postThread(c *call) reply {
	var req struct {
		Product   string       `json:"messaging_product"`
		To        string       `json:"to"`
		Recipient graph.UserID `json:"recipient"`
		Action    string       `json:"action"`
		Metadata  string       `json:"metadata"`
		Pass      struct {
			Role graph.HandoverRole `json:"target_role"`
		} `json:"control_pass"`
	}
	if err := decode(c.params, &req); err != nil {
		return refuse(err)
	}
	switch {
	case req.Product != "whatsapp":
		return refuse(required("messaging_product"))
	case (req.To == "") == (req.Recipient == ""):
		return refuse(invalid("exactly one of to and recipient must be set"))
	case len([]rune(req.Metadata)) > 2000:
		return refuse(invalid("metadata has more than 2000 characters"))
	}
	customer := graph.Identity{WAID: digits(req.To), UserID: req.Recipient}
	if u, ok := s.user(req.Recipient, customer.WAID); ok {
		customer = u
	}
	t := Thread{
		PhoneNumberID: c.phone.ID, Customer: customer, Action: req.Action, Role: req.Pass.Role, Metadata: req.Metadata,
		At: s.now(),
	}
	if err := s.moveThread(c.phone, &t); err != nil {
		return refuse(err)
	}
	rep := ok(struct {
		Product string `json:"messaging_product"`
		Request string `json:"request_id"`
	}{"whatsapp", s.newID()})
	rep.after = s.threadHooks(t)
	return rep
}

// moveThread carries out an action. An idle conversation can be released.
func (s *Server) moveThread(p *phone, t *Thread) *graphError {
	owner := s.thread(p, t.Customer)
	switch t.Action {
	case "pass":
		if t.Role == "" {
			t.Role = graph.RoleEscalation
		}
		if owner != OwnerUs || !slices.Contains(p.routing.Roles, t.Role) {
			return invalid("the thread is not yours, or no other responder has the role")
		}
		s.setThread(p, t.Customer, OwnerOther)
	case "release":
		if owner == OwnerOther {
			return invalid("the thread is not yours")
		}
		s.setThread(p, t.Customer, OwnerIdle)
	case "take":
		if !p.routing.Escalation {
			return &graphError{Code: graph.CodeInvalidParameter, Subcode: int(graph.CodeThreadTakeNotPermitted)}
		}
		t.Role = graph.RoleEscalation
		s.setThread(p, t.Customer, OwnerUs)
	default:
		return notOneOf("action", "pass, release, take")
	}
	return nil
}
