package coexistencetest

import (
	"strconv"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/cloudapitest"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// mirror shows on the phone what was sent through Cloud API, and tells the host how far it came. A
// message that fails is accepted all the same: Meta answers the call first, and tells of the
// failure by webhook. No echo is sent, since the phone did not write.
//
// Meta:
// https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/messages/status
func (w *World) mirror(sent cloudapitest.SentMessage) {
	w.mu.Lock()
	defer w.mu.Unlock()
	// A number that is on Cloud API alone has no phone here, and coexistence numbers have no
	// groups.
	p := w.phoneByID(sent.From)
	if p == nil || sent.GroupID != "" {
		return
	}
	c := p.find(sent.To)
	// fails is the code with which the message fails after it was accepted: one that the test has
	// asked for, or that of a person who cannot be reached, or that of a closed window.
	fails := sent.Fails
	switch {
	case c.cfg.Unreachable:
		fails = graph.CodeMessageUndeliverable
	// Outside the window a template is the only thing that reaches a person. Meta accepts
	// everything and tells afterwards.
	case fails == 0 && sent.Type != "template" && !w.graph.WindowOpen(p.id, c.known()):
		fails = graph.CodeReengagementMessage
		w.relied.on(relyWindow)
	}
	if fails != 0 {
		p.tellStatus(c, sent, "failed", sent.At, sub("errors", list(failure(fails))))
		return
	}
	p.takenOver(c, sent)
	// What was sent stands on the phone like any message, and counts as told: the host has sent it.
	content := Content{Type: sent.Type, Text: sent.Text(), ReplyTo: sent.ReplyTo}
	if to, emoji := sent.Reaction(); to != "" {
		content = Reaction(to, emoji)
	}
	m := p.newMessage(c.chat, AuthorAPI, content, sent.ID, sent.At)
	m.liveAt, m.sent = w.graph.Now(), sent
	w.relied.on(relyMirror, relyReceipts)
	// Each step is a webhook of its own, a second after the one before. They may arrive in any
	// order.
	steps := []string{"sent", "delivered", "read"}
	switch {
	case sent.Type == "reaction":
		steps = steps[:1] // a reaction is only ever sent
	case c.cfg.NoReceipts:
		steps = steps[:2]
	}
	price := p.price(sent)
	for i, status := range steps {
		m.status = status
		p.tellStatus(c, sent, status, sent.At.Add(time.Duration(i)*time.Second), sub("pricing", price))
	}
}

// phoneByID returns the phone with an id, nil if there is none. The caller must hold the world's
// mu.
func (w *World) phoneByID(id graph.PhoneNumberID) *Phone {
	for _, p := range w.phones {
		if p.id == id {
			return p
		}
	}
	return nil
}

// tellStatus sends a status. A failed one has no contacts, and the user id of the recipient only if
// the message was sent to it. result says why a message failed, or what it costs, which stands in
// the statuses sent and delivered. The caller must hold the world's mu.
func (p *Phone) tellStatus(c *Customer, sent cloudapitest.SentMessage, status string, at time.Time, result member) {
	id := c.identity()
	members := []member{
		str("id", sent.ID), str("status", status), str("timestamp", strconv.FormatInt(at.Unix(), 10)),
		str("recipient_id", id.WAID),
	}
	// A status that succeeded names the person in full, one that failed by what the message was
	// sent to.
	contacts := member{}
	if status != "failed" {
		members = append(members, str("recipient_user_id", id.UserID))
		contacts = sub("contacts", list(c.contact()))
	} else if graph.IsUserID(sent.Input) {
		members = append(members, str("recipient_user_id", id.UserID))
	}
	members = append(members, str("biz_opaque_callback_data", sent.CallbackData))
	if status != "read" {
		members = append(members, result)
	}
	p.tell("messages", contacts, sub("statuses", list(object(members...))))
}

// freeService is how many service messages of a number are free in a calendar month.
const freeService = 1000

// price is what a message of the host costs, and nothing for a reaction, which is never billed. The
// first service messages of a month are free; that months begin in UTC is assumed. The caller must
// hold the world's mu.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/pricing
func (p *Phone) price(sent cloudapitest.SentMessage) []byte {
	switch sent.Type {
	case "reaction":
		return nil
	case "template":
		return pricing(sent.Type, "regular")
	}
	if month := sent.At.UTC().Format("2006-01"); month != p.freeMonth {
		p.freeMonth, p.freeUsed = month, 0
	}
	if p.freeUsed >= freeService {
		return pricing(sent.Type, "regular")
	}
	p.freeUsed++
	return pricing(sent.Type, "free_customer_service")
}

// pricing is what a message is billed as since 2026-10-01. Templates count as utility, everything
// else as service.
func pricing(kind, priceType string) []byte {
	// What has no price of its own is a service message.
	category := "service"
	if kind == "template" {
		category = "utility"
	}
	return object(yes("billable", priceType == "regular"), str("pricing_model", "PMP"), str("type", priceType),
		str("category", category))
}

// failure is an entry of errors[] in a webhook. The details are our own explanation of the code,
// where Meta's are not documented.
//
// Meta:
// https://developers.facebook.com/documentation/business-messaging/whatsapp/support/error-codes
func failure(code graph.Code) []byte {
	// A code that our table does not know still makes a webhook that looks like one of Meta's.
	title := "Made-up error"
	details := title
	if info, ok := graph.Lookup(code, 0); ok {
		title, details = info.Title, info.Meaning
	}
	return object(
		num("code", int(code)), str("title", title), str("message", title),
		sub("error_data", object(str("details", details))),
		str("href", "/documentation/business-messaging/whatsapp/support/error-codes"))
}
