// Package signup connects a business through Meta's Embedded Signup for WhatsApp and returns its
// token, account and phone number.
//
// Embedded Signup is a popup of Meta's. A business signs in with Facebook, chooses to connect its
// WhatsApp Business app, types the number and confirms on the phone. The popup returns a code for
// an access token, and mostly the id of a WhatsApp Business Account. This package opens the popup
// with the right options, reads every answer, and turns it into a [Connection] with a working token
// and subscribed webhooks:
//
//	flow, err := signup.NewFlow(signup.Config{
//		ConfigurationID: "…",    // app dashboard: Facebook Login for Business, Configurations
//		Client:          client, // a cloudapi.Client with AppID and AppSecret
//		Page:            signup.PageConfig{Tenant: tenantOf}, // of a request, by the host's login
//		Connected:       store,                               // the connected business
//	})
//	…
//	mux.Handle("/signup/", flow.Handler())
//
// Then put one tag into a page of your own:
//
//	<script src="/signup/connect.js" defer></script>
//
// The script tells the business what happens, asks [PageConfig].Check whether the number is
// eligible, opens the popup and shows the result. A host with a page of its own making calls
// [Flow.Launch], [Flow.StartAttempt] and [Flow.Finish] in place of [Flow.Handler]. [Diagnose] tells
// a developer what is set up wrongly; try it with "go run ./signup/doctor", and the page with "go
// run ./examples/signup".
//
// # In the language of the business
//
// The page is in the first language of the browser that it has: English, Portuguese of Brazil,
// Spanish, Indonesian, Hindi, Arabic from right to left, French, German or Italian; else in
// English. So are the advice for the business, what PageCheck of package coexistence/eligibility
// says, and Meta's SDK. A host whose product has one language says so in the tag, and a host with
// words of its own puts them into the page:
//
//	<script src="/signup/connect.js" defer data-lang="pt-BR"></script>
//
//	<script type="application/json" id="words">{"lang": "pt-BR", "done": "Tudo certo!"}</script>
//	<script src="/signup/connect.js" defer data-texts="#words"></script>
//
// The names of the words are those of TEXTS in connect.js; what is not among them comes from the
// page's own texts in the language, or in English. What Go code sees of an [Outcome] or a
// [CheckReason] is always English.
//
// # What Meta asks of a host
//
// As of November 2026: an app of a Solution Partner or of a Tech Provider, with Advanced Access to
// whatsapp_business_management and whatsapp_business_messaging; a webhook that answers; and
// Embedded Signup with session logging, which v4 always does. Ten new businesses can sign up in
// seven days, and 200 once Meta has verified the business and reviewed the app and its access. No
// call returns the partner status; [Diagnose] lists it among the things that only you can check, in
// the app dashboard.
//
// # Step by step
//
//  1. The host renders a page: [Flow.StartAttempt] gives it a nonce bound to the signed-in tenant,
//     [Flow.Launch] the options for FB.init and FB.login. Both are fetched before the click, since
//     browsers block a popup that opens after a pause.
//  2. The business goes through the popup. Two things come back to the page, in either order, and
//     each of them may stay away: a window message from facebook.com ([ParseSessionInfo]), and the
//     argument of FB.login's callback with the code ([ParseLoginResponse]).
//  3. The page sends both to the host, as they are. [Flow.Finish] exchanges the code, checks the
//     token, finds the accounts and the number, verifies it, asks the host ([Config].Reserve) and
//     subscribes the app to every account that holds the number. If the host wants it, it sends the
//     webhooks elsewhere ([Config].Override), shares a line of credit ([Config].Credit) and
//     verifies and registers an ordinary number ([Config].PIN). The steps are listed at [Step];
//     [Config].Progress is called after each.
//  4. [Config].Connected stores the [Connection], its token encrypted; the host requests contacts
//     and history within 24 hours.
//
// A number that lives in the WhatsApp Business app is registered by that app. Nothing here
// registers or deregisters one: the steps of [ModeCoexistence] have no way to.
//
// # Thirty seconds
//
// The code lives for [CodeTTL], 30 seconds, and works once. So it is exchanged before anything
// else, and an exchange is never repeated: after a lost answer the code may be spent
// ([OutcomeCodeLost]), and a new signup is needed. What it brought is kept in [Config].Store at
// once; from then on the page, [Flow.Resume] or [Flow.ResumeConnection] go on without a code,
// whatever fails.
//
// # What may arrive, and what may not
//
// The message of a WhatsApp Business app user names, by Meta's own documentation, an account and no
// number. It may also name the wrong one of two accounts that hold the number, come without a code,
// or not come at all:
//
//   - Code and message: the normal case.
//   - Code alone: enough. The accounts are found from the token.
//   - Message alone: [OutcomeNoCode]. The code may still come and be submitted under the same
//     state. If it does not, the account_update webhook PARTNER_ADDED names the account of a
//     finished signup, and [Flow.Recover] fetches the token with the system user's.
//   - A message that a number was finished, while the popup had silently taken the way for new
//     numbers: [OutcomeFellBack]. That happens with configurations and versions that Meta retired
//     ([Versions]), and looks like success everywhere else.
//
// Where Meta's SDK is blocked or the popup cannot open, [Launch.RedirectURL] sends the browser to
// the same dialog, and [ParseRedirect] reads what comes back. There is no message then.
//
// # Outcomes
//
// A nil error of Finish means that the business is connected. Every other end is an [*Error] with
// an [Outcome] and advice:
//
//   - The business tries again: [OutcomeCanceled], [OutcomeFailed], [OutcomeFellBack],
//     [OutcomeNoNumber], [OutcomeNotGranted], [OutcomeCodeExpired], [OutcomeCodeUsed],
//     [OutcomeCodeLost], [OutcomeCodeRefused], [OutcomeTokenInvalid], [OutcomeStateUnknown],
//     [OutcomeStateExpired], [OutcomeStateUsed], [OutcomeWrongTenant]. Show the advice and a
//     button. So with [OutcomeRegisterLate].
//   - The business decides or waits: [OutcomeChooseNumber] (show [Connection].Numbers),
//     [OutcomeNotFinished], [OutcomeTaken], [OutcomePINMismatch], [OutcomeRegisterLimit]. An
//     ordinary number that is to be registered may have to be verified before:
//     [OutcomeNumberUnverified], [OutcomeVerificationSent], [OutcomeVerificationNotSent],
//     [OutcomeVerificationWrong] (submit the same State with SendCode, then with VerificationCode;
//     the page asks for both).
//   - The same submission can go on later: [OutcomeUnavailable], [OutcomeNotSubscribed].
//   - The developer acts: [OutcomeMisconfigured], [OutcomeWrongRedirect], [OutcomeForeignToken],
//     [OutcomeMissingPermission], [OutcomeNoCode], [OutcomeNoAccount], [OutcomeOverrideRefused],
//     [OutcomeCreditRefused], [OutcomeOtherCredit].
//
// Where [Outcome.Resumable] is true and a token was granted, the Connection comes with the error.
//
// # What Meta changes
//
// As of November 2026: v2 and v3 of the popup ended on 2026-10-15, and v4 is what a launch asks
// for. Meta has announced v5 for the first half of 2027, with [SessionInfo].PrimaryWAACs; its form
// of launch was not readable. In the account model evolution an ordinary number is onboarded into a
// messaging account per partner, up to five for a business, whose id stands where that of the
// WhatsApp Business Account stood. Coexistence is the exception: Meta converts the account that the
// business has, and its id stays. WhatsApp Login signs a business in by its app, without Facebook:
// an open beta since October 2026, for partners that Meta admits one by one, not in the EU.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/account-model-evolution/onboarding
//
// # Who may connect what
//
// Everything the browser sends is a claim. The nonce of StartAttempt works once and only for the
// tenant it was made for, so that no third page can submit its code in a signed-in business's name.
// An account or number in the message counts only if the granted token can read it, so that no
// business can name another one's. Config.Reserve has the last word, before anything changes at
// Meta.
//
// Codes, tokens and the app secret are in no error, log line or answer of this package.
//
// # Restarts and several processes
//
// Every attempt is a record in [Config].Store: what the popup said, the token, each step that is
// done. It is encrypted with [Config].Cipher before it is stored. The process that answers /finish
// need not be the one that answered /begin, and when a process dies, another goes on, with the page
// or with [Flow.ResumeAll]. What can be done only once is noted before it is done, so that it is
// not done again: the exchange of a code never, a registration or a shared line of credit only
// after Meta's own records show that it did not happen.
//
// [MemStore], the default, is for one process and forgets at a restart; coexistence/sqlite and
// coexistence/postgres keep records in a database. Package signup/signuptest tests a Store of your
// own.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/embedded-signup/onboarding-business-app-users
//
// Guide: https://github.com/seed-9f2bcc2b/whatsapp-coexistence/blob/main/docs/connect.md
package signup
