package coexistencetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

// said is a message that a person wrote at a time, with what goes with it.
func said(phone graph.PhoneNumberID, from graph.Identity, id graph.MessageID, at time.Time) *webhook.IncomingMessage {
	ev := incoming(phone, from, at)
	ev.ID, ev.ProfileName = id, "Name of "+string(from.UserID)
	return ev
}

// late are events about a person that happened before it was forgotten, or tell of what did.
func late(phone graph.PhoneNumberID, who graph.Identity, after time.Time) []webhook.Event {
	old := webhook.EventInfo{PhoneNumberID: phone, At: storeTime}
	recent := webhook.EventInfo{PhoneNumberID: phone, At: after}
	edited := said(phone, who, "wamid.EDIT", after)
	edited.Content = &webhook.Edit{OriginalMessageID: "wamid.1", Content: &webhook.Text{Body: "edited"}}
	reaction := said(phone, who, "wamid.REACTION", after)
	reaction.Content = &webhook.Reaction{MessageID: "wamid.1", Emoji: "\U0001F44D"}
	return []webhook.Event{
		said(phone, who, "wamid.1", storeTime),                                            // the same delivery again
		said(phone, graph.Identity{WAID: who.WAID}, "wamid.9", storeTime.Add(-time.Hour)), // known by less
		&webhook.BusinessAppEcho{EventInfo: old, ID: "wamid.8", To: who, Content: &webhook.Text{Body: "ours"}},
		&webhook.HistoryMedia{EventInfo: old, ID: "wamid.7", From: who, Content: &webhook.Image{}},
		&webhook.MessageStatus{EventInfo: recent, ID: "wamid.2", Status: webhook.StatusRead, Recipient: who},
		edited, reaction,
		&webhook.AppStateSync{
			EventInfo: recent, Type: webhook.AppStateContact, Action: webhook.AppStateAdd,
			Contact: webhook.AppContact{FullName: "In the book", PhoneNumber: who.WAID},
		},
	}
}

// forgetter returns the store as a Forgetter, or false if it is none.
func (c *storeCheck) forgetter() (coexistence.Forgetter, bool) {
	f, ok := c.s.(coexistence.Forgetter)
	return f, ok
}

// forgottenPerson checks that nothing is left of a person under any name, that another person is
// not touched, and that what arrives late changes nothing; what the person writes later does.
func (c *storeCheck) forgottenPerson() error {
	f, ok := c.forgetter()
	if !ok {
		return nil
	}
	err := tell(c.ctx, c.s, said(c.phone, ada, "wamid.1", storeTime), said(c.phone, adaPhone, "wamid.2", storeTime),
		said(c.phone, grace, "wamid.3", storeTime))
	if err != nil {
		return err
	}
	before, err := c.s.Conversation(c.ctx, c.phone, string(ada.UserID))
	if err != nil {
		return err
	}
	// Any name will do, and twice is once.
	for _, name := range []string{before.ID, "+1 555 010-0101", string(ada.UserID)} {
		r := coexistence.ForgetRequest{PhoneNumberID: c.phone, Person: name}
		if err := f.Forget(c.ctx, r); err != nil {
			return err
		}
		if err := c.gone(c.phone, ada, "wamid.1", "wamid.2"); err != nil {
			return err
		}
	}
	after := time.Now().Add(time.Hour).Truncate(time.Second).UTC()
	if err := tell(c.ctx, c.s, late(c.phone, ada, after)...); err != nil {
		return err
	}
	if err := c.gone(c.phone, ada, "wamid.1", "wamid.2", "wamid.7", "wamid.8", "wamid.9", "wamid.EDIT"); err != nil {
		return fmt.Errorf("late events: %w", err)
	}
	if list, err := c.messages(c.phone, string(grace.UserID)); err != nil || len(list) != 1 {
		return fmt.Errorf("somebody else: %d messages and error %w, want 1", len(list), err)
	}
	// The person is a new one under the other number, and for those who write again.
	other := c.phone + "-other"
	if err := tell(c.ctx, c.s, said(other, ada, "wamid.1", storeTime)); err != nil {
		return err
	}
	if list, err := c.messages(other, string(ada.UserID)); err != nil || len(list) != 1 {
		return fmt.Errorf("another number: %d messages and error %w, want 1", len(list), err)
	}
	again := said(c.phone, ada, "wamid.10", after)
	again.ProfileName = ""
	if err := tell(c.ctx, c.s, again, said(c.phone, ada, "wamid.1", storeTime)); err != nil {
		return err
	}
	list, err := c.messages(c.phone, string(ada.UserID))
	if err != nil || !slices.Equal(messageIDs(list), []graph.MessageID{"wamid.10"}) {
		return fmt.Errorf("written later: got %v and error %w, want wamid.10", messageIDs(list), err)
	}
	if _, err := c.s.Conversation(c.ctx, c.phone, before.ID); !errors.Is(err, coexistence.ErrNotFound) {
		return fmt.Errorf("the id of the conversation that was forgotten finds one, error: %w", err)
	}
	contact, err := c.s.Contact(c.ctx, c.phone, adaPhone)
	if err == nil && contact.ProfileName != "" {
		err = fmt.Errorf("the person who came back has the old name %q", contact.ProfileName)
	}
	return err
}

