// Package usage counts the messages that a WhatsApp number is billed for, and those that are free.
//
//	meter, err := db.Usage(usage.Config{})
//	in, err := db.Inbox(webhook.MultiHandler(tracker, box, meter, &mux), inbox.Config{})
//	…
//	month, err := meter.Month(ctx, phone, time.Now())
//	fmt.Println(month.FreeServiceLeft(), month.Lines)
//	cost, err := month.Cost(rates) // your table of prices
//
// # What is counted
//
// Meta bills a message when it is delivered, by the pricing in its statuses: category, type and,
// seldom, subtype ([webhook.Pricing]). The status sent announces it and is not counted, because the
// message may never arrive. The status delivered repeats it, or read, where the chat was open and
// delivered was skipped. A [Meter] counts the first of delivered, read and played that has a
// pricing, once for each message, and for each participant of a message to a group, since Meta
// bills those one by one. All repeats change nothing.
//
// Not counted is what has no pricing: failed messages, statuses from before the pricing of July
// 2025 now and then, and what the owner writes in the WhatsApp Business app, which is free. Nor is
// what another responder of the number sends ([webhook.StandbyStatus]): its owner pays for it.
//
// # The free tier
//
// Since 2026-10-01, 1,000 delivered service messages are free per number and calendar month, those
// in groups included; nothing is carried over. Meta says with each message whether it was one of
// them, so a price never depends on a count of ours. [Month.FreeServiceLeft] is an estimate for
// people. An account without a payment method gets nothing delivered beyond the free tier, as
// providers report.
//
// Meta does not say (November 2026) in which time zone a month begins. UTC is assumed; see
// Config.Location. It does not say either by which moment a message belongs to a month: the time of
// the status is assumed, which is when it was delivered. Nor whether messages of other responders
// take from the same 1,000.
//
// # Prices
//
// The SDK has no price in it: rates change each quarter, differ by market and currency, and have
// volume tiers. A [RateFunc] is your table. Meta's invoice is what counts; compare with
// cloudapi.AnalyticsService.Pricing.
//
// # Budgets
//
// With Config.Budget, Config.OnBudget is called when the messages of a number have cost that much
// in a month: once, also across restarts and processes. It warns; it stops nothing.
//
// # Exactly once
//
// That a message was counted, and the count, are stored in one transaction. So a meter may be
// called again for the same event, in any process and after any crash. Put it beside the tracker,
// in front of inbox.InTx: it has transactions of its own.
//
// # What is stored
//
// No phone number, name or text: counts, and for 90 days a hash of each message's id. They are
// deleted when the number is forgotten (coexistence.Tracker.Forget), and do not come back. Of a
// person who is forgotten, the count and the hash stay; they do not say whose they are.
//
// Guide: https://github.com/seed-9f2bcc2b/whatsapp-coexistence/blob/main/docs/campaigns.md
package usage
