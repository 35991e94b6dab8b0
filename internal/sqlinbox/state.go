package sqlinbox

// What a delivery or an event is. They are numbers in the database.
const (
	stateWaiting = 0
	stateSplit   = 1 // of a delivery: its events are there
	stateDead    = 2
	stateDone    = 3 // only the key is left
)
