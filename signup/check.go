package signup

import "context"

// A CheckFunc decides whether a tenant's number may go through Embedded Signup, before Meta's popup
// opens. An error means that it could not be decided now: it is logged, and the page asks the
// business to try again. PageCheck of package coexistence/eligibility returns one with Meta's
// rules.
type CheckFunc func(ctx context.Context, tenant string, asked CheckParams) (CheckResult, error)

// CheckParams are what the page asks a business about its number, without spaces around.
type CheckParams struct {
	PhoneNumber string // as it was typed, in any notation
	AppVersion  string // of the WhatsApp Business app, as it was typed
}

// A CheckResult is the answer to a business that is about to connect its number.
type CheckResult struct {
	Eligible bool          `json:"eligible"`         // the page goes on
	Reasons  []CheckReason `json:"reasons,omitzero"` // why not, each fit to show
	Notes    []string      `json:"notes,omitzero"`   // worth knowing in any case
}

// A CheckReason is why a number cannot be connected, and what the business can do about it. The
// page shows both as text, in the language in which they are written.
type CheckReason struct {
	Text   string `json:"text"`
	Remedy string `json:"remedy,omitzero"` // empty if nothing helps
}
