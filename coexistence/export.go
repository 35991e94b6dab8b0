package coexistence

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"slices"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// An ExportLine is a line of what [Export] writes. Type says which one of the other members is set.
type ExportLine struct {
	// Type is "contact", "thread", "conversation", "message", and in what storage.DB.Export writes
	// also "outbox" and "delivery".
	Type string `json:"type"`

	// Contact is the person: names, ids, and when they were seen.
	Contact *Contact `json:"contact,omitempty"`

	// Thread is who answered last and who paused, and whether the person stopped marketing
	// messages.
	Thread *ThreadRecord `json:"thread,omitempty"`

	// Conversation is the conversation in numbers. Its Contact is empty, as it is a line before.
	Conversation *Conversation `json:"conversation,omitempty"`

	// Message is a message, with its content as it came, edits, reactions and receipts.
	Message *Message `json:"message,omitempty"`

	// Outbox is a message that was put into the outbox, and Delivery an event that waits to be
	// handled or was given up: the events that name the person, as they arrived.
	Outbox   json.RawMessage `json:"outbox,omitempty"`
	Delivery json.RawMessage `json:"delivery,omitempty"`
}

// Export writes what a store knows of a person, as lines of JSON: the contact, who answers, the
// conversation, then each message, the oldest first. The person is found as
// [MessageStore].Conversation finds it.
// It is [ErrNotFound] if nothing is stored of the person. It writes as it reads, so a person with a
// million messages takes no more memory than one with ten. Media are named and not part of it.
//
// storage.DB.Export adds what its inbox and outbox hold.
func Export(ctx context.Context, s Store, phone graph.PhoneNumberID, person string, w io.Writer) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	conv, err := s.Conversation(ctx, phone, person)
	found := err == nil
	if err != nil && !errors.Is(err, ErrNotFound) {
		return err
	}
	who, err := contactNamed(ctx, s, phone, person)
	switch {
	case err == nil:
		if err := enc.Encode(ExportLine{Type: "contact", Contact: &who}); err != nil {
			return err
		}
	case !errors.Is(err, ErrNotFound):
		return err
	}
	known := err == nil
	threads, err := s.Threads(ctx, phone, append(slices.Clip(who.Aliases), Alias(person)))
	if err != nil {
		return err
	}
	for _, r := range threads {
		if err := enc.Encode(ExportLine{Type: "thread", Thread: &r}); err != nil {
			return err
		}
	}
	if !found {
		if !known && len(threads) == 0 {
			return ErrNotFound
		}
		return nil
	}
	conv.Contact = Contact{}
	if err := enc.Encode(ExportLine{Type: "conversation", Conversation: &conv}); err != nil {
		return err
	}
	for m, err := range s.Messages(ctx, phone, person) {
		if err != nil {
			return err
		}
		if err := enc.Encode(ExportLine{Type: "message", Message: &m}); err != nil {
			return err
		}
	}
	return nil
}
