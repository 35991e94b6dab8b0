// Package templates caches the message templates of WhatsApp accounts, so that a message which Meta
// would refuse is refused before it is sent, and a marketing message goes to where Meta takes it.
//
//	cache, err := templates.New(templates.Config{Store: db.Store(), Client: clients})
//	tracker, err := coexistence.NewTracker(coexistence.Config{
//		…, Send: cache.Send, TemplateCategory: cache.Category,
//	})
//	box, err := db.Outbox(outbox.Config{Tracker: tracker, Send: cache.Send})
//	…
//	handler := webhook.MultiHandler(tracker, box, cache, &mux)
//
// # What is true when
//
// The templates of an account are listed when the first of them is asked for, and then changed by
// webhooks: subscribe to message_template_status_update, template_category_update,
// message_template_quality_update and message_template_components_update. A webhook reaches one
// process, so each process lists an account again once an hour (Config.MaxAge). Nothing is refused
// by a list that is older than a minute: it is read again before.
//
// [Cache.List] is what a page offers, with what can be sent and what cannot; [Cache.Check] says why
// not, before a campaign is queued.
//
// If a list cannot be read, messages are sent as they are, and Meta decides.
//
// # Marketing
//
// With Config.Marketing, templates whose latest category is marketing go through
// [cloudapi.MessagesService.SendMarketing]. Meta changes categories by itself, so a template may be
// refused on either way (codes 131063, 131055, 134100). Those refusals prove that nothing was sent:
// the message goes the other way, once.
//
// Guide: https://github.com/seed-9f2bcc2b/whatsapp-coexistence/blob/main/docs/campaigns.md
package templates
