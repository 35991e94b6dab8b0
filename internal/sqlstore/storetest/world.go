// Package storetest holds what the tests of every database share: deliveries drawn at random, and
// the comparison of what stores make of them. What a store in memory makes of the same events is
// the reference ([Expected]), so a database is tested for what it adds: rows, locks and
// transactions.
package storetest

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

// Phone is the number that the world is about: its id, as the store's methods take it.
const Phone = "106540352242922"

const (
	display = "15550100199"
	waba    = "102290129340398"
	// start is November 20, 2026, in Unix seconds; every event is within half a minute from then.
	start = 1795168800
)

// A person is a customer under the names that an event tells: a number, a user id, or both. An
// empty one is left out of the event.
type person struct{ number, user string }

// people are three persons: two of them under a number, a user id or both, so that contacts get
// merged, and one known by number alone.
var people = []person{
	{"15550100101", "US.1001"}, {number: "15550100101"}, {user: "US.1001"}, {number: "15550100102"}, {user: "US.1002"},
	{"15550100102", "US.1002"}, {number: "15550100103"},
}

// as writes the names of a person as members, with a comma behind each.
func (p person) as(number, user string) string {
	var b strings.Builder
	if p.number != "" {
		fmt.Fprintf(&b, "%q:%q,", number, p.number)
	}
	if p.user != "" {
		fmt.Fprintf(&b, "%q:%q,", user, p.user)
	}
	return b.String()
}

// A world draws deliveries about a few messages of a few people: people under several names, the
// same message live and in history, edits of messages that were never seen. Few ids cause many
// collisions, which a store must survive.
type world struct {
	r        *rand.Rand
	messages int
}

// Events returns the events of random deliveries. The same seed makes the same events. There are
// more events than deliveries, since one can hold several, and about three for each message id.
func Events(seed uint64, deliveries int) ([]webhook.Event, error) {
	// A third as many ids as deliveries, so that each message is told of about three times.
	w := &world{rand.New(rand.NewPCG(seed, 1)), max(5, deliveries/3)}
	var events []webhook.Event
	for range deliveries {
		// Many arrive within the same second, in any order.
		arrived := time.Unix(start+40, int64(w.r.IntN(1e6))*1000)
		list, err := webhook.Delivery{Body: []byte(w.delivery()), ReceivedAt: arrived}.Events()
		if err != nil {
			return nil, err
		}
		events = append(events, list...)
	}
	return events, nil
}

// Chunk returns a chunk of history with n messages of ordinary length and of words as frequent as
// people's are, numbered from first, in conversations of a hundred. It is for measurements: nothing
// in it collides.
func Chunk(first, n int) ([]webhook.Event, error) {
	words := rand.NewZipf(rand.New(rand.NewPCG(uint64(first), 1)), 1.1, 10, 50_000)
	said := func() string {
		var b strings.Builder
		for range 9 {
			fmt.Fprintf(&b, "w%x ", words.Uint64())
		}
		return b.String()
	}
	var threads []string
	// A conversation begins where the last chunk ended, so two chunks share none.
	for from := 0; from < n; from += 100 {
		number := fmt.Sprintf("1555%07d", (first+from)/100)
		var list []string
		for i := from; i < min(n, from+100); i++ {
			list = append(list, past(fmt.Sprintf("wamid.%07d", first+i), person{number: number}, i,
				text(said())))
		}
		threads = append(threads, fmt.Sprintf(`{"id":%q,"messages":[%s]}`, number, strings.Join(list, ",")))
	}
	return webhook.Decode([]byte(history(0, 1, 50, threads)))
}

// id draws one of the ids.
func (w *world) id() string { return fmt.Sprintf("wamid.%d", 1+w.r.IntN(w.messages)) }

// person draws one of the people.
func (w *world) person() person { return people[w.r.IntN(len(people))] }

// content draws what a message says. Some of it is hard to keep: quotes and braces as PostgreSQL
// writes arrays, NUL bytes, < and >, characters outside of the basic plane.
func (w *world) content() string {
	switch w.r.IntN(8) {
	case 0:
		return fmt.Sprintf(`"type":"image","image":{"id":"%d","mime_type":"image/jpeg","sha256":"c2hh",`+
			`"caption":"<caption>"}`, 3000+w.r.IntN(30))
	case 1:
		return fmt.Sprintf(`"type":"edit","edit":{"original_message_id":%q,"message":{%s}}`, w.id(),
			text(fmt.Sprint("edited ", w.r.IntN(30))))
	case 2:
		return fmt.Sprintf(`"type":"revoke","revoke":{"original_message_id":%q}`, w.id())
	case 3:
		return fmt.Sprintf(`"type":"reaction","reaction":{"message_id":%q,"emoji":%q}`, w.id(),
			[]string{"A", "\U0001F44D", ""}[w.r.IntN(3)])
	case 4:
		return `"type":"unsupported","unsupported":{"type":"unknown"},"errors":[{"code":131060,"title":"This message ` +
			`is unavailable."}]`
	case 5:
		return `"type":"location","location":{"latitude":1,"longitude":2,"name":"Shop & \"<more>\" \\ \u0000"}`
	}
	return text(fmt.Sprint("text {\"'\\,} \x00 ", w.r.IntN(30)))
}

