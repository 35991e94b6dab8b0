// Package sqlinbox keeps an inbox in a SQL database: SQLite for one process, PostgreSQL for many.
//
// # What is in the tables
//
// webhook_deliveries has a row for each delivery, with its body until the last of its events is
// done; with SQLite, live deliveries first wait in webhook_arrivals, all those of a commit in one
// row. webhook_events has a row for each event: its index in its delivery, its hashed key, its
// lane. webhook_lanes has a row for each conversation with waiting events: its lease, and when it
// can be claimed next. Reading them with SQL is fine, changing them is not. Requests to forget are
// in forget.go.
//
// # Concurrency
//
// Waiting appends share a transaction, because the commit is what takes time. With SQLite there is
// one writer at a time, and readers do not wait. While many deliveries arrive, a commit waits until
// about as many are there as the last one had, but no longer than that one took. Nearly always, it
// knows from memory which keys are new (known.go).
//
// Live deliveries go first, and history and address books have small transactions of their own:
// each time a live message needs the disk, it waits for one of these at most.
//
// With PostgreSQL, claims skip rows that others have locked (SKIP LOCKED), and leases are measured
// by the clock of the database. A unique token stands for the lease of a batch: a settlement checks
// it in the transaction that writes the outcome, so a worker that lost its lease changes nothing.
// The transaction of a process that hangs while it has locked rows ends after 5 seconds
// (idle_in_transaction_session_timeout), so that the other processes can continue.
//
// The clock of a SQLite store is monotonic while the process lives, however often the system's
// clock is set; after a restart, no pause lasts longer than an hour.
//
// # Turns
//
// The column state says whether a lane is ready, leased or pausing, or in quarantine. Ready lanes
// have an index of their own, by class (messages of customers, or only statuses), number and time.
// A claim seeks from number to number in it, beginning after the last one, and takes as many lanes
// of each as it has turns; so its cost depends on what it takes and not on what waits. Deliveries
// are claimed in the same way, by the number that they name; one that names several keeps its place
// among all.
//
// A claim also makes lanes ready whose pause is over, and finds ended leases: without a settlement,
// each lane of the lease counts as abandoned and goes behind the ready ones, and into quarantine
// the second time. Abandoned deliveries come back before all others. Opening a SQLite file ends all
// leases.
//
// # Planners
//
// PostgreSQL's planner uses statistics, which are missing in a new database and wrong after a
// flood. So transactions here make it use indexes, statements without a transaction ask for the
// first row of an index, and the key of webhook_lanes begins with the lane. The benchmarks run
// without statistics.
//
// # Order of locks
//
// With PostgreSQL, several transactions lock rows at once. To prevent deadlocks, all of them take
// locks in one order: keys of deliveries by their text (Append), lanes by their name, then events,
// then deliveries. Where that is impossible, PostgreSQL aborts one of the transactions, and it is
// retried.
//
// # The way of a delivery
//
// Append passes a delivery to the committer, which stores it with others (append.go, or arrivals.go
// for live ones in SQLite). Claim leases the lane of deliveries (claim_deliveries.go), and Settle
// replaces a delivery by its events and their lanes, in one transaction (split.go). Events are
// claimed by lanes, which take turns (claim_events.go, turns.go), and settled by lanes (settle.go);
// the last event of a delivery deletes its body. Dead letters are in dead.go, the expiry of keys in
// stats.go.
//
// # Reading the statements
//
//   - One text serves both databases: placeholders are question marks, and $now plus a parameter of
//     Store.in is a moment in microseconds by the store's clock.
//   - Many rows are passed as one parameter: FROM with the result of sqldb.Dialect.Table is a table
//     r with a column n for their order. So there are few different statements, each prepared once.
//   - An INSERT … SELECT … ON CONFLICT DO UPDATE is often an update of existing rows: planners then
//     go from the values to the rows. Its WHERE 1 = 1 is for SQLite, whose parser would take ON for
//     the beginning of a join.
//   - A condition like state + 0 = 0 prevents a planner from using the index of states for rows
//     that are looked up by ID.
//   - Lanes of events have kind 1. The two lanes of deliveries have kind 0 and no name, and always
//     exist.
package sqlinbox
