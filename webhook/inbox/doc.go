// Package inbox keeps deliveries safe until their events are handled: it answers Meta in milliseconds, loses nothing in a crash, handles
// each event once, keeps every conversation in order, and gives up on nothing silently.
//
// # How a delivery travels
//
// Append stores its raw body, and Meta gets its 200. A worker decodes it and settles it with the events that it consists of; store and
// split are one transaction. Workers then claim events, lane by lane: a lane is a conversation, its events are handled one after the
// other, and lanes do not wait for each other. What fails comes again after a pause; what is given up lies in the dead letters.
//
// A [Store] is what all that is kept in. [MemStore] is one that forgets.
package inbox
