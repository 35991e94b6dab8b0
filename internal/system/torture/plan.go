package main

import (
	"fmt"
	"math/rand/v2"
	"strings"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

const appSecret = "made-up" // of an app that is not there

// A plan says what Meta sends. All of it follows from the seed, so nothing has to be kept.
type plan struct {
	seed          uint64
	deliveries    int
	conversations int
	numbers       int // of businesses, to which the conversations belong in turn; 0 is one
}

// perDelivery is how many messages a delivery has at most. A message has the number of its delivery
// times perDelivery, plus its place.
const perDelivery = 4

// The share of deliveries that repeat what was sent before, one half byte for byte, one half in
// other company.
const duplicates = 0.2

// A parcel is one delivery: messages, and what makes its bytes differ from other deliveries with
// the same messages.
type parcel struct {
	messages []int
	greeting int
}

// random is a source for one question about one number, so that the answers do not depend on the
// order of the questions.
func (p plan) random(what, n int) *rand.Rand {
	return rand.New(rand.NewPCG(p.seed^uint64(what)<<56, uint64(n))) // reproducible on purpose
}

// parcel returns the i-th delivery.
func (p plan) parcel(i int) parcel {
	r := p.random(1, i)
	if !p.repeats(i) {
		n := 1
		if r.Float64() < 0.2 {
			n += 1 + r.IntN(perDelivery-1)
		}
		own := parcel{greeting: i}
		for k := range n {
			own.messages = append(own.messages, i*perDelivery+k)
		}
		return own
	}
	earlier := p.parcel(p.original(i-1-r.IntN(min(i, 1000)), i))
	if r.IntN(2) == 0 {
		return earlier
	}
	// Meta may put what it sends again into one delivery with something else.
	other := p.parcel(p.original(i-1-r.IntN(min(i, 1000)), i))
	return parcel{messages: append(earlier.messages, other.messages...), greeting: i}
}

// repeats reports whether a delivery repeats an earlier one.
func (p plan) repeats(i int) bool { return i > 0 && p.random(2, i).Float64() < duplicates }

// original is the first delivery at or before i that repeats nothing.
func (p plan) original(i, before int) int {
	i = max(0, min(i, before-1))
	for p.repeats(i) {
		i--
	}
	return i
}

// messages is how many numbers there can be.
func (p plan) messages() int { return p.deliveries * perDelivery }

// conversation is the customer who writes a message.
func (p plan) conversation(message int) int { return p.random(3, message).IntN(p.conversations) }

// number says which of the business's numbers a message is written to.
func (p plan) number(message int) int { return p.conversation(message) % max(1, p.numbers) }

// phoneID is the id of the i-th number of a business.
func phoneID(i int) graph.PhoneNumberID { return graph.PhoneNumberID(fmt.Sprint(106540352242922 + i)) }

// phoneNumber is the i-th number as Meta displays it. No customer has it.
func phoneNumber(i int) string { return fmt.Sprintf("155501100%02d", i) }

// customer is the wa_id of a conversation's person.
func customer(conversation int) string { return fmt.Sprintf("1555010%04d", conversation) }

// words are what the customer writes.
func (p plan) words(message int) string {
	return fmt.Sprintf("This is message %d, and its number is %d.", message, p.random(4, message).Uint64())
}

// wamid is the ID of a message.
func wamid(message int) string { return fmt.Sprintf("wamid.TORTURE%010d", message) }

// numberOf undoes wamid.
func numberOf(id string) (message int, ok bool) {
	n, err := fmt.Sscanf(strings.TrimPrefix(id, "wamid.TORTURE"), "%d", &message)
	return message, n == 1 && err == nil && wamid(message) == id
}

// body writes a delivery in Meta's shape.
func (p plan) body(d parcel) []byte { return p.bodyWith(d, p.words) }

// bodyWith writes a delivery with other texts than the plan's.
func (p plan) bodyWith(d parcel, words func(message int) string) []byte {
	var b strings.Builder
	b.WriteString(`{"object":"whatsapp_business_account","entry":[{"id":"102290129340398","changes":[`)
	for i, m := range d.messages {
		if i > 0 {
			b.WriteByte(',')
		}
		n, who := p.number(m), customer(p.conversation(m))
		fmt.Fprintf(&b, `{"value":{"messaging_product":"whatsapp","metadata":{"display_phone_number":%q,`+
			`"phone_number_id":%q},`+
			`"contacts":[{"profile":{"name":"Customer %d"},"wa_id":%q}],"messages":[{"from":%q,"id":%q,`+
			`"timestamp":"1795168800","type":"text",`+
			`"text":{"body":%q}}]},"field":"messages"}`,
			phoneNumber(n), phoneID(n), d.greeting, who, who, wamid(m), words(m))
	}
	b.WriteString(`]}]}`)
	return []byte(b.String())
}

// request is a whole signed HTTP request, made once, so that sending costs little.
func request(body []byte) []byte {
	head := fmt.Appendf(nil, "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n%s: "+
		"%s\r\nContent-Length: %d\r\n\r\n",
		webhook.SignatureHeader, webhook.Sign(appSecret, body), len(body))
	return append(head, body...)
}
