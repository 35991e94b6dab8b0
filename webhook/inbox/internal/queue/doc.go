// Package queue is the state machine of an inbox: deliveries, the events that they were split into,
// lanes, leases, deduplication keys and dead letters. [Machine] is all of that as data.
//
// # Who drives it
//
// inbox.MemStore puts a mutex and a clock around a Machine. Package natsinbox has one in each
// process, feeds all of them from the same log, and starts late ones from a [Snapshot]. Both pass
// the contract test of package inboxtest, so what that finds in one of them holds for both.
//
// # Determinism
//
// The state follows from the inputs alone: the calls, their arguments, and the time that
// [Machine.Advance] was told. There is no goroutine, no lock, no I/O, no random number, and no
// decision depends on the order of a map. Two machines that got the same calls, or of which one
// continues from a snapshot of the other, hand out the same records in the same order.
//
// Methods that change the state use the machine's clock. Queries ([Machine.Wait], [Machine.Stats])
// take the time as an argument, because a query that moved the clock would be an input.
//
// # Bodies
//
// The machine knows the size of a delivery's body and nothing else of it. Its owner keeps the
// bodies under the delivery's [ID], and is told when one is not needed any more.
//
// # Types
//
// Package inbox imports this one, so the types of inbox cannot be used here. [Record], [Claim] and
// [Outcome] are its Record, ClaimRequest and Settlement without bodies; the numbers of [Kind] and
// [Disposition] are those of inbox. Their JSON is the format of natsinbox's log and snapshots.
package queue
