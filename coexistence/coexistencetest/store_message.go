package coexistencetest

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

// fullMessage has every member set, some in ways that no message has, with text outside of ASCII
// and of the basic plane.
func (c *storeCheck) fullMessage(id graph.MessageID) coexistence.Message {
	return coexistence.Message{
		ID: id, PhoneNumberID: c.phone, Person: "US.1001",
		Customer: graph.Identity{UserID: "US.1001", ParentUserID: "US.ENT.2001", WAID: "15550100101", Username: "ada"},
		GroupID:  "group-1", Origin: coexistence.OriginCustomer, Outbound: true, At: storeTime,
		Content: coexistence.Content{
			Type: webhook.TypeDocument, Text: "caption \u00e9\U0001F44D",
			Media: &coexistence.Media{ID: "3001", MIMEType: "application/pdf", SHA256: "c2hh", Filename: "a.pdf",
				Voice: true, Animated: true},
			Raw: json.RawMessage(`{"type":"document"}`),
		},
		Original: &coexistence.Content{Type: webhook.TypeText, Text: "before"},
		EditedAt: storeTime.Add(time.Minute), EditID: "wamid.EDIT", RevokedAt: storeTime.Add(time.Hour),
		ReplyTo: "wamid.QUOTED", Forwarded: true,
		Referral: &webhook.Referral{SourceType: "ad", ClickID: "click", Welcome: &webhook.WelcomeMessage{Text: "Hi"}},
		Reactions: []coexistence.Reaction{{Outbound: true, Person: "US.1002", Emoji: "\U0001F44D", At: storeTime,
			ID: "wamid.REACTION"}},
		Status:   webhook.StatusRead,
		Receipts: []coexistence.Receipt{{Status: webhook.StatusSent, Person: "US.1002", At: storeTime}},
		Failure:  &coexistence.DeliveryFailure{Code: 131026, Title: "Undeliverable"}, CallbackData: "order-1",
		AppActivityAt: storeTime.Add(2 * time.Minute),
		Provenance:    c.provenance,
	}
}

// unknownMessage reads a message and a conversation that were never stored. A conversation without
// messages is empty and no error, so that a page can show it.
func (c *storeCheck) unknownMessage() error {
	_, err := c.s.Message(c.ctx, c.phone, "wamid.NONE")
	if err := notFound(err); err != nil {
		return err
	}
	_, err = c.s.Conversation(c.ctx, c.phone, "15550100101")
	if err := notFound(err); err != nil {
		return fmt.Errorf("conversation: %w", err)
	}
	list, err := c.messages(c.phone, "15550100101")
	if err == nil && len(list) > 0 {
		err = fmt.Errorf("an unknown conversation has %d messages", len(list))
	}
	return err
}

// messageRoundTrip stores a message with every member set, and one with none but its ids: an edit
// that arrives before its message leaves such a one.
func (c *storeCheck) messageRoundTrip() error {
	for _, want := range []coexistence.Message{
		c.fullMessage("wamid.FULL"), {ID: "wamid.EMPTY", PhoneNumberID: c.phone},
	} {
		if err := c.put(c.phone, want); err != nil {
			return err
		}
		got, err := c.s.Message(c.ctx, c.phone, want.ID)
		if err != nil {
			return err
		}
		if want.Person != "" {
			conv, err := c.s.Conversation(c.ctx, c.phone, want.Person)
			if err != nil {
				return err
			}
			want.ConversationID = conv.ID
		}
		if !reflect.DeepEqual(got, want) {
			return fmt.Errorf("got %+v, want %+v", got, want)
		}
	}
	return nil
}

// messageUpdate changes a stored message between two new ones in one call. fn has to see the stored
// one, in the order of the ids, and each change has to be kept under its own id.
func (c *storeCheck) messageUpdate() error {
	// The stored one is between the two new ones.
	if err := c.put(c.phone, c.fullMessage("wamid.B")); err != nil {
		return err
	}
	var order []graph.MessageID
	ids := []graph.MessageID{"wamid.A", "wamid.B", "wamid.C"}
	err := c.s.UpdateMessages(c.ctx, c.phone, ids, func(m *coexistence.Message) {
		if m.ID == "wamid.A" {
			order = nil // it may run more than once
		}
		order = append(order, m.ID)
		m.Text += "!"
	})
	if err != nil {
		return err
	}
	if !slices.Equal(order, ids) {
		return fmt.Errorf("fn saw %v, want %v", order, ids)
	}
	for id, want := range map[graph.MessageID]string{"wamid.A": "!", "wamid.B": c.fullMessage("").Text + "!",
		"wamid.C": "!"} {
		m, err := c.s.Message(c.ctx, c.phone, id)
		if err != nil {
			return fmt.Errorf("%s: %w", id, err)
		}
		if m.ID != id || m.PhoneNumberID != c.phone || m.Text != want {
			return fmt.Errorf("got %s of %s with text %q, want %s of %s with %q", m.ID, m.PhoneNumberID, m.Text, id,
				c.phone, want)
		}
	}
	return nil
}

