// Package modeltest is a model test of the tracker: it plays random lives of a number, with a
// simulated Meta, a simulated phone and a host that crashes, and checks that in the end the host
// knows exactly what the phone shows.
//
// A life is a few dozen steps: signups, syncs, both sides writing, editing, deleting and reacting,
// changes of the address book, of a customer's number, of the business's phone, disconnections,
// idle weeks. Deliveries come late, twice, in any order and in batches, answers get lost, and the
// host dies within any call of its store and starts again on what the store holds.
//
// It runs inside a bubble of testing/synctest: hours and weeks cost nothing, and host, Meta and
// phone share one clock. [Run] is given a seed, so that a run that failed can be repeated.
//
// The simulator is the reference, host.go the system under test, whose store crashes
// (crashing_store.go). step.go does random things to both and keeps the model (run.go): what of the
// phone the host can know. compare.go holds the host against it.
//
// A crash ends one process of the host. Its store is closed, and after a while another process
// opens it again; what the first was doing has either had its effect or not, and Meta delivers
// again what was not acknowledged. Signups that the host has to finish are kept apart, where
// nothing crashes: every host has such a list of its own.
//
// # What the host cannot know
//
// These are the exceptions under which the host's view may differ from the phone's, and they are
// checked as strictly as the rest:
//
//   - what was written, edited, deleted or reacted to, and whose number changed, while the number
//     did not coexist, unless a later history brought it; an edit made in that time is not believed
//     over the text that was heard live
//   - what is older than 180 days, or was never shared, or whose sync was spent in a crash
//   - media that is older than 14 days: a placeholder
//   - the order of two messages of one second whose deliveries overtook each other, or of which a
//     later history holds the lower one alone
//   - that a message of history was edited, or deleted: history holds the latest text, and no
//     deleted message
//   - the address book before its first sync, and what was removed from it while no process
//     received webhooks
//   - a message whose sending was not registered because the host died between the two: it becomes
//     visible with a later history
//   - the end of the first onboarding, if the tracker gets it before the onboarding
//   - to which onboarding a chunk belongs: history that is still under way when the next one asks
//     for its own counts as an answer to that
//   - whether a sync of contacts was made whose call died: a change of the address book looks like
//     its answer
//   - a message of which only an edit was received: it has the time of the edit
package modeltest
