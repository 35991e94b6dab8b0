package inboxtest

import (
	"fmt"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/inbox"
)

// Three numbers of businesses.
const (
	numberA graph.PhoneNumberID = "106540352242921"
	numberB graph.PhoneNumberID = "106540352242922"
	numberC graph.PhoneNumberID = "106540352242923"
)

// lanes returns n events of a number, each in a lane of its own.
func lanes(name string, number graph.PhoneNumberID, status bool, n int) []inbox.Record {
	events := make([]inbox.Record, n)
	for i := range events {
		key := fmt.Sprint(name, i)
		events[i] = event(key, key)
		events[i].PhoneNumberID, events[i].Status = number, status
	}
	return events
}

// claimLanes claims so many lanes and returns how many of them each number got.
func (c *check) claimLanes(s inbox.Store, n int) map[graph.PhoneNumberID]int {
	req := request(inbox.KindEvent, long)
	req.Lanes = n
	got := map[graph.PhoneNumberID]int{}
	for _, rec := range c.claim(s, req, n).Records {
		got[rec.PhoneNumberID]++
	}
	return got
}

// turns has 500 lanes of one number ready when the only lane of another one arrives. The next claim
// brings that, and so do claims of one lane each, in no more than 20 of them.
//
// It finds stores in which the neighbors of a number that sends a campaign wait for its end.
func (c *check) turns() {
	c.split("a", lanes("a", numberA, false, 500)...)
	c.split("b", lanes("b", numberB, false, 1)...)
	expect("lanes of the number that came later", c.claimLanes(c.b, 10)[numberB], 1)
	c.split("c", lanes("c", numberC, false, 1)...)
	for n := 1; c.claimLanes(c.a, 1)[numberC] == 0; n++ {
		if n == 20 {
			fail("%d claims of one lane brought none of the number that came last", n)
		}
	}
}

// turnsSpread claims some lanes of three numbers that have more than enough. Each gets the same.
func (c *check) turnsSpread() {
	c.split("a", lanes("a", numberA, false, 40)...)
	c.split("b", lanes("b", numberB, false, 20)...)
	c.split("c", lanes("c", numberC, false, 20)...)
	for _, n := range []int{9, 6} {
		for number, got := range c.claimLanes(c.a, n) {
			expect(fmt.Sprintf("lanes of number %s in a claim of %d", number, n), got, n/3)
		}
	}
}

// messagesFirst has many lanes of statuses ready when customers write: to the same number, to
// another one, and in a lane that had nothing but a status before. Those go first.
func (c *check) messagesFirst() {
	c.split("statuses", lanes("status", numberA, true, 20)...)
	mixed := lanes("mixed", numberA, true, 1)
	c.split("mixed", mixed...)
	written := mixed[0]
	written.DedupKey, written.Status = "written", false
	c.split("messages", append(append(
		lanes("own", numberA, false, 2), lanes("other", numberB, false, 3)...), written)...)
	messages := map[string]bool{
		"own0": true, "own1": true, "other0": true, "other1": true, "other2": true, mixed[0].Lane: true,
	}
	req := request(inbox.KindEvent, long)
	req.Lanes, req.PerLane = 1, 1
	got := c.claim(c.a, req, 1).Records[0].Lane
	if !messages[got] {
		fail("a lane of statuses came before the messages of customers")
	}
	delete(messages, got)
	req.Lanes = 8
	for _, rec := range c.claim(c.b, req, 8).Records {
		delete(messages, rec.Lane)
	}
	for lane := range messages {
		fail("a claim of eight lanes brought statuses, and not the message in the lane %q", lane)
	}
}

// statusesWait has many lanes of messages and of statuses ready. A claim of 16 brings two of the
// statuses, so that these come to an end, too.
func (c *check) statusesWait() {
	c.split("messages", append(lanes("a", numberA, false, 20), lanes("b", numberB, false, 20)...)...)
	c.split("statuses", append(lanes("c", numberC, true, 20), lanes("d", numberA, true, 20)...)...)
	req := request(inbox.KindEvent, long)
	req.Lanes = 16
	n := 0
	for _, rec := range c.claim(c.a, req, 16).Records {
		if rec.Lane[0] == 'c' || rec.Lane[0] == 'd' {
			n++
		}
	}
	expect("lanes of statuses in a claim of 16", n, 2)
}

// excepting leaves out one of two numbers, and then both. What was left out comes when it is wanted
// again.
func (c *check) excepting() {
	c.split("a", lanes("a", numberA, false, 5)...)
	c.split("b", append(lanes("b", numberB, false, 2), lanes("account", "", false, 1)...)...)
	req := request(inbox.KindEvent, long)
	req.Except = []graph.PhoneNumberID{numberA}
	for _, rec := range c.claim(c.a, req, 3).Records { // events of an account are of no number
		if rec.PhoneNumberID == numberA {
			fail("a claim brought an event of a number that it excepts")
		}
	}
	req.Except = []graph.PhoneNumberID{numberB, numberA}
	c.claim(c.b, req, 0)
	expect("lanes that were left out", c.claimLanes(c.b, 5)[numberA], 5)
}
