package cloudapitest

import (
	"slices"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// A Business is a business portfolio.
type Business struct {
	// ID is made up if empty.
	ID graph.BusinessID

	// Name is "Made-up business" if empty.
	Name string
}

// AddBusiness adds a portfolio and returns it with everything filled in.
func (s *Server) AddBusiness(b Business) Business {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.addBusiness(b)
}

// addBusiness is AddBusiness. The caller must hold s.mu.
func (s *Server) addBusiness(b Business) Business {
	if b.ID == "" {
		b.ID = graph.BusinessID(s.newID())
	}
	if b.Name == "" {
		b.Name = "Made-up business"
	}
	s.businesses = append(s.businesses, &b)
	return b
}

// business finds a portfolio, or returns nil.
func (s *Server) business(id graph.BusinessID) *Business {
	for _, b := range s.businesses {
		if b.ID == id {
			return b
		}
	}
	return nil
}

// A WABA is a WhatsApp Business Account.
type WABA struct {
	// ID is made up if empty.
	ID graph.WABAID

	// Name is the owner's name if empty.
	Name string

	// OwnerBusinessID is the portfolio that owns the account. If empty, a new one.
	OwnerBusinessID graph.BusinessID

	// Currency is "USD" if empty; Country is "US".
	Currency, Country string

	// CreatedAt is now if zero.
	CreatedAt time.Time
}

// A waba is a WABA and what the app has done to it.
type waba struct {
	WABA
	subscribed bool   // the app gets its webhooks
	override   string // the callback URL of its own; empty for none
	lost       bool   // out of the app's sight
	insights   bool   // template analytics are on, for good

	noMarketing bool // marketing templates go through marketing_messages only

	timezone   string // Meta's number; empty for the default
	users      []assignedUser
	activities []activity

	deletedTemplates map[string]time.Time // approved ones, by name and language

	funding string // what pays: the credential of a credit line, or a payment method
	unpaid  bool   // Meta says that the payment method fails
}

// AddWABA adds an account and returns it with everything filled in.
func (s *Server) AddWABA(w WABA) WABA {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.addWABA(w)
}

// addWABA is AddWABA. An owner that is not known is taken as it is, and no portfolio is made for
// it: its node is then not found. The caller must hold s.mu.
func (s *Server) addWABA(w WABA) WABA {
	if w.OwnerBusinessID == "" {
		w.OwnerBusinessID = s.addBusiness(Business{Name: w.Name}).ID
	}
	if w.ID == "" {
		w.ID = graph.WABAID(s.newID())
	}
	if w.Name == "" {
		w.Name = "Made-up business"
		if b := s.business(w.OwnerBusinessID); b != nil {
			w.Name = b.Name
		}
	}
	if w.Currency == "" {
		w.Currency = "USD"
	}
	if w.Country == "" {
		w.Country = "US"
	}
	if w.CreatedAt.IsZero() {
		w.CreatedAt = s.now()
	}
	s.wabas = append(s.wabas, &waba{WABA: w})
	return w
}

// waba finds an account, also one that is detached, or returns nil.
func (s *Server) waba(id graph.WABAID) *waba {
	for _, w := range s.wabas {
		if w.ID == id {
			return w
		}
	}
	return nil
}

// DetachWABA takes an account out of the app's sight, as when the business disconnects: the account
// and its numbers answer 100/33 to everyone, tokens stay what they are, and the subscription is
// gone. [Server.AttachWABA] brings it back.
func (s *Server) DetachWABA(id graph.WABAID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if w := s.waba(id); w != nil {
		w.lost, w.subscribed, w.override = true, false, ""
	}
}

// AttachWABA undoes [Server.DetachWABA], without the subscription.
func (s *Server) AttachWABA(id graph.WABAID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if w := s.waba(id); w != nil {
		w.lost = false
	}
}

// Subscribed reports whether the app is subscribed to an account.
func (s *Server) Subscribed(id graph.WABAID) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	w := s.waba(id)
	return w != nil && w.subscribed
}

// Phones returns the numbers in an account, as they are now.
func (s *Server) Phones(id graph.WABAID) []Phone {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []Phone
	for _, p := range s.phones {
		if !p.lost && slices.Contains(p.WABAs, id) {
			all = append(all, p.Phone)
		}
	}
	return all
}
