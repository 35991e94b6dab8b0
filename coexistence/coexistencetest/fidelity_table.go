package coexistencetest

// A reliance names a behaviour where it happens.
type reliance int

const (
	// Signup: what the popup does, and what the host is told of it.
	relyPopup reliance = iota // whatever happens in the popup
	relyQR
	relyPartnerEvents
	relyAccount
	relySecondAccount
	relySyncOnce
	relySyncStalls
	relyHistory
	relyEmptyChunk
	relyEmptyHistory
	// What a history holds of messages that were changed, and of files.
	relyHistoryText
	relyMediaDetail
	relyDeclined
	relyHistoryAgain
	relyContacts
	relyContactChanges
	relyEchoes
	relyMediaURL
	// Messages from here on: what Cloud API sent, what it cannot show, and what is changed
	// afterwards.
	relyMirror
	relyUnavailable
	relyCustomerEdits
	relyPhoneEdits
	relyMoved
	relyWindow
	relyReceipts
	// The end of coexistence, for a while or for good.
	relyOffboarded
	relyReconnected
	relyRemoved
	relyRemovedNamed
	relyIdle
	relyOtherApp
	// Deliveries: bytes, repeats, addresses, and what is not delivered at all.
	relyEscapes
	relyRepeats
	relyOverride
	relySilence
	relyBatch
	relyNotify
	relyTap
	relyTemplateDeletion
	// Other responders of the number.
	relyRouting
	relyStandby
	relyHandover
	relyTakeOver
	// relyCount is how many there are.
	relyCount
)

// docs is where Meta's pages are. Dates in the table are those that the pages print, or the day of
// a report.
const docs = "https://developers.facebook.com/documentation/business-messaging/whatsapp/"

const (
	onboardingDocs = docs + "embedded-signup/onboarding-business-app-users"
	signupDocs     = docs + "embedded-signup/implementation"
	errorDocs      = docs + "embedded-signup/errors"
	historyDocs    = docs + "webhooks/reference/history"
	echoDocs       = docs + "webhooks/reference/smb_message_echoes"
	contactDocs    = docs + "webhooks/reference/smb_app_state_sync"
	accountDocs    = docs + "webhooks/reference/account_update"
	routingDocs    = docs + "conversation-routing/"
	reconnectDocs  = docs + "embedded-signup/reconnect-offboarded-coexistence-clients"
	inTheField     = "reported from the field"
)

