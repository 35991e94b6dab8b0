package coexistence_test

import (
	"encoding/json"
	"fmt"
	"hash/fnv"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

// Bodies in Meta's shape, so that the decoder is part of every test. Numbers and names are made up.

// body wraps a change's value. list is the members beside metadata, as in `"messages":[…]`.
func body(field, list string) string {
	return fmt.Sprintf(`{"object":"whatsapp_business_account","entry":[{"id":%q,"changes":[{"field":%q,`+
		`"value":{"messaging_product":"whatsapp",`+
		`"metadata":{"display_phone_number":%q,"phone_number_id":%q},%s}}]}]}`, waba, field, display, phone, list)
}

// who is a customer as the members of a message name it.
type who struct{ number, user string }

var (
	ada       = who{number: "15550100101", user: "US.1001"}
	adaNumber = who{number: "15550100101"}
	adaUser   = who{user: "US.1001"}
	grace     = who{number: "15550100102"}
)

func (w who) identity() graph.Identity {
	return graph.Identity{WAID: w.number, UserID: graph.UserID(w.user)}
}

// as writes the customer under the given names, with a comma behind each.
func (w who) as(number, user string) string {
	var b strings.Builder
	if w.number != "" {
		fmt.Fprintf(&b, "%q:%q,", number, w.number)
	}
	if w.user != "" {
		fmt.Fprintf(&b, "%q:%q,", user, w.user)
	}
	return b.String()
}

func unixSeconds(at time.Time) string { return strconv.FormatInt(at.Unix(), 10) }

// at returns the moment some seconds after t0.
func at(seconds int) time.Time { return t0.Add(time.Duration(seconds) * time.Second) }

const (
	revokeOf   = `"type":"revoke","revoke":{"original_message_id":%q}`
	reactionTo = `"type":"reaction","reaction":{"message_id":%q,"emoji":%q}`
	editOf     = `"type":"edit","edit":{"original_message_id":%q,"message":{%s}}`
	ghost      = `"type":"unsupported","unsupported":{"type":"unknown"},"errors":[{"code":131060,"title":"This ` +
		`message is unavailable."}]`
	mediaGone = `"type":"media_placeholder"`
)

func text(s string) string { return fmt.Sprintf(`"type":"text","text":{"body":%q}`, s) }

func image(id, caption string) string {
	return fmt.Sprintf(`"type":"image","image":{"id":%q,"mime_type":"image/jpeg","sha256":"c2hh","caption":%q}`, id,
		caption)
}

// inbound is a live message of a customer, echo one of the app.
func inbound(id string, from who, second int, content string) string {
	return body("messages", fmt.Sprintf(`"contacts":[{"profile":{"name":"Ada"},%s"x":0}],"messages":[{%s"id":%q,`+
		`"timestamp":%q,%s}]`,
		from.as("wa_id", "user_id"), from.as("from", "from_user_id"), id, unixSeconds(at(second)), content))
}

// inGroup is a message that a customer writes in the group g1.
func inGroup(id string, from who, second int, content string) string {
	return strings.Replace(inbound(id, from, second, content), `"id":"wamid`, `"group_id":"g1","id":"wamid`, 1)
}

func echo(id string, to who, second int, content string) string {
	return body("smb_message_echoes", fmt.Sprintf(`"message_echoes":[{"from":%q,%s"id":%q,"timestamp":%q,%s}]`,
		display, to.as("to", "to_user_id"), id, unixSeconds(at(second)), content))
}

func status(id string, to who, second int, code string) string {
	return body("messages", fmt.Sprintf(`"statuses":[{%s"id":%q,"timestamp":%q,"status":%q}]`,
		to.as("recipient_id", "recipient_user_id"), id, unixSeconds(at(second)), code))
}

// past is a message within history.
func past(id string, from who, second int, content string) string {
	return fmt.Sprintf(`{%s"id":%q,"timestamp":%q,%s,"history_context":{"status":"READ"}}`,
		from.as("from", "from_user_id"), id, unixSeconds(at(second)), content)
}

// business is the business as the writer of a past message.
var business = who{number: display}

func history(phase, order, progress int, with who, messages ...string) string {
	context := ""
	if with.user != "" {
		context = fmt.Sprintf(`"context":{%s"x":0},`, with.as("wa_id", "user_id"))
	}
	id := ""
	if with.number != "" {
		id = fmt.Sprintf(`"id":%q,`, with.number)
	}
	return body("history", fmt.Sprintf(`"history":[{"metadata":{"phase":%d,"chunk_order":%d,"progress":%d},`+
		`"threads":[{%s%s"messages":[%s]}]}]`,
		phase, order, progress, id, context, strings.Join(messages, ",")))
}

// historyMedia is the media of a placeholder that the customer sent, historyMediaEcho of one that
// the business sent.
func historyMedia(id string, from who, second int, content string) string {
	return strings.Replace(inbound(id, from, second, content), `"field":"messages"`, `"field":"history"`, 1)
}

func historyMediaEcho(id string, to who, second int, content string) string {
	return strings.Replace(echo(id, to, second, content), `"field":"smb_message_echoes"`, `"field":"history"`, 1)
}

func historyDeclined() string {
	return body("history", `"history":[{"errors":[{"code":2593109,"title":"History sync is turned off"}]}]`)
}

func contact(action, name string, who who, second int) string {
	names := ""
	if name != "" {
		names = fmt.Sprintf(`"full_name":%q,`, name)
	}
	return body("smb_app_state_sync", fmt.Sprintf(`"state_sync":[{"type":"contact","action":%q,"contact":{%s%s"x":0},`+
		`"metadata":{"timestamp":%q}}]`,
		action, names, who.as("phone_number", "user_id"), unixSeconds(at(second))))
}

func accountUpdate(event string, second int, members string) string {
	return fmt.Sprintf(`{"object":"whatsapp_business_account","entry":[{"id":%q,"time":%d,`+
		`"changes":[{"field":"account_update","value":{"event":%q%s}}]}]}`,
		waba, at(second).Unix(), event, members)
}

func decode(t require.TestingT, body string) []webhook.Event {
	require.True(t, json.Valid([]byte(body)), body)
	// When a body arrived is a function of it, so that repeats and any order tell the same.
	h := fnv.New32a()
	_, _ = h.Write([]byte(body))
	arrived := time.Unix(1795168800, 0).Add(time.Duration(h.Sum32()%1e6) * time.Microsecond)
	events, err := webhook.Delivery{Body: []byte(body), ReceivedAt: arrived}.Events()
	require.NoError(t, err)
	require.NotEmpty(t, events)
	for _, ev := range events {
		switch ev := ev.(type) {
		case *webhook.UnknownEvent, *webhook.UndecodableEvent:
			require.Fail(t, "a body of this test does not decode", "%s", ev.Info().Raw)
		}
	}
	return events
}

// deliver hands bodies to a tracker over store.
func deliver(t *testing.T, store coexistence.Store, bodies ...string) {
	t.Helper()
	tracker, err := coexistence.NewTracker(coexistence.Config{Store: store})
	require.NoError(t, err)
	for _, b := range bodies {
		for _, ev := range decode(t, b) {
			require.NoError(t, tracker.Handle(t.Context(), ev))
		}
	}
}

// delivered returns a store after the bodies.
func delivered(t *testing.T, bodies ...string) *coexistence.MemStore {
	t.Helper()
	store := new(coexistence.MemStore)
	deliver(t, store, bodies...)
	return store
}

func message(t *testing.T, store coexistence.Store, id graph.MessageID) coexistence.Message {
	t.Helper()
	m, err := store.Message(t.Context(), phone, id)
	require.NoError(t, err)
	return m
}

func conversations(t *testing.T, store coexistence.Store) []coexistence.Conversation {
	t.Helper()
	var list []coexistence.Conversation
	for c, err := range store.Conversations(t.Context(), phone) {
		require.NoError(t, err)
		list = append(list, c)
	}
	return list
}

// idOf returns the ID of the conversation with a person.
func idOf(t *testing.T, store coexistence.Store, who string) string {
	t.Helper()
	c, err := store.Conversation(t.Context(), phone, who)
	require.NoError(t, err)
	return c.ID
}

// texts returns what is shown of a conversation, oldest first.
func texts(t *testing.T, store coexistence.Store, conversation string) []string {
	t.Helper()
	var list []string
	for m, err := range store.Messages(t.Context(), phone, conversation) {
		require.NoError(t, err)
		list = append(list, m.Text)
	}
	return list
}

// orders calls try with every order of the bodies.
func orders(bodies []string, try func([]string)) {
	var permute func(int)
	permute = func(k int) {
		if k == len(bodies) {
			try(bodies)
			return
		}
		for i := k; i < len(bodies); i++ {
			bodies[k], bodies[i] = bodies[i], bodies[k]
			permute(k + 1)
			bodies[k], bodies[i] = bodies[i], bodies[k]
		}
	}
	permute(0)
}
