package webhook

// An UnknownEvent arrives when Meta sends something that this package has no type for yet: a new
// webhook field, a known field with a list not seen before, or a body from another Meta product.
// Nothing is lost: Raw holds the JSON of the change.
type UnknownEvent struct {
	EventInfo
}

// An UndecodableEvent stands for an item whose JSON does not fit its type, or a signed body that is
// not JSON at all. Its neighbours in the same delivery are not harmed. Raw holds the bytes; keep
// them, and decode them again after an update of this package.
type UndecodableEvent struct {
	EventInfo

	// Err says what did not fit and where. It never quotes values.
	Err error
}
