// Package sqlstore stores the data of a [coexistence.Tracker] in a SQL database: the states of
// numbers, the messages and the people.
//
// # What is in the tables
//
// Each state, message and contact is one JSON document of its type in package coexistence, beside
// columns for searching and sorting, which are derived from it. A raw body comes back without white
// space between its members.
//
// # Concurrency
//
// Every change is one transaction that reads what is stored, lets the tracker change it, and stores
// the result. In PostgreSQL it locks the rows of the state or the messages; changes of a number's
// people are serialized. A transaction that conflicts with another is retried. In SQLite there is
// one writer at a time; readers do not wait. Reading never holds a connection or a lock while the
// caller handles what was read.
//
// Messages of new ids cannot be locked, since they have no rows. Two transactions that insert the
// same one conflict, and the second is retried with what the first has stored.
//
// # Cost
//
// A chunk of history is stored 500 messages at a time, in three statements each. A repeat of it
// writes nothing. An event that changes nothing about a person, such as most messages, takes one
// read. Lists are read in pages, and each page costs the same.
package sqlstore
