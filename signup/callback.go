package signup

import (
	"errors"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// A Callback is the argument of FB.login's callback. [ParseCallback] reads it.
//
// It and the session message come in either order, and each may never come. See [Submission].
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/embedded-signup/implementation#response-callback
type Callback struct {
	// Status says what the dialog knows about the person.
	Status CallbackStatus

	// Code is to be exchanged for a token within [CodeTTL], once.
	Code graph.Secret

	// AccessToken and SignedRequest are set if the dialog was opened with other options than those of [Flow.Launch].
	AccessToken   graph.Secret
	SignedRequest graph.Secret

	// UserID and ExpiresIn accompany an AccessToken. A code has neither.
	UserID    string
	ExpiresIn time.Duration

	// Members are the parts that no member above holds. They may be secret.
	Members []Member
}

// A CallbackStatus is what the dialog knows about the person. More values may come.
type CallbackStatus string

const (
	StatusConnected     CallbackStatus = "connected"      // signed in and granted
	StatusNotAuthorized CallbackStatus = "not_authorized" // signed in and refused
	StatusUnknown       CallbackStatus = "unknown"        // closed, refused, or lost although the flow finished
)

// ErrNotCallback is what ParseCallback returns for what is no argument of FB.login's callback.
var ErrNotCallback = errors.New("signup: not the argument of FB.login's callback; pass it on as the SDK gave it")

// ParseCallback reads the argument of FB.login's callback. The only error is [ErrNotCallback]; ask [Callback.Problem]
// whether there is a code.
func ParseCallback(b []byte) (*Callback, error) {
	o, err := parseObject(b)
	if err != nil || !o.has("status") && !o.has("authResponse") {
		return nil, ErrNotCallback
	}
	auth := o.object("authResponse")
	c := &Callback{
		Status:        CallbackStatus(o.string("status")),
		Code:          graph.Secret(auth.string("code")),
		AccessToken:   graph.Secret(auth.string("accessToken")),
		SignedRequest: graph.Secret(auth.string("signedRequest")),
		UserID:        auth.text("userID"),
		ExpiresIn:     takeSeconds(auth, "expiresIn"),
	}
	c.Members = o.end(auth)
	return c, nil
}

// Problem returns nil if there is a code, else an [*Error] that says what its lack means: [OutcomeMisconfigured] for a token
// in place of a code, [OutcomeCancelled] for a refusal, [OutcomeNoCode] for the rest.
func (c *Callback) Problem() error {
	switch {
	case !c.Code.IsZero():
		return nil
	case !c.AccessToken.IsZero():
		return &Error{Outcome: OutcomeMisconfigured, Step: StepSession, Err: errTokenInsteadOfCode}
	case c.Status == StatusNotAuthorized:
		return &Error{Outcome: OutcomeCancelled, Step: StepSession}
	}
	return &Error{Outcome: OutcomeNoCode, Step: StepSession}
}

var errTokenInsteadOfCode = errors.New("FB.login returned an access token: open it with the options of Flow.Launch, " +
	`response_type "code" and override_default_response_type true among them`)
