package coexistence

import (
	"context"
	"errors"
	"iter"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// ErrNotFound says that a store has no such thing.
var ErrNotFound = errors.New("coexistence: not found in the store")

// A Store keeps what a [Tracker] knows. One implementation provides all three parts, because
// messages are found through the people behind them. [MemStore] keeps everything in memory; check
// one of your own with coexistencetest.TestStore.
//
// Numbers, messages and contacts survive JSON, and a Store keeps each as that, whole: later events
// need all of it, Provenance included.
//
// A Store is safe for concurrent use. What it returns is the caller's to change. Numbers are
// strangers to each other: nothing of one is ever found through another.
type Store interface {
	NumberStore
	MessageStore
	ContactStore
}

// A NumberStore keeps the states of numbers.
type NumberStore interface {
	// UpdateNumber changes a number's state in one atomic step and returns what it stored. fn gets
	// the stored state, or one with nothing but PhoneNumberID set, and may run more than once. An
	// error of fn ends the call, comes back as it is (errors.Is finds it) and stores nothing. Each
	// change raises Version by one; a state that fn returned unchanged is not stored.
	UpdateNumber(ctx context.Context, phone graph.PhoneNumberID, fn func(Number) (Number, error)) (Number, error)

	// Number returns a number's state, or ErrNotFound.
	Number(ctx context.Context, phone graph.PhoneNumberID) (Number, error)

	// Numbers returns the states of all numbers, in the order of their phone ids. It holds no lock
	// while the caller works on them, so it may miss one that is stored meanwhile. The first error
	// ends it.
	Numbers(ctx context.Context) iter.Seq2[Number, error]

	// NumbersByWABA returns the states of the numbers that an account holds: those with the account
	// as WABAID or among WABAs, in the order of their phone ids. None is no error.
	NumbersByWABA(ctx context.Context, waba graph.WABAID) ([]Number, error)
}

// A MessageStore keeps messages.
type MessageStore interface {
	// UpdateMessages changes the messages of the given ids in one atomic step: all or none are
	// stored. fn is called for each id with the stored message or one with nothing but ID and
	// PhoneNumberID set, and changes it in place. fn may run more than once, always on what is
	// stored then. ids are distinct and ascending, so that every caller takes rows in one order.
	UpdateMessages(ctx context.Context, phone graph.PhoneNumberID, ids []graph.MessageID, fn func(*Message)) error

	// Message returns one message, visible or not, or ErrNotFound.
	Message(ctx context.Context, phone graph.PhoneNumberID, id graph.MessageID) (Message, error)

	// Conversations returns the conversations of a number that have messages to show, the most
	// recent first; those of the same moment in the order of their IDs. All messages filed under
	// aliases of one contact make one conversation; so do all filed under a name that no contact
	// has. The first error ends it.
	Conversations(ctx context.Context, phone graph.PhoneNumberID) iter.Seq2[Conversation, error]

	// Conversation returns one of them, or ErrNotFound. It is found by its ID, by any alias of the
	// person, and by a phone number in any spelling: by whatever [Alias] makes an alias of.
	Conversation(ctx context.Context, phone graph.PhoneNumberID, key string) (Conversation, error)

	// Messages returns the messages of a conversation that are visible ([Message.Visible]), the
	// oldest first; those of the same moment in the order of their ids. The conversation is found
	// as Conversation finds it; an unknown one is empty. Message.ConversationID is set, here and in
	// Message.
	Messages(ctx context.Context, phone graph.PhoneNumberID, conversation string) iter.Seq2[Message, error]
}

// A ContactStore keeps the contacts.
type ContactStore interface {
	// UpdateContact finds the contacts that are known under one of the aliases, merges them with
	// [Contact.Merge], lets fn change the result (one with nothing but PhoneNumberID set, if none
	// was found), and stores it in their place: one atomic step. It returns what it stored. fn may
	// run more than once. From then on the contact is found by each of its Aliases.
	UpdateContact(ctx context.Context, phone graph.PhoneNumberID, aliases []string, fn func(*Contact)) (Contact, error)

	// Contact returns the contact that is known under one of the identity's [Aliases], or
	// ErrNotFound.
	Contact(ctx context.Context, phone graph.PhoneNumberID, who graph.Identity) (Contact, error)

	// Contacts returns all contacts of a number, in the order of their keys.
	Contacts(ctx context.Context, phone graph.PhoneNumberID) iter.Seq2[Contact, error]
}
