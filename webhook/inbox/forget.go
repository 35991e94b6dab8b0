package inbox

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// A ForgetRequest selects what an inbox forgets of a number: a person, dead letters that are old,
// or, if it names neither, everything.
type ForgetRequest struct {
	// PhoneNumberID is the business's number.
	PhoneNumberID graph.PhoneNumberID

	// People are the identities of one person, in every spelling that is known: see
	// coexistence.Contact.Identities.
	People []graph.Identity

	// Before deletes the dead letters whose deliveries arrived before that moment. What waits to be
	// handled stays.
	Before time.Time
}

// An Erasure is the instruction of a [Forgetter].
type Erasure struct {
	// PhoneNumberID is the business's number. Without Lanes, all of its events are meant.
	PhoneNumberID graph.PhoneNumberID

	// Lanes are the conversations of one person with the number.
	Lanes []string

	// Redact takes what is to be forgotten out of a delivery's body, and reports whether there was
	// something. split says that the delivery was split: then the events that are left keep their
	// Index. It changes nothing in the slice, and a redacted body is not redacted again. It is
	// never nil.
	Redact func(body []byte, split bool) (rest []byte, changed bool)
}

// Selects reports whether an event is to be forgotten.
func (e Erasure) Selects(rec Record) bool {
	return rec.Kind == KindEvent && rec.PhoneNumberID == e.PhoneNumberID &&
		(len(e.Lanes) == 0 || slices.Contains(e.Lanes, rec.Lane))
}

// A Forgetter is a [Store] that forgets. [MemStore] is one, and so are those of sqliteinbox,
// pginbox and natsinbox; inboxtest.TestStore checks what it promises.
type Forgetter interface {
	Store

	// Forget deletes the events that e selects, whether they wait or are dead letters, and redacts
	// the bodies that are left of other events and of deliveries that are not split. Keys stay
	// known, so that repeats are; they are hashes, and name no person. What else is stored beside
	// them, and says whom an event was about, goes.
	//
	// What a worker is working on stays for now: busy reports that there is some of it, and that
	// Forget is to be called again. It works in small steps, and is idempotent.
	Forget(ctx context.Context, e Erasure) (busy bool, err error)
}

// forgetPause is how long Forget waits for what is in progress before it looks again.
const forgetPause = 20 * time.Millisecond

// Forget forgets what was received about a person or a number: what waits, dead letters, and what
// is about them in the bodies of deliveries that are about others as well. An event of theirs that
// is being handled is waited for, until ctx ends; put this before what the handlers store is
// deleted. It is idempotent: after an error, call it again. The error matches
// [errors.ErrUnsupported] if the store is no [Forgetter]; dead letters are deleted in any case.
//
// Hosts that open their inbox with the method Inbox of an open database need not call it:
// coexistence.Tracker.Forget does.
func (in *Inbox) Forget(ctx context.Context, r ForgetRequest) error { return Forget(ctx, in.store, r) }

// Forget is [Inbox.Forget] for a store whose inbox is not at hand.
func Forget(ctx context.Context, store Store, r ForgetRequest) error {
	if r.PhoneNumberID == "" {
		return errors.New("inbox: ForgetRequest.PhoneNumberID is empty; name the business's number")
	}
	if len(r.People) > 0 && !r.Before.IsZero() {
		return errors.New("inbox: ForgetRequest has People and a Before; make two requests of it")
	}
	if ctx.Value(currentKey{}) != nil {
		return errInHandler
	}
	e := Erasure{PhoneNumberID: r.PhoneNumberID, Lanes: lanesOf(r), Redact: newRedaction(r).apply}
	f, ok := store.(Forgetter)
	if !ok || !r.Before.IsZero() {
		if err := deleteLetters(ctx, store, r); err != nil || !r.Before.IsZero() {
			return err
		}
		return fmt.Errorf("inbox: the store has no method Forget, so only dead letters were deleted: %w",
			errors.ErrUnsupported)
	}
	for {
		busy, err := f.Forget(ctx, e)
		if err != nil || !busy {
			return err
		}
		pause := time.NewTimer(forgetPause)
		select {
		case <-ctx.Done():
			pause.Stop()
			return fmt.Errorf("inbox: an event that is to be forgotten is still being handled; call Forget again: %w",
				ctx.Err())
		case <-pause.C:
		}
	}
}

// errInHandler is returned instead of waiting forever.
var errInHandler = errors.New("inbox: Forget waits for the events in progress, and so for the handler that calls it; " +
	"call it outside of a handler, in a job for instance")

// lanesOf returns the lanes of a person: an event is in that of the identity that it names, which
// can lack what others have.
func lanesOf(r ForgetRequest) []string {
	var lanes []string
	add := func(key string) {
		if lane := laneName("chat", string(r.PhoneNumberID), key); key != "" && !slices.Contains(lanes, lane) {
			lanes = append(lanes, lane)
		}
	}
	for _, id := range r.People {
		add(id.Key())
		add(string(id.UserID))
		add(graph.Identity{WAID: id.WAID}.Key())
		add(graph.Identity{WAID: graph.EquivalenceKey(id.WAID)}.Key())
		add(graph.Identity{Username: id.Username}.Key())
		add(string(id.ParentUserID))
	}
	return lanes
}

// DeadLettersAbout walks over the dead letters that Forget would delete: those of a person's
// conversation, for instance, to show what is stored of the person. Chunks of history and address
// books are about many people, and not among them. The first error ends it.
func DeadLettersAbout(ctx context.Context, store Store, r ForgetRequest) iter.Seq2[DeadLetter, error] {
	e := Erasure{PhoneNumberID: r.PhoneNumberID, Lanes: lanesOf(r)}
	return func(yield func(DeadLetter, error) bool) {
		var after ID
		for {
			page, err := store.DeadLetters(ctx, Filter{PhoneNumberID: r.PhoneNumberID}, after, deadPage)
			if err != nil {
				yield(DeadLetter{}, err)
				return
			}
			for _, l := range page {
				after = l.ID
				about := r.Before.IsZero() && e.Selects(l.Record) || !r.Before.IsZero() && l.ReceivedAt.Before(r.Before)
				if about && !yield(l, nil) {
					return
				}
			}
			if len(page) < deadPage {
				return
			}
		}
	}
}

// deleteLetters deletes the dead letters that are to be forgotten.
func deleteLetters(ctx context.Context, store Store, r ForgetRequest) error {
	var gone []ID
	for l, err := range DeadLettersAbout(ctx, store, r) {
		if err != nil {
			return err
		}
		gone = append(gone, l.ID)
	}
	for page := range slices.Chunk(gone, deadPage) {
		if _, err := store.DeleteDeadLetters(ctx, page); err != nil {
			return err
		}
	}
	return nil
}
