// Package sqlstore keeps what a [coexistence.Tracker] knows in a SQL database: the states of
// numbers, the messages, the people.
//
// # What is in the tables
//
// Each state, message and contact is one JSON document, as the types of package coexistence are
// written, beside the columns that are searched and sorted by, which are derived from it. A body
// that is kept raw comes back without white space between its members.
//
// # Concurrency
//
// Every change is one transaction that reads what is stored, lets the tracker change it, and stores
// the result. In PostgreSQL it holds the rows of the state or the messages; changes of a number's
// people come one after the other. A transaction that loses against another tries again. In SQLite
// there is one writer at a time; readers do not wait. Reading never holds a connection or a lock
// while the caller works on what was read.
//
// Messages of new ids cannot be locked, since they have no rows. Two transactions that insert one
// collide, and the second begins again with what the first has stored.
//
// # Cost
//
// A chunk of history is stored 500 messages at a time, in three statements whatever the number. A
// repeat of it writes nothing. What changes nothing about a person, as most messages do, takes one
// read. Lists are read a page at a time, and a page costs the same wherever it is.
package sqlstore
