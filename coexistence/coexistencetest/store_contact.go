package coexistencetest

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence"
)

var (
	ada      = graph.Identity{UserID: "US.1001", WAID: "15550100101"}
	adaPhone = graph.Identity{WAID: "15550100101"}
	adaUser  = graph.Identity{UserID: "US.1001"}
	grace    = graph.Identity{UserID: "US.1002", WAID: "15550100102"}
)

func (c *storeCheck) conversationOrder() error {
	echo := c.text("wamid.4", "b", storeTime.Add(time.Minute))
	echo.Origin, echo.Outbound = coexistence.OriginApp, true
	hidden := coexistence.Message{ID: "wamid.5", PhoneNumberID: c.phone, Person: "d", AppActivityAt: storeTime}
	err := c.put(c.phone,
		c.text("wamid.1", "a", storeTime), c.text("wamid.2", "c", storeTime), c.text("wamid.3", "b", storeTime), echo, hidden,
	)
	if err != nil {
		return err
	}
	got, err := c.conversations(c.phone)
	if err != nil {
		return err
	}
	var keys []string
	for _, conv := range got {
		keys = append(keys, conv.ID)
	}
	if want := []string{"b", "a", "c"}; !slices.Equal(keys, want) {
		return fmt.Errorf("got %v, want %v", keys, want)
	}
	want := coexistence.Conversation{
		PhoneNumberID: c.phone, ID: "b",
		Contact:      coexistence.Contact{PhoneNumberID: c.phone, Key: "b", Aliases: []string{"b"}},
		MessageCount: 2, LastAt: echo.At, CustomerAt: storeTime, HumanAt: echo.At,
	}
	if !reflect.DeepEqual(got[0], want) {
		return fmt.Errorf("got %+v, want %+v", got[0], want)
	}
	one, err := c.s.Conversation(c.ctx, c.phone, "b")
	if err == nil && !reflect.DeepEqual(one, want) {
		err = fmt.Errorf("the method Conversation returned %+v, want %+v", one, want)
	}
	return err
}

func (c *storeCheck) conversationMerge() error {
	number, user := coexistence.Aliases(adaPhone)[0], string(ada.UserID)
	err := c.put(c.phone, c.text("wamid.1", number, storeTime), c.text("wamid.2", user, storeTime.Add(time.Second)))
	if err != nil {
		return err
	}
	if convs, err := c.conversations(c.phone); err != nil || len(convs) != 2 {
		return fmt.Errorf("before they are known as one: %d conversations and error %w, want 2", len(convs), err)
	}
	contact, err := c.know(c.phone, ada)
	if err != nil {
		return err
	}
	for _, key := range []string{number, user, "+1 555 010-0101"} {
		list, err := c.messages(c.phone, key)
		if err != nil {
			return err
		}
		if got, want := messageIDs(list), []graph.MessageID{"wamid.1", "wamid.2"}; !slices.Equal(got, want) {
			return fmt.Errorf("under %s: got %v, want %v", key, got, want)
		}
		if list[0].ConversationID != contact.Key {
			return fmt.Errorf("under %s: Conversation is %q, want %q", key, list[0].ConversationID, contact.Key)
		}
		conv, err := c.s.Conversation(c.ctx, c.phone, key)
		if err != nil {
			return fmt.Errorf("under %s: %w", key, err)
		}
		if conv.ID != contact.Key || conv.MessageCount != 2 || !reflect.DeepEqual(conv.Contact, contact) {
			return fmt.Errorf("under %s: got %+v", key, conv)
		}
	}
	m, err := c.s.Message(c.ctx, c.phone, "wamid.1")
	if err != nil {
		return err
	}
	if m.ConversationID != contact.Key || m.Person != number {
		return fmt.Errorf("the message says ConversationID %q and Person %q", m.ConversationID, m.Person)
	}
	convs, err := c.conversations(c.phone)
	if err == nil && len(convs) != 1 {
		err = fmt.Errorf("%d conversations, want 1", len(convs))
	}
	return err
}

func (c *storeCheck) unknownContact() error {
	_, err := c.s.Contact(c.ctx, c.phone, ada)
	if err := notFound(err); err != nil {
		return err
	}
	_, err = c.s.Contact(c.ctx, c.phone, graph.Identity{})
	return notFound(err)
}

