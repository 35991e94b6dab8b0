package signup

import (
	"strings"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// A SessionInfo is the session info of Embedded Signup: the message of the popup to the page that
// opened it. [ParseSessionInfo] reads it.
//
// Every member is a claim. It went through a browser, where anything can be written into it.
// [Flow.Finish] believes nothing of it that the granted token does not confirm.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/embedded-signup/implementation
type SessionInfo struct {
	// Event is the way in which the popup ended. [SessionInfo.Kind] sorts the values, including
	// future ones.
	Event SessionEvent

	// Version is the version of this message, "3" or empty. It is not the version of the flow: v4
	// sends none.
	Version string

	// WABAID is the WhatsApp Business Account that the business chose or created: waba_id, or the
	// only one of waba_ids. Empty if the message named none, or several.
	//
	// Meta is changing what an account is (account model evolution, since September 2026). For an
	// ordinary number the id becomes that of a messaging account, one for each partner. For
	// coexistence Meta converts the account that the business has: its id stays, and it is shared
	// as it was.
	WABAID graph.WABAID

	// WABAs are all accounts that were chosen (waba_ids), when the message has the list.
	WABAs []graph.WABAID

	// PrimaryWAACs are the ids of WhatsApp accounts (primary_waac_ids), which Meta has announced
	// for v5, in the first half of 2027. Empty before.
	PrimaryWAACs []graph.WAACID

	// PhoneNumberID is the business phone number. It is mostly empty for coexistence: Meta
	// documents the finish of a WhatsApp Business app user with nothing but a waba_id.
	PhoneNumberID graph.PhoneNumberID

	// BusinessID is the portfolio of the business. Empty for most coexistence finishes.
	BusinessID graph.BusinessID

	// Assets are other things that were granted, each list present only if its product is in the
	// configuration.
	Assets Assets

	// BusinessAppUser is is_wa_login_user: the flow ran for a WhatsApp Business app number although
	// Event is a plain [EventFinish]. It comes from WhatsApp Login, with which the business signs
	// in by its app and without an account of Facebook: an open beta since October 2026, for
	// partners that Meta admits one by one, not in the EU, without a sandbox. Meta does not
	// document the member; providers and integrators do.
	BusinessAppUser bool

	// CurrentStep is the screen at which the business left. Empty unless it left.
	CurrentStep Screen

	// Error is the error that ended the flow, or nil.
	Error *SessionError

	// Members are the parts of the message that no member above holds: unknown ones, and those with
	// a form that Meta does not document. Nothing of a message is lost.
	Members []UnknownMember
}

// Assets are ids of what a business granted beside WhatsApp.
type Assets struct {
	AdAccounts        []string // ad_account_ids
	Pages             []string // page_ids, of Facebook pages
	Datasets          []string // dataset_ids
	Catalogs          []string // catalog_ids
	InstagramAccounts []string // instagram_account_ids
}

// A SessionError is an error that the popup showed and the business reported. Keep all of it:
// Meta's support asks for the session id, the code and the time.
type SessionError struct {
	// Code is Meta's error code (error_code, formerly error_id). [graph.Lookup] explains it. 0 if
	// there was none.
	Code graph.Code

	// Message is the text of the popup, in the language of the business. Never use it as HTML.
	Message string

	// SessionID names the run of the flow.
	SessionID string

	// At is when it happened.
	At graph.Timestamp
}

// A SessionEvent is the way in which the popup ended. More values may come; [SessionInfo.Kind]
// sorts them by their beginning.
type SessionEvent string

// Events that Meta documents.
const (
	EventFinish                SessionEvent = "FINISH"                                  // done, mostly with a number
	EventFinishOnlyWABA        SessionEvent = "FINISH_ONLY_WABA"                        // done without a number
	EventFinishBusinessApp     SessionEvent = "FINISH_WHATSAPP_BUSINESS_APP_ONBOARDING" // done, coexistence
	EventFinishGrantOnlyAccess SessionEvent = "FINISH_GRANT_ONLY_API_ACCESS"            // app-only install done
	EventFinishOBOMigration    SessionEvent = "FINISH_OBO_MIGRATION"                    // moved from an OBO account
	EventCancel                SessionEvent = "CANCEL"                                  // left, or reported an error
	EventError                 SessionEvent = "ERROR"                                   // ended by an error
)

// A Screen names a screen of the popup. More values may come.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/embedded-signup/errors
type Screen string

// Screens that Meta documents.
const (
	ScreenBusinessAccount    Screen = "BUSINESS_ACCOUNT_SELECTION"      // choosing the portfolio
	ScreenWABA               Screen = "WABA_PHONE_PROFILE_PICKER"       // choosing the WhatsApp Business Account
	ScreenProfile            Screen = "WHATSAPP_BUSINESS_PROFILE_SETUP" // creating the WhatsApp Business Account
	ScreenPhoneNumber        Screen = "PHONE_NUMBER_SETUP"              // entering the number
	ScreenNumberVerification Screen = "PHONE_NUMBER_VERIFICATION"       // entering the verification code
	ScreenPermissions        Screen = "PERMISSIONS"                     // the review at the end
)

// A SessionKind is the kind of a [SessionInfo], across all versions of the popup. Switch on it, and
// not on the Event.
type SessionKind string

// Kinds of ends.
const (
	KindFinished         SessionKind = "finished"           // Cloud API flow done
	KindFinishedNoNumber SessionKind = "finished_no_number" // done without a number
	KindCoexistence      SessionKind = "coexistence"        // a WhatsApp Business app number was connected
	KindAppOnly          SessionKind = "app_only"           // app-only install done
	KindOBOMigration     SessionKind = "obo_migration"      // moved from an "on behalf of" account
	KindFinishedUnknown  SessionKind = "finished_unknown"   // done in a way this package does not know
	KindCanceled         SessionKind = "canceled"           // left before the end
	KindFailed           SessionKind = "failed"             // ended by an error
	KindUnknown          SessionKind = "unknown"            // neither an end nor an error
)

// Finished reports whether the flow reached its end. A code comes with it, or has come, or gets
// lost on the way.
func (k SessionKind) Finished() bool {
	switch k {
	case KindFinished, KindFinishedNoNumber, KindCoexistence, KindAppOnly, KindOBOMigration, KindFinishedUnknown:
		return true
	}
	return false
}

// Kind sorts the event. Any FINISH… is a finish, any CANCEL… a cancellation, any ERROR… an error,
// and so is a cancellation that carries one.
func (s *SessionInfo) Kind() SessionKind {
	finished := s.Event.is(EventFinish)
	switch {
	case s.Error != nil && (!finished || s.Error.Code != 0 || s.Error.Message != ""):
		return KindFailed // whatever the event is called; a session id alone does not spoil a finish
	case s.Event == EventFinishBusinessApp, s.Event == EventFinish && s.BusinessAppUser:
		return KindCoexistence
	case s.Event == EventFinish:
		return KindFinished
	case s.Event == EventFinishOnlyWABA:
		return KindFinishedNoNumber
	case s.Event == EventFinishGrantOnlyAccess:
		return KindAppOnly
	case s.Event == EventFinishOBOMigration:
		return KindOBOMigration
	case finished:
		return KindFinishedUnknown
	case s.Event.is(EventCancel):
		return KindCanceled
	case s.Event.is(EventError):
		return KindFailed
	}
	return KindUnknown
}

// is reports whether e is a member of the family that begins with first: ERROR and ERROR_…, not
// ERRORS.
func (e SessionEvent) is(first SessionEvent) bool {
	return e == first || strings.HasPrefix(string(e), string(first)+"_")
}
