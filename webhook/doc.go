// Package webhook verifies WhatsApp webhook deliveries and decodes them into typed events.
//
//	var mux webhook.Mux
//	webhook.On(&mux, func(ctx context.Context, m *webhook.IncomingMessage) error {
//		return inbox.Add(ctx, m.Phone, m.From.Key(), m.ID) // a customer wrote
//	})
//	webhook.On(&mux, func(ctx context.Context, e *webhook.MessageEcho) error {
//		return bot.Pause(ctx, e.Phone, e.Customer().Key()) // someone at the business wrote, on the phone
//	})
//	endpoint, err := webhook.NewEndpoint(webhook.Config{
//		AppSecret:   graph.Secret(os.Getenv("APP_SECRET")),
//		VerifyToken: graph.Secret(os.Getenv("VERIFY_TOKEN")),
//	}, webhook.Dispatch(&mux))
//	…
//	http.Handle("/webhook", endpoint)
//
// The events are [IncomingMessage], [UnavailableMessage], [MessageStatus], [MessageEcho], [HistoryChunk], [HistoryMedia],
// [HistoryFailure], [AppStateSync], [AccountUpdate], [UserAction] and [NumberProblem]; [Unknown] and [Undecodable] carry
// everything else. Nothing that Meta signed is dropped.
//
// # Nothing arrives
//
// Three switches have to be on, and none of them reports an error while it is off: the app subscribes to the field
// ([Mux.Fields] says which ones your handlers need), the app is subscribed to the WhatsApp Business Account (POST
// /{waba-id}/subscribed_apps), and the app is in Live mode.
//
// # Redelivery
//
// Meta delivers at least once, in no order. It repeats a delivery, whole, until it is answered with 200, for up to 7
// days, and to every subscribed app even if only one of them failed. A handler that returns an error asks for that; one
// that returns nil acknowledges. So a handler has to bear repeats of what it has done already. Mark an error with
// [Permanent] if a repeat cannot help, or Meta sends the same bytes for a week. There is no way to fetch what was
// missed.
//
// # Deduplication
//
// [EventInfo.Key] is the same in each repeat of an event. Store it together with the effect of the event, in one
// transaction, and keep it for 8 days. Marking before the work loses events in a crash; marking after it does them
// twice. [Once] wraps a handler to do neither. Where nothing tells a repeat from a new occurrence there is no key
// ([NumberProblem], [HistoryFailure], the chunk that only ends a history): treat such an event as a state, not as
// something to count.
//
// The signature covers no time, so whoever once obtained a signed body can send it again. Keys are the protection.
//
// # Slow work
//
// Meta wants an answer within 250 milliseconds for most deliveries, and one history delivery holds thousands of
// messages. Do not start goroutines to be faster: what they have not finished is lost in a restart, acknowledged. Store
// the [Delivery] instead, acknowledge, and decode it later:
//
//	recv := webhook.ReceiverFunc(func(ctx context.Context, d webhook.Delivery) error {
//		if err := db.Store(ctx, d.Body, d.ReceivedAt); err != nil {
//			return fmt.Errorf("%w: %w", webhook.ErrUnavailable, err) // 503: Meta keeps it
//		}
//		return nil
//	})
//
// A worker then calls [Delivery.Events], or Receive of [Dispatch].
//
// # Who is the customer
//
// Phone numbers are optional since 2026: people can hide theirs behind a username. [graph.Identity.Key] names a person
// by what there is. Which side a person is on differs from event to event, so the events answer it: Customer is who
// wrote, whom the business wrote to, whose contact changed. Route by [EventInfo.Phone], never by the display number.
//
// # Coexistence
//
// On a number that is in the WhatsApp Business app too, what the business writes on its phone arrives as [MessageEcho].
// It is never an IncomingMessage, so a bot that answers every IncomingMessage cannot answer its owner. Past messages
// arrive as [HistoryChunk]: notify nobody, answer nothing. The address book arrives as [AppStateSync]. A message whose
// text stays on the phone arrives as [UnavailableMessage]; the text may follow under the same id. Package coexistence
// keeps track of all that.
//
// # Memory
//
// [EventInfo.Raw] and all other raw bytes alias the body of the delivery. Clone what you keep longer than the delivery;
// strings need no cloning. Walk a HistoryChunk with [HistoryChunk.Messages], which decodes as it goes.
//
// # Behind a proxy
//
// The signature depends on nothing but the body's bytes: neither host nor path nor headers. A proxy must pass the body on
// unchanged, up to 3 MB of it, and the header [SignatureHeader]; nothing in front of the endpoint may read the body.
//
// Meta can present a client certificate (mTLS, switched on per app): the name in it is
// client.webhooks.fbclientcerts.com, signed since March 2026 by Meta's own root, which the app dashboard's
// documentation links. Ask for it in [crypto/tls.Config], with ClientCAs and ClientAuth, or in the proxy. The addresses
// that deliveries come from change too often to rely on.
//
// An http.Server needs ReadHeaderTimeout and ReadTimeout of its own; a handler cannot set them.
//
// # Callback overrides
//
// An account or a number can have a callback URL of its own. Not everything follows it: account_update and the template
// fields always go to the app's URL. A host that gives each customer a URL has to serve the app's URL as well, or never
// learns that a number was disconnected.
package webhook
