// Package sqlstore keeps what a [coexistence.Tracker] knows in a SQL database: the states of numbers, the messages, the people.
//
// Most hosts never call it, but open a [Store] through one of the two modules below it, which bring the driver and the right settings:
//
//	store, err := sqlite.Open(ctx, "coexistence.db")        // …/coexistence/sqlstore/sqlite: one process, nothing to install
//	store, err := postgres.Open(ctx, "postgres://…/mydb")   // …/coexistence/sqlstore/postgres: several machines
//	…
//	tracker, err := coexistence.NewTracker(coexistence.Config{Store: store, AppID: appID})
//
// This package itself links no driver. Bring your own, such as mattn/go-sqlite3 or lib/pq, if you have it anyway:
//
//	store, err := sqlstore.New(db, sqlstore.PostgreSQL)
//	…
//	err = store.Migrate(ctx)
//
// With SQLite, open it with foreign_keys=1, immediate transactions (_txlock=immediate), WAL and synchronous=FULL; with less than that,
// concurrent writers fail, or what was stored is lost with the power.
//
// # What is in the tables
//
// Each state, message and contact is one JSON document, as the types of package coexistence are written, beside the columns that are
// searched and sorted by. The names of the tables begin with coexistence_. Reading them with SQL is fine; documents only grow members.
// Changing them behind the store's back is not: columns are derived from documents. A body that is kept raw comes back without white
// space between its members.
//
// Everything about one number goes, where a host has to forget it, by deleting the rows with its phone id, while no tracker stores
// more:
//
//	DELETE FROM coexistence_messages WHERE phone = ?
//	DELETE FROM coexistence_aliases WHERE phone = ?
//	DELETE FROM coexistence_contacts WHERE phone = ?
//	DELETE FROM coexistence_state_wabas WHERE phone = ?
//	DELETE FROM coexistence_states WHERE phone = ?
//
// # Concurrency
//
// Every change is one transaction that reads what is stored, lets the tracker change it, and stores the result. In PostgreSQL it holds
// the rows of the state or the messages; changes of a number's people come one after the other. Whoever loses against
// another transaction tries again. In SQLite there is one writer at a time; readers do not wait. Reading never holds a connection or a
// lock while the caller works on what was read.
//
// # Cost
//
// A chunk of history is stored 500 messages at a time, in three statements whatever the number. A repeat of it writes nothing. What
// changes nothing about a person, as most messages do, takes one read.
package sqlstore
