package inboxtest

import (
	"bytes"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/inbox"
)

// Two business numbers.
const ours, other = "300000000000001", "300000000000002"

// aboutNumber is an event about a business's number.
func about(number graph.PhoneNumberID, key, lane string) inbox.Record {
	ev := event(key, lane)
	ev.PhoneNumberID = number
	return ev
}

// erasure forgets lanes of our number, or all of it, and takes a word out of bodies.
func erasure(lanes ...string) inbox.Erasure {
	return inbox.Erasure{
		PhoneNumberID: ours, Lanes: lanes,
		Redact: func(body []byte, split bool) ([]byte, bool) {
			with := "-"
			if split {
				with = "+"
			}
			return bytes.ReplaceAll(body, []byte("secret"), []byte(with)), bytes.Contains(body, []byte("secret"))
		},
	}
}

// forget has a store forget something, and expects it to be busy or not.
func (c *check) forget(e inbox.Erasure, busy bool) {
	f, ok := c.a.(inbox.Forgetter)
	if !ok {
		return
	}
	got, err := f.Forget(c.ctx, e)
	must(err)
	expect("busy", got, busy)
}

// isForgetter reports whether the store forgets. One that does not is not checked for it.
func (c *check) isForgetter() bool {
	_, ok := c.a.(inbox.Forgetter)
	return ok
}

// forgottenLanes forgets a lane with events that wait, that pause, that are dead and that are done,
// beside events of others in the same deliveries. Those stay, and so do the keys.
func (c *check) forgottenLanes() {
	if !c.isForgetter() {
		return
	}
	c.split("a", about(ours, "1", "x"), about(ours, "2", "y"), about(other, "3", "z"))
	c.giveUp("no", 3)
	c.split("secret", about(ours, "4", "x"), about(ours, "5", "y"), about(ours, "6", "x"))
	c.forget(erasure("x"), false)
	c.forget(erasure("x"), false)
	for _, l := range c.letters(2) {
		if l.DedupKey == "1" {
			fail("a dead letter is still there")
		}
	}
	b := c.claim(c.b, request(inbox.KindEvent, long), 1)
	expect("what is left", b.Records[0].DedupKey, "5")
	if !bytes.Contains(b.Records[0].Body, []byte("+")) || bytes.Contains(b.Records[0].Body, []byte("secret")) {
		fail("a body was not redacted: %q", b.Records[0].Body)
	}
	c.done(c.b, b)
	c.split("repeat", about(ours, "1", "x"), about(ours, "4", "x"), about(ours, "7", "x"))
	expectKeys(c.finish(), "7")
}

// forgottenNumber forgets all of a number. Another number in the same delivery stays.
func (c *check) forgottenNumber() {
	if !c.isForgetter() {
		return
	}
	c.split("a", about(ours, "1", "x"), about(other, "2", "y"), event("3", "z"))
	c.split("b", about(ours, "4", "x"))
	c.append(delivery("secret"))
	c.forget(erasure(), false)
	b := c.claim(c.a, request(inbox.KindDelivery, long), 1)
	if !bytes.Contains(b.Records[0].Body, []byte("-")) {
		fail("a delivery that is not split was not redacted: %q", b.Records[0].Body)
	}
	c.done(c.a, b)
	keys := c.finish()
	expect("events that are left", len(keys), 2)
}

// forgottenInHand forgets what a worker is working on: it stays until the worker has settled it,
// which the worker can.
func (c *check) forgottenInHand() {
	if !c.isForgetter() {
		return
	}
	c.split("a", about(ours, "1", "x"), about(ours, "2", "x"), about(ours, "3", "y"))
	req := request(inbox.KindEvent, long)
	req.PerLane = 1
	b := c.claim(c.a, req, 2)
	c.forget(erasure("x"), true)
	c.settle(c.a, b, inbox.Settlement{ID: b.Records[0].ID, Disposition: inbox.DispositionRetry},
		inbox.Settlement{ID: b.Records[1].ID})
	c.forget(erasure("x"), false)
	expectKeys(c.finish())
	c.append(delivery("secret"))
	d := c.claim(c.a, request(inbox.KindDelivery, long), 1)
	c.forget(erasure("x"), true)
	c.settle(c.a, d, inbox.Settlement{ID: d.Records[0].ID, Disposition: inbox.DispositionRelease})
	c.forget(erasure("x"), false)
	d = c.claim(c.a, request(inbox.KindDelivery, long), 1)
	if bytes.Contains(d.Records[0].Body, []byte("secret")) {
		fail("a delivery that was given back was not redacted")
	}
}
