package health

// A Code says why a part is as it is. Codes are stable; later versions add some.
type Code string

const (
	CodeNotConfigured Code = "not_configured" // the Config has nothing to look at
	CodeNotConnected  Code = "not_connected"  // there is nothing to judge while the number is away
	CodeNotRead       Code = "not_read"       // Meta was not asked yet, by this process
	CodeUnreadable    Code = "unreadable"     // it was asked and gave no answer
	CodeNotShown      Code = "not_shown"      // Meta does not show it to this app

	CodeSuspended Code = "suspended" // a warning for a day, broken after it
	CodeRemoved   Code = "removed"

	CodeSyncDue     Code = "sync_due" // half of the 24 hours have passed
	CodeSyncStalled Code = "sync_stalled"
	CodeSyncExpired Code = "sync_expired"
	CodeSyncFailed  Code = "sync_failed"

	CodeQualityMedium Code = "quality_medium"
	CodeQualityLow    Code = "quality_low"
	CodeFlagged       Code = "flagged"
	CodeRateLimited   Code = "rate_limited"
	CodeLimitReached  Code = "limit_reached"

	CodeBanned       Code = "banned"
	CodeBanScheduled Code = "ban_scheduled"
	CodeRestricted   Code = "restricted" // broken if messages are restricted, else a warning
	CodeViolation    Code = "violation"  // of the last 30 days

	CodeTokenMissing  Code = "token_missing"
	CodeTokenExpired  Code = "token_expired"
	CodeTokenExpiring Code = "token_expiring" //nolint:gosec // within 14 days; no token stands here
	CodeTokenRefused  Code = "token_refused"

	CodePhoneIdle Code = "phone_idle" // for ten days

	CodeNotSubscribed         Code = "not_subscribed"
	CodeFieldsMissing         Code = "fields_missing"
	CodeOverride              Code = "callback_override"
	CodeOptionalFieldsMissing Code = "optional_fields_missing"
	CodeAppUnknown            Code = "app_unknown"

	CodePaymentMissing Code = "payment_missing" // nothing pays for an account, or it fails

	CodeSilent Code = "silent" // for longer than Config.MaxSilence

	CodeUndecodable Code = "undecodable"
	CodeDrift       Code = "drift"

	CodeDeadLetters  Code = "dead_letters"
	CodeBacklog      Code = "backlog" // a warning after a minute, broken after ten
	CodeHandlersHang Code = "handlers_hang"
	CodeSendsUnknown Code = "sends_unknown" // for two hours

	CodeOtherResponder Code = "other_responder" // no fault: the part is OK
)

// advice says what to do about each code.
var advice = map[Code]string{
	CodeNotConfigured: "nothing to do, or set the member of health.Config that it takes",
	CodeNotConnected:  "nothing to do here: see the connection",
	CodeNotRead:       "call Monitor.Read, or set Config.ReadInterval and wait for Monitor.Run",
	CodeUnreadable:    "look at the error of the call and ask again",
	CodeNotShown:      "nothing to do here: Meta shows it to solution partners alone; others see 131042 when they send",

	CodeSuspended: "pause sending and keep everything; the business opens the WhatsApp Business app and confirms the " +
		"connection (show Connection.Remedy). After a day, write to it",
	CodeRemoved: "stop sending, show Connection.Remedy to the business, and offer the signup again",

	CodeSyncDue: "see that Tracker.Run is running and what it logs: contacts and history can be requested once, " +
		"within 24 hours of the signup",
	CodeSyncStalled: "go through Number.Checklist; most often the phone is offline or a webhook field is missing",
	CodeSyncExpired: "too late: the number works without its past; to import it, the business disconnects in the app " +
		"and signs up again",
	CodeSyncFailed: "look up the code of the sync; to import, the business disconnects in the app and signs up again",

	CodeQualityMedium: "recipients block or report messages: send less marketing, to people who have agreed, and " +
		"look at the templates' quality",
	CodeQualityLow: "stop marketing on this number until the rating is back: blocks and reports keep its limit down",
	CodeFlagged:    "the quality was low for a while: stop marketing; Meta looks again within days",
	CodeRateLimited: "send less at a time and wait; if it stays, look whether something beside the outbox sends for " +
		"this number",
	CodeLimitReached: "Meta takes no more messages to new people for now: wait a day, and see the limit in Meta's " +
		"WhatsApp Manager",

	CodeBanned: "the business appeals in Meta's business support; nothing can be sent until the ban is lifted",
	CodeBanScheduled: "the business has to act before the date of the ban: have it look at the account's policy " +
		"status in Meta's business settings",
	CodeRestricted: "show the restrictions and their ends to the business; it can appeal in Meta's business support",
	CodeViolation:  "show the violation to the business before Meta restricts the account: it names what to change",

	CodeTokenMissing:  "there is no token for the number: have the business connect it again",
	CodeTokenExpired:  "have the business connect again: nothing can be sent or read with this token",
	CodeTokenExpiring: "have the business connect again before the token ends",
	CodeTokenRefused: "Meta refuses the token, or the business has taken the number away: have it connect again, or " +
		"look at its permissions in Meta's business settings",

	CodePhoneIdle: "ask the business to open the WhatsApp Business app: after about two weeks without, Meta " +
		"disconnects the number",

	CodeNotSubscribed: "subscribe the app to every account that holds the number (WABAs.Subscribe): without, Meta " +
		"sends nothing and says nothing",
	CodeFieldsMissing: "tick the missing webhook fields in the app dashboard under WhatsApp, Configuration",
	CodeOverride: "remove the callback override (Phones.SetWebhook, WABAs.SetWebhook), unless it leads to this host " +
		"as well",
	CodeOptionalFieldsMissing: "tick the fields in the app dashboard before the business sends marketing, or lets " +
		"another responder answer",
	CodeAppUnknown: "give the client AppID and AppSecret, so that our app can be told from others",

	CodePaymentMissing: "have the business add a payment method in WhatsApp Manager, or share your line of credit: " +
		"until then Meta refuses what is not free (131042)",

	CodeSilent: "write to the number from another phone; if nothing arrives, look at the webhooks and at the log of " +
		"the endpoint",

	CodeUndecodable: "some events do not fit their types and wait as they came: update this module, then replay the " +
		"dead letters",
	CodeDrift: "nothing is lost; update this module to get what is new as typed members",

	CodeDeadLetters:  "look at their Reason, fix it, then Inbox.ReplayDeadLetters",
	CodeBacklog:      "look at slow or failing handlers and at the database; add processes if both are well",
	CodeHandlersHang: "find the handler that does not heed its context, mend it, and restart the process",
	CodeSendsUnknown: "ask the customer or look at the phone, then Outbox.Requeue or Outbox.Cancel each",

	CodeOtherResponder: "ask Tracker.MayAnswer before a bot answers: something else answers customers of this number",
}
