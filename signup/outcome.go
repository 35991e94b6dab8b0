package signup

import "github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"

// An Outcome is the outcome of a signup, or its state. Store it as it is; the values do not change.
type Outcome string

// Outcomes that come without an error: the business is connected.
const (
	OutcomeReady             Outcome = "ready"              // works in the app and on Cloud API, webhooks arrive
	OutcomeNeedsRegistration Outcome = "needs_registration" // webhooks arrive; to be registered. Never for coexistence
)

// Outcomes about the number, mostly for the business to settle.
const (
	OutcomeFellBack     Outcome = "fell_back"     // an ordinary number instead of one of the WhatsApp Business app
	OutcomeNotFinished  Outcome = "not_finished"  // in the app, not on Cloud API yet
	OutcomeChooseNumber Outcome = "choose_number" // several numbers to choose from
	OutcomeNoNumber     Outcome = "no_number"     // no number granted
	OutcomeNoAccount    Outcome = "no_account"    // no account could be found
	OutcomeTaken        Outcome = "taken"         // Config.Reserve or Config.Connected said [ErrTaken]
)

// Outcomes of the popup. No token was granted.
const (
	OutcomeCanceled      Outcome = "canceled"      // the business left or refused
	OutcomeFailed        Outcome = "failed"        // ended by an error of Meta's
	OutcomeNoCode        Outcome = "no_code"       // no code arrived, yet
	OutcomeMisconfigured Outcome = "misconfigured" // launched or exchanged with wrong settings
)

// Outcomes of the code and its token. A code works once, so that almost all of them need a new
// popup.
const (
	OutcomeCodeExpired       Outcome = "code_expired"       // older than 30 seconds
	OutcomeCodeUsed          Outcome = "code_used"          // exchanged before
	OutcomeCodeLost          Outcome = "code_lost"          // it is not known whether the exchange happened
	OutcomeCodeRefused       Outcome = "code_refused"       // refused for another reason
	OutcomeWrongRedirect     Outcome = "wrong_redirect"     // exchanged with a different redirect URI than the dialog's
	OutcomeForeignToken      Outcome = "foreign_token"      // the token belongs to another app
	OutcomeTokenInvalid      Outcome = "token_invalid"      // the token is revoked or expired
	OutcomeMissingPermission Outcome = "missing_permission" // the token may not do what is needed
	OutcomeNotGranted        Outcome = "not_granted"        // the browser named what the token does not cover
)

// Outcomes of the state nonce. The page is reloaded, and begins again.
const (
	OutcomeStateUnknown Outcome = "state_unknown" // not issued by this host, or long ago
	OutcomeStateExpired Outcome = "state_expired" // issued too long ago
	OutcomeStateUsed    Outcome = "state_used"    // submitted before
	OutcomeWrongTenant  Outcome = "wrong_tenant"  // issued to another tenant
)

// Outcomes of the steps that some hosts ask for. The token is granted, and kept.
const (
	OutcomeOverrideRefused     Outcome = "override_refused"      // Meta did not accept the URL of Config.Override
	OutcomeCreditRefused       Outcome = "credit_refused"        // Meta did not let the line of credit be shared
	OutcomeOtherCredit         Outcome = "other_credit"          // another line of credit pays for the account already
	OutcomeNumberUnverified    Outcome = "number_unverified"     // an ordinary number that is not verified
	OutcomeVerificationSent    Outcome = "verification_sent"     // a verification code is on its way to the number
	OutcomeVerificationNotSent Outcome = "verification_not_sent" // Meta refuses to send one now
	OutcomeVerificationWrong   Outcome = "verification_wrong"    // another code was entered than the one that was sent
	OutcomePINMismatch         Outcome = "pin_mismatch"          // the number has another PIN
	OutcomeRegisterLimit       Outcome = "register_limit"        // registered ten times in 72 hours
	OutcomeRegisterLate        Outcome = "register_late"         // more than 14 days after the signup
)

// Outcomes that leave everything open: the same state may be submitted again, or resumed.
const (
	OutcomeNotSubscribed Outcome = "not_subscribed" // the app is still not subscribed to the account
	OutcomeUnavailable   Outcome = "unavailable"    // Meta or the host did not answer properly
)

