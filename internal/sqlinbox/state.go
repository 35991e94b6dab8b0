package sqlinbox

// The column state of deliveries and events. A delivery goes from waiting to split to done, an
// event from waiting to done; both may be dead letters in between. A replay deletes a dead event,
// and makes a delivery wait again. Rows that are done stay until their keys expire.
const (
	stateWaiting = 0
	stateSplit   = 1 // of a delivery: its events are there, and need its body
	stateDead    = 2 // a dead letter
	stateDone    = 3 // only the key is left
)
