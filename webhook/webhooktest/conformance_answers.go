package webhooktest

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// Conversations that a check needs for itself: what the business does in one may keep a bot from
// answering there.
const (
	undisturbed   = "155501001%d" // from 30 on
	movedCustomer = "15550100198"
	lastCustomer  = "15550100199"
)

const (
	owners = "answer customers alone: the business wrote this itself. A bot does well to fall silent for the " +
		"customer meanwhile"
	imports = "import history and answer nothing of it: it was said, and mostly answered, long ago"
	changes = "answer what a customer says, not what is done to a message: coexistence.Answerable tells"
)

// A quiet is an event that needs no answer. The second message is what the first is about, or
// what comes with it.
type quiet struct {
	check, advice string
	second        int // how often the second message may be answered
	changes       func(who string, first, second graph.MessageID) string
}

// quiets lists what happens on a number that also lives in the WhatsApp Business app, and looks
// like a message.
func (c *conformance) quiets() []quiet {
	return []quiet{
		{"a message written on the business's phone", owners, 0,
			func(who string, first, second graph.MessageID) string {
				return c.echoes("smb_message_echoes", to(who, first)+says("I will look after this"),
					to(who, second)+says("myself"))
			}},
		{"an edit on the business's phone", owners, 0, func(who string, first, second graph.MessageID) string {
			return c.echoes("smb_message_echoes", to(who, second)+says("Tomorow"),
				to(who, first)+edits(second, "Tomorrow"))
		}},
		{"a deletion on the business's phone", owners, 0, func(who string, first, second graph.MessageID) string {
			return c.echoes("smb_message_echoes", to(who, second)+says("Oops"), to(who, first)+revokes(second))
		}},
		{"a reaction on the business's phone", owners, 1, func(who string, first, second graph.MessageID) string {
			return c.changeOf(who, from(who, second)+says("See you at ten")) + "," +
				c.echoes("smb_message_echoes", to(who, first)+reacts(second))
		}},
		{"a message that another app sent for the business", owners, 0,
			func(who string, first, _ graph.MessageID) string {
				return c.echoes("message_echoes", to(who, first)+says("Sent by another app"))
			}},
		{"a chunk of history", imports, 0, c.history},
		{"media of a history", imports + "; its media may be gone, as here", 0,
			func(who string, first, second graph.MessageID) string {
				return fmt.Sprintf(`{"field":"history","value":{%s,"messages":[{%s}]}},`, c.metadata(),
					past(who, first)+photo) +
					c.echoes("history", fmt.Sprintf(`"to":%q,`, who)+past(business, second)+photo)
			}},
		{"an edit by a customer", changes, 1, func(who string, first, second graph.MessageID) string {
			return c.changeOf(who, from(who, second)+says("Do you have the blue one?"),
				from(who, first)+edits(second, "Do you have the green one?"))
		}},
		{"a deletion by a customer", changes, 1, func(who string, first, second graph.MessageID) string {
			return c.changeOf(who, from(who, second)+says("Wrong chat"), from(who, first)+revokes(second))
		}},
		{"a reaction of a customer", changes, 0, func(who string, first, second graph.MessageID) string {
			return c.changeOf(who, from(who, first)+reacts(second))
		}},
		{"a notice that a customer has another number", changes, 0, func(who string, first, _ graph.MessageID) string {
			return c.changeOf(who, from(who, first)+fmt.Sprintf(
				`"type":"system","system":{"body":"Alma Reyes changed from %s to %[2]s","wa_id":%[2]q,`+
					`"type":"user_changed_number"}`, who, movedCustomer))
		}},
		{"a status", "a status tells what became of a message of the business; there is nothing to answer", 0,
			func(who string, first, _ graph.MessageID) string {
				return fmt.Sprintf(`{"field":"messages","value":{%s,"statuses":[{"id":%q,"status":"delivered",`+
					`"timestamp":"%d","recipient_id":%q}]}}`,
					c.metadata(), first, time.Now().Unix(), who)
			}},
		{"a customer who writes while something else has the conversation",
			"leave a StandbyMessage to whoever has the conversation: to answer is to take it over", 0,
			func(who string, first, _ graph.MessageID) string {
				return fmt.Sprintf(`{"field":"standby","value":{%s,"standby":{"contacts":[%s],"messages":[{%s}]}}}`,
					c.metadata(), contact(who), from(who, first)+says("Is anybody there?"))
			}},
		{"a message that only the phone can show",
			"show a placeholder and leave the answer to a person at the phone: nobody else can read it", 0,
			func(who string, first, _ graph.MessageID) string {
				return c.changeOf(who,
					from(who, first)+`"type":"unsupported","unsupported":{"type":"unknown"},"errors":[{"code":131060,`+
						`"title":"This message is unavailable.","error_data":{"details":`+
						`"This message is currently unavailable. Please check your phone to view it."}}]`)
			}},
	}
}