// behaviours is everything that a test can come to rely on, in the order of a number's life.
// Several rows can share an id, where one happening in the world rests on all of them. A row
// without a source is marked as assumed; a later finding replaces it, with its date.
var behaviours = []Behavior{
	{id: relyPopup, What: "coexistence needs featureType whatsapp_business_app_onboarding", Source: onboardingDocs,
		Date: "2026-02-04"},
	{id: relyPopup, What: "without it the popup silently adds an ordinary number", Source: inTheField,
		Date: "2026-09-04"},
	{
		id: relyPopup, What: "versions 2 and 3 of the flow fall back to the ordinary one after 2026-10-15",
		Source: "Meta's blog, quoted", Date: "2026-05-14",
	},
	{id: relyPopup, What: "the finish event names the account alone", Source: onboardingDocs, Date: "2026-06-26"},
	{id: relyPopup, What: "finish events with the number, or marked is_wa_login_user", Source: inTheField},
	{id: relyPopup, What: "closing the last screen is finishing", Source: signupDocs, Date: "2026-06-28"},
	{
		id: relyPopup, What: "CANCEL with current_step, user-reported errors with code and session id",
		Source: errorDocs,
		Date:   "2026-02-24",
	},
	{id: relyPopup, What: "which code the popup shows for which reason", Source: errorDocs, Date: "2026-02-24"},
	{id: relyPopup, What: "the wait of 15 minutes after a disconnect", Source: errorDocs, Date: "2026-02-24"},
	{id: relyPopup, What: "five wrong codes and the popup refuses more", Assumed: true},
	{id: relyPopup, What: "the flow for new numbers can end with one that is not verified", Source: docs +
		"embedded-signup/versions", Date: "2026-05-21"},
	{id: relyPopup, What: "a code is good for 30 seconds, once", Source: signupDocs, Date: "2026-06-28"},
	{id: relyQR, What: "a QR code stands for the code that is typed", Source: onboardingDocs, Date: "2025-12-08"},
	{
		id: relyPartnerEvents, What: "PARTNER_ADDED, then PARTNER_APP_INSTALLED nine seconds later, under the " +
			"partner's portfolio",
		Source: inTheField,
	},
	{id: relyPartnerEvents, What: "PARTNER events need no subscription to the account", Assumed: true},
	{id: relyAccount, What: "a subscription to the account ends with the account's access", Assumed: true},
	{
		id: relySecondAccount, What: "a second account that lists the same number and sends the webhooks",
		Source: inTheField,
		Date:   "2026-09",
	},
	{id: relySyncOnce, What: "each sync works once per onboarding and for 24 hours", Source: onboardingDocs,
		Date: "2026-06-26"},
	{id: relySyncOnce, What: "a repeated sync answers code 4 with subcode 2593107", Source: inTheField,
		Date: "2026-09"},
	{id: relySyncStalls, What: "an accepted sync can stay without any webhook", Source: inTheField, Date: "2026-09"},
	{
		id: relyHistory, What: "history in three phases, out of order, 180 days, media details for 14 days",
		Source: historyDocs,
		Date:   "2026-05-21",
	},
	{id: relyEmptyChunk, What: "an empty last chunk with progress 100", Source: inTheField},
	{id: relyEmptyHistory, What: "an empty history sends one empty chunk", Assumed: true},
	{id: relyHistory, What: "chunk_order begins at 1 in every phase", Source: historyDocs, Date: "2026-05-21"},
	{id: relyHistory, What: "progress counts messages", Assumed: true},
	{
		id: relyHistoryText, Assumed: true,
		What: "history holds the latest text of an edited message, neither deleted messages nor notices",
	},
	{
		id: relyMediaDetail, What: "media details with another time and sender than the placeholder",
		Source: historyDocs,
		Date:   "2026-05-21",
	},
	{id: relyDeclined, What: "a declined history is an error 2593109 by webhook", Source: docs + "support/error-codes"},
	{id: relyHistoryAgain, What: "a new onboarding sends messages again that were live in the last one", Assumed: true},
	{id: relyContacts, What: "contacts in batches, an edit is an add", Source: contactDocs, Date: "2026-05-21"},
	{id: relyContactChanges, What: "changes to contacts are sent even if the contacts were never asked for",
		Assumed: true},
	{id: relyEchoes, What: "echoes of what is written, edited and deleted on the phone", Source: echoDocs,
		Date: "2026-05-21"},
	{
		id: relyMediaURL, What: "webhooks hold the URL of a file, which works for five minutes and wants the token",
		Source: docs + "business-phone-numbers/media",
	},
	{id: relyMirror, What: "no echo for what is sent through Cloud API", Assumed: true},
	{id: relyUnavailable, What: "131060 first, the real message later under the same id", Source: inTheField,
		Date: "2026-07-30"},
	{
		id: relyCustomerEdits, What: "customers edit for 15 minutes and delete for two days",
		Source: docs + "webhooks/reference/messages/edit",
	},
	{id: relyPhoneEdits, What: "the same limits on the phone", Assumed: true},
	{
		id: relyMoved, What: "a system message when a customer changes number, with a new user id", Source: docs +
			"business-scoped-user-ids",
		Date: "2026-08-11",
	},
	{
		id: relyWindow, What: "a message outside the 24-hour window is accepted and then fails with 131047",
		Source: docs + "support/error-codes",
	},
	{
		id: relyWindow, What: "only what customers write after the onboarding opens the window", Source: onboardingDocs,
		Date: "2026-06-26",
	},
	{id: relyReceipts, What: "delivered and read a second apart", Assumed: true},
	{
		id: relyReconnected, What: "ACCOUNT_OFFBOARDED and then an earlier time in ACCOUNT_RECONNECTED",
		Source: accountDocs,
		Date:   "2026-09-11",
	},
	{id: relyOffboarded, What: "sends fail while a number is offboarded", Source: reconnectDocs, Date: "2026-05-18"},
	{id: relyOffboarded, What: "they fail with 133010, and the number reads DISCONNECTED and NOT_APPLICABLE",
		Assumed: true},
	{id: relyOffboarded, What: "what happens while a number is offboarded is never told", Source: reconnectDocs,
		Date: "2026-05-18"},
	{id: relyReconnected, What: "nothing can be synced again after a reconnect", Assumed: true},
	{
		id: relyRemoved, What: "PARTNER_REMOVED with disconnection_info, and 100/33 to reads from then on",
		Source: accountDocs,
		Date:   "2026-04-20",
	},
	{
		id: relyRemovedNamed, What: "PARTNER_REMOVED with phone_number alone while another number stays in the account",
		Assumed: true,
	},
	{id: relyIdle, What: "a phone that nobody uses for 14 days is disconnected (PRIMARY_INACTIVITY)",
		Source: accountDocs, Date: "2026-04-20"},
	{
		id: relyOtherApp, What: "a number that moves to consumer WhatsApp, or is changed, is disconnected",
		Source: accountDocs,
		Date:   "2026-04-20",
	},
	{
		id: relyEscapes, What: "bodies escape everything outside of ASCII, and slashes", Source: docs +
			"webhooks/create-webhook-endpoint",
	},
	{id: relyBatch, What: "several changes in a POST, up to 1000 and 3 MB", Source: docs +
		"webhooks/create-webhook-endpoint"},
	{id: relyRepeats, What: "repeats until 200, for seven days", Source: docs + "webhooks/overview"},
	{id: relyRepeats, What: "the pauses between repeats", Assumed: true},
	{id: relyOverride, What: "which fields follow an override", Source: docs + "webhooks/override", Date: "2026-06-28"},
	{
		id: relyTap, What: "answers to buttons, lists and Flows quote the message that they belong to",
		Source: docs + "webhooks/reference/messages/interactive", Date: "2026-09-11",
	},
	{id: relyTap, What: "the payload of a quick reply without one is its text", Assumed: true},
	{
		id: relyTemplateDeletion, What: "a template that is deleted brings PENDING_DELETION, without a reason",
		Assumed: true,
	},
	{
		id: relyRouting, What: "with routing each message reaches one responder; what is no one's, the one whose " +
			"entry point it is",
		Source: routingDocs + "overview", Date: "2026-10-12",
	},
	{
		id: relyRouting, What: "Meta's agent is the first in every conversation that is no one's",
		Source: routingDocs + "prepare-before-enabling-meta-business-agent, quoted", Date: "2026-09-30",
	},
	{
		id: relyRouting, What: "a conversation is no one's after 24 hours without the customer",
		Source: routingDocs + "thread-lifecycle, quoted",
	},
	{id: relyRouting, What: "131070 comes as the answer to a send", Assumed: true},
	{
		id: relyStandby, What: "copies of another responder's conversation under standby, one list in each",
		Source: docs + "webhooks/reference/standby", Date: "2026-08-04",
	},
	{id: relyStandby, What: "no copy of what another responder says in the host's own conversation", Assumed: true},
	{
		id: relyHandover, What: "control_passed to the new owner alone, control_taken to the former one alone",
		Source: docs + "webhooks/reference/messaging-handovers", Date: "2026-09-22",
	},
	{
		id: relyTakeOver, What: "the escalation partner takes a conversation by sending",
		Source: docs + "webhooks/reference/messaging-handovers", Date: "2026-09-22",
	},
	{
		id: relyTakeOver, What: "without a configuration, a message takes over from Meta's agent",
		Source: docs + "webhooks/reference/standby", Date: "2026-08-04",
	},
	{id: relyNotify, What: "the value of a webhook that a test has composed itself", Assumed: true},
	{id: relySilence, What: "what nobody subscribes to is lost without a word", Source: onboardingDocs,
		Date: "2026-06-26"},
}