// gone checks that nothing is stored of a person, nor any of the messages.
func (c *storeCheck) gone(phone graph.PhoneNumberID, who graph.Identity, ids ...graph.MessageID) error {
	if _, err := c.s.Contact(c.ctx, phone, who); !errors.Is(err, coexistence.ErrNotFound) {
		return fmt.Errorf("the contact is still there, error: %w", err)
	}
	for _, name := range coexistence.Aliases(who) {
		if _, err := c.s.Conversation(c.ctx, phone, name); !errors.Is(err, coexistence.ErrNotFound) {
			return fmt.Errorf("the conversation %s is still there, error: %w", name, err)
		}
	}
	for _, id := range ids {
		if _, err := c.s.Message(c.ctx, phone, id); !errors.Is(err, coexistence.ErrNotFound) {
			return fmt.Errorf("message %s is still there, error: %w", id, err)
		}
	}
	return nil
}

// forgottenNumber checks that nothing is left of a number, that late events change nothing, and
// that the number begins anew when it is signed up again. Another number is not touched.
func (c *storeCheck) forgottenNumber() error {
	f, ok := c.forgetter()
	if !ok {
		return nil
	}
	tracker, err := coexistence.NewTracker(coexistence.Config{Store: c.s})
	if err != nil {
		return err
	}
	other := c.phone + "-other"
	for _, phone := range []graph.PhoneNumberID{c.phone, other} {
		onboarding := cloudapi.Onboarding{PhoneNumberID: phone, WABAIDs: []graph.WABAID{c.waba}}
		if err := tracker.Onboard(c.ctx, onboarding); err != nil {
			return err
		}
		if err := tell(c.ctx, c.s, said(phone, ada, "wamid.1", storeTime)); err != nil {
			return err
		}
	}
	if err := f.Forget(c.ctx, coexistence.ForgetRequest{PhoneNumberID: c.phone}); err != nil {
		return err
	}
	after := time.Now().Add(time.Hour).Truncate(time.Second).UTC()
	events := append(late(c.phone, ada, after), said(c.phone, grace, "wamid.3", after),
		&webhook.HistoryChunk{
			EventInfo: webhook.EventInfo{PhoneNumberID: c.phone, WABAID: c.waba}, Order: 1, Progress: 50,
		},
		&webhook.AccountUpdate{
			EventInfo: webhook.EventInfo{WABAID: c.waba, At: after}, Event: webhook.AccountPartnerRemoved,
		})
	if err := tell(c.ctx, c.s, events...); err != nil {
		return err
	}
	if _, err := c.s.Number(c.ctx, c.phone); !errors.Is(err, coexistence.ErrNotFound) {
		return fmt.Errorf("the state is still there, error: %w", err)
	}
	for _, who := range []graph.Identity{ada, grace} {
		if err := c.gone(c.phone, who, "wamid.1", "wamid.2", "wamid.3"); err != nil {
			return err
		}
	}
	if list, err := c.messages(other, string(ada.UserID)); err != nil || len(list) != 1 {
		return fmt.Errorf("another number: %d messages and error %w, want 1", len(list), err)
	}
	err = tracker.Onboard(c.ctx, cloudapi.Onboarding{PhoneNumberID: c.phone, WABAIDs: []graph.WABAID{c.waba}})
	if err == nil {
		err = tell(c.ctx, c.s, said(c.phone, ada, "wamid.1", storeTime))
	}
	if err != nil {
		return err
	}
	if list, err := c.messages(c.phone, string(ada.UserID)); err != nil || len(list) != 1 {
		return fmt.Errorf("signed up again: %d messages and error %w, want 1", len(list), err)
	}
	return nil
}

