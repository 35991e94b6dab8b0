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
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

var (
	ada      = graph.Identity{UserID: "US.1001", WAID: "15550100101"}
	adaPhone = graph.Identity{WAID: "15550100101"}
	adaUser  = graph.Identity{UserID: "US.1001"}
	grace    = graph.Identity{UserID: "US.1002", WAID: "15550100102"}
)

// conversationOrder checks the order and the numbers of conversations: an echo counts as a message
// and as a person, a message that is not shown makes no conversation, and one conversation read by
// itself equals the one in the list.
func (c *storeCheck) conversationOrder() error {
	// Two conversations end at the same moment: the places of their messages decide. An echo makes
	// a third one the latest.
	echo := c.text("wamid.4", "b", storeTime.Add(time.Minute))
	echo.Origin, echo.Outbound = coexistence.OriginApp, true
	hidden := coexistence.Message{ID: "wamid.5", PhoneNumberID: c.phone, Person: "d", AppActivityAt: storeTime}
	err := c.put(c.phone,
		c.text("wamid.1", "a", storeTime), c.text("wamid.2", "c", storeTime), c.text("wamid.3", "b", storeTime), echo,
		hidden,
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
		keys = append(keys, conv.Contact.Key)
	}
	if want := []string{"b", "c", "a"}; !slices.Equal(keys, want) {
		return fmt.Errorf("got %v, want %v", keys, want)
	}
	want := coexistence.Conversation{
		PhoneNumberID: c.phone, ID: got[0].ID,
		Contact:      coexistence.Contact{PhoneNumberID: c.phone, Key: "b", Aliases: []string{"b"}},
		MessageCount: 2, LastAt: echo.At, Last: &echo,
		CustomerAt: storeTime.Truncate(time.Second), HumanAt: echo.At,
	}
	echo.ConversationID = want.ID
	if !reflect.DeepEqual(got[0], want) {
		return fmt.Errorf("got %+v, want %+v", got[0], want)
	}
	one, err := c.s.Conversation(c.ctx, c.phone, "b")
	if err == nil && !reflect.DeepEqual(one, want) {
		err = fmt.Errorf("the method Conversation returned %+v, want %+v", one, want)
	}
	if err == nil && (got[0].UnreadCount != 0 || got[1].UnreadCount != 1) {
		err = fmt.Errorf("%d messages are unread above an answer, and %d without one; want 0 and 1", got[0].UnreadCount,
			got[1].UnreadCount)
	}
	return err
}

// conversationMerge writes to one person under a number and under a user id, and then learns that
// both are one. From then on there has to be one conversation, found under each alias and under the
// number in any spelling, while each message keeps the person that it was filed under.
func (c *storeCheck) conversationMerge() error {
	number, user := coexistence.Aliases(adaPhone)[0], string(ada.UserID)
	err := c.put(c.phone, c.text("wamid.1", number, storeTime), c.text("wamid.2", user, storeTime.Add(time.Second)))
	if err != nil {
		return err
	}
	// Nothing joins them yet.
	if convs, err := c.conversations(c.phone); err != nil || len(convs) != 2 {
		return fmt.Errorf("before they are known as one: %d conversations and error %w, want 2", len(convs), err)
	}
	contact, err := c.seePerson(c.phone, ada)
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
		conv, err := c.s.Conversation(c.ctx, c.phone, key)
		if err != nil {
			return fmt.Errorf("under %s: %w", key, err)
		}
		if list[0].ConversationID != conv.ID {
			return fmt.Errorf("under %s: ConversationID is %q, want %q", key, list[0].ConversationID, conv.ID)
		}
		if conv.MessageCount != 2 || !reflect.DeepEqual(conv.Contact, contact) {
			return fmt.Errorf("under %s: got %+v", key, conv)
		}
	}
	m, err := c.s.Message(c.ctx, c.phone, "wamid.1")
	if err != nil {
		return err
	}
	convs, err := c.conversations(c.phone)
	if err != nil || len(convs) != 1 {
		return fmt.Errorf("%d conversations and error %w, want 1", len(convs), err)
	}
	if m.ConversationID != convs[0].ID || m.Person != number {
		return fmt.Errorf("the message says ConversationID %q and Person %q", m.ConversationID, m.Person)
	}
	return nil
}

// unknownContact reads a person that was never seen, and one without any id.
func (c *storeCheck) unknownContact() error {
	_, err := c.s.Contact(c.ctx, c.phone, ada)
	if err := notFound(err); err != nil {
		return err
	}
	_, err = c.s.Contact(c.ctx, c.phone, graph.Identity{})
	return notFound(err)
}

