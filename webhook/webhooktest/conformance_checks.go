package webhooktest

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

// asTheyCame is the advice for an endpoint that verifies a different text than the one that was
// sent.
const asTheyCame = "verify the bytes as they came, not JSON that was read and written again; Meta escapes what " +
	"others do not"

// signed makes requests as Meta makes them. The order matters: an endpoint that fails the first
// check would fail all, the time is taken before there is a backlog, and the largest bodies come
// last, because they are the ones that can bring an endpoint down.
func (c *conformance) signed(ctx context.Context) {
	if !c.ordinary(ctx) {
		return
	}
	c.speed(ctx)
	c.unanswered(ctx)
	c.oddities(ctx)
	c.batches(ctx)
	c.repeats(ctx)
	c.sizes(ctx)
	c.last(ctx)
}

// ordinary delivers one message. Nothing else is worth a try if that does not work.
func (c *conformance) ordinary(ctx context.Context) bool {
	const check = "an ordinary message"
	id := c.id()
	got := c.do(c.request(ctx, c.one(hello(id))))
	advice := "is Target.AppSecret the endpoint's, and does anything in front of it read or change the body?"
	if got.status >= 500 {
		advice = "the handler failed: the host's log should say why."
	}
	if !c.judge(check, got, advice+" The signed part of the test was left out") {
		return false
	}
	before := len(c.problems)
	c.expect(ctx, check, "does Target.Handled count what the endpoint handles? Nothing else was counted", 1, id)
	c.handled.off = c.handled.off || len(c.problems) > before
	return true
}

// speed takes the time that ordinary deliveries take. One alone can be slow for no fault of the
// endpoint: the median counts.
func (c *conformance) speed(ctx context.Context) {
	const check = "how soon an ordinary message is acknowledged"
	const advice = "store the delivery, acknowledge, and work later: package webhook/inbox does that. Meta wants a " +
		"median of 250 ms, " +
		"and fewer than 1 % above 1 s"
	const half = 5 // of nine, rounded up: so many on one side, and the median is there too
	if c.target.MaxAckLatency == 0 {
		return
	}
	var slow, fast []time.Duration
	for len(slow) < half && len(fast) < half {
		id := c.id()
		r := c.request(ctx, c.one(hello(id)))
		begun := time.Now()
		got := c.do(r)
		took := time.Since(begun)
		if !c.judge(check, got, advice) {
			return
		}
		if took > c.target.MaxAckLatency {
			slow = append(slow, took)
		} else {
			fast = append(fast, took)
		}
		c.expect(ctx, check, advice, 1, id)
	}
	if len(slow) == half {
		got, want := slices.Min(slow).Round(time.Microsecond).String(), c.target.MaxAckLatency.String()+" at most"
		c.deviate(check, got, want, advice)
	}
}