// unanswered delivers what needs no answer, each in a conversation of its own. A plain text
// follows in every one of them: when that is handled, so is what came before it.
func (c *conformance) unanswered(ctx context.Context) {
	var texts []string
	var ids []graph.MessageID
	for i, q := range c.quiets() {
		who, first, second := fmt.Sprintf(undisturbed, 30+i), c.id(), c.id()
		c.deliver(ctx, q.check, delivery(c.entry(q.changes(who, first, second))),
			"acknowledge it, whatever you make of it: Meta repeats it for 7 days otherwise; "+q.advice)
		if q.second == 0 {
			c.limit(q.check, q.advice, 0, first, second)
		} else {
			c.limit(q.check, q.advice, 0, first)
			c.limit(q.check, q.advice, q.second, second)
		}
		id := c.id()
		ids, texts = append(ids, id), append(texts,
			c.changeOf(who, from(who, id)+says("Hello "+string(id[len(id)-6:]))))
	}
	const check = "ordinary messages after what nobody has to answer"
	const advice = "return nil for an event that there is nothing to do about: it must not hold up its conversation"
	if c.deliver(ctx, check, delivery(c.entry(texts...)), advice) {
		c.expect(ctx, check, advice, 1, ids...)
	}
}

// photo is the end of a message with media that cannot be fetched.
const photo = `"type":"image","image":{"mime_type":"image/jpeg",` +
	`"sha256":"q1Jx0mC3v3oS3kJt7t1N2b4c5d6e7f8g9h0i1j2k3l4=","id":"5000000000000011"}`

// edits returns the end of a message that edits another.
func edits(original graph.MessageID, words string) string {
	return fmt.Sprintf(`"type":"edit","edit":{"original_message_id":%q,"message":{%s}}`, original, says(words))
}

// revokes returns the end of a message that deletes another.
func revokes(original graph.MessageID) string {
	return fmt.Sprintf(`"type":"revoke","revoke":{"original_message_id":%q}`, original)
}

// reacts returns the end of a reaction to another message.
func reacts(original graph.MessageID) string {
	return fmt.Sprintf(`"type":"reaction","reaction":{"message_id":%q,"emoji":"\ud83d\udc4d"}`, original)
}

// to returns the beginning of a message of the business.
func to(who string, id graph.MessageID) string {
	return fmt.Sprintf(`"to":%q,`, who) + from(business, id)
}

// past returns the beginning of a message of ten days ago.
func past(who string, id graph.MessageID) string {
	return fmt.Sprintf(`"from":%q,"id":%q,"timestamp":"%d",`, who, id, time.Now().AddDate(0, 0, -10).Unix())
}

// echoes returns a change with messages of the business.
func (c *conformance) echoes(field string, messages ...string) string {
	return fmt.Sprintf(`{"field":%q,"value":{%s,"message_echoes":[{%s}]}}`, field, c.metadata(),
		strings.Join(messages, "},{"))
}

// history returns a chunk in which the customer asked and the business answered.
func (c *conformance) history(who string, first, second graph.MessageID) string {
	return fmt.Sprintf(`{"field":"history","value":{%s,"history":[{"metadata":{"phase":1,"chunk_order":1,`+
		`"progress":35},"threads":[{"id":%q,"messages":[`+
		`{%s,"history_context":{"status":"READ"}},{%s,"history_context":{"status":"DELIVERED"}}]}]}]}}`,
		c.metadata(), who, past(who, first)+says("Is the shop open?"), fmt.Sprintf(`"to":%q,`, who)+past(business,
			second)+says("Yes, until six."))
}
