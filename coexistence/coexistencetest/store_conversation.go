package coexistencetest

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

// saidAt is a message that arrives a number of microseconds after its second began.
func saidAt(
	phone graph.PhoneNumberID, id graph.MessageID, from graph.Identity, at time.Time, micros int,
) *webhook.IncomingMessage {
	m := incoming(phone, from, at)
	m.ID, m.ReceivedAt = id, at.Add(time.Second+time.Duration(micros)*time.Microsecond)
	return m
}

// secondOrder tells of messages of one second in another order than that of their ids and of the
// calls. The order is that of their arrival, and the first telling of each counts.
func (c *storeCheck) secondOrder() error {
	told := func(id graph.MessageID, micros int) *webhook.IncomingMessage {
		return saidAt(c.phone, id, ada, storeTime, micros)
	}
	again, later := told("wamid.2", 1), told("wamid.9", 5)
	again.Place, later.Place = 3, 1
	err := tell(c.ctx, c.s,
		told("wamid.1", 4), told("wamid.3", 2), told("wamid.2", 9), later, again, told("wamid.0", 5))
	if err != nil {
		return err
	}
	// A page is read from the place of a message, so the order has to be the same there.
	list, err := c.messages(c.phone, string(ada.UserID))
	if err != nil {
		return err
	}
	want := []graph.MessageID{"wamid.2", "wamid.3", "wamid.1", "wamid.0", "wamid.9"}
	if got := messageIDs(list); !slices.Equal(got, want) || !slices.IsSortedFunc(list, coexistence.Message.Compare) {
		return fmt.Errorf("got %v, want %v", got, want)
	}
	conv, err := c.s.Conversation(c.ctx, c.phone, string(ada.UserID))
	if err == nil && (conv.Last == nil || conv.Last.ID != "wamid.9") {
		err = fmt.Errorf("the latest message of the conversation is %+v, want wamid.9", conv.Last)
	}
	return err
}

// stableID learns a person's user id, another number, and that two people are one, twice over. The
// ID of a conversation stays, and what was merged goes on to find the one that is left. Nothing is
// found through another number, and no ID is given twice.
func (c *storeCheck) stableID() error {
	if err := tell(c.ctx, c.s, incoming(c.phone, adaPhone, storeTime)); err != nil {
		return err
	}
	first, err := c.s.Conversation(c.ctx, c.phone, adaPhone.WAID)
	if err != nil {
		return err
	}
	// Her user id becomes known, and is the better name from now on.
	if err := tell(c.ctx, c.s, saidAt(c.phone, "wamid.1", ada, storeTime, 1)); err != nil {
		return err
	}
	for _, name := range []string{first.ID, adaPhone.WAID, string(ada.UserID)} {
		conv, err := c.s.Conversation(c.ctx, c.phone, name)
		if err != nil || conv.ID != first.ID || conv.Contact.Key != string(ada.UserID) || len(conv.FormerIDs) > 0 {
			return fmt.Errorf("a user id became known: %s finds %+v with error %w, want the ID %s", name, conv, err,
				first.ID)
		}
	}
	// Two others, who turn out to be one and then to be her.
	ids := []string{first.ID}
	other, moved := graph.Identity{WAID: "15550100108"}, graph.Identity{WAID: "15550100109"}
	for i, who := range []graph.Identity{other, moved} {
		id := graph.MessageID(fmt.Sprint("wamid.", 2+i))
		if err := tell(c.ctx, c.s, saidAt(c.phone, id, who, storeTime, i)); err != nil {
			return err
		}
		conv, err := c.s.Conversation(c.ctx, c.phone, who.WAID)
		if err != nil || slices.Contains(ids, conv.ID) {
			return fmt.Errorf("another person has the ID %q of %q, error %w", conv.ID, ids, err)
		}
		ids = append(ids, conv.ID)
	}
	for _, change := range [][2]graph.Identity{{other, moved}, {moved, adaPhone}} {
		notice := saidAt(c.phone, graph.MessageID("wamid.to"+change[1].WAID), change[0], storeTime, 5)
		notice.Content = &webhook.SystemMessage{Type: webhook.SystemUserChangedNumber, WAID: change[1].WAID}
		if err := tell(c.ctx, c.s, notice); err != nil {
			return err
		}
	}
	one, err := c.s.Conversation(c.ctx, c.phone, first.ID)
	if err != nil {
		return err
	}
	former := slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return id == one.ID })
	slices.Sort(former)
	if one.MessageCount != 6 || one.UnreadCount != 6 || !slices.Equal(one.FormerIDs, former) {
		return fmt.Errorf("three people became one with %d messages, %d unread, former IDs %v; want 6, 6, %v",
			one.MessageCount, one.UnreadCount, one.FormerIDs, former)
	}
	if err := c.foundBy(one, append(ids, other.WAID, moved.WAID, string(ada.UserID))); err != nil {
		return err
	}
	for _, id := range append(ids, "conv_", "conv_x", one.ID+"0000000000") {
		if _, err := c.s.Conversation(c.ctx, c.phone+"-other", id); !errors.Is(err, coexistence.ErrNotFound) {
			return fmt.Errorf("%s is found through another number, or is no ErrNotFound: %w", id, err)
		}
	}
	return nil
}