// oddities delivers bodies that Meta signs and few hosts expect, in three groups: those that hold
// no message and only have to be acknowledged, texts whose members are written in another way, and
// texts of people whom other members name. The texts must be handled.
func (c *conformance) oddities(ctx context.Context) {
	const hopeless = "acknowledge what no repeat can make readable, keep the bytes and report them; Meta sends the " +
		"same bytes for 7 days otherwise"
	for _, o := range []struct{ check, body string }{
		{"a signed body that is not JSON", `{"object":"whatsapp_business_account","entry":[`},
		{"a signed body that is empty", ``},
		{"a signed body nested thousands deep", strings.Repeat(`[`, 20_000) + strings.Repeat(`]`, 20_000)},
		{"a signed body of another shape", `{"object":"whatsapp_business_account","entry":5}`},
		{"a signed body that is an array", `[{"object":"whatsapp_business_account","entry":[]}]`},
		{"a delivery without entries", `{"object":"whatsapp_business_account","entry":[]}`},
		{"an entry without changes", `{"object":"whatsapp_business_account","entry":[{"id":"1","changes":[]},null]}`},
		{"a change without a value",
			string(delivery(c.entry(`{"field":"messages"}`, `{"field":"messages","value":null}`)))},
		{"a field that is new",
			string(delivery(c.entry(`{"field":"brand_new","value":{"event":"SOMETHING","list":[1]}}`)))},
		{"another product of Meta", `{"object":"page","entry":[{"id":"1","time":1767225600,"messaging":[{}]}]}`},
		{"a text in broken UTF-8", string(c.one(text(c.id(), "caf\xe9 \xff\xfe")))},
		{"a message type that is new",
			string(c.one(fmt.Sprintf(`"from":%q,"id":%q,"type":"hologram","hologram":{"a":[1]}`, customer, c.id())))},
		{"a type without its object",
			string(c.one(fmt.Sprintf(`"from":%q,"id":%q,"type":"interactive"`, customer, c.id())))},
		{"a status out of order", string(delivery(c.entry(c.statuses("read"), c.statuses("sent"))))},
		{"a status that is new", string(delivery(c.entry(c.statuses("levitated"))))},
	} {
		c.deliver(ctx, o.check, []byte(o.body), hopeless)
	}

	const tolerant = "read what is there and leave out the rest: every member of a message can be missing, new or " +
		"of the other kind"
	for _, o := range []struct{ check, members, advice string }{
		{"a text with escapes", `"timestamp":"1767225600",` +
			`"text":{"body":"caf\u00e9 \ud83d\ude80 \/ \u0040 \"ok\" \u003cb\u003e"}`, asTheyCame},
		{"a text in UTF-8", `"timestamp":"1767225600","text":{"body":"¿Abren mañana? 🙂"}`, asTheyCame},
		{"half an emoji", `"timestamp":"1767225600","text":{"body":"cut \ud83d"}`, asTheyCame},
		{"members that are new", `"timestamp":"1767225600","text":{"body":"Hello, something new","mood":1},` +
			`"future":{"a":[1,null]},"flag":true`, tolerant},
		{"a time as a number", `"timestamp":1767225600,"text":{"body":"Hello, it is late"}`, tolerant},
		{"a message without a time", `"text":{"body":"Hello, whenever"}`, tolerant},
	} {
		id := c.id()
		if c.deliver(ctx, o.check, c.one(fmt.Sprintf(`"from":%q,"id":%q,"type":"text",`, customer, id)+o.members),
			o.advice) {
			c.expect(ctx, o.check, o.advice, 1, id)
		}
	}
	for _, o := range []struct{ check, contacts string }{
		{"a customer without a phone number",
			`"contacts":[{"user_id":"US.4000000000000000123","profile":{"username":"alma"}}],`},
		{"a contact without a profile", `"contacts":[{"user_id":"US.4000000000000000123"}],`},
		{"a message without contacts", ``},
	} {
		id := c.id()
		body := delivery(c.entry(fmt.Sprintf(`{"value":{%s,%s"messages":[{"from_user_id":"US.4000000000000000123",`+
			`"id":%q,"timestamp":"1767225600",`+
			`"type":"text","text":{"body":"Hello, I am %s"}}]},"field":"messages"}`,
			c.metadata(), o.contacts, id, o.check)))
		const advice = "take from_user_id where from is missing: people can hide their number"
		if c.deliver(ctx, o.check, body, advice) {
			c.expect(ctx, o.check, advice, 1, id)
		}
	}
}

// statuses returns a change with one status of a message that the host never sent.
func (c *conformance) statuses(status string) string {
	return fmt.Sprintf(`{"field":"messages","value":{%s,"statuses":[{"id":%q,"status":%q,"timestamp":"1767225600",`+
		`"recipient_id":%q}]}}`,
		c.metadata(), c.id(), status, customer)
}

