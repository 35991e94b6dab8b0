package signup

import "context"

// A CheckFunc decides whether a tenant's number may go through Embedded Signup, before Meta's popup
// opens. An error means that it could not be decided now: it is logged, and the page asks the
// business to try again. PageCheck of package coexistence/eligibility returns one with Meta's
// rules.
type CheckFunc func(ctx context.Context, tenant string, asked CheckParams) (CheckResult, error)

// CheckParams are a business's answers to the page's questions about its number, without
// surrounding spaces.
type CheckParams struct {
	PhoneNumber string   // as it was typed, in any notation
	AppVersion  string   // of the WhatsApp Business app, as it was typed
	AppState    AppState // what the phone shows; empty if a page of the host's own did not ask
}

// An AppState is the state of the app with the number, as the business sees it.
type AppState string

// States of the app.
const (
	AppWorks      AppState = "works"      // the WhatsApp Business app, in use
	AppMessenger  AppState = "messenger"  // WhatsApp Messenger, the app for private use
	AppUnverified AppState = "unverified" // the WhatsApp Business app asks to verify the number
	AppInactive   AppState = "inactive"   // it says that the account is banned or not active
)

// A CheckResult is the answer to a business that is about to connect its number.
type CheckResult struct {
	Eligible bool          `json:"eligible"`         // the page goes on
	Reasons  []CheckReason `json:"reasons,omitzero"` // why not, each fit to show
	Notes    []CheckNote   `json:"notes,omitzero"`   // worth knowing in any case
}

// A CheckReason is why a number cannot be connected, and what the business can do about it. The
// page words it by its Code, if the texts of its language have that. Else it shows Text and Remedy,
// in the language in which they are written.
type CheckReason struct {
	Text   string `json:"text"`
	Remedy string `json:"remedy,omitzero"` // empty if nothing helps

	// Code names the reason, such as "app_version": one of package coexistence/eligibility, or one
	// of the host's that is in its own texts under "reasons". Empty if Text is all there is.
	Code string `json:"code,omitzero"`

	// Params are the values that the page fills into its texts, by the name in braces, such as
	// "version". The page shows "country", two letters by ISO 3166-1, by its name in the language,
	// and "date", such as "2026-04-15", as the language writes a day.
	Params map[string]string `json:"params,omitzero"`
}

// A CheckNote is worth knowing and decides nothing. The page words it by its Code like a
// [CheckReason].
type CheckNote struct {
	Text string `json:"text"`
	Code string `json:"code,omitzero"` // such as "activity"; empty if Text is all there is
}
