package coexistence

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

// A ForgetRequest selects what is forgotten of a number: a person, what is old, or, if it names
// neither, everything.
type ForgetRequest struct {
	// PhoneNumberID is the business's number.
	PhoneNumberID graph.PhoneNumberID

	// Person is a person or a group, by any name under which [MessageStore].Conversation finds one:
	// a conversation's ID, an alias, a phone number in any spelling. All of what was said with the
	// person goes, on both sides. A person of whom nothing is stored is forgotten too: what arrives
	// late about them is not stored.
	Person string

	// Before forgets the messages that were written before that moment, and the people of whom
	// nothing is left and who are not in the address book. The state of the number stays.
	Before time.Time

	// AtMeta also has Meta forget the person: see [cloudapi.ContactBookService.Delete]. It is
	// honored by [Tracker.Forget], for a person with a user id; a store passes it over.
	AtMeta bool
}

// Validate reports what is wrong with a request. Stores call it first.
func (r ForgetRequest) Validate() error {
	var errs []error
	if r.PhoneNumberID == "" {
		errs = append(errs, errors.New("coexistence: ForgetRequest.PhoneNumberID is empty; name the business's number"))
	}
	if r.Person != "" && !r.Before.IsZero() {
		errs = append(errs, errors.New("coexistence: ForgetRequest has a Person and a Before; make two requests of it"))
	}
	if r.AtMeta && r.Person == "" {
		errs = append(errs, errors.New("coexistence: ForgetRequest.AtMeta is for a Person"))
	}
	return errors.Join(errs...)
}

// Everything reports whether the request is for all that is stored of the number.
func (r ForgetRequest) Everything() bool { return r.Person == "" && r.Before.IsZero() }

// A Forgetter is a [Store] that forgets, and does not let what it has forgotten come back.
// [MemStore] is one, and so are those of coexistence/sqlite and coexistence/postgres, which forget
// everywhere in their database; coexistencetest.TestStore checks what it promises. A store that
// wraps another one passes both methods on.
//
// What arrives late must not bring back what was forgotten: Meta repeats deliveries for seven days,
// and a history has messages of half a year. So a Forgetter keeps a tombstone of each number and of
// each alias of a person that it forgot, which holds nothing personal: a keyed hash, and a time.
// Each time that a number, a message or a contact would be stored that is not there yet, it looks
// for the tombstones of the number and of the person, and asks [Tombstones] what to do. A person
// who writes later, or is written to, is stored again, as a new one; a number is once it was
// signed up again.
type Forgetter interface {
	Store

	// Forget forgets what r names. It leaves the tombstones first, and then works in small steps
	// that hold nothing up; when it returns nil, everything is gone. It is idempotent: if it fails,
	// or the process ends, call it again.
	//
	// A number that is forgotten cannot be signed up before that is done.
	Forget(ctx context.Context, r ForgetRequest) error

	// FinishForgetting finishes what Forget has begun in a process that ended meanwhile.
	// [Tracker.Run] calls it now and then. Nothing to do is no error.
	FinishForgetting(ctx context.Context) error
}

// TombstoneTTL is how long a [Forgetter] keeps the tombstones of people, and those of
// ForgetRequest.Before: after that nothing can come that is as old. History reaches back 180 days,
// and deliveries are repeated for 7. The tombstone of a number stays until it is signed up again.
const TombstoneTTL = 200 * 24 * time.Hour

// Always is the time of the tombstone of a number of which everything was forgotten: nothing is
// later.
var Always = time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)

// Tombstones are what a [Forgetter] knows of what it forgot, as far as it is about one message or
// one contact. The zero Tombstones say that nothing was forgotten.
type Tombstones struct {
	// Number is the time of the number's tombstone: [Always] if all of it was forgotten, or the
	// last moment before ForgetRequest.Before.
	Number time.Time

	// Person is the latest time of the tombstones of the person's aliases: when the person was
	// forgotten.
	Person time.Time
}

// KeepNumber reports whether the state of a number that is not stored yet is to be stored: a state
// that was signed up ([Number.Cycle]) is, and lifts the tombstone.
func (t Tombstones) KeepNumber(n Number) bool { return t.Number.Before(Always) || n.Cycle > 0 }

// KeepMessage reports whether a message that is not stored yet is to be stored, or one that has
// just turned out to be the person's. Only what was written later brings a person back. A status,
// an edit or a reaction about a message that is not there does not.
func (t Tombstones) KeepMessage(m Message) bool {
	if !t.Number.IsZero() && !m.At.After(t.Number) {
		return false
	}
	return t.Person.IsZero() ||
		m.Provenance.origin > sourceHint && m.Type != webhook.TypeSystem && m.At.After(t.Person)
}

// KeepThread reports whether a record that is not stored yet is to be stored: something in it is
// later than the tombstones.
func (t Tombstones) KeepThread(r ThreadRecord) bool {
	at := later(t.Number, t.Person)
	return at.IsZero() || r.latest().After(at)
}

// NewContact returns the contact that a change gets if none is stored. It remembers the tombstones,
// so that a tracker leaves it without aliases where the person is to stay forgotten; a store does
// not keep a contact without aliases.
func (t Tombstones) NewContact(phone graph.PhoneNumberID) Contact {
	return Contact{PhoneNumberID: phone, ForgottenAt: t.Person, before: t.Number}
}

// TombstoneNames returns the names whose tombstones decide about a message: those of the person
// that it is filed under, and of the customer, who may be known by more.
func TombstoneNames(m Message) []string {
	names := Aliases(m.Customer)
	if m.Person != "" && !slices.Contains(names, m.Person) {
		names = append(names, m.Person)
	}
	return names
}

// WithoutPerson returns a message of a group without what a person did to it under any of the
// names: reactions and receipts. ok is false if the person wrote it; then it is to be deleted.
func (m Message) WithoutPerson(names []string) (rest Message, ok bool) {
	by := func(name string) bool { return slices.Contains(names, name) }
	if slices.ContainsFunc(Aliases(m.Customer), by) || by(m.Person) {
		return Message{}, false
	}
	m = m.Clone()
	m.Reactions = slices.DeleteFunc(m.Reactions, func(r Reaction) bool { return by(r.Person) })
	m.Receipts = slices.DeleteFunc(m.Receipts, func(r Receipt) bool { return by(r.Person) })
	return m, true
}

// refuses reports whether a fact is about what was forgotten: it is older than that, or, of a
// person who is not known, it is no message. What the address book says has no date that counts
// for ForgetRequest.Before: the book is the business's own, as it is now.
func (c *Contact) refuses(f contactFact) bool {
	isNew := len(c.Aliases) == 0
	if !c.ForgottenAt.IsZero() && (!f.at.After(c.ForgottenAt) || isNew && !f.message) {
		return true
	}
	inBook := len(f.entries) > 0 && c.before.Before(Always)
	return isNew && !c.before.IsZero() && !inBook && !f.at.After(c.before)
}

// errNoForgetter is what Forget returns if the store cannot forget.
var errNoForgetter = errors.New("coexistence: Config.Store is no coexistence.Forgetter; give it the methods " +
	"Forget and FinishForgetting, or pass them on to the store that it wraps")
