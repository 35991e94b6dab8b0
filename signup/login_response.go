package signup

import (
	"errors"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// A LoginResponse is the argument of FB.login's callback. [ParseLoginResponse] reads it.
//
// It and the session message come in either order, and each may never come. See [Submission].
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/embedded-signup/implementation#response-callback
type LoginResponse struct {
	// Status is the login state of the person.
	Status LoginStatus

	// Code is to be exchanged for a token within [CodeTTL], once.
	Code graph.Secret

	// AccessToken and SignedRequest are set if the dialog was opened with other options than those
	// of [Flow.Launch].
	AccessToken   graph.Secret
	SignedRequest graph.Secret

	// UserID is the person's app-scoped id, and accompanies an AccessToken. Empty with a code.
	UserID string

	// ExpiresIn is how long an AccessToken lives. 0 with a code.
	ExpiresIn time.Duration

	// Members are the parts that no member above holds. They may be secret.
	Members []UnknownMember
}

// A LoginStatus is the login state of the person. More values may come.
type LoginStatus string

// Statuses that Meta's SDK documents.
const (
	LoginConnected     LoginStatus = "connected"      // signed in and granted
	LoginNotAuthorized LoginStatus = "not_authorized" // signed in and refused
	LoginUnknown       LoginStatus = "unknown"        // closed, refused, or lost although the flow finished
)

// ErrNotLoginResponse is the error of ParseLoginResponse for anything but an argument of FB.login's
// callback.
var ErrNotLoginResponse = errors.New("signup: not the argument of FB.login's callback; pass it on as the SDK gave it")

// ParseLoginResponse reads the argument of FB.login's callback. The only error is
// [ErrNotLoginResponse]; ask [LoginResponse.Err] whether there is a code.
func ParseLoginResponse(b []byte) (*LoginResponse, error) {
	o, err := parseObject(b)
	if err != nil || !o.has("status") && !o.has("authResponse") {
		return nil, ErrNotLoginResponse
	}
	auth := o.object("authResponse")
	c := &LoginResponse{
		Status:        LoginStatus(o.string("status")),
		Code:          graph.Secret(auth.string("code")),
		AccessToken:   graph.Secret(auth.string("accessToken")),
		SignedRequest: graph.Secret(auth.string("signedRequest")),
		UserID:        auth.text("userID"),
		ExpiresIn:     takeSeconds(auth, "expiresIn"),
	}
	c.Members = o.unknownMembers(auth)
	return c, nil
}

// Err returns nil if there is a code, else an [*Error] that says what its lack means:
// [OutcomeMisconfigured] for a token in place of a code, [OutcomeCanceled] for a refusal,
// [OutcomeNoCode] for the rest.
func (c *LoginResponse) Err() error {
	switch {
	case !c.Code.IsZero():
		return nil
	case !c.AccessToken.IsZero():
		return &Error{Outcome: OutcomeMisconfigured, Step: StepSession, Err: errTokenInsteadOfCode}
	case c.Status == LoginNotAuthorized:
		return &Error{Outcome: OutcomeCanceled, Step: StepSession}
	}
	return &Error{Outcome: OutcomeNoCode, Step: StepSession}
}

var errTokenInsteadOfCode = errors.New("FB.login returned an access token: open it with the options of Flow.Launch, " +
	`response_type "code" and override_default_response_type true among them`)
