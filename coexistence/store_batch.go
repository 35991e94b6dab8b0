package coexistence

import (
	"context"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// A BatchStore is a [Store] that changes many contacts and messages in one atomic step. A Store
// need not be one: a [Tracker] then stores each event by itself. Behind an inbox, and with a
// database that syncs each commit to a disk, a BatchStore is what makes a tracker several times as
// fast, since the texts of many people share a commit. [MemStore] is one, and so are those of
// coexistence/sqlite and coexistence/postgres; coexistencetest.TestStore checks what it promises.
type BatchStore interface {
	Store

	// UpdateBatch changes contacts and then messages, of any numbers: all of it is stored, or none
	// and an error is returned. Each change of a contact does what UpdateContact does, and each of
	// a message what UpdateMessages does for one id, in the order of the lists: a change sees what
	// those before it have made of the same contact or message. A change may run more than once,
	// always on what is stored then, and must not use the store.
	//
	// It returns, for each change of a contact, the contact that was stored in the end, and for
	// each change of a message the conversation that the message is in by then, without Last. It
	// may be the zero Conversation, always if it is not known whose the message is, and otherwise
	// where the store would have to read it for the purpose.
	UpdateBatch(
		ctx context.Context, contacts []ContactChange, messages []MessageChange,
	) ([]Contact, []Conversation, error)
}

// A ContactChange is a change of a contact within a batch: the arguments of UpdateContact.
type ContactChange struct {
	PhoneNumberID graph.PhoneNumberID
	Aliases       []string

	// Change changes the contact in place, as fn of UpdateContact does. It is never nil.
	Change func(*Contact)
}

// A MessageChange is a change of one message within a batch.
type MessageChange struct {
	PhoneNumberID graph.PhoneNumberID
	ID            graph.MessageID

	// Change changes the message in place: the stored one, or one with nothing but ID and
	// PhoneNumberID set. It is never nil.
	Change func(*Message)
}
