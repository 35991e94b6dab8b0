// Package inboxtest tests stores of a WhatsApp webhook inbox: the implementations of inbox.Store.
// Use it in the tests of a store of your own:
//
//	err := inboxtest.TestStore(t.Context(), inboxtest.Engine{
//		New: func(ctx context.Context) (inboxtest.Storage, error) { return newStorage(ctx, t) },
//	})
//	if err != nil {
//		t.Fatal(err)
//	}
//
// # What it checks
//
// Each promise has a check of its own, which names it in its error, like
//
//	inboxtest: a worker that lost the lease cannot settle: settling after the lease was lost: want
//	ErrLeaseLost, got another error or none
//
// The comment of the check's method says what it did and which mistakes it is for. A check has an
// empty storage and two stores over it, so that what one process stores another one finds. What a
// store has as an option is checked if it has it: [inbox.TxSettler] and [inbox.Sweeper].
//
// # Writing a store
//
// The checks come in an order in which a store can be written:
//
//   - Append and Claim of deliveries: records come back as they were, known keys do not come again.
//   - Settle of deliveries: they are replaced by events and a lane for each ordering key, in one
//     transaction. An event is stored unless its key, or the key that supersedes it, is known.
//   - Claim and Settle of events: a claim leases lanes, not records, and a lane is free when all of
//     its batch is settled, or a record of it is to come again.
//   - Leases: a later claim takes a lane whose lease is over, and from then on the earlier token
//     can do nothing.
//   - What was abandoned: it is counted, comes one record at a time, and after two times to nobody
//     but a caller who asks for quarantine.
//   - Turns: of numbers, and of messages and statuses.
//   - Dead letters, and what is forgotten: a body stays as long as an event needs it, a key longer.
//   - All of that at once, from several goroutines and stores.
//
// # What it cannot check
//
// That what was acknowledged survives a crash or a loss of power; that a lease is measured by one
// clock, even when those of the machines differ; and how a store behaves with millions of records.
//
// Shortest leases are 20 milliseconds, and checks wait for them by asking. A store whose answers
// take longer needs another [Engine].ShortLease: a lease must not end before the next call of the
// same check.
//
// Guide: https://github.com/seed-9f2bcc2b/whatsapp-coexistence/blob/main/docs/testing.md
package inboxtest
