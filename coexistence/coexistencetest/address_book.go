package coexistencetest

import (
	"slices"
	"strconv"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/phonenumber"
)

// SaveContact adds a contact to the address book, or changes the one with the same number or user
// id. If the number coexists, the host gets smb_app_state_sync, in which an edit looks like an
// addition.
//
// Meta:
// https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/smb_app_state_sync
func (p *Phone) SaveContact(c Contact) {
	p.world.mu.Lock()
	defer p.world.mu.Unlock()
	p.used()
	if i := p.indexContact(c); i >= 0 {
		// What was handed out before stays as it was.
		p.contacts = slices.Clone(p.contacts)
		p.contacts[i] = c
	} else {
		p.contacts = append(p.contacts, c)
	}
	p.tellContact(c, "add")
}

// RemoveContact removes a contact, found by number or user id. The host gets only the ids, without
// the name.
func (p *Phone) RemoveContact(c Contact) {
	p.world.mu.Lock()
	defer p.world.mu.Unlock()
	p.used()
	if i := p.indexContact(c); i >= 0 {
		p.contacts = slices.Delete(slices.Clone(p.contacts), i, i+1)
		p.tellContact(c, "remove")
	}
}

// Contacts returns the address book, in the order in which contacts were first saved.
func (p *Phone) Contacts() []Contact {
	p.world.mu.Lock()
	defer p.world.mu.Unlock()
	return slices.Clone(p.contacts)
}

// indexContact returns where a contact is in the address book, or -1. A user id or a number in any
// spelling is enough. The caller must hold the world's mu.
func (p *Phone) indexContact(c Contact) int {
	return slices.IndexFunc(p.contacts, func(old Contact) bool {
		return c.UserID != "" && old.UserID == c.UserID || c.PhoneNumber != "" &&
			phonenumber.Digits(old.PhoneNumber) == phonenumber.Digits(c.PhoneNumber)
	})
}

// tellContact tells the host of a change of the address book, while the number coexists. That it
// needs no earlier request for the contacts is assumed. The caller must hold the world's mu.
func (p *Phone) tellContact(c Contact, action string) {
	// What is changed meanwhile is never told, unless the next onboarding asks for all contacts.
	if p.stage != stageConnected || p.cloudOnly {
		return
	}
	p.world.relied.on(relyContacts)
	if p.world.graph.Synced(p.id, cloudapi.SyncContacts).IsZero() {
		p.world.relied.on(relyContactChanges)
	}
	p.tell("smb_app_state_sync", sub("state_sync", list(p.stateSync(c, action))))
}

// stateSync is an item of state_sync. Meta writes a removal with the ids alone, and an edit as
// another add. The caller must hold the world's mu.
func (p *Phone) stateSync(c Contact, action string) []byte {
	if action == "remove" {
		c.FullName, c.FirstName = "", ""
	}
	contact := object(
		str("full_name", c.FullName), str("first_name", c.FirstName),
		str("phone_number", phonenumber.Digits(c.PhoneNumber)),
		str("user_id", c.UserID), str("username", username(c.Username)))
	at := strconv.FormatInt(p.world.Now().Unix(), 10)
	return object(
		str("type", "contact"), sub("contact", contact), str("action", action),
		sub("metadata", object(str("timestamp", at))))
}

// sendContacts answers a request for the address book: every contact, in batches. Nothing marks the
// last batch, so a host sees the end by the silence behind it. The caller must hold the world's mu.
func (p *Phone) sendContacts() {
	var changes []change
	for batch := range slices.Chunk(p.contacts, p.world.cfg.History.ContactBatch) {
		var items [][]byte
		for _, c := range batch {
			items = append(items, p.stateSync(c, "add"))
		}
		changes = append(changes, p.change("smb_app_state_sync", sub("state_sync", list(items...))))
	}
	p.world.relied.on(relyContacts)
	p.world.dispatcher.send(changes...)
}
