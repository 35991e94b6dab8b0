package webhook

import (
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// A PartnerSolution arrives when a multi-partner solution is created or changes its state. It is
// about a business portfolio: WABAID is empty.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/partner_solutions
type PartnerSolution struct {
	EventInfo `json:"-"`

	Event  SolutionEvent  `json:"event"`
	ID     string         `json:"solution_id"`
	Status SolutionStatus `json:"solution_status"`
}

// Business returns the portfolio that the solution belongs to.
func (p *PartnerSolution) Business() graph.BusinessID { return graph.BusinessID(p.EntryID) }

// A SolutionEvent says what happened to a solution. Meta adds values: expect unknown ones.
type SolutionEvent string

const (
	SolutionCreated SolutionEvent = "SOLUTION_CREATED"
	SolutionUpdated SolutionEvent = "SOLUTION_UPDATED"
)

// A SolutionStatus is the state of a solution. Meta adds values: expect unknown ones.
type SolutionStatus string

const (
	SolutionActive              SolutionStatus = "ACTIVE"
	SolutionDeactivated         SolutionStatus = "DEACTIVATED"
	SolutionDraft               SolutionStatus = "DRAFT"
	SolutionInitiated           SolutionStatus = "INITIATED"
	SolutionPendingDeactivation SolutionStatus = "PENDING_DEACTIVATION"
	SolutionRejected            SolutionStatus = "REJECTED"
)
