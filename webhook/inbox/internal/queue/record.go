package queue

import "github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"

// An ID names a record. IDs count from 1 in the order in which records were stored, so a later
// record of a lane has a larger one.
type ID int64

// A Kind tells deliveries from events.
type Kind int

// The kinds of records. Their numbers are those of inbox.Kind.
const (
	KindDelivery Kind = iota
	KindEvent
)

// A Record is a delivery or an event, without its body. In the events of an [Outcome], the machine
// fills in ID, Delivery, Kind, ReceivedAt and Attempts.
type Record struct {
	// ID is given by the machine.
	ID ID `json:"id,omitzero"`

	// Delivery is that of which an event is; of a delivery, its own ID.
	Delivery ID `json:"delivery,omitzero"`

	// Kind says which of the two it is.
	Kind Kind `json:"kind,omitzero"`

	// Key deduplicates. A record without one is never a duplicate.
	Key string `json:"key,omitzero"`

	// SupersededBy is the key of another event that makes this one superfluous.
	SupersededBy string `json:"yields_to,omitzero"`

	// Lane is the ordering key of an event. Deliveries of a queue are all in the lane "".
	Lane string `json:"lane,omitzero"`

	// Backfill selects, together with Kind, one of four queues.
	Backfill bool `json:"bulk,omitzero"`

	// Status marks an event that may wait behind customers' messages.
	Status bool `json:"status,omitzero"`

	// Index is the place of an event in its delivery.
	Index int `json:"index,omitzero"`

	// PhoneNumberID is the business's number that an event is about, or "".
	PhoneNumberID graph.PhoneNumberID `json:"phone_number_id,omitzero"`

	// ReceivedAt is when the delivery arrived, in microseconds since 1970.
	ReceivedAt int64 `json:"received_at,omitzero"`

	// Attempts counts the settlements as [Retry].
	Attempts int `json:"attempts,omitzero"`

	// Abandoned is that of the record's lane, in what [Machine.Claim] returns, and if the record is
	// the first of its lane.
	Abandoned int `json:"-"`
}

// A state is where a record is in its life. There is no state for "done": a done event is
// forgotten, and so is a delivery once all of its events are.
type state int

const (
	waiting state = iota // in a lane, leased or not
	dead                 // a dead letter
	split                // of a delivery: it stays, for its body, until its events are closed
)

// A StoredRecord is a Record with what the machine knows about it.
type StoredRecord struct {
	Record

	// State is where the record is in its life.
	State state `json:"state,omitzero"`

	// Size is that of a delivery's body in bytes.
	Size int `json:"size,omitzero"`

	// Open counts the events of a delivery that are neither done nor deleted; dead ones are open.
	Open int `json:"open,omitzero"`

	// Reason is why the record failed last.
	Reason string `json:"reason,omitzero"`

	// DeadAt is when it was given up last, in microseconds since 1970; 0 if never.
	DeadAt int64 `json:"dead_at,omitzero"`
}

// A record is a StoredRecord in its place.
type record struct {
	StoredRecord

	lane *lane // nil unless the record is waiting
}

// A queueID names one of the four queues: deliveries and events, live and backfill. They do not
// wait for each other.
type queueID struct {
	Kind     Kind `json:"kind,omitzero"`
	Backfill bool `json:"bulk,omitzero"`
}

// queueIDs are all four, in the order in which a machine looks at them.
var queueIDs = []queueID{{KindDelivery, false}, {KindDelivery, true}, {KindEvent, false}, {KindEvent, true}}

func (r *record) queueID() queueID { return queueID{r.Kind, r.Backfill} }
