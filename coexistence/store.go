package coexistence

import (
	"context"
	"errors"
	"iter"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// ErrNotFound says that a store has no such thing.
var ErrNotFound = errors.New("coexistence: not found in the store")

// A Store keeps what a [Tracker] knows. One implementation provides all parts, because
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
	ThreadStore
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

	// Conversations returns the conversations of a number that have messages to show, those with
	// the latest messages first. All messages filed under aliases of one contact make one
	// conversation; so do all filed under a name that no contact has. Its ID is given when the
	// first message or the contact is stored, is never given again, and never changes. When
	// contacts become one, their conversations do, and all their IDs find that one from then on.
	// The first error ends it.
	Conversations(ctx context.Context, phone graph.PhoneNumberID) iter.Seq2[Conversation, error]

	// Conversation returns one of them, or ErrNotFound. It is found by its ID, a former ID, any
	// alias of the person, and a phone number in any spelling: by whatever [Alias] makes an alias
	// of.
	Conversation(ctx context.Context, phone graph.PhoneNumberID, name string) (Conversation, error)

	// Messages returns the messages of a conversation that are visible ([Message.Visible]), in the
	// order of [Message.Compare]. The conversation is found as Conversation finds it; an unknown
	// one is empty. Message.ConversationID is set, here and in Message.
	Messages(ctx context.Context, phone graph.PhoneNumberID, conversation string) iter.Seq2[Message, error]

	// ListConversations returns a page of Conversations: what a screen shows, each with its Last
	// message. The next one begins behind the Cursor of the last of them. What is stored meanwhile
	// moves a conversation to the top. Its cost does not grow with what is stored.
	ListConversations(
		ctx context.Context, phone graph.PhoneNumberID, opts ConversationListOptions,
	) ([]Conversation, error)

	// ListMessages returns a page of Messages, the oldest first. The conversation is found as
	// Conversation finds it; an unknown one is ErrNotFound. Its cost does not grow with what is
	// stored.
	ListMessages(
		ctx context.Context, phone graph.PhoneNumberID, conversation string, opts MessageListOptions,
	) ([]Message, error)

	// MarkRead says that everything up to a place in a conversation was read; upTo is the Cursor of
	// a message that was shown. It never takes back what was read before. An unknown conversation
	// is ErrNotFound.
	MarkRead(ctx context.Context, phone graph.PhoneNumberID, conversation string, upTo Cursor) error

	// CountUnread counts what is unread of a number, in the latest [MaxListLimit] conversations
	// that have something, and not beyond: its cost does not grow with what is stored.
	CountUnread(ctx context.Context, phone graph.PhoneNumberID) (UnreadCount, error)

	// FindPeople returns up to limit conversations whose person is found by the text: each of its
	// words begins a name, the username or a number of the person, in any case; a phone number may
	// be spelt in any way. Those without a message are among them. They come in the order of the
	// words that the longest of the beginnings has found. A text without a word finds none.
	FindPeople(ctx context.Context, phone graph.PhoneNumberID, text string, limit int) ([]Conversation, error)

	// SearchMessages returns up to limit messages that are shown, not deleted, and have all of the
	// words in their text, in any case and place; the last word may be the beginning of one. Those
	// that were stored last come first, which are the latest but for what was imported. It goes on
	// behind a cursor that it has returned, which is empty at the end. A text without a word finds
	// none.
	SearchMessages(
		ctx context.Context, phone graph.PhoneNumberID, words string, after Cursor, limit int,
	) ([]Message, Cursor, error)
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
