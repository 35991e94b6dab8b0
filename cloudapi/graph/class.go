package graph

// A Class is a set of codes after which a caller does the same. The classes are the errors below;
// match them with errors.Is:
//
//	if errors.Is(err, graph.ErrThrottled) { … }
//
// As a string a Class is one or two words, stable and fit as a metric's label. A code belongs to
// one class at most.
type Class string

// The classes of codes.
const (
	// ErrAuth: the access token is missing, expired, revoked or lacks its proof. Stop calling for
	// this account until there is a new token.
	ErrAuth Class = "auth"

	// ErrPermission: the token is good and does not allow this. Repeating does not help; scopes,
	// grants or the app's review are missing.
	ErrPermission Class = "permission"

	// ErrAccessLost: the object does not exist, or not for this token any more. It is how a
	// business that disconnected the partner looks, and an id of the wrong kind.
	ErrAccessLost Class = "access lost"

	// ErrThrottled: too much in too short a time. The same request succeeds after a pause. Whether
	// the client may repeat it by itself is another question: see [Code.ProvesRefusal].
	ErrThrottled Class = "throttled"

	// ErrQualityLimit: Meta holds messages back to protect its users: people blocked or reported
	// the number, the recipient got enough marketing, templates are in the wrong category. It looks
	// like a throttle but is not one: repeating makes it worse.
	ErrQualityLimit Class = "quality limit"

	// ErrTemporary: a failure on Meta's side. What was asked may have been done: repeat a read, and
	// a send only if a duplicate is acceptable.
	ErrTemporary Class = "temporary"

	// ErrInvalidRequest: the request is wrong as it stands. The program that made it needs a
	// change.
	ErrInvalidRequest Class = "invalid request"

	// ErrRecipient: this recipient cannot be reached this way. Others can.
	ErrRecipient Class = "recipient"

	// ErrOptedOut: the recipient stopped marketing messages from this business. Record it.
	ErrOptedOut Class = "opted out"

	// ErrNotOwner: another responder has this conversation, or no responder has it: a partner, or
	// Meta's agent. It is about this conversation alone, and neither the message, the number nor
	// the person is at fault. Do not repeat the send; wait until the conversation is yours again,
	// or send a template, which needs no ownership.
	ErrNotOwner Class = "not owner"

	// ErrWindowClosed: the customer service window is closed. A template can be sent, or the person
	// has to write first.
	ErrWindowClosed Class = "window closed"

	// ErrUnavailable: a message whose content Cloud API does not carry. With an incoming one
	// nothing went wrong: a person wrote something that is to be read in the app, and that may
	// still follow.
	ErrUnavailable Class = "unavailable"

	// ErrMedia: a file could not be fetched, read or accepted.
	ErrMedia Class = "media"

	// ErrTemplate: the message template is missing, paused, wrong or filled in wrongly.
	ErrTemplate Class = "template"

	// ErrFlow: a WhatsApp Flow is not in a state that allows this.
	ErrFlow Class = "flow"

	// ErrCall: a voice or video call did not come about or broke off. Repeating blindly may ring
	// twice.
	ErrCall Class = "call"

	// ErrPayment: the business must settle something about paying, mostly a missing payment method.
	ErrPayment Class = "payment"

	// ErrIntegrity: account, number or group is restricted or locked for its conduct. Stop sending
	// and appeal.
	ErrIntegrity Class = "integrity"

	// ErrNotEligible: the account or number may not use this feature, or has it switched off.
	ErrNotEligible Class = "not eligible"

	// ErrRegistration: verifying, registering, migrating or naming the phone number did not
	// succeed. Coexistence numbers are never registered: onboard them again instead.
	ErrRegistration Class = "registration"

	// ErrSync: contacts or history of the WhatsApp Business app cannot be synchronised. Never
	// repeat such a request: there is one per kind and onboarding, within 24 hours.
	ErrSync Class = "sync"

	// ErrSignup: Embedded Signup ended with an error, in its popup or on exchanging its code. Show
	// the advice to the business; a new signup is needed.
	ErrSignup Class = "signup"
)

// Error implements error.
func (c Class) Error() string { return "graph: " + string(c) }

// Classes returns all classes.
func Classes() []Class {
	return []Class{
		ErrAuth, ErrPermission, ErrAccessLost, ErrThrottled, ErrQualityLimit, ErrTemporary,
		ErrInvalidRequest, ErrRecipient, ErrOptedOut, ErrNotOwner, ErrWindowClosed, ErrUnavailable, ErrMedia,
		ErrTemplate, ErrFlow, ErrCall, ErrPayment, ErrIntegrity, ErrNotEligible, ErrRegistration, ErrSync,
		ErrSignup,
	}
}