// delivery draws a delivery with one event, or with a chunk of up to three messages. Messages are
// the most frequent, then statuses and history; echoes, changes of number and entries of the
// address book come beside them. All within half a minute, so that times collide too.
func (w *world) delivery() string {
	from, at := w.person(), w.r.IntN(30)
	switch w.r.IntN(9) {
	case 0, 1:
		return live("messages", fmt.Sprintf(`"contacts":[{"profile":{"name":"Ada"},%s"x":0}],"messages":[{%s"id":%q,`+
			`"timestamp":"%d",%s}]`,
			from.as("wa_id", "user_id"), from.as("from", "from_user_id"), w.id(), start+at, w.content()))
	case 2:
		return live("smb_message_echoes", fmt.Sprintf(`"message_echoes":[{"from":%q,%s"id":%q,"timestamp":"%d",%s}]`,
			display, from.as("to", "to_user_id"), w.id(), start+at, w.content()))
	case 3, 4:
		return live("messages", fmt.Sprintf(`"statuses":[{%s"id":%q,"timestamp":"%d","status":%q}]`,
			from.as("recipient_id", "recipient_user_id"),
			w.id(), start+at, []string{"sent", "delivered", "read", "failed"}[w.r.IntN(4)]))
	// A chunk has one thread, empty at times.
	case 5, 6:
		var list []string
		for range w.r.IntN(4) {
			// In a history either side has written.
			writer := from
			if w.r.IntN(2) == 0 {
				writer = person{number: display}
			}
			list = append(list, past(w.id(), writer, w.r.IntN(30),
				[]string{`"type":"media_placeholder"`, text("past"), w.content()}[w.r.IntN(3)]))
		}
		thread := fmt.Sprintf(`{%s"context":{%s"x":0},"messages":[%s]}`, person{number: from.number}.as("id", ""),
			from.as("wa_id", "user_id"),
			strings.Join(list, ","))
		return history(w.r.IntN(3), 1+w.r.IntN(4), at*3, []string{thread})
	case 7:
		to := w.person()
		return live("messages", fmt.Sprintf(`"messages":[{%s"id":%q,"timestamp":"%d","type":"system",`+
			`"system":{"type":"user_changed_number","wa_id":%q,"user_id":%q}}]`,
			from.as("from", "from_user_id"), w.id(), start+at, to.number, to.user))
	}
	return live("smb_app_state_sync", fmt.Sprintf(`"state_sync":[{"type":"contact","action":%q,`+
		`"contact":{"full_name":"Name %d",%s"x":0},"metadata":{"timestamp":"%d"}}]`,
		[]string{"add", "add", "remove"}[w.r.IntN(3)], at%3, from.as("phone_number", "user_id"), start+at))
}

// live wraps the members of a change's value in a delivery of the number.
func live(field, members string) string {
	return fmt.Sprintf(`{"object":"whatsapp_business_account","entry":[{"id":%q,"changes":[{"field":%q,`+
		`"value":{"messaging_product":"whatsapp",`+
		`"metadata":{"display_phone_number":%q,"phone_number_id":%q},%s}}]}]}`, waba, field, display, Phone, members)
}

// history is a delivery with a chunk of history.
func history(phase, order, progress int, threads []string) string {
	return live("history", fmt.Sprintf(`"history":[{"metadata":{"phase":%d,"chunk_order":%d,"progress":%d},`+
		`"threads":[%s]}]`,
		phase, order, progress, strings.Join(threads, ",")))
}

// past is a message within history, at so many seconds from the start. The sender's side decides
// who wrote it.
func past(id string, from person, second int, content string) string {
	return fmt.Sprintf(`{%s"id":%q,"timestamp":"%d",%s,"history_context":{"status":"READ"}}`,
		from.as("from", "from_user_id"), id, start+second, content)
}

// text is the content of a text message, with the text quoted as JSON.
func text(s string) string {
	quoted, _ := json.Marshal(s) // a string is never refused
	return fmt.Sprintf(`"type":"text","text":{"body":%s}`, quoted)
}