// forgottenTime checks that what was written before a moment goes, with people of whom nothing is
// left, and that it does not come back. The address book stays.
func (c *storeCheck) forgottenTime() error {
	f, ok := c.forgetter()
	if !ok {
		return nil
	}
	moment := storeTime.Add(time.Hour)
	booked := &webhook.AppStateSync{
		EventInfo: webhook.EventInfo{PhoneNumberID: c.phone, At: storeTime}, Type: webhook.AppStateContact,
		Action:  webhook.AppStateAdd,
		Contact: webhook.AppContact{FullName: "In the book", PhoneNumber: "15550100103"},
	}
	err := tell(c.ctx, c.s, booked, said(c.phone, ada, "wamid.1", storeTime), said(c.phone, ada, "wamid.2", moment),
		said(c.phone, grace, "wamid.3", storeTime))
	if err != nil {
		return err
	}
	for range 2 { // the second time nothing has come back
		r := coexistence.ForgetRequest{PhoneNumberID: c.phone, Before: moment}
		if err := f.Forget(c.ctx, r); err != nil {
			return err
		}
		if err := c.gone(c.phone, grace, "wamid.1", "wamid.3"); err != nil {
			return err
		}
		list, err := c.messages(c.phone, string(ada.UserID))
		if err != nil || !slices.Equal(messageIDs(list), []graph.MessageID{"wamid.2"}) {
			return fmt.Errorf("got %v and error %w, want wamid.2", messageIDs(list), err)
		}
		if _, err := c.s.Contact(c.ctx, c.phone, graph.Identity{WAID: "15550100103"}); err != nil {
			return fmt.Errorf("somebody in the address book: %w", err)
		}
		err = tell(c.ctx, c.s, said(c.phone, ada, "wamid.1", storeTime), said(c.phone, grace, "wamid.3", storeTime))
		if err != nil {
			return err
		}
		if err := c.gone(c.phone, grace, "wamid.1", "wamid.3"); err != nil {
			return fmt.Errorf("late events: %w", err)
		}
	}
	// An address book that comes later comes whole, however old its entries are.
	booked.Contact.PhoneNumber = "15550100104"
	if err := tell(c.ctx, c.s, booked); err != nil {
		return err
	}
	_, err = c.s.Contact(c.ctx, c.phone, graph.Identity{WAID: "15550100104"})
	return err
}

// forgottenStop checks that a stop of marketing messages outlives what is old, unless the person
// has resumed them, and goes with the person.
func (c *storeCheck) forgottenStop() error {
	f, ok := c.forgetter()
	if !ok {
		return nil
	}
	resumed := coexistence.ThreadRecord{StoppedAt: storeTime, ContinuedAt: storeTime.Add(time.Second)}
	for person, record := range map[string]coexistence.ThreadRecord{
		ada.WAID: {StoppedAt: storeTime, StoppedBy: coexistence.StopByWord}, grace.WAID: resumed,
	} {
		err := c.s.UpdateThread(c.ctx, c.phone, coexistence.Alias(person), func(r *coexistence.ThreadRecord) {
			record.PhoneNumberID, record.Person = r.PhoneNumberID, r.Person
			*r = record
		})
		if err != nil {
			return err
		}
	}
	names := []string{coexistence.Alias(ada.WAID), coexistence.Alias(grace.WAID)}
	r := coexistence.ForgetRequest{PhoneNumberID: c.phone, Before: storeTime.Add(time.Hour)}
	if err := f.Forget(c.ctx, r); err != nil {
		return err
	}
	list, err := c.s.Threads(c.ctx, c.phone, names)
	if err != nil || len(list) != 1 || list[0].StoppedBy != coexistence.StopByWord {
		return fmt.Errorf("what is old: %d records and error %w, want the stop alone", len(list), err)
	}
	if err := f.Forget(c.ctx, coexistence.ForgetRequest{PhoneNumberID: c.phone, Person: ada.WAID}); err != nil {
		return err
	}
	if list, err := c.s.Threads(c.ctx, c.phone, names); err != nil || len(list) != 0 {
		return fmt.Errorf("the person: %d records and error %w, want none", len(list), err)
	}
	return nil
}

