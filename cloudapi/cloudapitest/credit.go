package cloudapitest

import (
	"encoding/json"
	"slices"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// A creditLine is the line of credit of a solution partner.
type creditLine struct {
	id    cloudapi.CreditLineID
	owner graph.BusinessID
}

// An allocation shares a line with a business.
type allocation struct {
	id         cloudapi.AllocationID
	line       cloudapi.CreditLineID
	business   graph.BusinessID
	credential string
}

// AddCreditLine gives a portfolio a line of credit, which makes the app that of a solution partner:
// it sees what pays for accounts. A token with [ScopeBusiness] can share the line.
func (s *Server) AddCreditLine(owner graph.BusinessID) cloudapi.CreditLineID {
	s.mu.Lock()
	defer s.mu.Unlock()
	line := &creditLine{cloudapi.CreditLineID(s.newID()), owner}
	s.put(&object{id: string(line.id), kind: kindCredit, value: line})
	return line.id
}

// everything keeps all objects of a kind.
func everything(*object) bool { return true }

// listCreditLines answers with the lines of a portfolio.
func (s *Server) listCreditLines(c *call) reply {
	var nodes []node
	for _, line := range all[creditLine](s, kindCredit, everything) {
		if line.owner == graph.BusinessID(c.id) {
			nodes = append(nodes, node{"id": raw(line.id), "legal_entity_name": raw("Made-up partner")})
		}
	}
	return s.page(c, nodes)
}

// allocate shares the call's line with a business, once.
func (s *Server) allocate(c *call, business graph.BusinessID) *allocation {
	line := valueOf[creditLine](c)
	for _, a := range all[allocation](s, kindAllocation, everything) {
		if a.line == line.id && a.business == business {
			return a
		}
	}
	a := &allocation{cloudapi.AllocationID(s.newID()), line.id, business, s.newID()}
	s.put(&object{id: string(a.id), kind: kindAllocation, value: a})
	return a
}

// An allocated is the answer to a call that shares a line.
type allocated struct {
	ID   cloudapi.AllocationID `json:"allocation_config_id"`
	WABA graph.WABAID          `json:"waba_id,omitzero"`
}

// shareCredit shares the line with a business, and pays an account of it where the call attaches
// one.
func (s *Server) shareCredit(c *call) reply {
	b := s.business(graph.BusinessID(c.get("receiving_business_id")))
	if b == nil {
		return refuse(invalid("receiving_business_id names no business"))
	}
	return ok(allocated{ID: s.allocate(c, b.ID).id})
}

// attachCredit makes an account pay with the line, and shares the line with its owner if that has
// not been done. Of several calls, the last one holds.
func (s *Server) attachCredit(c *call) reply {
	w := s.waba(graph.WABAID(c.get("waba_id")))
	if w == nil || !c.token.reaches(w.ID) {
		return refuse(invalid("waba_id names no account that the token reaches"))
	}
	if len(c.get("waba_currency")) != 3 {
		return refuse(missing("waba_currency"))
	}
	a := s.allocate(c, w.OwnerBusinessID)
	w.funding, w.unpaid, w.Currency = a.credential, false, c.get("waba_currency")
	return ok(allocated{ID: a.id, WABA: w.ID})
}

// allocationNode is what a read shows of a sharing.
func (s *Server) allocationNode(a *allocation) node {
	receiver := named{ID: string(a.business)}
	if b := s.business(a.business); b != nil {
		receiver.Name = b.Name
	}
	return node{
		"id": raw(a.id), "receiving_business": raw(receiver),
		"receiving_credential": raw(map[string]string{"id": a.credential}),
	}
}

// listAllocations answers with the sharings of a line, of one business if one is asked for.
func (s *Server) listAllocations(c *call) reply {
	var nodes []node
	for _, a := range all[allocation](s, kindAllocation, everything) {
		business := c.get("receiving_business_id")
		if a.line == valueOf[creditLine](c).id && (business == "" || business == string(a.business)) {
			nodes = append(nodes, s.allocationNode(a))
		}
	}
	return s.page(c, nodes)
}

// getAllocation reads one sharing.
func (s *Server) getAllocation(c *call) reply {
	return s.show(c, s.allocationNode(valueOf[allocation](c)), "id", "ExtendedCreditAllocationConfig")
}

// revokeAllocation takes the line back. Accounts that it paid have no funding any more.
func (s *Server) revokeAllocation(c *call) reply {
	a := valueOf[allocation](c)
	for _, w := range s.wabas {
		if w.funding == a.credential {
			w.funding = ""
		}
	}
	s.objects = slices.DeleteFunc(s.objects, func(o *object) bool { return o == c.object })
	return success
}

// SetPaymentMethod gives an account a payment method that works, or one that fails. An account
// begins with none, as after a signup, and Meta says nothing about that in its health.
//
//	begins     no primary_funding_id     health: available
//	true       primary_funding_id        health: available
//	false      no primary_funding_id     health: blocked, 141006
//
// Meta shows primary_funding_id to solution partners alone: a call that asks for it is refused with
// code 10 until [Server.AddCreditLine] has made the app that of one. Messages go on in any state;
// to play a refused one, [Server.Inject] [graph.CodePaymentIssue].
func (s *Server) SetPaymentMethod(id graph.WABAID, works bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	w := s.waba(id)
	if w == nil {
		return
	}
	w.funding, w.unpaid = "", !works
	if works {
		w.funding = s.newID()
	}
}

// seesFunding reports whether the app is a solution partner's, which may see what pays.
func (s *Server) seesFunding() bool {
	return slices.ContainsFunc(s.objects, func(o *object) bool { return o.kind == kindCredit })
}

// fundingOf is what an account shows of who pays, or nothing.
func fundingOf(w *waba) json.RawMessage {
	if w.funding == "" {
		return nil
	}
	return raw(w.funding)
}
