package sqlinbox

// The column state of deliveries and events. A delivery goes from waiting to split to done, an
// event from waiting to done; both may be dead letters in between. A replay deletes a dead event,
// and makes a delivery wait again. Rows that are done stay until their keys expire.
const (
	stateWaiting = 0
	stateSplit   = 1 // of a delivery: its events are stored, and need its body
	stateDead    = 2 // a dead letter
	stateDone    = 3 // only the key is left
)

// The column state of lanes of events. It does not change by itself: a claim makes lanes ready
// whose pause or lease has ended, so that all ready ones are in an index of their own.
//
//   - 0: ready.
//   - 1: leased if there is a token, or else pausing, until next_at.
//   - 2: in quarantine until next_at, and then for a claim that asks for it.
//
// The lanes of deliveries are always in 1, and can be claimed from next_at on.
