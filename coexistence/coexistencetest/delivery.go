package coexistencetest

import (
	"bytes"
	"slices"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/cloudapitest"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

// A Delivery is one POST to the host, with all its attempts.
type Delivery struct {
	// Number counts POSTs from 1. One that is delivered again after it was acknowledged has a
	// number of its own; further attempts have not.
	Number int

	// Fields are the webhook fields of its changes, in order. WABAID and PhoneNumberID are those of
	// the first change; PhoneNumberID is empty for what is about an account.
	Fields        []webhook.Field
	WABAID        graph.WABAID
	PhoneNumberID graph.PhoneNumberID

	// Level says whether an override or the app's own URL decided where it went.
	Level cloudapitest.CallbackLevel

	// Body is what was posted, byte for byte, in each attempt. A signature can be checked against
	// it.
	Body []byte

	// Duplicate means that the same body was acknowledged before.
	Duplicate bool

	// State says whether the host has it.
	State DeliveryState

	// Attempts are the tries so far, the last one last. One that is under way is not among them.
	Attempts []Attempt
}

// A DeliveryState is where a [Delivery] stands.
type DeliveryState string

const (
	DeliveryWaiting      DeliveryState = "waiting"      // in the queue, under way, or due again
	DeliveryAcknowledged DeliveryState = "acknowledged" // the host answered 200
	DeliveryGivenUp      DeliveryState = "given up"     // it did not within [DeliveryConfig].MaxAttempts or GiveUpAfter
)

// An Attempt is one try to deliver.
type Attempt struct {
	// At is when it began, by the world's clock. Took is how long the host took, on a real clock.
	At   time.Time
	Took time.Duration // of real time; zero if nothing was answered

	// Status is that of the answer, 0 without one. Problem says why there was none.
	Status  int
	Problem string
}

// A SuppressedDelivery is something that was not delivered, because the app did not subscribe to
// it.
type SuppressedDelivery struct {
	// Field is the webhook field that the change belongs to. PhoneNumberID is empty for what is
	// about an account.
	Field         webhook.Field
	WABAID        graph.WABAID
	PhoneNumberID graph.PhoneNumberID

	// Reason says which subscription was missing: that of the app, or that of the account.
	Reason string
}

// A change is one change of a webhook body, before it is known in which POST it travels.
type change struct {
	field webhook.Field

	// entry is the id of its entry: the account, or for updates about a partner the partner's
	// portfolio. at is the time of the entry, 0 for none. Changes that differ in either cannot
	// share an entry.
	entry string
	at    int64

	// value is its JSON. waba and phone decide where it goes; phone is empty for what is about an
	// account.
	value []byte
	waba  graph.WABAID
	phone graph.PhoneNumberID

	// partner marks what is about the partner's relation to the account, which needs no
	// subscription to it.
	partner bool

	// due is when it may be delivered; zero is at once.
	due time.Time
}

// A post is one POST with its attempts. It keeps its body: each repeat has the same bytes and so
// the same signature, as Meta's have. The fields are guarded by the dispatcher's mu, and body is
// never changed.
type post struct {
	number  int // among all POSTs, from 1
	changes []change
	body    []byte

	// url and level are where the latest attempt went, or the next one goes.
	url   string
	level cloudapitest.CallbackLevel

	duplicate bool
	state     DeliveryState
	attempts  []Attempt

	// born is when the first attempt could be made, by which the POST grows too old. due is when
	// the next attempt may be made.
	born, due time.Time
}

// envelope puts changes into a body. Neighbours of the same entry and time share it; the order of
// the changes stays.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/create-webhook-endpoint
func envelope(changes []change) []byte {
	var entries [][]byte
	for i := 0; i < len(changes); {
		first := changes[i]
		var inner [][]byte
		for ; i < len(changes) && changes[i].entry == first.entry && changes[i].at == first.at; i++ {
			inner = append(inner, object(sub("value", changes[i].value), str("field", changes[i].field)))
		}
		at := member{}
		if first.at != 0 {
			at = num("time", first.at)
		}
		entries = append(entries, object(str("id", first.entry), at, sub("changes", list(inner...))))
	}
	return object(str("object", "whatsapp_business_account"), sub("entry", list(entries...)))
}

// delivery returns a copy for the caller of [World.Deliveries].
func (p *post) delivery() Delivery {
	d := Delivery{
		Number: p.number, WABAID: p.changes[0].waba, PhoneNumberID: p.changes[0].phone,
		Level: p.level, Body: bytes.Clone(p.body),
		Duplicate: p.duplicate, State: p.state, Attempts: slices.Clone(p.attempts),
	}
	for _, ch := range p.changes {
		d.Fields = append(d.Fields, ch.field)
	}
	return d
}

// deliveries returns all POSTs in the order in which they were packed.
func (c *dispatcher) deliveries() []Delivery {
	c.mu.Lock()
	defer c.mu.Unlock()
	all := make([]Delivery, len(c.posts))
	for i, p := range c.posts {
		all[i] = p.delivery()
	}
	return all
}

// undelivered returns what the host does not have yet. A change that is still in the queue counts
// as a POST of its own, without a number.
func (c *dispatcher) undelivered() []Delivery {
	c.mu.Lock()
	defer c.mu.Unlock()
	var open []Delivery
	for _, p := range c.posts {
		if p.state != DeliveryAcknowledged {
			open = append(open, p.delivery())
		}
	}
	for _, ch := range c.queue {
		open = append(open, (&post{changes: []change{ch}, body: envelope([]change{ch}),
			state: DeliveryWaiting}).delivery())
	}
	return open
}

// suppressions returns what was left out because of a missing subscription.
func (c *dispatcher) suppressions() []SuppressedDelivery {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.suppressed)
}
