package outbox_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/outbox"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

// sees tells the tracker that a customer has written.
func (h *process) sees(phone graph.PhoneNumberID, id string, who graph.Identity) {
	h.t.Helper()
	require.NoError(h.t, h.tracker.Handle(h.t.Context(), &webhook.IncomingMessage{
		EventInfo: webhook.EventInfo{Field: webhook.FieldMessages, PhoneNumberID: phone, At: time.Now()},
		ID:        graph.MessageID(id), From: who, Content: &webhook.Text{Body: "Hi"},
	}))
}

// conversation returns the ID of the conversation that a name finds.
func (h *process) conversation(phone graph.PhoneNumberID, name string) string {
	h.t.Helper()
	c, err := h.tracker.Store().Conversation(h.t.Context(), phone, name)
	require.NoError(h.t, err)
	return c.ID
}

// A customer is known under a number and, apart from that, under a user id; then both turn out to
// be one. What was put in under either name, before and after, is one conversation: it goes out in
// order, and is found under each name.
func TestAConversationKeepsItsOrderWhenACustomerTurnsOutToBeAnother(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, e engine) {
		p := newPlatform(t, 1000)
		h := open(t, e, p, outbox.Config{})
		phone := p.phone.ID
		const number, user = "15550100101", "US.1001"
		put := func(id, conversation string, to graph.Identity) {
			h.put(outbox.Message{ID: id, PhoneNumberID: phone, ConversationID: conversation,
				Payload: cloudapi.Message{To: cloudapi.ToIdentity(to), Content: &cloudapi.Text{Body: id}}})
		}
		// Nothing is known of the customer yet.
		put("0", "", graph.Identity{WAID: number})
		put("1", "", graph.Identity{UserID: user})
		h.sees(phone, "wamid.in1", graph.Identity{WAID: number})
		h.sees(phone, "wamid.in2", graph.Identity{UserID: user})
		h.sees(phone, "wamid.in3", graph.Identity{WAID: "15550100102"})
		names := []string{h.conversation(phone, number), h.conversation(phone, user), number, user, "+1 555 010 0101"}
		require.NotEqual(t, names[0], names[1])
		put("2", names[1], graph.Identity{UserID: user})
		put("3", names[0], graph.Identity{WAID: number})
		put("other", h.conversation(phone, "15550100102"), graph.Identity{WAID: "15550100102"})
		h.sees(phone, "wamid.in4", graph.Identity{UserID: user, WAID: number})
		for i, name := range names {
			put(fmt.Sprint(4+i), name, graph.Identity{UserID: user, WAID: number})
		}
		h.run()
		var ids []string
		for i := range 4 + len(names) {
			ids = append(ids, fmt.Sprint(i))
			h.becomes(fmt.Sprint(i), outbox.StateSent)
		}
		var sent []string
		for _, m := range p.Sent() {
			if m.CallbackData != "other" {
				sent = append(sent, m.CallbackData)
			}
		}
		require.Equal(t, ids, sent)
		for _, name := range names {
			list, err := graph.Collect(h.List(t.Context(), outbox.Filter{PhoneNumberID: phone, ConversationID: name}))
			require.NoError(t, err)
			require.Len(t, list, len(ids), name)
			require.Equal(t, h.conversation(phone, number), list[0].ConversationID)
		}
	})
}

// Whether a person wrote a message is kept until it is filed: a bot then stays silent.
func TestWhatAPersonPutsInIsAPersonsMessage(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, e engine) {
		p := newPlatform(t, 1000)
		h := start(t, e, p, outbox.Config{})
		bot, person := p.text("bot", 1), p.text("person", 2)
		person.Payload.ByPerson = true
		h.put(bot, person)
		for id, active := range map[string]bool{"bot": false, "person": true} {
			e := h.becomes(id, outbox.StateSent)
			require.Equal(t, active, e.Payload.ByPerson)
			c, err := h.tracker.Store().Conversation(t.Context(), p.phone.ID, e.Payload.To.Key())
			require.NoError(t, err)
			require.Equal(t, active, c.HumanActive(time.Hour, time.Now()), id)
		}
	})
}