// batches delivers several things at once. Some of them are broken: the messages around them must
// be handled all the same.
func (c *conformance) batches(ctx context.Context) {
	const each = "handle item by item: every entry, every change, every message; an error of one must not keep the " +
		"others from being handled"
	try := func(check string, body []byte, ids ...graph.MessageID) {
		if c.deliver(ctx, check, body, each) {
			c.expect(ctx, check, each, 1, ids...)
		}
	}
	a, b := c.id(), c.id()
	try("two messages in one change", c.one(hello(a)+"},{"+hello(b)), a, b)
	a, b = c.id(), c.id()
	try("two changes in one entry", delivery(c.entry(c.change(hello(a)), c.change(hello(b)))), a, b)
	a, b = c.id(), c.id()
	try("two entries in one delivery", delivery(c.entry(c.change(hello(a))), c.entry(c.change(hello(b)))), a, b)
	a, b = c.id(), c.id()
	try("a batch with a field that is new",
		delivery(c.entry(c.change(hello(a)), `{"field":"brand_new","value":[1]}`, c.change(hello(b)))), a, b)
	a, b = c.id(), c.id()
	try("a batch with statuses between messages",
		delivery(c.entry(c.change(hello(a)), c.statuses("delivered"), c.change(hello(b)))), a, b)
	for _, o := range []struct{ check, bad string }{
		{"a batch with a message whose text is no object",
			fmt.Sprintf(`"from":%q,"id":%q,"type":"text","text":["bad"]`, customer, c.id())},
		{"a batch with a message without its content",
			fmt.Sprintf(`"from":%q,"id":%q,"type":"image"`, customer, c.id())},
		{"a batch with a message whose id is no string",
			fmt.Sprintf(`"from":%q,"id":{"a":1},"type":"text","text":{"body":"bad"}`, customer)},
		{"a batch with an empty message", ``},
	} {
		a, b := c.id(), c.id()
		try(o.check, c.one(hello(a)+"},{"+o.bad+"},{"+hello(b)), a, b)
	}
	a, b = c.id(), c.id()
	try("a batch with a broken change",
		delivery(c.entry(c.change(hello(a)), `5`, `{"field":"messages","value":["bad"]}`, c.change(hello(b))),
			`"bad"`), a, b)
}

// repeats delivers the same again, and deliveries that look like a repeat and are none. A host that
// knows a repeat by anything but the message's id handles some of them twice, or loses some.
func (c *conformance) repeats(ctx context.Context) {
	const bear = "acknowledge what was handled before: Meta repeats a delivery until it gets 200"
	const check = "the same delivery three times"
	id := c.id()
	body := c.one(hello(id))
	for range 3 {
		c.deliver(ctx, check, body, bear)
	}
	c.expect(ctx, check, bear, 1, id)

	c.atOnce(ctx)

	const again = "a message in a second delivery"
	a, b := c.id(), c.id()
	c.deliver(ctx, again, c.one(hello(a)), bear)
	if c.deliver(ctx, again, c.one(hello(a)+"},{"+hello(b)), bear) {
		c.expect(ctx, again, "know a repeat by the message's id, not by the delivery: the other message in it is new",
			1, a, b)
	}

	const alike = "two messages with the same words"
	a, b = c.id(), c.id()
	c.deliver(ctx, alike, c.one(text(a, "ok")), bear)
	if c.deliver(ctx, alike, c.one(text(b, "ok")), bear) {
		c.expect(ctx, alike, "know a repeat by the message's id, not by its content", 1, a, b)
	}

	const order = "an older message after a newer one"
	a, b = c.id(), c.id()
	c.deliver(ctx, order, c.one(text(a, "second")), bear)
	old := fmt.Sprintf(`"from":%q,"id":%q,"timestamp":"1767225600","type":"text","text":{"body":"first"}`, customer, b)
	if c.deliver(ctx, order, c.one(old), bear) {
		c.expect(ctx, order, "drop nothing because it is old: Meta delivers in no order", 1, a, b)
	}
}

