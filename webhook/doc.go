// Package webhook verifies WhatsApp webhook deliveries and decodes them into typed events.
//
//	var mux webhook.Mux
//	webhook.On(&mux, func(ctx context.Context, m *webhook.IncomingMessage) error {
//		return tickets.Add(ctx, m.PhoneNumberID, m.Customer().Key(), m.ID) // a customer wrote
//	})
//	webhook.On(&mux, func(ctx context.Context, e *webhook.BusinessAppEcho) error {
//		return bot.Pause(ctx, e.PhoneNumberID, e.Customer().Key()) // someone at the business wrote, on the phone
//	})
//	endpoint, err := webhook.NewEndpoint(webhook.Config{
//		AppSecret:   graph.Secret(os.Getenv("APP_SECRET")),
//		VerifyToken: graph.Secret(os.Getenv("VERIFY_TOKEN")),
//	}, webhook.Dispatch(&mux))
//	…
//	http.Handle("/webhook", endpoint)
//
// That is enough to begin. In production, an inbox takes the place of Dispatch: see "Slow work"
// below.
//
// Every webhook field that Meta documents has an event of its own; [UnknownEvent] and
// [UndecodableEvent] carry everything else. Nothing that Meta signed is dropped.
//
// # Fields
//
// The fields to subscribe to, and the events that then arrive. SINCE is the month in which Meta
// first documented the field, if known; the others are older than 2026. Pages are below
// https://developers.facebook.com/documentation/business-messaging/whatsapp/.
//
//	FIELD                               EVENT                                               SINCE    PAGE
//	messages                            IncomingMessage, UnavailableMessage, MessageStatus, -        webhooks/reference/messages
//	                                    UserAction, PhoneNumberError
//	history                             HistoryChunk, HistoryMedia, HistoryFailure          2025-02  webhooks/reference/history
//	smb_app_state_sync                  AppStateSync                                        2025-02  webhooks/reference/smb_app_state_sync
//	smb_message_echoes                  BusinessAppEcho                                     2025-02  webhooks/reference/smb_message_echoes
//	account_update                      AccountUpdate                                       -        webhooks/reference/account_update
//
//	message_echoes                      OtherAppEcho                                        2026-06  webhooks/override
//	calls                               Call, CallStatus                                    -        calling/reference
//	standby                             StandbyMessage, StandbyEcho, StandbyStatus          2026-08  webhooks/reference/standby
//	messaging_handovers                 MessagingHandover                                   2026     webhooks/reference/messaging_handovers
//	user_preferences                    UserPreference                                      -        webhooks/reference/user_preferences
//	automatic_events                    AutomaticEvent                                      -        embedded-signup/automatic-events-api
//	tracking_events                     TrackingEvent                                       2026     none
//
//	group_lifecycle_update              GroupLifecycleUpdate                                -        groups/webhooks
//	group_participants_update           GroupParticipantsUpdate                             -        groups/webhooks
//	group_participant_update            GroupParticipantsUpdate                             -        in Meta's OpenAPI document
//	group_settings_update               GroupSettingsUpdate                                 -        groups/webhooks
//	group_status_update                 GroupStatusUpdate                                   -        groups/webhooks
//
//	account_alerts                      AccountAlert                                        -        webhooks/reference/account_alerts
//	account_review_update               AccountReviewUpdate                                 -        webhooks/reference/account_review_update
//	account_settings_update             AccountSettingsUpdate                               -        webhooks/reference/account_settings_update
//	business_capability_update          BusinessCapabilityUpdate                            -        webhooks/reference/business_capability_update
//	business_username_updates           BusinessUsernameUpdate                              2026-06  business-scoped-user-ids
//	business_username_update            BusinessUsernameUpdate                              2026-02  its older name
//	partner_solutions                   PartnerSolution                                     -        webhooks/reference/partner_solutions
//	payment_configuration_update        PaymentConfigurationUpdate                          -        webhooks/reference/payment_configuration_update
//	phone_number_name_update            PhoneNumberNameUpdate                               -        webhooks/reference/phone_number_name_update
//	phone_number_quality_update         PhoneNumberQualityUpdate                            -        webhooks/reference/phone_number_quality_update
//	security                            SecurityUpdate                                      -        webhooks/reference/security
//
//	flows                               FlowUpdate                                          -        flows/reference/flowswebhooks
//	message_template_status_update      MessageTemplateStatusUpdate                         -        webhooks/reference/message_template_status_update
//	message_template_quality_update     MessageTemplateQualityUpdate                        -        webhooks/reference/message_template_quality_update
//	message_template_components_update  MessageTemplateComponentsUpdate                     -        webhooks/reference/message_template_components_update
//	template_category_update            TemplateCategoryUpdate                              -        webhooks/reference/template_category_update
//	template_correct_category_detection TemplateCorrectCategoryDetection                    2026     none
//
//	user_id_update                      UserIDUpdate                                        2026-03  withdrawn in 2026-08
//	business_status_update              UnknownEvent                                        -        none
//	consumer_profile                    UnknownEvent                                        2026-06  webhooks/override
//	template_performance_metrics        UnknownEvent                                        -        only in old lists
//	any other                           UnknownEvent
//	whatever does not fit its type      UndecodableEvent
//
// # Nothing arrives
//
// Four switches have to be on, and none of them reports an error while it is off:
//
//   - The callback URL and the verify token are set for the app, in its dashboard or with POST
//     /{app-id}/subscriptions. Meta then asks the [Endpoint] once whether it knows the token.
//   - The app subscribes to the field, in the same place. A field that is not ticked is not sent.
//     [Mux.Fields] says which ones your handlers need. The dashboard did not offer standby and
//     messaging_handovers to every app in 2026. Both are worth a tick before a number has another
//     responder: see "Other responders".
//   - The app is subscribed to the WhatsApp Business Account, each of them, with POST
//     /{waba-id}/subscribed_apps. This is the one that is missing most often.
//   - The app is in Live mode, and has the permission: whatsapp_business_messaging for messages,
//     whatsapp_business_management for all other fields. To serve other businesses, both need
//     Advanced Access.
//
// # Other responders
//
// A number can have several responders: other partners, and Meta Business Agent. Since September
// 2026 the business can route each conversation to one of them, without a change to your app: then
// a message under messages means that the conversation is yours, and what arrives under standby
// ([StandbyMessage]) is not for you to answer. [MessagingHandover] reports a conversation that
// changes hands. Subscribe to standby and messaging_handovers, or these conversations are lost
// without a trace. Two partners without such a configuration both get every message under messages,
// and neither can know.
//
// The person with the WhatsApp Business app is not a responder according to Meta's pages (November
// 2026). Package coexistence joins all of them into one answer to "may I answer?".
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/conversation-routing/overview
//
// # The dashboard's Test button
//
// It sends a signed delivery like any other, with values that stand for nothing: entry id "0",
// phone number id "123456123", a time of 2017, and a message id that is not a wamid and always the
// same: pressed again, it is a repeat, which [Dispatch] and an inbox drop for 8 days. Do not drop
// it for its age. What the dashboard shows beside the button is a lone change without an envelope;
// [Decode] takes that too. The samples of some fields differ from what production sends: standby is
// empty and so an [UnknownEvent], messaging_handovers has no type.
//
// # Redelivery
//
// Meta delivers at least once, in no order. It repeats a delivery, whole, until it is answered with
// 200, for up to 7 days, and to every subscribed app even if only one of them failed. A handler
// that returns an error asks for that; one that returns nil acknowledges. Events that were handled
// come again as well: see "Deduplication". Mark an error with [Permanent] if a repeat cannot help,
// or Meta sends the same bytes for a week. There is no way to fetch what was missed. For a number
// without storage at Meta (No Storage), the 7 days are 60 minutes: then the message is gone, and a
// [PhoneNumberError] with code 131035 is the only sign of it.
//
// # Deduplication
//
// [EventInfo.DedupKey] is the same in each repeat of an event. [Dispatch] drops repeats by it, in
// memory: good for one process, until it ends. An inbox does so across restarts and processes. A
// host that does it itself stores the key together with the effect of the event, in one
// transaction, and keeps it for 8 days: marking before the work loses events in a crash, marking
// after it does them twice. [Once] wraps a handler so that nothing is lost, and only a crash within
// the work does it twice.
//
// Where nothing tells a repeat from a new occurrence there is no key ([PhoneNumberError],
// [HistoryFailure], the chunk that only ends a history, a message without an id): such an event
// comes with each repeat. Treat it as a state, not as something to count.
//
// The signature covers no time, so a signed body that leaked can be sent again. Keys are the
// protection.
//
// # Slow work
//
// Meta expects an answer within 250 milliseconds for most deliveries, and one history delivery
// holds thousands of messages. Do not start goroutines to be faster: what they have not finished is
// lost in a restart, acknowledged. An inbox stores the delivery, acknowledges it, and handles its
// events later, each once and every conversation in order:
//
//	in, err := sqliteinbox.Open(ctx, "data/inbox.db", &mux, inbox.Config{})
//	…
//	endpoint, err := webhook.NewEndpoint(cfg, in)
//
// It is package inbox below this one, with packages for SQLite, PostgreSQL and NATS JetStream. A
// host with a queue of its own implements [Receiver], and returns an error that matches
// [ErrUnavailable] if the queue is down; its worker calls [Delivery.Events], or Receive of
// [Dispatch], which stays the same for all deliveries.
//
// # Who is the customer
//
// Phone numbers are optional since 2026: people can hide theirs behind a username.
// [graph.Identity.Key] names a person by what there is. Which side a person is on differs from
// event to event, so the events answer it: Customer is who wrote, whom the business wrote to, whose
// contact changed. Route by [EventInfo.PhoneNumberID], never by the display number.
//
// # Coexistence
//
// On a number that is in the WhatsApp Business app too, what the business writes on its phone
// arrives as [BusinessAppEcho]. It is never an IncomingMessage, so a bot that answers every
// IncomingMessage cannot answer its owner. Past messages arrive as [HistoryChunk]: notify nobody,
// answer nothing. The address book arrives as [AppStateSync]. A message whose text stays on the
// phone arrives as [UnavailableMessage]; the text may follow under the same id. Package coexistence
// keeps track of all that.
//
// # Memory
//
// [EventInfo.Raw] and all other raw bytes alias the body of the delivery. Clone what you keep
// longer than the delivery; strings need no cloning. Walk a HistoryChunk with
// [HistoryChunk.Messages], which decodes as it goes.
//
// # Secrets
//
// Each app signs with its own secret, and anyone who has it can sign for every number that the
// endpoint's receiver handles. When a secret is reset, keep the old one in
// [Config.AdditionalSecrets] for 8 days, because what Meta repeats can be signed with it, and then
// remove it.
//
// Several apps, such as one for each tenant, are distinguished by something that the body does not
// say: one URL path per app, and an [Endpoint] for each. Never look up the secret by a number's id
// in the body, which is not verified at that time: the owner of one valid secret could sign for
// another app's number. For the same reason, where several endpoints lead to one inbox, tracker or
// handler, check before that what arrives at an app's endpoint is about its numbers and accounts:
// both [EventInfo.PhoneNumberID] and [EventInfo.WABAID], where they are set, because the signer
// chooses both. The example of [NewEndpoint] does that. Later it is no longer known which app
// signed.
//
// # Behind a proxy
//
// The signature depends on nothing but the body's bytes: neither host nor path nor headers. A proxy
// must pass the body on unchanged, up to 3 MB of it, and the header [SignatureHeader]; nothing in
// front of the endpoint may read the body.
//
// Meta can present a client certificate (mTLS, switched on per app, never per account or number).
// The name in it is client.webhooks.fbclientcerts.com. Since 2026-03-31 it is signed by a root of
// Meta's own, which you download from the page below (meta-outbound-api-ca-2025-12.pem); an
// intermediate comes along, and the earlier public chain has expired. A server that ends TLS itself
// sets ClientCAs to that root and ClientAuth to RequireAndVerifyClientCert in [crypto/tls.Config],
// and compares the name. nginx needs ssl_verify_depth 3. A load balancer of AWS passes the subject
// in X-Amzn-Mtls-Clientcert-Subject: compare it in front of the endpoint, and only if nothing but
// the load balancer can reach you, because a header proves nothing by itself. Certificates come
// beside the signature, never in its place. The addresses that deliveries come from change too
// often to rely on.
//
// Meta: https://developers.facebook.com/docs/graph-api/webhooks/getting-started
//
// The endpoint gives a body 30 seconds to arrive, and room for what has arrived. The deadlines for
// headers and for idle connections belong to the server: set ReadHeaderTimeout and IdleTimeout of
// [http.Server].
//
// # Callback overrides
//
// A number or an account can have a callback URL of its own: the number's wins over the account's,
// and that over the app's. Since June 2026 these fields follow it: messages, message_echoes, calls,
// consumer_profile, messaging_handovers, the four of groups, smb_message_echoes,
// smb_app_state_sync, history and account_settings_update. All others, account_update and templates
// among them, always go to the app's URL. For standby Meta's pages differ: the newer one (autumn
// 2026) lets it follow, the older one does not, so be ready for it at both. A host that gives each
// customer a URL has to serve the app's URL as well, or never learns that a number was
// disconnected.
//
// An override's URL has at most 200 characters and a verify token of its own, which Meta asks for
// when it is set. No page says that bodies are signed with a different secret there than the app's.
//
// # What Meta adds
//
// Meta adds members and values every few weeks. Members without a place are in [EventInfo.Unknown],
// enumerations are strings with constants for the values known so far, and [Drift] counts what this
// package did not know, so that it can be logged.
//
// Guide: https://github.com/seed-9f2bcc2b/whatsapp-coexistence/blob/main/docs/receive.md
package webhook
