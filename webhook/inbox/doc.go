// Package inbox is a durable inbox for WhatsApp webhooks: it stores each delivery before it is
// acknowledged and handles each event once, in order. It follows the message inbox pattern: Meta is
// answered in milliseconds, a crash loses nothing, and a failure is tried again and never given up
// silently.
//
//	// A file, on one machine:
//	in, err := sqliteinbox.Open(ctx, "data/inbox.db", &mux, inbox.Config{Logger: logger})
//	// PostgreSQL, for several:
//	in, err := pginbox.Open(ctx, url, &mux, inbox.Config{Logger: logger})
//	…
//	endpoint, err := webhook.NewEndpoint(cfg, in)
//
// A host that follows numbers opens coexistence/sqlite or coexistence/postgres, which hold the
// inbox too. The packages sqliteinbox, pginbox and natsinbox (NATS JetStream) below this one are
// for hosts that store nothing else; they bring a driver and the settings that make it durable.
// [New] takes any [Store], such as a [MemStore], which forgets everything when the process ends.
//
// # What is promised
//
//   - Meta gets its 200 when the delivery is on the disk, and 503 if it cannot be put there: then
//     Meta keeps it, and repeats it for 7 days.
//   - Every event of an accepted delivery reaches the handler, until the handler returns nil or an
//     error that is [webhook.Permanent], or [Config.MaxAttempts] are over. Then it is a dead
//     letter, which stays until it is replayed or deleted.
//   - What Meta repeats within 8 days is dropped, whole deliveries and single events alike, by
//     [webhook.EventInfo.DedupKey]. A placeholder that comes after the message that it stands for
//     is dropped too.
//   - The events of a conversation, which is a business's number and a customer, are handled one
//     after the other, in the order in which they arrived. Conversations do not wait for each
//     other. What conversations are to stores is a lane: see [Record].
//   - History and address books never hold up what is live, statuses never hold up what customers
//     write, and a number holds up no other one: numbers take turns, and none of them has more than
//     three quarters of the workers ([Config.Workers]).
//
// A handler sees an event twice if the process dies within it, or between its end and the commit
// that says so. [InTx] closes that gap for what a handler writes to the store's own database. For a
// message that is sent, nothing can.
//
// # How a delivery travels
//
//  1. Receive stores the raw body under its hash. Requests that wait share a commit. Nothing is
//     decoded yet, so no bug in a decoder can lose anything.
//  2. A worker decodes the delivery, and stores in one transaction which events it consists of, and
//     that it is split. The events are its rows; the body stays until the last of them is done.
//  3. Workers claim conversations that have something to do, for a lease that they prolong as long
//     as they live, run through them in order, and settle many events in a commit. What fails comes
//     again after a pause, and its conversation waits for it.
//
// # Failures
//
// An error of the handler, a panic and a timeout are all the same: the event comes again, after
// [DefaultBackoff]. Its conversation waits, so that an answer never overtakes the question: with
// the defaults for about eight hours, until the event has failed 20 times and is a dead letter.
// Mark errors that a repeat cannot fix with [webhook.Permanent], and the conversation continues at
// once.
//
// A handler that ignores the end of its context, at [Config.HandlerTimeout], keeps its conversation
// and, after a grace of some seconds, no worker: another one takes over, and what the handler
// returns in the end decides what becomes of the event. [Metrics] count such handlers; there are as
// many as workers at most. Beyond that, workers wait.
//
// A crash within a handler (os.Exit, a fatal error of the runtime, out of memory) interrupts
// everything else that is in progress. All of that counts as abandoned ([Record.Abandoned]), goes
// behind everything that is ready, and starts again once something of its conversation is settled.
// What was abandoned twice in a row is in quarantine: it is handled with nothing else in progress
// in the process, which happens when the process is idle for a moment, or at the latest when 30
// seconds have passed and what is in progress ends within ten more. So the event that ends the
// process is found. After five times it is a dead letter, whose reason says so; nothing else
// becomes one.
//
// A process that died holds its conversations until their lease is over. A process that was stopped
// and continues after its lease starts none of the events that it had claimed, and cannot settle
// those that were in a handler ([ErrLeaseLost]). A store that does not answer is asked again and
// again; meanwhile the endpoint answers 503. All of it resumes by itself.
//
// # Dead letters
//
//	for l, err := range in.DeadLetters(ctx, inbox.Filter{}) {
//		…
//		ev, err := l.Event() // what was given up, if it can be decoded
//		…
//		fmt.Println(l.ID, l.DeadAt, ev.Info().Field, l.Reason)
//	}
//	n, err := in.ReplayDeadLetters(ctx, ids...) // after the bug is fixed
//
// An event that this release cannot decode is passed to the handler, and is a dead letter even if
// the handler returns nil: its bytes are kept until a later release understands them. Replaying
// decodes the delivery again; events that were handled are known, and do not come again. A dead
// letter of a delivery is kept as long as you like, but events without a key
// ([webhook.EventInfo.DedupKey]) come again with it.
//
// # Watching it
//
// [Inbox.Metrics] returns the backlog, the age of its oldest event, and counts of what was done.
// [Config.Observe] is called for each attempt. [Inbox.StatusPage] is a page for people. Alert on a
// growing OldestLive, and on any dead letter.
//
// # Shutting down
//
// First the HTTP server, so that nothing more arrives, then the inbox:
//
//	err = errors.Join(server.Shutdown(ctx), in.Shutdown(ctx))
//
// # What is kept, and for how long
//
// Bodies, which hold customers' numbers and texts, are deleted with the last of their events.
// Hashed keys, hashed names of conversations and the ids of the business's numbers stay for 8 days.
//
// # Many events in one step
//
// A handler that is a [webhook.Preparer], as a coexistence.Tracker is, gets live events before they
// are handled, as many as were claimed meanwhile. It stores what they tell in one transaction,
// which is what makes it keep up with the inbox. [webhook.MultiHandler], [webhook.Once] and [InTx]
// pass that on; a wrapper of your own does if it has the method Prepare. An event that failed
// before, or during which a process died, is handled without.
//
// # Engines of your own
//
// A host with a broker implements [Sink], receives with [SinkReceiver], and consumes with its own
// workers. An implementation of [Store] gets the workers of this package; package inboxtest checks
// that the implementation keeps its promises.
//
// Guide: https://github.com/seed-9f2bcc2b/whatsapp-coexistence/blob/main/docs/receive.md
package inbox
