// Package media archives the files of WhatsApp messages: Meta's ids and links end within days, and
// what was not fetched by then is lost.
//
//	folder, err := media.OpenFolder("data/media")
//	archive, err := media.New(media.Config{Files: folder, Messages: db.Store(), Client: clients})
//	tracker, err := coexistence.NewTracker(coexistence.Config{…, WrapForget: archive.Forget})
//	…
//	in, err := db.Inbox(webhook.MultiHandler(tracker, &mux), inbox.Config{})
//	downloads, err := sqliteinbox.Open(ctx, "data/downloads.db", archive, inbox.Config{})
//	endpoint, err := webhook.NewEndpoint(cfg, media.Split(in, downloads))
//	…
//	file, err := archive.Open(ctx, message) // where the message is shown
//
// # An inbox of its own
//
// An [Archive] is a [webhook.Handler] that fetches the file of each event. Give it an inbox of its
// own, as above: that inbox tries a download again after a failure, for hours, in every process and
// across restarts, and no conversation waits for it, since handlers of messages run in the other
// one. A download has as long as its HandlerTimeout says, 5 minutes by default. [Split] hands it
// only the deliveries that have a file in them. What is refused for good is a dead letter there: a
// file that is too large or not what it claims to be, and one for which a number has no room.
// Replay it within the days that Meta keeps the file.
//
// # What is kept
//
// The files of what customers send, of what the business writes in the app, and of history, once
// the message is in the store: a number that is not followed and a person who was forgotten leave
// no file. A file is kept once for each message. [cloudapi.MediaService.Download] checks its
// SHA-256 while it arrives; nothing is kept of a file that does not pass. Files that the host sends
// through the API are the host's own.
//
// A [Store] is any place with three methods, such as [Folder], or a bucket as in examples/bucket.
// The key of a file follows from its message ([Key]), so nothing has to be stored beside it.
//
// # Forgetting
//
// [Archive.Forget] is made for coexistence.Config.WrapForget: whatever the tracker forgets loses
// its files, also what is older than its Retention. Call Tracker.Forget and not the store's own
// method, which knows nothing of the archive. The inbox of the downloads holds what waits and what
// was given up: have it forget, too ([inbox.Inbox.Forget]), before what the tracker does.
// examples/saas does all of this.
//
// Guide: https://github.com/seed-9f2bcc2b/whatsapp-coexistence/blob/main/docs/receive.md
package media