func (c *storeCheck) contactRoundTrip() error {
	fill := func(contact *coexistence.Contact) {
		contact.See(coexistence.Sighting{
			Identity: graph.Identity{UserID: "US.1001", ParentUserID: "US.ENT.2001", WAID: "15550100101", Username: "ada"},
			At:       storeTime, MovedAt: storeTime.Add(time.Second), FromAddressBook: true,
		})
		contact.Enter(coexistence.BookEntry{
			PhoneNumber: "15550100101", UserID: "US.1001", FullName: "Ada \u00c9", FirstName: "Ada", At: storeTime,
		})
		contact.Enter(coexistence.BookEntry{PhoneNumber: "15550100109", At: storeTime, Removed: true})
		contact.SetProfileName("ada", storeTime)
	}
	want := coexistence.Contact{PhoneNumberID: c.phone}
	fill(&want)
	stored, err := c.s.UpdateContact(c.ctx, c.phone, coexistence.Aliases(ada), func(contact *coexistence.Contact) {
		*contact = coexistence.Contact{PhoneNumberID: contact.PhoneNumberID}
		fill(contact)
	})
	if err != nil {
		return err
	}
	if !reflect.DeepEqual(stored, want) {
		return fmt.Errorf("UpdateContact returned %+v, want %+v", stored, want)
	}
	got, err := c.s.Contact(c.ctx, c.phone, adaPhone)
	if err == nil && !reflect.DeepEqual(got, want) {
		err = fmt.Errorf("Contact returned %+v, want %+v", got, want)
	}
	return err
}

func (c *storeCheck) contactMerge() error {
	for _, who := range []graph.Identity{adaPhone, adaUser, grace} {
		if _, err := c.know(c.phone, who); err != nil {
			return err
		}
	}
	if list, err := c.contacts(c.phone); err != nil || len(list) != 3 || !slices.IsSortedFunc(list, func(a, b coexistence.Contact) int {
		if a.Key < b.Key {
			return -1
		}
		return 1
	}) {
		return fmt.Errorf("before: %d contacts in order and error %w, want 3", len(list), err)
	}
	merged, err := c.know(c.phone, ada)
	if err != nil {
		return err
	}
	if want := coexistence.Aliases(ada); !slices.Equal(merged.Aliases, want) || len(merged.Seen) != 3 {
		return fmt.Errorf("the merged contact has the aliases %v and %d sightings, want %v and 3", merged.Aliases, len(merged.Seen), want)
	}
	for _, who := range []graph.Identity{adaPhone, adaUser, ada} {
		got, err := c.s.Contact(c.ctx, c.phone, who)
		if err != nil {
			return err
		}
		if !reflect.DeepEqual(got, merged) {
			return fmt.Errorf("found %+v, want %+v", got, merged)
		}
	}
	list, err := c.contacts(c.phone)
	if err == nil && len(list) != 2 {
		err = fmt.Errorf("%d contacts are left, want 2", len(list))
	}
	return err
}

func (c *storeCheck) contactConcurrency() error {
	err := concurrently(func(worker, i int) error {
		_, err := c.s.UpdateContact(c.ctx, c.phone, coexistence.Aliases(ada), func(contact *coexistence.Contact) {
			yield()
			contact.See(coexistence.Sighting{Identity: ada, At: storeTime})
			contact.Enter(coexistence.BookEntry{PhoneNumber: fmt.Sprintf("1555%03d%03d", worker, i), FullName: "x", At: storeTime})
		})
		return err
	})
	if err != nil {
		return err
	}
	got, err := c.s.Contact(c.ctx, c.phone, ada)
	if err != nil {
		return err
	}
	if want := storeWriters * storeWrites; len(got.Entries) != want {
		return fmt.Errorf("%d changes left %d entries", want, len(got.Entries))
	}
	list, err := c.contacts(c.phone)
	if err == nil && len(list) != 1 {
		err = fmt.Errorf("%d contacts, want 1", len(list))
	}
	return err
}

func (c *storeCheck) isolation() error {
	other := c.phone + "-other"
	if err := c.put(c.phone, c.text("wamid.1", "US.1001", storeTime)); err != nil {
		return err
	}
	if _, err := c.know(c.phone, ada); err != nil {
		return err
	}
	if _, err := c.s.UpdateNumber(c.ctx, c.phone, func(s coexistence.Number) (coexistence.Number, error) { return c.fullState(), nil }); err != nil {
		return err
	}
	_, err := c.s.Message(c.ctx, other, "wamid.1")
	if err := notFound(err); err != nil {
		return fmt.Errorf("message: %w", err)
	}
	_, err = c.s.Contact(c.ctx, other, ada)
	if err := notFound(err); err != nil {
		return fmt.Errorf("contact: %w", err)
	}
	_, err = c.s.Number(c.ctx, other)
	if err := notFound(err); err != nil {
		return fmt.Errorf("state: %w", err)
	}
	messages, err1 := c.messages(other, "US.1001")
	convs, err2 := c.conversations(other)
	contacts, err3 := c.contacts(other)
	if n := len(messages) + len(convs) + len(contacts); n > 0 {
		return fmt.Errorf("another number finds %d messages, %d conversations and %d contacts", len(messages), len(convs), len(contacts))
	}
	if err := errors.Join(err1, err2, err3); err != nil {
		return err
	}
	// The same message id on another number is another message.
	if err := c.put(other, coexistence.Message{ID: "wamid.1", PhoneNumberID: other}); err != nil {
		return err
	}
	m, err := c.s.Message(c.ctx, c.phone, "wamid.1")
	if err == nil && m.Text != "wamid.1" {
		err = errors.New("a message of one number was changed through another")
	}
	return err
}

