package webhook

import (
	"fmt"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// An Error is a problem that Meta reports inside an event. It matches its code and the code's
// class:
//
//	errors.Is(status.Errors[0], graph.CodeReengagementMessage)
type Error struct {
	Code    graph.Code
	Title   string
	Message string // same as Title since v16
	Details string // the useful text
	Href    string
}

// Error names the code and its title. It leaves out the details, which can quote a customer.
func (e Error) Error() string {
	return fmt.Sprintf("webhook: Meta reports code %d: %s", int(e.Code), e.Title)
}

// Unwrap returns the code.
func (e Error) Unwrap() error { return e.Code }