// foundBy checks that each of the names finds one conversation with its messages.
func (c *storeCheck) foundBy(one coexistence.Conversation, names []string) error {
	for _, name := range names {
		conv, err := c.s.Conversation(c.ctx, c.phone, name)
		if err != nil || !reflect.DeepEqual(conv, one) {
			return fmt.Errorf("%s finds %+v with error %w, want %+v", name, conv, err, one)
		}
		list, err := c.messages(c.phone, name)
		if err != nil || len(list) != one.MessageCount || list[0].ConversationID != one.ID {
			return fmt.Errorf("%s finds %d messages with error %w, want %d", name, len(list), err, one.MessageCount)
		}
	}
	return nil
}

// summaries changes messages in every way that changes what a conversation adds up to, and compares
// it with the sum of its messages after each. A store that keeps sums has to notice when one goes
// down.
func (c *storeCheck) summaries() error {
	minute := func(n int) time.Time { return storeTime.Add(time.Duration(n) * time.Minute) }
	set := func(id graph.MessageID, change func(*coexistence.Message)) error {
		return c.s.UpdateMessages(c.ctx, c.phone, []graph.MessageID{id}, change)
	}
	steps := []struct {
		what   string
		id     graph.MessageID
		change func(*coexistence.Message)
	}{
		{"a late message", "wamid.0", func(m *coexistence.Message) { *m = c.text(m.ID, "a", minute(0)) }},
		{"an answer of a person", "wamid.3", func(m *coexistence.Message) {
			*m = c.text(m.ID, "a", minute(3))
			m.Origin, m.Outbound = coexistence.OriginApp, true
		}},
		{"the next message", "wamid.4", func(m *coexistence.Message) { *m = c.text(m.ID, "a", minute(4)) }},
		{"one that is not shown", "wamid.8", func(m *coexistence.Message) {
			m.Person, m.At, m.AppActivityAt = "a", minute(8), minute(8)
		}},
		{"it is shown", "wamid.8", func(m *coexistence.Message) {
			m.Type, m.Origin, m.Outbound = webhook.TypeText, coexistence.OriginHistory, true
		}},
		{"it was sent through the API", "wamid.8", func(m *coexistence.Message) {
			m.Origin, m.AppActivityAt = coexistence.OriginAPI, time.Time{}
		}},
		{"by a person", "wamid.8", func(m *coexistence.Message) { m.ByPerson = true }},
		{"it was written before", "wamid.8", func(m *coexistence.Message) { m.At = minute(2) }},
		{"the answer was none", "wamid.3", func(m *coexistence.Message) { m.Origin = coexistence.OriginHistory }},
		{"the latest goes to another person", "wamid.4", func(m *coexistence.Message) { m.Person = "b" }},
		{"the latest is not shown any more", "wamid.3", func(m *coexistence.Message) { m.Type = "" }},
	}
	err := c.put(c.phone, c.text("wamid.1", "a", minute(1)), c.text("wamid.2", "a", minute(1)))
	if err != nil {
		return err
	}
	for _, step := range steps {
		if err := set(step.id, step.change); err != nil {
			return fmt.Errorf("%s: %w", step.what, err)
		}
		for _, name := range []string{"a", "b"} {
			if err := c.sumOf(name); err != nil {
				return fmt.Errorf("%s: %w", step.what, err)
			}
		}
	}
	return nil
}

// sumOf compares a conversation with the sum of its messages.
func (c *storeCheck) sumOf(name string) error {
	got, err := c.s.Conversation(c.ctx, c.phone, name)
	if errors.Is(err, coexistence.ErrNotFound) {
		list, err := c.messages(c.phone, name)
		if err == nil && len(list) > 0 {
			err = errors.New("there are messages without a conversation")
		}
		return err
	}
	if err != nil {
		return err
	}
	list, err := c.messages(c.phone, name)
	if err != nil {
		return err
	}
	var all []*coexistence.Message
	for i := range list {
		all = append(all, &list[i])
	}
	// Messages that are not shown say only when a person did something.
	for _, id := range []graph.MessageID{"wamid.3", "wamid.8"} {
		if m, err := c.s.Message(c.ctx, c.phone, id); err == nil && !m.Visible() && m.Person == name {
			all = append(all, &m)
		}
	}
	want := coexistence.Conversation{
		PhoneNumberID: c.phone, ID: got.ID, FormerIDs: got.FormerIDs, Contact: got.Contact,
	}
	if want.Summarize(all, coexistence.Place{}); !reflect.DeepEqual(got, want) {
		return fmt.Errorf("the conversation is %+v, and its messages add up to %+v", got, want)
	}
	return nil
}
