package cloudapitest

import (
	"fmt"
	"slices"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// A Phone is a business phone number. The zero Phone stands for one that coexists: in the WhatsApp
// Business app and on Cloud API, onboarded just now.
type Phone struct {
	// ID is made up if empty.
	ID graph.PhoneNumberID

	// WABAs are the accounts that list the number. One is the rule; a token has been seen to cover
	// two that both list the same number. If empty, a new one.
	WABAs []graph.WABAID

	// PhoneNumber is the number as Meta displays it. If empty, one of +1 555 01xx.
	PhoneNumber string

	// Name is the verified name. If empty, the account's.
	Name string

	// CloudAPIOnly makes it an ordinary number: one that lives on Cloud API only, or nowhere yet.
	CloudAPIOnly bool

	// Unregistered makes an ordinary number wait for registration.
	Unregistered bool

	// Unverified makes an ordinary number wait for verification: see [Server.VerificationCode].
	Unverified bool

	// Suspended numbers are in the middle of a move to another phone: sends fail, reads say so.
	Suspended bool

	// MessagesPerSecond is the rate that [Config].EnforceLimits allows. If zero, 20, or 80 for an
	// ordinary number.
	MessagesPerSecond int

	// PIN is the two-step verification PIN, which registering an ordinary number sets or must
	// match.
	PIN string

	// OnboardedAt is when the number came to the platform; syncs can be asked for in the day after
	// it. If zero, now.
	OnboardedAt time.Time
}

// OnBizApp is what a read shows as is_on_biz_app.
func (p Phone) OnBizApp() bool { return !p.CloudAPIOnly }

// PlatformType is what a read shows as platform_type. That a suspended number shows NOT_APPLICABLE
// is assumed.
func (p Phone) PlatformType() string {
	if p.Suspended || p.Unregistered {
		return "NOT_APPLICABLE"
	}
	return "CLOUD_API"
}

// Status is what a read shows as status. That a suspended number shows DISCONNECTED is assumed.
func (p Phone) Status() string {
	switch {
	case p.Suspended:
		return "DISCONNECTED"
	case p.Unregistered:
		return "PENDING"
	}
	return "CONNECTED"
}

// A phone is a Phone and its state.
type phone struct {
	Phone
	override  string                          // the callback URL of its own; empty for none
	lost      bool                            // out of the app's sight
	synced    map[cloudapi.SyncKind]time.Time // by kind, in this onboarding
	windows   map[string]time.Time            // by person, the last message received
	received  map[graph.MessageID]bool
	routing   Routing
	threads   map[string]routedThread // by person
	registers []time.Time             // of the last 72 hours
	state     *phoneState             // see more

	verification verification
}

// AddPhone adds a number and returns it with everything filled in.
func (s *Server) AddPhone(p Phone) Phone {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(p.WABAs) == 0 {
		p.WABAs = []graph.WABAID{s.addWABA(WABA{Name: p.Name}).ID}
	}
	p.WABAs = slices.Clone(p.WABAs)
	if p.ID == "" {
		p.ID = graph.PhoneNumberID(s.newID())
	}
	if p.PhoneNumber == "" {
		p.PhoneNumber = fmt.Sprintf("+1 555-010-01%02d", len(s.phones)%100)
	}
	if p.Name == "" {
		p.Name = "Made-up business"
		if w := s.waba(p.WABAs[0]); w != nil {
			p.Name = w.Name
		}
	}
	if p.OnboardedAt.IsZero() {
		p.OnboardedAt = s.now()
	}
	s.phones = append(s.phones, newPhone(p))
	return p
}

// newPhone makes a phone that nothing has happened to.
func newPhone(p Phone) *phone {
	return &phone{
		Phone:    p,
		synced:   map[cloudapi.SyncKind]time.Time{},
		windows:  map[string]time.Time{},
		received: map[graph.MessageID]bool{},
	}
}

// phone finds a number, also one that is detached, or returns nil.
func (s *Server) phone(id graph.PhoneNumberID) *phone {
	for _, p := range s.phones {
		if p.ID == id {
			return p
		}
	}
	return nil
}

// Phone returns a number as it is now, and whether it is known.
func (s *Server) Phone(id graph.PhoneNumberID) (Phone, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.phone(id)
	if p == nil {
		return Phone{}, false
	}
	return p.Phone, true
}

// DetachPhone takes one number out of the app's sight, like [Server.DetachWABA] a whole account.
// [Server.Onboard] brings it back.
func (s *Server) DetachPhone(id graph.PhoneNumberID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if p := s.phone(id); p != nil {
		p.lost, p.override = true, ""
	}
}

// Onboard makes a known number begin a new onboarding now: it coexists, and each sync can be asked
// for again.
func (s *Server) Onboard(id graph.PhoneNumberID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if p := s.phone(id); p != nil {
		p.CloudAPIOnly, p.Unregistered, p.Unverified, p.Suspended = false, false, false, false
		p.OnboardedAt, p.lost = s.now(), false
		clear(p.synced)
		clear(p.windows)
	}
}

// Suspend takes a coexistence number off Cloud API (true) or brings it back (false), as when the
// business moves the app to another phone. What was synced stays synced.
func (s *Server) Suspend(id graph.PhoneNumberID, suspended bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if p := s.phone(id); p != nil {
		p.Suspended = suspended
	}
}

// RecordInbound tells the server that a person wrote to a number now. It opens the 24-hour window,
// counts for [Config].EnforceLimits, and makes the message one that can be marked as read.
func (s *Server) RecordInbound(id graph.PhoneNumberID, from graph.Identity, message graph.MessageID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.phone(id)
	if p == nil {
		return
	}
	for _, key := range identityKeys(from) {
		p.windows[key] = s.now()
	}
	p.received[message] = true
	if s.enforceLimits {
		s.throughput(p).take(s.now())
	}
}

// WindowOpen reports whether a message that is no template may be sent to a person now: the person
// wrote in the last 24 hours.
func (s *Server) WindowOpen(id graph.PhoneNumberID, to graph.Identity) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.phone(id)
	return p != nil && s.windowOpen(p, to)
}

// windowOpen is WindowOpen. One message opens the window for a person under all ids that it named.
func (s *Server) windowOpen(p *phone, to graph.Identity) bool {
	for _, key := range identityKeys(to) {
		if at, ok := p.windows[key]; ok && s.now().Sub(at) < 24*time.Hour {
			return true
		}
	}
	return false
}

// identityKeys are the names by which a person is remembered: the user id first, then the number,
// in a spelling that is the same for both forms of numbers in Brazil, Mexico and Argentina.
func identityKeys(id graph.Identity) []string {
	var keys []string
	if id.UserID != "" {
		keys = append(keys, string(id.UserID))
	}
	if id.WAID != "" {
		keys = append(keys, graph.EquivalenceKey(id.WAID))
	}
	return keys
}

// AddUser makes a WhatsApp user known, so that a send to the phone number answers with the user id
// and the other way round. The wa_id of the answer is the user's, which can be spelled differently
// from the number sent to.
func (s *Server) AddUser(id graph.Identity) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.users = append(s.users, id)
}

// user finds a person by user id or phone number.
func (s *Server) user(id graph.UserID, number string) (graph.Identity, bool) {
	key := graph.EquivalenceKey(number)
	for _, u := range s.users {
		if id != "" && u.UserID == id {
			return u, true
		}
		if number != "" && u.WAID != "" && graph.EquivalenceKey(u.WAID) == key {
			return u, true
		}
	}
	return graph.Identity{}, false
}