// An outcomeInfo is what is known about an [Outcome].
type outcomeInfo struct {
	advice    string
	actor     graph.Actor
	resumable bool
	status    int // of the HTTP answer of Flow.Handler
}

// outcomes has a row for every Outcome. Advice for [graph.ActorBusiness] is shown to people who
// know nothing of Meta's words; that for the developer may name settings and methods.
var outcomes = map[Outcome]outcomeInfo{
	OutcomeReady: {
		"The number works in the WhatsApp Business app and on Cloud API. " +
			"Request contacts and history within 24 hours.",
		graph.ActorDeveloper, false, 200,
	},
	OutcomeNeedsRegistration: {
		"The number is granted and not on Cloud API yet. Verify it unless it is verified, then register it.",
		graph.ActorDeveloper, true, 200,
	},
	OutcomeFellBack: {
		"This number is not in the WhatsApp Business app: the popup took the way for new numbers. Start again, " +
			"choose to connect the existing WhatsApp Business app and enter its number.",
		graph.ActorBusiness, true, 409,
	},
	OutcomeNotFinished: {
		"The number is in the WhatsApp Business app and has not reached Cloud API yet. Keep the app open, " +
			"confirm the connection there, then try again in a minute.",
		graph.ActorBusiness, true, 409,
	},
	OutcomeChooseNumber: {"Several numbers can be connected. Choose one.", graph.ActorBusiness, true, 409},
	OutcomeNoNumber: {
		"No number was connected. Start again and connect the number of the WhatsApp Business app.",
		graph.ActorBusiness, true, 409,
	},
	OutcomeNoAccount: {
		"No WhatsApp Business Account could be found. Wait for the account_update webhook PARTNER_ADDED, which " +
			"names it; put its id into Connection.WABAID and resume.",
		graph.ActorDeveloper, true, 409,
	},
	OutcomeTaken: {
		"This number is already connected to another account here. Disconnect it there first.",
		graph.ActorBusiness, true, 409,
	},

	OutcomeCanceled: {
		"The signup was not finished. Start again at any time.",
		graph.ActorBusiness, false, 422,
	},
	OutcomeFailed: {
		"Meta ended the signup with an error. Start again; if it fails again, give the code, the session id and " +
			"the time to Meta's support.",
		graph.ActorBusiness, false, 422,
	},
	OutcomeNoCode: {
		"Meta sent no code. If the business did finish the popup, wait for the account_update webhook " +
			"PARTNER_ADDED, which names the account, and fetch its token with the system user's; else start again.",
		graph.ActorDeveloper, true, 422,
	},
	OutcomeMisconfigured: {
		"The signup is set up wrongly. Check the app id, the app secret and the configuration id, and open " +
			"FB.login with exactly the options of Flow.Launch.",
		graph.ActorDeveloper, false, 422,
	},

	OutcomeCodeExpired: {
		"The code is older than 30 seconds. Start again, and submit the code as soon as it arrives.",
		graph.ActorBusiness, false, 422,
	},
	OutcomeCodeUsed: {
		"The code was exchanged before, and works once. If the first time did not connect the number, start again.",
		graph.ActorBusiness, false, 422,
	},
	OutcomeCodeLost: {
		"The answer to the exchange got lost, and the code may be spent. Start again.",
		graph.ActorBusiness, false, 503,
	},
	OutcomeCodeRefused: {"Meta did not accept the code. Start again.", graph.ActorBusiness, false, 422},
	OutcomeWrongRedirect: {
		"The code was made for another redirect URI. Submit the URI of the dialog, letter by letter, or none if " +
			"the code came from FB.login's callback; then start again.",
		graph.ActorDeveloper, false, 422,
	},
	OutcomeForeignToken: {
		"The token belongs to another app. Use the app id and the configuration id of one app.",
		graph.ActorDeveloper, false, 422,
	},
	OutcomeTokenInvalid: {"The token is revoked or expired. Start again.", graph.ActorBusiness, false, 422},
	OutcomeMissingPermission: {
		"A permission is missing. The app needs Advanced Access to whatsapp_business_management and " +
			"whatsapp_business_messaging, and the configuration must ask for both.",
		graph.ActorDeveloper, true, 403,
	},
	OutcomeNotGranted: {
		"The business did not grant what the page named. Start again, and grant the account and number to connect.",
		graph.ActorBusiness, false, 403,
	},

	OutcomeStateUnknown: {"This page is no longer known. Reload it and start again.", graph.ActorBusiness, false, 410},
	OutcomeStateExpired: {
		"This page has been open for too long. Reload it and start again.",
		graph.ActorBusiness, false, 410,
	},
	OutcomeStateUsed: {
		"This was submitted before. Reload the page and start again if needed.",
		graph.ActorBusiness, false, 409,
	},
	OutcomeWrongTenant: {
		"This was started by another account. Sign in as the one who started it, reload the page and start again.",
		graph.ActorBusiness, false, 403,
	},

	OutcomeOverrideRefused: {
		"The number is connected, and its webhooks go to the app's own URL still. Check that the other URL " +
			"answers the handshake within six seconds and that the app is subscribed to messages, then resume, " +
			"before any sync.",
		graph.ActorDeveloper, true, 409,
	},
	OutcomeCreditRefused: {
		"The line of credit was not shared. Check the rights of the system user, and that the terms of the " +
			"Credit Allocation API are accepted, then resume.",
		graph.ActorDeveloper, true, 409,
	},
	OutcomeOtherCredit: {
		"Another line of credit pays for this account, and an attached one cannot be exchanged. Have it taken " +
			"off where it comes from, or use a new account.",
		graph.ActorDeveloper, true, 409,
	},
	OutcomeNumberUnverified: {
		"The number is not verified. Have a code sent to it and enter the code to continue.",
		graph.ActorBusiness, true, 409,
	},
	OutcomeVerificationSent: {
		"A code of six digits is on its way to the number. Enter it to continue.",
		graph.ActorBusiness, true, 409,
	},
	OutcomeVerificationNotSent: {
		"The code could not be sent. Wait a few minutes, or have it sent the other way: by text or by a call.",
		graph.ActorBusiness, true, 409,
	},
	OutcomeVerificationWrong: {
		"That is not the code that was sent. Check it, or have another one sent.",
		graph.ActorBusiness, true, 409,
	},
	OutcomePINMismatch: {
		"The number has another PIN for two-step verification. Enter that PIN, or turn it off in WhatsApp Manager.",
		graph.ActorBusiness, true, 409,
	},
	OutcomeRegisterLimit: {
		"The number was registered ten times within three days, and is locked for three days. Wait, then continue.",
		graph.ActorBusiness, true, 409,
	},
	OutcomeRegisterLate: {
		"The signup is more than 14 days old, and the number can no longer be registered. Start again.",
		graph.ActorBusiness, false, 409,
	},

	OutcomeNotSubscribed: {
		"The app is not subscribed to the account, so no webhooks will come. Try again, before any sync.",
		graph.ActorDeveloper, true, 503,
	},
	OutcomeUnavailable: {
		"A service did not respond. Try again in a minute; no new signup is needed.",
		graph.ActorNone, true, 503,
	},
}

// Advice returns what to do, in sentences. Those for the business can be shown to it; see
// [Outcome.Actor]. It is empty for an Outcome that this package does not know.
func (o Outcome) Advice() string { return outcomes[o].advice }

// Actor is the party that has to act, for whom Advice is written.
func (o Outcome) Actor() graph.Actor { return outcomes[o].actor }

// Resumable reports whether the signup can go on without a new popup, once what Advice says is
// done: with [Flow.Resume], or by submitting the same state again without a code. For
// [OutcomeNoCode] it goes on when the code comes after all.
func (o Outcome) Resumable() bool { return outcomes[o].resumable }

// Connected reports whether the business is connected: it can be called for, and its webhooks
// arrive.
func (o Outcome) Connected() bool { return o == OutcomeReady || o == OutcomeNeedsRegistration }
