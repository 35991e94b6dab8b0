// Package outbox is a transactional outbox for WhatsApp messages: they are enqueued in your own
// transaction, and each is sent once, also when the process dies, an answer gets lost, Meta
// throttles, or several processes share the work. The outbox is in the host's own database, so that
// the decision and the message are one commit.
//
//	db, err := sqlite.Open(ctx, sqlite.Config{Path: "data/whatsapp.db"}) // or postgres.Open
//	…
//	box, err := db.Outbox(outbox.Config{Tracker: tracker})
//	…
//	handler := webhook.MultiHandler(tracker, box, &mux) // statuses tell what became of messages
//	err = box.Start(ctx)
//	…
//	chat, err := tracker.Conversation(ctx, m) // of this event
//	…
//	_, err = box.Enqueue(ctx, outbox.Message{
//		ID: "answer-" + string(m.ID), PhoneNumberID: m.PhoneNumberID, ConversationID: chat.ID,
//		Payload: cloudapi.Message{
//			To:      cloudapi.ToIdentity(m.From),
//			Content: &cloudapi.Text{Body: "We are open from 7 to 18 h."},
//		},
//	})
//
// # Once
//
// The host names every message, best after its cause: the message that is answered, or the campaign
// and the person. The same name is never put in twice. It travels as the message's callback data,
// and every status webhook repeats it.
//
// Cloud API knows no idempotency key, so what matters is what is done after a call without an
// answer. Such an entry is [StateUnknown]: Meta may have taken the message. A status webhook that
// names the entry settles it. If none came within Config.UnknownTimeout, the number's message
// history at Meta decides: if all it holds is accounted for, the message was not accepted and goes
// out again; as long as it holds one that is in no entry, or that a history import alone brought,
// nothing is repeated. An entry for which neither comes stays unknown, and a person decides, with
// [Outbox.Requeue] or [Outbox.Cancel]. Later answers to the same person wait for it, so that they
// do not arrive before it; campaigns do not.
//
// What was being sent when a process died is unknown in the same way. Only a machine that stands
// still for longer than Config.UnknownTimeout between the last look at the clock and the first byte
// on the wire could send twice.
//
// # Order and speed
//
// One process at a time sends for a number: it has the number's lease, and prolongs it as long as
// it lives. So the number's limits are counted in one place, and a process that takes over knows
// that what was being tried is in doubt. Messages of one conversation go one after the other, in
// the order in which they were put in; answers go before campaigns. The limiter of a number's
// client decides how fast it sends.
//
// # What is tried again
//
//   - Throttled, or never left this machine: again, after a pause that grows.
//   - The token does not work, or the business has left ([coexistence.StageOffboarded]): the number
//     is suspended for up to a minute at a time, and its entries wait. Give what must not come late
//     a Message.ExpiresAt.
//   - The customer stopped marketing messages ([coexistence.AnswerStopped]): what belongs to a
//     campaign fails untried, unless its template is known not to be marketing; answers go.
//   - Refused for the message's own sake, such as a closed window: [StateFailed], with Meta's code.
//     So is a message that a later status says was not delivered.
//
// # What is held
//
// The tracker is asked before each message ([coexistence.Tracker.MaySend]). Held, and neither tried
// nor failed, is what cannot or should not be said now: a service message in a conversation of
// another responder, even if Meta reports that later by a status (131070), and one that a program
// wrote while a person is in the conversation or bots are paused in it. What a person wrote
// ([cloudapi.Message].ByPerson) and templates do not wait for people. It goes when the conversation
// is the host's or the pause has ended, or fails when its ExpiresAt is over; the end of a pause by
// [coexistence.Tracker.Resume] is noticed within five minutes. Neither the number nor other people
// wait for it.
//
// # What is kept
//
// Entries hold names, numbers and texts, so they go Config.Retention after they were put in, if
// they are sent or failed. Tables begin with outbox_ and lie beside the host's own. With SQLite,
// one process uses the file.
//
// Guide: https://github.com/seed-9f2bcc2b/whatsapp-coexistence/blob/main/docs/send.md
package outbox
