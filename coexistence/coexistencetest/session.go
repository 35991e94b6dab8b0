package coexistencetest

import (
	"strconv"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// A SessionVariant is a form in which the popup tells the page that it finished. Meta documents the
// first; the others are known from the field.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/embedded-signup/implementation
type SessionVariant string

const (
	SessionDocumented SessionVariant = "documented" // the account's id and nothing else
	SessionWithPhone  SessionVariant = "with phone" // the ids of the number and the portfolio as well
	SessionLoginUser  SessionVariant = "login user" // an ordinary FINISH that is marked with is_wa_login_user
	SessionLost       SessionVariant = "lost"       // no message at all: the code is all there is
)

// A SignupResult is what the page that opened the popup gets.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/embedded-signup/implementation
type SignupResult struct {
	// Message is what window.postMessage carries: JSON, as the string it is sent as. Nil if no
	// message came.
	Message []byte

	// LoginResponse is the argument of FB.login's callback, as JSON. Its status is "connected" or
	// "unknown", which is also what a popup that was closed brings.
	LoginResponse []byte

	// Code is the authorization code in LoginResponse. It is good for 30 seconds, once. Empty if
	// there is none.
	Code graph.Secret
}

// sessionMessage is the body of a message to the page. Versions 2 and 3 of the flow name the
// version of the message, which is a number, while the numbers in data are strings.
func sessionMessage(event string, version int, data ...member) []byte {
	versionMember := member{}
	if version != 0 {
		versionMember = num("version", version)
	}
	return object(sub("data", object(data...)), str("type", "WA_EMBEDDED_SIGNUP"), str("event", event), versionMember)
}

// finishMessage is the message of a popup that ended well, in the variant that the world was
// configured with. Nil is no message, which pages see after a redirect.
func finishMessage(
	variant SessionVariant, waba graph.WABAID, phone graph.PhoneNumberID, business graph.BusinessID,
) []byte {
	// Meta documents the account's id alone; the other ids are what the field has seen.
	ids := []member{str("phone_number_id", phone), str("waba_id", waba), str("business_id", business)}
	switch variant {
	case SessionLost:
		return nil
	case SessionWithPhone:
		return sessionMessage("FINISH_WHATSAPP_BUSINESS_APP_ONBOARDING", 0, ids...)
	case SessionLoginUser:
		return sessionMessage("FINISH", 0, append(ids, yes("is_wa_login_user", true))...)
	}
	return sessionMessage("FINISH_WHATSAPP_BUSINESS_APP_ONBOARDING", 3, str("waba_id", waba))
}

// cancelMessage is the message of a popup that was closed, with the screen that it showed.
func cancelMessage(step Screen) []byte {
	return sessionMessage("CANCEL", 0, str("current_step", step))
}

// errorMessage is the message of a popup whose problem was reported. Its event is CANCEL as well,
// and numbers are strings.
func errorMessage(problem *PopupError, at time.Time) []byte {
	return sessionMessage("CANCEL", 0,
		str("error_message", problem.Message), str("error_code", strconv.Itoa(int(problem.Code))),
		str("session_id", problem.SessionID), str("timestamp", strconv.FormatInt(at.Unix(), 10)))
}

// callback is the argument of FB.login's callback: with a code, with a token of the person, or with
// neither, which is all that a page without a session message learns of a popup that was closed.
func callback(code, accessToken graph.Secret) []byte {
	null := []byte("null")
	switch {
	case code != "":
		return object(str("status", "connected"), sub("authResponse",
			object(str("code", code.Reveal()), sub("userID", null), sub("expiresIn", null))))
	case accessToken != "":
		return object(str("status", "connected"), sub("authResponse",
			object(str("accessToken", accessToken.Reveal()), str("userID", "555010000000099"),
				num("expiresIn", 5183999))))
	}
	return object(str("status", "unknown"), sub("authResponse", null))
}