func (c *storeCheck) copies() error {
	full := c.fullMessage("wamid.1")
	if err := c.put(c.phone, full); err != nil {
		return err
	}
	m, err := c.s.Message(c.ctx, c.phone, "wamid.1")
	if err != nil {
		return err
	}
	m.Media.ID, m.Original.Text, m.Reactions[0].Emoji, m.Receipts[0].Person, m.Raw[0] = "x", "x", "x", "x", 'x'
	m.Referral.ClickID, m.Failure.Code = "x", 1
	again, err := c.s.Message(c.ctx, c.phone, "wamid.1")
	if err != nil {
		return err
	}
	full.ConversationID = full.Person
	if !reflect.DeepEqual(again, full) {
		return fmt.Errorf("changing a returned message changed the stored one: %+v", again)
	}
	st, err := c.s.UpdateNumber(c.ctx, c.phone, func(coexistence.Number) (coexistence.Number, error) { return c.fullState(), nil })
	if err != nil {
		return err
	}
	st.WABAs[0], st.History.Phases[0].Chunks[0].Last, st.Disconnection.Reason = "x", 99, "x"
	got, err := c.s.Number(c.ctx, c.phone)
	if err != nil {
		return err
	}
	want := c.fullState()
	want.Version = 1
	if !reflect.DeepEqual(got, want) {
		return fmt.Errorf("changing a returned state changed the stored one: %+v", got)
	}
	contact, err := c.know(c.phone, ada)
	if err != nil {
		return err
	}
	contact.Aliases[0], contact.Seen[0].Identity.Username = "x", "x"
	found, err := c.s.Contact(c.ctx, c.phone, ada)
	if err == nil && (found.Aliases[0] == "x" || found.Seen[0].Identity.Username == "x") {
		err = errors.New("changing a returned contact changed the stored one")
	}
	return err
}

func (c *storeCheck) earlyStop() error {
	for i, who := range []graph.Identity{ada, grace} {
		id := graph.MessageID(fmt.Sprintf("wamid.%d", i))
		if err := c.put(c.phone, c.text(id, string(who.UserID), storeTime), c.text(id+"b", string(who.UserID), storeTime)); err != nil {
			return err
		}
		if _, err := c.know(c.phone, who); err != nil {
			return err
		}
	}
	for range c.s.Messages(c.ctx, c.phone, string(ada.UserID)) {
		break
	}
	for range c.s.Conversations(c.ctx, c.phone) {
		// A store that held a lock or a connection here would never return.
		if err := c.put(c.phone, c.text("wamid.9", string(ada.UserID), storeTime)); err != nil {
			return err
		}
		break
	}
	for range c.s.Contacts(c.ctx, c.phone) {
		break
	}
	set := func(cycle int) error {
		_, err := c.s.UpdateNumber(c.ctx, c.phone, func(s coexistence.Number) (coexistence.Number, error) {
			s.Cycle = cycle
			return s, nil
		})
		return err
	}
	if err := set(1); err != nil {
		return err
	}
	for range c.s.Numbers(c.ctx) {
		if err := set(2); err != nil {
			return err
		}
		break
	}
	_, err := c.know(c.phone, ada)
	return err
}

func (c *storeCheck) endedContext() error {
	ctx, cancel := context.WithCancel(c.ctx)
	cancel()
	_, err1 := c.s.UpdateNumber(ctx, c.phone, func(coexistence.Number) (coexistence.Number, error) { return c.fullState(), nil })
	err2 := c.s.UpdateMessages(ctx, c.phone, []graph.MessageID{"wamid.1"}, func(*coexistence.Message) {})
	_, err3 := c.s.UpdateContact(ctx, c.phone, coexistence.Aliases(ada), func(*coexistence.Contact) {})
	for what, err := range map[string]error{"UpdateNumber": err1, "UpdateMessages": err2, "UpdateContact": err3} {
		if err == nil {
			return errors.New(what + " returned no error")
		}
	}
	_, err := c.s.Number(c.ctx, c.phone)
	if err := notFound(err); err != nil {
		return err
	}
	_, err = c.s.Message(c.ctx, c.phone, "wamid.1")
	return notFound(err)
}