// atOnce delivers the same from several connections. A handler that meets an event that is being
// handled may refuse it for now, and gets it again.
func (c *conformance) atOnce(ctx context.Context) {
	const check = "the same delivery eight times at once"
	id := c.id()
	body := c.one(hello(id))
	var wg sync.WaitGroup
	last := make([]answer, 8)
	for i := range last {
		wg.Go(func() {
			late := time.Now().Add(c.target.HandleTimeout)
			for {
				last[i] = c.do(c.request(ctx, body))
				if last[i].status < 500 || time.Now().After(late) || ctx.Err() != nil {
					return
				}
				pause(ctx, 20*time.Millisecond)
			}
		})
	}
	wg.Wait()
	for _, got := range last {
		if !got.acknowledged() {
			c.deviate(check, got.String(), "200, or 500 until one of them is through",
				"let go of an event when its handling ends, and acknowledge its repeats")
			break
		}
	}
	c.expect(ctx, check, "the one that takes the event must handle it", 1, id)
}

// The sizes of bodies, in bytes, and of batches.
const (
	megabyte    = 1 << 20
	metaMost    = 3_000_000     // the largest body Meta sends
	ourMost     = 16 * megabyte // far more than anybody needs to take
	metaUpdates = 1000          // in one delivery
)

// tooMuch is made once, because it is shared by all who test at the same time.
var tooMuch = sync.OnceValue(func() []byte {
	body := bytes.Repeat([]byte(" "), ourMost)
	copy(body, `{"object":"whatsapp_business_account","entry":[]}`)
	return body
})

// sizes delivers as much as Meta ever does, and more. The large batch must be handled; the bodies
// of 16 MiB must be refused, because an endpoint that takes any size can be put out of memory by a
// stranger: the signature is checked after the body was read.
func (c *conformance) sizes(ctx context.Context) {
	const check = "1,000 messages in 3 MB"
	const advice = "take bodies of up to 3 MB and 1,000 updates: store the delivery, acknowledge, and work later if " +
		"it takes long"
	ids := make([]graph.MessageID, metaUpdates)
	messages := make([]string, metaUpdates)
	words := strings.Repeat(`Zo\u00eb `, (metaMost/metaUpdates-200)/len(`Zo\u00eb `))
	for i := range ids {
		ids[i] = c.id()
		messages[i] = text(ids[i], words)
	}
	if c.deliver(ctx, check, c.one(strings.Join(messages, "},{")), advice) {
		c.expect(ctx, check, advice, 1, ids...)
	}

	body := tooMuch()
	signature := webhook.Sign(c.target.AppSecret, body)
	for _, o := range []struct {
		check  string
		change func(*http.Request)
	}{
		{"a body of 16 MiB", func(*http.Request) {}},
		{"a body of 16 MiB that is not announced", func(r *http.Request) { r.ContentLength = -1 }},
	} {
		r := c.unsigned(ctx, nil)
		replaceBody(r, body)
		r.Header.Set(webhook.SignatureHeader, signature)
		r.Header.Set("Expect", "100-continue")
		o.change(r)
		// An endpoint that refuses early may cut the connection while the body is still on its way.
		// That is a refusal too.
		if got := c.do(r); got.status != 0 && !got.refused() || got.timedOut() {
			c.deviate(o.check, got.String(), "413",
				"limit what is read, to a little above 3 MB, or one request takes all memory: see http.MaxBytesReader")
		}
	}
}

// last makes sure that all of that has left the endpoint in working order, and counts.
func (c *conformance) last(ctx context.Context) {
	const check = "an ordinary message after all that"
	id := c.id()
	body := delivery(c.entry(c.changeOf(lastCustomer, from(lastCustomer, id)+says("Hello, is it over?"))))
	if c.deliver(ctx, check, body, "something in this test broke the endpoint for good") {
		c.expect(ctx, check, "something in this test broke the handling for good", 1, id)
		c.awaitAnswer(ctx, check, id)
	}
	c.recount(ctx)
}
