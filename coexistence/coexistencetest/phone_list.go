package coexistencetest

import (
	"slices"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/phonenumber"
)

// Phones returns the phones and numbers of the world, in the order in which they were added.
func (w *World) Phones() []*Phone {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.phones)
}

// FindCustomer returns the customer with a phone number in any spelling, or with a user id, and nil
// if there is none. [Phone.Customer] adds one instead.
func (p *Phone) FindCustomer(numberOrUserID string) *Customer {
	p.world.mu.Lock()
	defer p.world.mu.Unlock()
	digits := phonenumber.Digits(numberOrUserID)
	for _, c := range p.customers {
		if string(c.cfg.UserID) == numberOrUserID {
			return c
		}
	}
	for _, c := range p.customers {
		if !graph.IsUserID(numberOrUserID) && digits != "" && phonenumber.Digits(c.cfg.PhoneNumber) == digits {
			return c
		}
	}
	return nil
}

// UserID returns the customer's user id, also if webhooks do not show it.
func (c *Customer) UserID() graph.UserID { return c.config().UserID }

// A ChatSummary is a line in the phone's list of chats.
type ChatSummary struct {
	Customer *Customer

	// Last is the latest message, a zero ChatMessage if there is none. Count is how many the phone
	// shows.
	Last  ChatMessage
	Count int
}

// Chats returns the phone's list of chats, in the order of the customers' first appearance. It is
// much cheaper than [Phone.Chat] for every customer.
func (p *Phone) Chats() []ChatSummary {
	p.world.mu.Lock()
	defer p.world.mu.Unlock()
	list := make([]ChatSummary, 0, len(p.customers))
	for _, c := range p.customers {
		s := ChatSummary{Customer: c}
		var last *message
		for _, m := range c.chat.messages {
			if m.content.Type == "reaction" {
				continue
			}
			s.Count++
			if last == nil || !m.at.Before(last.at) {
				last = m
			}
		}
		if last != nil {
			s.Last = last.shown()
		}
		list = append(list, s)
	}
	return list
}

// LieIdle moves the clock of the world on until the phone has not been used for two weeks, which
// disconnects it: [World.Advance] with the right duration.
func (p *Phone) LieIdle() { p.world.Advance(idleLimit + time.Second) }