// messageConcurrency changes overlapping sets of messages from several goroutines. A store that
// locks rows in another order than that of the ids deadlocks here, and one that does not lock loses
// changes.
func (c *storeCheck) messageConcurrency() error {
	ids := []graph.MessageID{"wamid.1", "wamid.2", "wamid.3"}
	err := concurrently(func(worker, i int) error {
		// Half of the calls change all three messages, half the last two: sets that overlap.
		from := (worker + i) % 2
		return c.s.UpdateMessages(c.ctx, c.phone, ids[from:], func(m *coexistence.Message) {
			yield()
			m.Receipts = append(m.Receipts, coexistence.Receipt{Status: webhook.StatusSent})
		})
	})
	if err != nil {
		return err
	}
	for id, want := range map[graph.MessageID]int{ids[0]: storeWriters * storeWrites / 2,
		ids[1]: storeWriters * storeWrites} {
		m, err := c.s.Message(c.ctx, c.phone, id)
		if err != nil {
			return err
		}
		if len(m.Receipts) != want {
			return fmt.Errorf("%d changes of %s left %d", want, id, len(m.Receipts))
		}
	}
	return nil
}

// text is a message that a customer has written and that is shown. Its text is its id.
func (c *storeCheck) text(id graph.MessageID, person string, at time.Time) coexistence.Message {
	return coexistence.Message{
		ID: id, PhoneNumberID: c.phone, Person: person, Origin: coexistence.OriginCustomer, At: at,
		Content: coexistence.Content{Type: webhook.TypeText, Text: string(id)},
	}
}

// messageIDs lists ids in the order of the messages.
func messageIDs(list []coexistence.Message) []graph.MessageID {
	ids := make([]graph.MessageID, len(list))
	for i, m := range list {
		ids[i] = m.ID
	}
	return ids
}

// messageOrder stores messages of one second and of an hour before, beside one that is not shown,
// one of another person and one of which the person is not known. No event told the order within
// the second, so it is that of the ids.
func (c *storeCheck) messageOrder() error {
	const person = "15550100101"
	// A message of which only a status was seen is not shown, and has the first id, so that a store
	// which forgets the condition fails.
	hidden := coexistence.Message{ID: "wamid.0", PhoneNumberID: c.phone, Person: person, At: storeTime,
		Status: webhook.StatusSent}
	err := c.put(c.phone,
		c.text("wamid.4", person, storeTime.Add(-time.Hour)),
		c.text("wamid.1", person, storeTime),
		c.text("wamid.3", person, storeTime), c.text("wamid.2", person, storeTime), hidden,
		c.text("wamid.5", "15550100102", storeTime), c.text("wamid.6", "", storeTime),
	)
	if err != nil {
		return err
	}
	list, err := c.messages(c.phone, person)
	if err != nil {
		return err
	}
	want := []graph.MessageID{"wamid.4", "wamid.1", "wamid.2", "wamid.3"}
	if got := messageIDs(list); !slices.Equal(got, want) {
		return fmt.Errorf("got %v, want %v", got, want)
	}
	conv, err := c.s.Conversation(c.ctx, c.phone, person)
	if err != nil {
		return err
	}
	for _, m := range list {
		if m.ConversationID != conv.ID || conv.ID == "" {
			return fmt.Errorf("%s says ConversationID %q, want %q", m.ID, m.ConversationID, conv.ID)
		}
	}
	// Messages of which the person is not known must not come together under no name.
	if list, err = c.messages(c.phone, ""); err == nil && len(list) > 0 {
		err = fmt.Errorf("messages of nobody in particular make a conversation: %v", messageIDs(list))
	}
	return err
}

// messageMoves changes the person of a message. It happens when a better source tells whose it is:
// then it must be gone from the other conversation, and that one with it.
func (c *storeCheck) messageMoves() error {
	if err := c.put(c.phone, c.text("wamid.1", "15550100101", storeTime)); err != nil {
		return err
	}
	err := c.s.UpdateMessages(c.ctx, c.phone, []graph.MessageID{"wamid.1"},
		func(m *coexistence.Message) { m.Person = "15550100102" })
	if err != nil {
		return err
	}
	// Gone from the one conversation, and alone in the other.
	for person, want := range map[string]int{"15550100101": 0, "15550100102": 1} {
		list, err := c.messages(c.phone, person)
		if err != nil {
			return err
		}
		if len(list) != want {
			return fmt.Errorf("%s has %d messages, want %d", person, len(list), want)
		}
	}
	convs, err := c.conversations(c.phone)
	if err == nil && len(convs) != 1 {
		err = fmt.Errorf("%d conversations, want 1", len(convs))
	}
	return err
}
