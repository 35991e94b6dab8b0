package coexistencetest

// A Behaviour is something that the simulator does because Meta does it, or because it had to do something.
type Behaviour struct {
	// What it is.
	What string

	// Source is Meta's page, or who reported it. Empty if it is assumed.
	Source string

	// Date is the revision or the day of the report, as far as it is known.
	Date string

	// Assumed means that nobody has told, and that the truth may differ.
	Assumed bool
}

const docs = "https://developers.facebook.com/documentation/business-messaging/whatsapp/"

// Fidelity says for each simulated behaviour how it is known. Look here before you believe a test.
func Fidelity() []Behaviour {
	const (
		onboarding = docs + "embedded-signup/onboarding-business-app-users"
		signup     = docs + "embedded-signup/implementation"
		history    = docs + "webhooks/reference/history"
		echoes     = docs + "webhooks/reference/smb_message_echoes"
		contacts   = docs + "webhooks/reference/smb_app_state_sync"
		account    = docs + "webhooks/reference/account_update"
		field      = "reported from the field"
	)
	return []Behaviour{
		{What: "coexistence needs featureType whatsapp_business_app_onboarding", Source: onboarding, Date: "2026-02-04"},
		{What: "without it the popup silently adds an ordinary number", Source: field, Date: "2026-09-04"},
		{What: "versions 2 and 3 of the flow fall back to the ordinary one after 2026-10-15", Source: "Meta's blog, quoted", Date: "2026-05-14"},
		{What: "the finish event names the account alone", Source: onboarding, Date: "2026-06-26"},
		{What: "finish events with the number, or marked is_wa_login_user", Source: field},
		{What: "closing the last screen is finishing", Source: signup, Date: "2026-06-28"},
		{What: "CANCEL with current_step, user-reported errors with code and session id", Source: docs + "embedded-signup/errors", Date: "2026-02-24"},
		{What: "which code the popup shows for which reason", Source: docs + "embedded-signup/errors", Date: "2026-02-24"},
		{What: "the wait of 15 minutes after a disconnect", Source: docs + "embedded-signup/errors", Date: "2026-02-24"},
		{What: "five wrong codes and the popup refuses more", Assumed: true},
		{What: "a code is good for 30 seconds, once", Source: signup, Date: "2026-06-28"},
		{What: "PARTNER_ADDED, then PARTNER_APP_INSTALLED nine seconds later, under the partner's portfolio", Source: field},
		{What: "PARTNER events need no subscription to the account", Assumed: true},
		{What: "a subscription to the account ends with the account's access", Assumed: true},
		{What: "a second account that lists the same number and sends the webhooks", Source: field, Date: "2026-09"},
		{What: "each sync works once per onboarding and for 24 hours", Source: onboarding, Date: "2026-06-26"},
		{What: "a repeated sync answers code 4 with subcode 2593107", Source: field, Date: "2026-09"},
		{What: "an accepted sync can stay without any webhook", Source: field, Date: "2026-09"},
		{What: "history in three phases, out of order, 180 days, media details for 14 days", Source: history, Date: "2026-05-21"},
		{What: "an empty last chunk with progress 100", Source: field},
		{What: "an empty history sends one empty chunk", Assumed: true},
		{What: "chunk_order begins at 1 in every phase", Source: history, Date: "2026-05-21"},
		{What: "progress counts messages", Assumed: true},
		{What: "media details with another time and sender than the placeholder", Source: history, Date: "2026-05-21"},
		{What: "a declined history is an error 2593109 by webhook", Source: docs + "support/error-codes"},
		{What: "a new onboarding sends messages again that were live in the last one", Assumed: true},
		{What: "contacts in batches, an edit is an add", Source: contacts, Date: "2026-05-21"},
		{What: "changes to contacts are sent even if the contacts were never asked for", Assumed: true},
		{What: "echoes of what is written, edited and deleted on the phone", Source: echoes, Date: "2026-05-21"},
		{What: "no echo for what is sent through Cloud API", Assumed: true},
		{What: "131060 first, the real message later under the same id", Source: field, Date: "2026-07-30"},
		{What: "customers edit for 15 minutes and delete for two days", Source: docs + "webhooks/reference/messages/edit"},
		{What: "the same limits on the phone", Assumed: true},
		{What: "a message outside the 24-hour window is accepted and then fails with 131047", Source: docs + "support/error-codes"},
		{What: "only what customers write after the onboarding opens the window", Source: onboarding, Date: "2026-06-26"},
		{What: "delivered and read a second apart", Assumed: true},
		{What: "ACCOUNT_OFFBOARDED and then an earlier time in ACCOUNT_RECONNECTED", Source: account, Date: "2026-09-11"},
		{What: "sends fail while a number is offboarded", Source: docs + "embedded-signup/reconnect-offboarded-coexistence-clients", Date: "2026-05-18"},
		{What: "they fail with 133010, and the number reads DISCONNECTED and NOT_APPLICABLE", Assumed: true},
		{What: "nothing can be synced again after a reconnect", Assumed: true},
		{What: "PARTNER_REMOVED with disconnection_info, and 100/33 to reads from then on", Source: account, Date: "2026-04-20"},
		{What: "PARTNER_REMOVED with phone_number alone while another number stays in the account", Assumed: true},
		{What: "bodies escape everything outside of ASCII, and slashes", Source: docs + "webhooks/create-webhook-endpoint"},
		{What: "repeats until 200, for seven days", Source: docs + "webhooks/overview"},
		{What: "the pauses between repeats, here a thousand times shorter", Assumed: true},
		{What: "which fields follow an override", Source: docs + "webhooks/override", Date: "2026-06-28"},
	}
}
