// Package cloudapi calls WhatsApp's Cloud API and the Graph API around it, with the token of one
// business.
//
//	client, err := cloudapi.NewClient(cloudapi.Config{
//		AppID:       graph.AppID(os.Getenv("APP_ID")),
//		AppSecret:   graph.Secret(os.Getenv("APP_SECRET")),
//		AccessToken: graph.Secret(os.Getenv("ACCESS_TOKEN")),
//	})
//	if err != nil {
//		return err
//	}
//	sent, err := client.Messages.Send(ctx, phone, cloudapi.Message{
//		To:      cloudapi.ToPhone("+1 555 010 0123"),
//		Content: &cloudapi.Text{Body: "Your order is on its way."},
//	})
//
// The phone is a graph.PhoneNumberID, which is not a phone number: Embedded Signup and every
// webhook name it.
//
// # Tokens
//
// Every business that goes through Embedded Signup has a token of its own. Make one client at
// start-up and a copy for each business; copies are cheap and share connections, settings and
// limiter:
//
//	business := client.WithToken(token)
//
// The token of a call travels in its Authorization header. Only what Meta takes in no other place
// is in a URL: the code and the app secret of an exchange, the token that [OAuthService.DebugToken]
// asks about. With [Config].AppSecret set, every call carries the proof that Meta can be told to
// require. Tokens and secrets are [graph.Secret] values, which do not print themselves.
//
// # Errors
//
// A call that did not succeed returns an [*Error]. Match it by code or by class:
//
//	switch {
//	case errors.Is(err, graph.CodeReengagementMessage):
//		// more than a day since the customer wrote: send a Template
//	case errors.Is(err, graph.ErrThrottled):
//		// later
//	case errors.Is(err, graph.ErrAuth), errors.Is(err, graph.ErrAccessLost):
//		// the business took its permission away, or the token has expired
//	case errors.Is(err, cloudapi.ErrValidation):
//		// the request breaks a documented rule and was not sent
//	}
//
// No error, log line or [Attempt] holds a token, a recipient, a message text or a URL, even when
// Meta repeats one.
//
// # Retries and Outcome
//
// Meta has no idempotency key: a message whose request timed out may have been accepted, and
// sending it again delivers, and bills, it twice. So each call has a rule ([RetryMode]) for what
// may be repeated by itself:
//
//   - reads, and calls that set a state: after broken connections and errors of Meta's servers;
//   - sends: only when Meta's answer proves that nothing was done (codes 4, 80007, 80008, 130429,
//     131056 and 131057), or when the request never left;
//   - the exchange of a code and [PhonesService.SyncAppData]: never.
//
// What remains is returned with an [Outcome]. After [OutcomeRefused] and [OutcomeNotSent] the
// caller may try again, once the cause is cured; [Error.SafeToRetry] reports whether waiting alone
// cures it. After [OutcomeUnknown] it must not do so blindly: give every message its own
// [Message].CallbackData, and see whether a status webhook with it arrives.
//
// Pauses follow Meta: the minutes of its usage header, 4^X seconds for too many messages to one
// person, Retry-After, else exponential with jitter. A pause that would outlast
// [RetryPolicy].MaxWait or the context ends the call at once, with [Error].RetryAfter.
//
// # Limits
//
// Every client has a [Limiter], which its copies share. It keeps each number at the 20 messages a
// second of a coexistence number, keeps the rule for messages to one person, and slows down when
// Meta says so. [Config].Limiter makes it know numbers that may be faster. Messages of a campaign
// say so with [Message].Priority, and let replies go first.
//
// # Accepted is not delivered
//
// A [SentMessage] means that Meta took the message. Whether it was delivered, and most reasons why
// not, arrive as status webhooks.
//
// # Messages
//
// A [Message] has a [Recipient] and a [Content], which reads like the message: [Text], [Image],
// [Location], [Contacts], [Template] … An [Interactive] message is made of texts and an [Action]:
// [ReplyButtons], [List], [LinkButton], [FlowButton], [Carousel] … Meta's documented limits are
// checked before anything is sent; [ValidationErrors] takes the error apart, and
// [Message].SkipValidation leaves limits to Meta. A Message encodes as JSON and decodes again, so
// that an outbox can keep it.
//
// # Files
//
// [MediaService] streams files in both directions. A download gives the token to Meta's media
// servers only, follows no redirect, has a limit of size, and checks the announced SHA-256.
// [UploadsService] makes the handles that templates and profile pictures need.
//
// # Lists
//
// A method that lists returns an [iter.Seq2] and fetches page after page as it goes. The first
// error ends it.
//
// # Results beside an error
//
// Blocking people and deciding on join requests can work in part: [BlockService.Add] and
// [GroupsService.Approve] then return a result and an error. [FlowsService.UploadJSON] and the
// migrations tell what failed in their results, without an error.
//
// # Coexistence numbers are never registered
//
// A number that lives in the WhatsApp Business app is registered by that app. Registering or
// deregistering it through the API takes the number away from the phone, so
// [RegistrationService.Register] takes the number as Get read it, and refuses one that is in the
// app. Check [Phone.Coexists] after onboarding; ask for contacts and history with
// [PhonesService.SyncAppData], once each, within a day.
//
// # Tests
//
// Package cloudapitest is a fake Graph API for the tests of a host: it has every call, checks
// messages as Meta does, and can be told to throttle, to accept and then cut the connection, or to
// fail at random.
//
// # What has no method
//
// COVERAGE.md, beside this file, lists all methods with their endpoints. [Do] makes any other call
// with all of the above. [RawContent], [RawComponent] and [RawParameter] carry message content that
// has no type here yet.
//
// Guide: https://github.com/seed-9f2bcc2b/whatsapp-coexistence/blob/main/docs/send.md
package cloudapi
