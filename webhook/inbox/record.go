package inbox

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

// An ID names a record in its store. A store hands them out; a later record of a lane has a larger
// one. Zero names none.
type ID int64

// A Kind is the kind of a [Record].
type Kind int

const (
	KindDelivery Kind = iota // a delivery as Meta sent it, not looked into yet
	KindEvent                // one event of a delivery
)

// String returns "delivery" or "event".
func (k Kind) String() string {
	if k == KindEvent {
		return "event"
	}
	return "delivery"
}

// A Record is a row of a [Store]: a delivery, which is split once it is its turn, or one of the
// events that it was split into. An event has no bytes of its own. It says which event of which
// delivery it is, and comes out of the store with the delivery's body.
type Record struct {
	// ID and Delivery are given by the store. Delivery is the delivery that an event is from; for a
	// delivery it is its own ID.
	ID, Delivery ID

	// Kind says which of the two it is.
	Kind Kind

	// DedupKey names the record for deduplication: a store keeps one record for a key, and
	// remembers the key for [MinDedupWindow] at least after the record is done. Records without a
	// key are never duplicates. A key is not personal.
	DedupKey string

	// SupersededBy is the key of another event that makes this one superfluous. If the store knows
	// that key, this event counts as a duplicate: a placeholder is of no use after the message that
	// it stands for.
	SupersededBy string

	// Lane is the ordering key of an event, like the key of a Kafka message or the message group of
	// an SQS one: events with the same lane are handled one after the other, in the order in which
	// they arrived; events of different lanes do not wait for each other. It stands for the
	// conversation, as a hash that is not personal. Deliveries have none: those of a number are in
	// order, and those of no number or of several are in order with all others, in what is live and
	// in the backfill.
	Lane string

	// PhoneNumberID is the business's number that an event is about, or all of a delivery. It is
	// empty for events of an account, and for deliveries that name several numbers or none.
	PhoneNumberID graph.PhoneNumberID

	// Backfill marks what may wait behind everything live: history and address books.
	Backfill bool

	// Status marks news about a message that the business sent, such as "delivered". A claim takes
	// what customers wrote before it.
	Status bool

	// Index is which of the delivery's events this one is.
	Index int

	// ReceivedAt is when the delivery arrived.
	ReceivedAt time.Time

	// Body is the body of the delivery, as Meta sent it. It is nil in an event on its way into the
	// store. It is not written to.
	Body []byte

	// Attempts is how often the record failed before. The store counts each [DispositionRetry].
	Attempts int

	// Abandoned is how often in a row the lane of the record was handed out and never settled,
	// because the process died or lost its lease. It is 0 unless the record is the first of its
	// lane.
	Abandoned int
}

// Event decodes the body and returns the event that the record stands for, such as a dead letter.
// It returns an error for a whole delivery, and for an event that this release decodes in a
// different way than the one that split the delivery: replaying splits it again.
func (r Record) Event() (webhook.Event, error) {
	if r.Kind != KindEvent {
		return nil, errors.New("inbox: the record is a whole delivery; webhook.Decode returns the events in its Body")
	}
	events, err := decode(r.Body, r.ReceivedAt)
	if err != nil {
		return nil, err
	}
	if r.Index < 0 || r.Index >= len(events) || !r.is(events[r.Index]) {
		return nil, fmt.Errorf("inbox: %w", errOtherwise)
	}
	return events[r.Index], nil
}

var errOtherwise = errors.New("this release decodes the delivery differently than the one that split it; replay it")

// is reports whether an event has the record's key. That of a redacted body may have another.
func (r Record) is(ev webhook.Event) bool {
	return redacted(r.Body) || keyOf(ev, Record{DedupKey: strings.TrimPrefix(r.DedupKey, "body:")}) == r.DedupKey
}

// MinDedupWindow is how long a store remembers keys at least: Meta repeats deliveries for 7 days.
const MinDedupWindow = 8 * 24 * time.Hour
