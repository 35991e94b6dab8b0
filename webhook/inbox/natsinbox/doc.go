// Package natsinbox stores a WhatsApp webhook inbox in NATS JetStream, for one process or for many
// on several machines. PostgreSQL (pginbox) is the first choice for several machines; this is for
// hosts that have NATS already.
//
//	in, err := natsinbox.Open(ctx, "nats://nats:4222?monitor=http://nats:8222", &mux, inbox.Config{Logger: logger})
//	if err != nil {
//		return err
//	}
//	endpoint, err := webhook.NewEndpoint(cfg, in)
//
// Every process opens an inbox of its own with the same name. Each of them receives, and each
// handles conversations: a conversation is handled by one process at a time, and if that dies,
// another one takes over when the lease is over. Leases are measured by the server's clock. A
// process that was stopped longer than its lease finds that it can settle nothing any more.
//
// # The server has to sync
//
// JetStream acknowledges a message before it is on the disk, and syncs every two minutes, unless it
// is configured otherwise: with its defaults, a power failure loses minutes of acknowledged
// deliveries, which Meta does not repeat. So Open refuses a server without this setting, and any
// older than 2.10.23:
//
//	jetstream { store_dir: "/data", sync_interval: always }
//	http: 8222
//
// A client cannot read the setting over its own connection. The server shows it on its monitoring
// port, or to a user of the system account; Open needs one of them ([Config.Monitors],
// [Config.SystemConn]), for every server that keeps one of the streams. Without an answer, it
// refuses as well: [ErrNotDurable]. The proof is found again after each reconnect, before anything
// more is stored, and once a minute. If a server of a cluster is down, the inbox continues with the
// others; if it comes back with other settings, that is noticed within a minute.
//
// It cannot check that disks really sync, that no stream is changed between two checks, and that a
// server reports the settings in effect if they were reloaded without a restart. Replicas do not
// replace syncing: a power failure can hit all of them.
//
// # What is stored
//
// Three streams, of which NAME is Config.Name:
//
//   - NAME-bodies holds the bodies of deliveries until their events are handled. [Config.MaxBytes]
//     limits it.
//   - NAME-log holds what happened: deliveries, claims, outcomes. Many of them share one message,
//     and so one sync of the disk. Each process reads it and carries it out, so that all of them
//     know the same: order, leases, keys, dead letters.
//   - NAME-snapshots holds what the log amounts to. From time to time, one of the processes writes
//     it, and the log before it is deleted.
//
// They belong together: back them up and restore them together, and delete no messages in them. All
// processes that share an inbox run the same release; one that meets what it does not know stops
// with an error rather than to misunderstand.
//
// # A cluster
//
// With [Config].Replicas of 3 or 5, that many servers keep each stream, and the inbox goes on as
// long as most of them do. All of them have to sync every write: name all monitoring ports, also
// those of servers that do not keep a stream now, because streams move. A process talks to any of
// the servers in [Config].URLs, and to another one when that is away.
//
// # When the server is away
//
// Receive waits for up to 10 seconds, and then the endpoint answers 503, so that Meta keeps the
// delivery. Handlers that are running go on; what they have done is settled when the server is
// back, unless the lease has ended by this process's clock. Claims are tried again and again.
// Nothing has to be done but to bring the server back.
//
// # Rights
//
// The user needs JetStream in its account, and in it: to make the three streams and read their
// settings, to read, delete and purge their messages, to make consumers of them, and to publish to
// NAME.log, NAME.bodies and NAME.snapshots.*. An administrator may make the streams beforehand,
// with file storage, the limits policy, "discard new" and a duplicate window of two minutes at
// least: Open takes those that are there, and changes nothing about them.
//
// # Errors of Open that need a person
//
//   - [ErrNotDurable]: the text names the server or the stream, and the setting to change.
//   - "the log holds what this release does not know": another release has written it. Run the same
//     one in all processes.
//   - "another release wrote the snapshot": the same.
//   - "the beginning of the stream … is gone": messages were deleted by hand, or the streams were
//     restored from different backups. Restore all three from one.
//   - [inbox.ErrFull], of Receive: the stream of bodies has reached [Config].MaxBytes, or the
//     server its limit. It takes more when events are handled or dead letters deleted.
//
// # What is left of what was deleted
//
// Forget, and the deletion of dead letters, have each server overwrite the bodies that go with
// random bytes before they return; it writes the file (of 8 MB at most) anew that a body is in. If
// the process ends in between, they are deleted as everything else is:
//
// JetStream marks what was handled as deleted, and leaves its bytes in a file of up to 8 MB until
// all in that file is deleted, as in an inbox without dead letters from time to time, or until it
// compacts the file, some minutes after more than half of a full one was deleted. So what was
// handled can be read from the disk of the server for that long, by those who have its files, also
// when its person is forgotten meanwhile; and so can the errors of handlers, in the file of the
// log, until the second snapshot from then and that. In a cluster, the same goes for the log of
// the servers' votes. Where that matters, have the server encrypt its files (jetstream: cipher and
// key), and keep no backups of them for longer than what you promise.
//
// # What differs from a database
//
// Each process keeps the list of what waits in memory, and the keys of what was handled during the
// last 8 days: about a hundred bytes for each event. Of the bodies, up to 64 MiB are kept that were
// stored or read last. A host with many millions of events in 8 days does better with PostgreSQL. A
// process that starts reads all of that from the last snapshot, and what was logged since.
//
// There is no transaction that a host's rows could be part of: [inbox.InTx] does not work. An
// effect happens at least once, and exactly once if it is idempotent by the event's key.
// [inbox.Stats] does not count keys.
//
// If the server goes away while something is settled, it can happen that it was stored and the
// answer got lost; then the next attempt says that the lease was lost, although nothing is handled
// again.
//
// Guide: https://github.com/seed-9f2bcc2b/whatsapp-coexistence/blob/main/docs/storage.md
package natsinbox