// forgottenInGroup checks that what a person wrote in a group goes, and what the person did to the
// messages of others, which stay.
func (c *storeCheck) forgottenInGroup() error {
	f, ok := c.forgetter()
	if !ok {
		return nil
	}
	hers, others := c.text("wamid.1", "group:1", storeTime), c.text("wamid.2", "group:1", storeTime)
	hers.Customer, hers.GroupID, others.Customer, others.GroupID = ada, "1", grace, "1"
	others.Reactions = []coexistence.Reaction{{Person: "US.1001", Emoji: "+"}, {Person: "US.1002", Emoji: "-"}}
	others.Receipts = []coexistence.Receipt{{Status: webhook.StatusRead, Person: "US.1001", At: storeTime}}
	if err := c.put(c.phone, hers, others); err != nil {
		return err
	}
	if _, err := c.seePerson(c.phone, ada); err != nil {
		return err
	}
	r := coexistence.ForgetRequest{PhoneNumberID: c.phone, Person: ada.WAID}
	if err := f.Forget(c.ctx, r); err != nil {
		return err
	}
	list, err := c.messages(c.phone, "group:1")
	if err != nil || !slices.Equal(messageIDs(list), []graph.MessageID{"wamid.2"}) {
		return fmt.Errorf("got %v and error %w, want wamid.2", messageIDs(list), err)
	}
	if m := list[0]; len(m.Reactions) != 1 || len(m.Receipts) != 0 {
		return fmt.Errorf("the message of somebody else has %d reactions and %d receipts, want 1 and none",
			len(m.Reactions), len(m.Receipts))
	}
	return nil
}

// forgettingConcurrency forgets a person again and again while writers go on storing what the
// person wrote before, in every way in which a tracker stores. In the end nothing is left.
func (c *storeCheck) forgettingConcurrency() error {
	f, ok := c.forgetter()
	if !ok {
		return nil
	}
	const writers, messages = 4, 12
	errs := make([]error, writers)
	var writing sync.WaitGroup
	for w := range writers {
		writing.Go(func() {
			for i := range messages {
				id := graph.MessageID(fmt.Sprintf("wamid.%d", i))
				ev := said(c.phone, ada, id, storeTime.Add(time.Duration(i)*time.Second))
				errs[w] = errors.Join(errs[w], c.handle(ev, w%2 == 0))
			}
		})
	}
	var err error
	for range 3 {
		err = errors.Join(err,
			f.Forget(c.ctx, coexistence.ForgetRequest{PhoneNumberID: c.phone, Person: string(ada.UserID)}))
	}
	writing.Wait()
	if err := errors.Join(append(errs, err)...); err != nil {
		return err
	}
	ids := make([]graph.MessageID, messages)
	for i := range ids {
		ids[i] = graph.MessageID(fmt.Sprintf("wamid.%d", i))
	}
	return c.gone(c.phone, ada, ids...)
}

// handle hands an event to a tracker of its own, prepared or not.
func (c *storeCheck) handle(ev webhook.Event, prepared bool) error {
	tracker, err := coexistence.NewTracker(coexistence.Config{Store: c.s})
	if err != nil {
		return err
	}
	batch := []webhook.Preparation{{Event: ev, Context: c.ctx}}
	if prepared {
		tracker.Prepare(c.ctx, batch)
	}
	return tracker.Handle(batch[0].Context, ev)
}

// refusedForgetting checks that a request that says nothing, or two things, changes nothing, and
// neither does one whose context has ended.
func (c *storeCheck) refusedForgetting() error {
	f, ok := c.forgetter()
	if !ok {
		return nil
	}
	if err := tell(c.ctx, c.s, said(c.phone, ada, "wamid.1", storeTime)); err != nil {
		return err
	}
	ended, cancel := context.WithCancel(c.ctx)
	cancel()
	two := coexistence.ForgetRequest{PhoneNumberID: c.phone, Person: "US.1001", Before: time.Now()}
	if f.Forget(c.ctx, coexistence.ForgetRequest{}) == nil || f.Forget(c.ctx, two) == nil ||
		f.Forget(ended, coexistence.ForgetRequest{PhoneNumberID: c.phone}) == nil {
		return errors.New("want an error, got none")
	}
	if err := f.FinishForgetting(c.ctx); err != nil {
		return err
	}
	_, err := c.s.Message(c.ctx, c.phone, "wamid.1")
	return err
}
