package coexistence

import (
	"context"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// A ThreadStore keeps who answers conversations.
type ThreadStore interface {
	// UpdateThread changes the record under an alias of a person in one atomic step. fn gets the
	// stored record, or one with nothing but PhoneNumberID and Person set, changes it in place, and
	// may run more than once.
	UpdateThread(ctx context.Context, phone graph.PhoneNumberID, person string, fn func(*ThreadRecord)) error

	// Threads returns the records that are stored under any of the aliases, in the order of their
	// Person. None is no error.
	Threads(ctx context.Context, phone graph.PhoneNumberID, aliases []string) ([]ThreadRecord, error)
}
