// Package health says how WhatsApp numbers are, in one call: connection, quality, limits,
// restrictions, token, phone, webhooks, payment, deliveries, dead letters, backlog. A change of one
// of them is an event for the person on call.
//
//	arrivals := new(health.Arrivals)
//	in, err := db.Inbox(webhook.MultiHandler(tracker, box, &mux, arrivals), inbox.Config{})
//	monitor, err := health.New(health.Config{
//		Tracker: tracker, Token: db.Tokens().Get, Inbox: in, Outbox: box, Arrivals: arrivals,
//		ReadInterval: 6 * time.Hour,
//		OnChange: func(ctx context.Context, c health.Change) { … },
//	})
//	go monitor.Run(ctx)
//	…
//	h, err := monitor.Health(ctx, phone)
//
// # What a part says
//
// Each part of a [Health] has a [Status], a [Code] to translate or to filter by, and an advice in
// English for those who run the host. What is meant for the business is Connection.Remedy. A part
// that was not looked at, or could not be, is [StatusUnknown]: it is no alarm and no all-clear.
//
// # What comes from Meta
//
// [Monitor.Health] calls no one: it reads the store and what the process has counted. Quality,
// Limits, Webhooks and Payment, and whether Meta takes the token, are known once [Monitor.Read] has
// asked, or [Monitor.Run] with Config.ReadInterval. Health.ReadAt is when that was.
//
// # Changes, and restarts
//
// [Monitor.Run] looks at every number once a minute and calls Config.OnChange for each part that
// has changed. What it compares with is in memory. After a restart, the first look reports what is
// a warning or broken once more, and nothing about the rest.
//
// # Several processes
//
// Each process that runs a monitor reports each change, since each looks for itself: what it has
// read from Meta and what has arrived there is not the same everywhere. Let the receiver group by
// number and part, as pagers do (the key of an incident), or run it in one process, with the lease
// of a scheduler, say, and [Monitor.CheckAll]. Then Drift, and handlers that hang, are those of
// that process alone; all other parts follow from what the processes share.
//
// Guide: https://github.com/seed-9f2bcc2b/whatsapp-coexistence/blob/main/docs/going-live.md
package health
