// Package sqlinbox keeps an inbox in a SQL database: SQLite for one process, PostgreSQL for many.
//
// # What is in the tables
//
// webhook_deliveries has a row for each delivery, with its body until the last of its events is
// done; with SQLite, what is live waits in webhook_arrivals until a worker looks at it, all that
// was stored at once in one row. webhook_events has a row for each event: which one of which
// delivery, its hashed key, its lane. webhook_lanes has a row for each conversation with something
// to do: who holds it, and when it can be claimed next. Reading them with SQL is fine, changing
// them is not. What is to be forgotten is
// forgotten by forget.go.
//
// # Concurrency
//
// Appends that wait share a transaction, because the commit is what takes time. With SQLite there
// is one writer at a time, and readers do not wait. While many deliveries arrive, a commit waits
// until most of those are there that the one before has answered, but no longer than that one took.
// Which keys are new it nearly always knows from memory (known.go).
//
// What is live goes first, and history and address books have small transactions of their own: a
// flood of them holds up a live message for one of these at most, each time it needs the disk.
//
// With PostgreSQL, claims skip rows that others hold (SKIP LOCKED), and leases are measured by the
// clock of the database. A token that no other batch has had stands for the lease: settling checks
// it within the transaction that writes the outcome, so a worker that lost a lease changes nothing.
// A process that stops in the middle of a transaction that locks rows here loses it after 5 seconds
// (idle_in_transaction_session_timeout), so that the others go on.
//
// The clock of a SQLite store goes on evenly while the process lives, however often the system's is
// set; when it is opened again, no pause lasts longer than an hour.
//
// # Turns
//
// A lane is ready, or it is leased or pauses, or it is in quarantine: the column state. What is
// ready has an index of its own, by class (messages of customers, or nothing but statuses), number
// and time. A claim seeks from number to number in it, beginning behind the one that came last, and
// takes so many lanes of each as its turns are; so it costs what it takes, however much waits.
// Deliveries are claimed in the same way, by the number that they name; one that names several
// keeps its place among all.
//
// A claim also makes lanes ready whose pause is over, and finds leases that have ended: a lease
// without a settlement counts as abandoned for each of its lanes, which go behind what is ready,
// and into quarantine the second time. Deliveries that were abandoned come back before all others.
// A SQLite file that is opened ends all leases.
//
// # Planners
//
// PostgreSQL plans with statistics that are missing in a fresh database, and wrong behind a flood.
// So transactions here tell it to go by index, statements without a transaction ask for the first
// row of an index, and the key of webhook_lanes begins with the lane. The benchmarks run without
// statistics.
//
// # Order of locks
//
// With PostgreSQL, several transactions lock rows at once. So that none waits for another one that
// waits for it, all of them take locks in one order: keys of deliveries by their text (Append),
// lanes by their name, then events, then deliveries. Where an order cannot be kept, PostgreSQL ends
// one of the transactions, and it is run again.
//
// # The way of a delivery
//
// Append hands a delivery to the committer, which stores it with others (append.go, or arrivals.go
// for what is live in SQLite). Claim leases the lane of deliveries (claim_deliveries.go), and
// Settle replaces a delivery by its events and their lanes, in one transaction (split.go). Events
// are claimed by lanes, which take turns (claim_events.go, turns.go), and settled by lanes
// (settle.go); the last one of a delivery takes its body away. What was given up is in dead.go, and
// what is forgotten after days in stats.go.
//
// # Reading the statements
//
//   - One text is for both databases: placeholders are question marks, and $now plus a parameter of
//     Store.in is a moment in microseconds by the store's clock.
//   - Many rows travel as one parameter: "FROM" and what sqldb.Dialect.Table returns is a table r
//     with a column n for their order. So there are few different statements, each prepared once.
//   - An INSERT … SELECT … ON CONFLICT DO UPDATE is often an update of rows that are there:
//     planners then go from the values to the rows. Its WHERE 1 = 1 is for SQLite, whose parser
//     would take ON for the beginning of a join.
//   - A condition like state + 0 = 0 keeps a planner from using the index of states for rows that
//     are looked up by their ID.
//   - Lanes of events have kind 1. The lanes of deliveries have kind 0 and no name; there are two,
//     from the beginning.
package sqlinbox
