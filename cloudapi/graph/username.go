package graph

// A UsernameStatus is the state of the username of a business number. Meta may add values.
type UsernameStatus string

const (
	UsernameReserved UsernameStatus = "reserved"       // kept for this number, and not shown yet
	UsernameApproved UsernameStatus = "approved"       // people see it
	UsernameDeleted  UsernameStatus = "deleted"        // of webhooks only
	UsernamePending  UsernameStatus = "pending_review" // legacy, of webhooks only
)
