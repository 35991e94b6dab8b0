package coexistencetest

import (
	"context"
	"errors"
	"fmt"
	"reflect"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

// sees is a change that adds what a tracker has learnt of a person to the contact.
func sees(phone graph.PhoneNumberID, who graph.Identity, seen coexistence.Contact) coexistence.ContactChange {
	return coexistence.ContactChange{
		PhoneNumberID: phone, Aliases: coexistence.Aliases(who),
		Change: func(c *coexistence.Contact) { *c = c.Merge(seen) },
	}
}

// writes is a change that appends to a message's text.
func writes(phone graph.PhoneNumberID, id graph.MessageID, person, text string) coexistence.MessageChange {
	return coexistence.MessageChange{PhoneNumberID: phone, ID: id, Change: func(m *coexistence.Message) {
		m.Person, m.At, m.Origin, m.Type = person, storeTime, coexistence.OriginCustomer, webhook.TypeText
		m.Text += text
	}}
}

// batchOrder changes new and stored messages and contacts of two numbers in one batch, some of them
// twice. Each change has to see what the one before it has made, and the contacts come back as they
// were in the end.
func (c *storeCheck) batchOrder() error {
	s, ok := c.s.(coexistence.BatchStore)
	if !ok {
		return nil
	}
	other := c.phone + "-other"
	if err := c.put(c.phone, c.text("wamid.2", string(ada.UserID), storeTime)); err != nil {
		return err
	}
	if _, err := c.seePerson(c.phone, ada); err != nil {
		return err
	}
	adaSeen, err1 := contactOf(c.ctx, c.phone, incoming(c.phone, ada, storeTime))
	named := ada
	named.Username = "ada"
	adaNamed, err2 := contactOf(c.ctx, c.phone, incoming(c.phone, named, storeTime))
	graceSeen, err3 := contactOf(c.ctx, other, incoming(other, grace, storeTime))
	if err := errors.Join(err1, err2, err3); err != nil {
		return err
	}
	got, _, err := s.UpdateBatch(c.ctx,
		[]coexistence.ContactChange{
			sees(c.phone, ada, adaSeen), sees(other, grace, graceSeen), sees(c.phone, named, adaNamed),
		},
		[]coexistence.MessageChange{
			writes(c.phone, "wamid.3", "US.1001", "a"), writes(other, "wamid.1", "US.1002", "b"),
			writes(c.phone, "wamid.2", "US.1001", "c"), writes(c.phone, "wamid.3", "US.1001", "d"),
			writes(c.phone, "wamid.1", "US.1001", "e"),
		})
	if err != nil {
		return err
	}
	want := []coexistence.Contact{adaSeen.Merge(adaNamed), graceSeen, adaSeen.Merge(adaNamed)}
	if !reflect.DeepEqual(got, want) {
		return fmt.Errorf("the contacts came back as %+v, want %+v", got, want)
	}
	for i, who := range []graph.Identity{ada, grace} {
		phone := []graph.PhoneNumberID{c.phone, other}[i]
		if stored, err := s.Contact(c.ctx, phone, who); err != nil || !reflect.DeepEqual(stored, want[i]) {
			return fmt.Errorf("stored is the contact %+v with error %w, want %+v", stored, err, want[i])
		}
	}
	for id, text := range map[graph.MessageID]string{"wamid.1": "e", "wamid.2": "wamid.2c", "wamid.3": "ad"} {
		if m, err := s.Message(c.ctx, c.phone, id); err != nil || m.Text != text || m.ID != id {
			return fmt.Errorf("%s says %q with error %w, want %q", id, m.Text, err, text)
		}
	}
	m, err := s.Message(c.ctx, other, "wamid.1")
	if err == nil && m.Text != "b" {
		err = fmt.Errorf("the message of the other number says %q, want b", m.Text)
	}
	return err
}

// batchAtomic ends the context in the middle of a batch. If that is an error, nothing of the batch
// may be stored, its contacts included, and if it is none, everything is.
func (c *storeCheck) batchAtomic() error {
	s, ok := c.s.(coexistence.BatchStore)
	if !ok {
		return nil
	}
	if _, err := c.seePerson(c.phone, ada); err != nil {
		return err
	}
	before, err := s.Contact(c.ctx, c.phone, ada)
	if err != nil {
		return err
	}
	named := ada
	named.Username = "ada"
	adaNamed, err1 := contactOf(c.ctx, c.phone, incoming(c.phone, named, storeTime))
	graceSeen, err2 := contactOf(c.ctx, c.phone, incoming(c.phone, grace, storeTime))
	if err := errors.Join(err1, err2); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(c.ctx)
	defer cancel()
	ends := coexistence.MessageChange{PhoneNumberID: c.phone, ID: "wamid.2", Change: func(m *coexistence.Message) {
		m.Text = "2"
		cancel()
	}}
	_, _, err = s.UpdateBatch(ctx,
		[]coexistence.ContactChange{sees(c.phone, named, adaNamed), sees(c.phone, grace, graceSeen)},
		[]coexistence.MessageChange{
			writes(c.phone, "wamid.1", "US.1001", "1"), ends, writes(c.phone, "wamid.3", "US.1001", "3"),
		})
	wantAda, stored := before, err == nil
	if stored {
		wantAda = before.Merge(adaNamed)
	}
	if got, err := s.Contact(c.ctx, c.phone, ada); err != nil || !reflect.DeepEqual(got, wantAda) {
		return fmt.Errorf("the known contact is %+v with error %w, want %+v", got, err, wantAda)
	}
	_, err = s.Contact(c.ctx, c.phone, grace)
	if there := err == nil; there != stored {
		return fmt.Errorf("the batch was stored: %v, its new contact: %v", stored, there)
	}
	for _, id := range []graph.MessageID{"wamid.1", "wamid.2", "wamid.3"} {
		_, err := s.Message(c.ctx, c.phone, id)
		if there := err == nil; there != stored {
			return fmt.Errorf("the batch was stored: %v, its message %s: %v", stored, id, there)
		}
	}
	return nil
}

// batchMerge has people become one within a batch: two that are stored, one that is stored and one
// of the batch, and two of the batch. It has to end where the same changes end one by one.
func (c *storeCheck) batchMerge() error {
	s, ok := c.s.(coexistence.BatchStore)
	if !ok {
		return nil
	}
	graceUser, gracePhone := graph.Identity{UserID: grace.UserID}, graph.Identity{WAID: grace.WAID}
	edith := graph.Identity{UserID: "US.1003", WAID: "15550100103"}
	edithUser, edithPhone := graph.Identity{UserID: edith.UserID}, graph.Identity{WAID: edith.WAID}
	for _, who := range []graph.Identity{adaUser, adaPhone, graceUser} {
		if _, err := c.seePerson(c.phone, who); err != nil {
			return err
		}
	}
	var changes []coexistence.ContactChange
	var oneByOne coexistence.MemStore
	for _, who := range []graph.Identity{adaUser, adaPhone, graceUser} { // as they are stored
		if err := tell(c.ctx, &oneByOne, incoming(c.phone, who, storeTime)); err != nil {
			return err
		}
	}
	people := []graph.Identity{gracePhone, ada, edithUser, grace, edithPhone, adaPhone, edith}
	for _, who := range people {
		seen, err := contactOf(c.ctx, c.phone, incoming(c.phone, who, storeTime))
		if err != nil {
			return err
		}
		changes = append(changes, sees(c.phone, who, seen))
		if err := tell(c.ctx, &oneByOne, incoming(c.phone, who, storeTime)); err != nil {
			return err
		}
	}
	got, _, err := s.UpdateBatch(c.ctx, changes, nil)
	if err != nil {
		return err
	}
	for i, who := range people {
		want, err := oneByOne.Contact(c.ctx, c.phone, who)
		if err != nil {
			return err
		}
		stored, err := s.Contact(c.ctx, c.phone, who)
		if err != nil {
			return err
		}
		if !reflect.DeepEqual(got[i], want) || !reflect.DeepEqual(stored, want) {
			return fmt.Errorf("change %d returned %+v and stored %+v, want %+v", i+1, got[i], stored, want)
		}
	}
	list, err := c.contacts(c.phone)
	if err == nil && len(list) != 3 {
		err = fmt.Errorf("%d contacts are left, want 3", len(list))
	}
	return err
}

// batchConcurrency changes one contact and overlapping sets of messages from several goroutines, in
// batches and by themselves. A batch that has read what another writer changes meanwhile must not
// overwrite that, and no two may wait for each other.
func (c *storeCheck) batchConcurrency() error {
	s, ok := c.s.(coexistence.BatchStore)
	if !ok {
		return nil
	}
	ids := []graph.MessageID{"wamid.3", "wamid.1", "wamid.2"}
	count := func(m *coexistence.Message) {
		yield()
		m.Receipts = append(m.Receipts, coexistence.Receipt{Status: webhook.StatusSent})
	}
	var all []webhook.Event
	for worker := range storeWriters {
		for i := range storeWrites {
			all = append(all, incoming(c.phone, alsoCalled(worker, i), storeTime))
		}
	}
	err := concurrently(func(worker, i int) error {
		who := alsoCalled(worker, i)
		seen, err := contactOf(c.ctx, c.phone, incoming(c.phone, who, storeTime))
		if err != nil {
			return err
		}
		if (worker+i)%3 == 0 { // by itself
			_, err := c.s.UpdateContact(c.ctx, c.phone, coexistence.Aliases(who), sees(c.phone, who, seen).Change)
			return errors.Join(err, c.s.UpdateMessages(c.ctx, c.phone, []graph.MessageID{"wamid.1", "wamid.3"}, count))
		}
		messages := []coexistence.MessageChange{}
		for j := range ids {
			messages = append(messages, coexistence.MessageChange{
				PhoneNumberID: c.phone, ID: ids[(worker+j)%len(ids)], Change: count,
			})
		}
		_, _, err = s.UpdateBatch(c.ctx, []coexistence.ContactChange{sees(c.phone, who, seen)}, messages)
		return err
	})
	if err != nil {
		return err
	}
	m, err := s.Message(c.ctx, c.phone, "wamid.1")
	if err != nil {
		return err
	}
	if want := storeWriters * storeWrites; len(m.Receipts) != want {
		return fmt.Errorf("%d changes of a message left %d", want, len(m.Receipts))
	}
	want, err := contactOf(c.ctx, c.phone, all...)
	if err != nil {
		return err
	}
	got, err := c.s.Contact(c.ctx, c.phone, ada)
	if err == nil && !reflect.DeepEqual(got, want) {
		err = fmt.Errorf("%d changes left %+v, want %+v", len(all), got, want)
	}
	return err
}

// alsoCalled is one person under names that differ by writer, with a number at times, so that some
// changes add an alias.
func alsoCalled(worker, i int) graph.Identity {
	who := graph.Identity{UserID: ada.UserID, Username: fmt.Sprintf("ada.%d.%d", worker, i)}
	if i%2 == 1 {
		who.WAID = ada.WAID
	}
	return who
}
