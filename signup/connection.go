package signup

import (
	"slices"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// A Connection is the result of a signup: a token, the accounts that it reaches and the number.
//
// To go on later with [Flow.ResumeConnection], in another process even, keep Tenant, Token,
// OnboardedAt, Session and, where set, WABAID, PhoneNumberID, Credit and Registrations. Encrypt the
// Token; a [graph.Secret] refuses to be written as JSON.
type Connection struct {
	// Onboarding is the input of the Tracker of package coexistence. OnboardedAt is when the first
	// of the popup's answers arrived here, a little after the business confirmed. The other members
	// are empty until StepVerify chose a number; WABAIDs are then all accounts of the token that
	// hold it, the one that the popup named first. The app is subscribed to each. There is more
	// than one when another partner or an earlier attempt made one.
	cloudapi.Onboarding

	// Tenant is the host's name for its tenant, as in [Flow.StartAttempt].
	Tenant string

	// Token calls for this business. See [cloudapi.Client.WithToken].
	Token graph.Secret

	// TokenExpiresAt is when the Token ends, or the zero time for never. A login configuration made
	// from Meta's template gives 60 days. Meta documents no refresh: have the business go through
	// the signup again before.
	TokenExpiresAt time.Time

	// BusinessID is the portfolio that owns the account. Empty if the token may not know.
	BusinessID graph.BusinessID

	// WABAID is the account that the popup named, or else the first that holds the number.
	WABAID graph.WABAID

	// Phone is the number. Nil until StepVerify chose one.
	Phone *cloudapi.Phone

	// Numbers are all numbers that the token reaches, when there is none or more than one to
	// choose.
	Numbers []Number

	// Outcome is the outcome of the signup. It is empty while it runs.
	Outcome Outcome

	// Session is the message of the popup, or nil. None of it is verified; the other members are.
	Session *SessionInfo

	// Credit is the partner's line of credit that pays for the account, or nil. Keep it:
	// [Flow.Revoke] needs it.
	Credit *CreditShare

	// Registrations are when it was tried to register the number, in the last 72 hours. Keep it:
	// Meta counts the tries.
	Registrations []time.Time

	// Warnings are things that a developer should know although they stopped nothing.
	Warnings []string
}

// A Number is a phone number and the accounts that hold it: more than one when another partner, or
// an earlier attempt, connected it too.
type Number struct {
	Phone *cloudapi.Phone // as read with the token, never nil
	WABAs []graph.WABAID  // the one that the popup named first
}

// clone copies what a function of the host could change: it gets the copy. Numbers, phones and the
// Session are shared, since the steps replace them as a whole and never write into them.
func (b *Connection) clone() *Connection {
	c := *b
	c.WABAIDs = slices.Clone(b.WABAIDs)
	c.Numbers = slices.Clone(b.Numbers)
	c.Warnings = slices.Clone(b.Warnings)
	c.Registrations = slices.Clone(b.Registrations)
	if b.Credit != nil {
		c.Credit = new(*b.Credit)
	}
	return &c
}

// warn adds a warning once: a signup that is resumed takes the same steps again.
func (b *Connection) warn(text string) {
	if !slices.Contains(b.Warnings, text) {
		b.Warnings = append(b.Warnings, text)
	}
}