// contactRoundTrip stores a contact that has seen everything: all ids, a profile name, a change of
// number, an entry of the address book and a removal. Its bookkeeping is opaque and has to come
// back whole, or later events would decide differently.
func (c *storeCheck) contactRoundTrip() error {
	// All kinds of ids at once, and a number that was given up: a contact as full as it gets.
	full := graph.Identity{UserID: "US.1001", ParentUserID: "US.ENT.2001", WAID: "15550100101", Username: "ada"}
	info := webhook.EventInfo{PhoneNumberID: c.phone, At: storeTime}
	wrote := incoming(c.phone, full, storeTime)
	wrote.ProfileName = "ada"
	moved := incoming(c.phone, graph.Identity{WAID: "15550100109"}, storeTime.Add(time.Second))
	moved.Content = &webhook.SystemMessage{
		Type: webhook.SystemUserChangedNumber, UserID: full.UserID, ParentUserID: full.ParentUserID, WAID: full.WAID,
	}
	want, err := contactOf(c.ctx, c.phone, wrote, moved,
		&webhook.AppStateSync{
			EventInfo: info, Type: webhook.AppStateContact, Action: webhook.AppStateAdd,
			Contact: webhook.AppContact{PhoneNumber: full.WAID, UserID: full.UserID, FullName: "Ada \u00c9",
				FirstName: "Ada"},
		},
		&webhook.AppStateSync{
			EventInfo: info, Type: webhook.AppStateContact, Action: webhook.AppStateRemove,
			Contact: webhook.AppContact{PhoneNumber: "15550100109"},
		},
	)
	if err != nil {
		return err
	}
	stored, err := c.s.UpdateContact(c.ctx, c.phone, want.Aliases,
		func(contact *coexistence.Contact) { *contact = want.Clone() })
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

// contactMerge knows one person under a number and under a user id, and then under both. The two
// contacts have to become one, found under each alias, and another person has to stay.
func (c *storeCheck) contactMerge() error {
	for _, who := range []graph.Identity{adaPhone, adaUser, grace} {
		if _, err := c.seePerson(c.phone, who); err != nil {
			return err
		}
	}
	// Three contacts until something joins two of them, in the order of their keys.
	if list, err := c.contacts(c.phone); err != nil || len(list) != 3 ||
		!slices.IsSortedFunc(list, func(a, b coexistence.Contact) int {
			if a.Key < b.Key {
				return -1
			}
			return 1
		}) {
		return fmt.Errorf("before: %d contacts in order and error %w, want 3", len(list), err)
	}
	merged, err := c.seePerson(c.phone, ada)
	if err != nil {
		return err
	}
	want, err := contactOf(c.ctx, c.phone,
		incoming(c.phone, adaPhone, storeTime), incoming(c.phone, adaUser, storeTime), incoming(c.phone, ada,
			storeTime))
	if err != nil {
		return err
	}
	if !reflect.DeepEqual(merged, want) {
		return fmt.Errorf("the merged contact is %+v, want %+v", merged, want)
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

// contactConcurrency changes one contact from several goroutines, and compares it with what a
// tracker makes of the same events in a row.
func (c *storeCheck) contactConcurrency() error {
	// One user id throughout, so that each change adds to the bookkeeping alone and every writer
	// has the same alias.
	called := func(worker, i int) graph.Identity {
		return graph.Identity{UserID: ada.UserID, Username: fmt.Sprintf("ada.%d.%d", worker, i)}
	}
	err := concurrently(func(worker, i int) error {
		name, err := contactOf(c.ctx, c.phone, incoming(c.phone, called(worker, i), storeTime))
		if err != nil {
			return err
		}
		_, err = c.s.UpdateContact(c.ctx, c.phone, coexistence.Aliases(adaUser), func(contact *coexistence.Contact) {
			yield()
			*contact = contact.Merge(name)
		})
		return err
	})
	if err != nil {
		return err
	}
	var all []webhook.Event
	for worker := range storeWriters {
		for i := range storeWrites {
			all = append(all, incoming(c.phone, called(worker, i), storeTime))
		}
	}
	want, err := contactOf(c.ctx, c.phone, all...)
	if err != nil {
		return err
	}
	got, err := c.s.Contact(c.ctx, c.phone, adaUser)
	if err != nil {
		return err
	}
	if !reflect.DeepEqual(got, want) {
		return fmt.Errorf("%d changes left %+v, want %+v", len(all), got, want)
	}
	list, err := c.contacts(c.phone)
	if err == nil && len(list) != 1 {
		err = fmt.Errorf("%d contacts, want 1", len(list))
	}
	return err
}

// isolation looks for everything of one number through another. A SaaS keeps the numbers of many
// businesses in one store, so a leak here shows the customers of one to another.
func (c *storeCheck) isolation() error {
	other := c.phone + "-other"
	if err := c.put(c.phone, c.text("wamid.1", "US.1001", storeTime)); err != nil {
		return err
	}
	if _, err := c.seePerson(c.phone, ada); err != nil {
		return err
	}
	if _, err := c.s.UpdateNumber(c.ctx, c.phone,
		func(s coexistence.Number) (coexistence.Number, error) { return c.fullState(), nil }); err != nil {
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
	// Listings as well as single reads.
	messages, err1 := c.messages(other, "US.1001")
	convs, err2 := c.conversations(other)
	contacts, err3 := c.contacts(other)
	if n := len(messages) + len(convs) + len(contacts); n > 0 {
		return fmt.Errorf("another number finds %d messages, %d conversations and %d contacts", len(messages),
			len(convs), len(contacts))
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

// copies changes everything that a store has returned, and stores something that changes what was
// returned before. Neither may reach the other: a store in memory that hands out its own values
// would let a handler rewrite history.
func (c *storeCheck) copies() error {
	full := c.fullMessage("wamid.1")
	if err := c.put(c.phone, full); err != nil {
		return err
	}
	m, err := c.s.Message(c.ctx, c.phone, "wamid.1")
	if err != nil {
		return err
	}
	// Everything behind a pointer or in a slice, which a shallow copy would share.
	m.Media.ID, m.Original.Text, m.Reactions[0].Emoji, m.Receipts[0].Person, m.Raw[0] = "x", "x", "x", "x", 'x'
	m.Referral.ClickID, m.Failure.Code = "x", 1
	again, err := c.s.Message(c.ctx, c.phone, "wamid.1")
	if err != nil {
		return err
	}
	full.ConversationID = m.ConversationID
	if !reflect.DeepEqual(again, full) {
		return fmt.Errorf("changing a returned message changed the stored one: %+v", again)
	}
	st, err := c.s.UpdateNumber(c.ctx, c.phone,
		func(coexistence.Number) (coexistence.Number, error) { return c.fullState(), nil })
	if err != nil {
		return err
	}
	// The same for a state, down to the ranges of its chunks.
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
	contact, err := c.seePerson(c.phone, ada)
	if err != nil {
		return err
	}
	contact.Aliases[0] = "x"
	found, err := c.s.Contact(c.ctx, c.phone, ada)
	if err != nil {
		return err
	}
	seen, err := contactOf(c.ctx, c.phone, incoming(c.phone, ada, storeTime))
	if err != nil {
		return err
	}
	if !reflect.DeepEqual(found, seen) {
		return errors.New("changing a returned contact changed the stored one")
	}
	// An earlier message changes when the person was first seen, which is bookkeeping of the
	// contact.
	if err := tell(c.ctx, c.s, incoming(c.phone, ada, storeTime.Add(-time.Hour))); err != nil {
		return err
	}
	if !reflect.DeepEqual(found, seen) {
		return errors.New("a later event changed a contact that was returned before")
	}
	return nil
}

// earlyStop ends each iteration at its first value, and writes in the middle of some. A store that
// holds a lock or a connection while the caller works would never return, or would run out of
// connections.
func (c *storeCheck) earlyStop() error {
	for i, who := range []graph.Identity{ada, grace} {
		id := graph.MessageID(fmt.Sprintf("wamid.%d", i))
		if err := c.put(c.phone, c.text(id, string(who.UserID), storeTime),
			c.text(id+"b", string(who.UserID), storeTime)); err != nil {
			return err
		}
		if _, err := c.seePerson(c.phone, who); err != nil {
			return err
		}
	}
	// Messages and contacts, whose iteration may hold a cursor of the database.
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
	// The same for the states of numbers.
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
	_, err := c.seePerson(c.phone, ada)
	return err
}

// endedContext writes with a context that has ended. Each call has to fail and store nothing: a
// request that its client gave up must not go on in the dark.
func (c *storeCheck) endedContext() error {
	// The writes get a context that has ended, the reads behind them one that has not.
	ctx, cancel := context.WithCancel(c.ctx)
	cancel()
	_, err1 := c.s.UpdateNumber(ctx, c.phone,
		func(coexistence.Number) (coexistence.Number, error) { return c.fullState(), nil })
	err2 := c.s.UpdateMessages(ctx, c.phone, []graph.MessageID{"wamid.1"}, func(*coexistence.Message) {})
	_, err3 := c.s.UpdateContact(ctx, c.phone, coexistence.Aliases(ada), func(*coexistence.Contact) {})
	// Each method has to look at its context, or a client that went away keeps the store busy.
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
