package coexistencetest

import (
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/phonenumber"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

// idleLimit is how long a phone may lie unused. Meta says approximately.
const idleLimit = 14 * day

// Open opens the app on the phone and closes it again, which is all that it takes to stay
// connected. Whatever else is done on the phone counts as well.
func (p *Phone) Open() {
	p.world.mu.Lock()
	defer p.world.mu.Unlock()
	p.used()
}

// UpdateApp installs another version of the app. Coexistence needs 2.24.17, which the popup checks;
// a number that coexists already stays.
func (p *Phone) UpdateApp(version string) {
	p.world.mu.Lock()
	defer p.world.mu.Unlock()
	p.appVersion = version
	p.used()
}

// UseApp moves the number to another app on the phone. A move to consumer WhatsApp ends coexistence
// (BUSINESS_DOWNGRADE).
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/account_update
func (p *Phone) UseApp(app AppKind) {
	p.world.mu.Lock()
	defer p.world.mu.Unlock()
	p.app = app
	// A move back to the business app does not bring coexistence back; that takes a signup.
	if app != AppBusiness && p.stage != stageAlone && !p.cloudOnly {
		p.world.relied.on(relyOtherApp)
		p.lose(webhook.DisconnectedBusinessDowngrade, "USER")
	}
}

// ChangeNumber gives the business another phone number, which ends coexistence of the old one
// (CHANGE_NUMBER). The new number can go through the popup and is a number of its own then, with
// another id, in another account.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/account_update
func (p *Phone) ChangeNumber(number string) {
	p.world.mu.Lock()
	defer p.world.mu.Unlock()
	if p.cloudOnly {
		return
	}
	if p.stage != stageAlone {
		p.world.relied.on(relyOtherApp)
		p.lose(webhook.DisconnectedChangeNumber, "USER")
	}
	// The new number waits for nothing: it was never connected.
	p.number, p.wabas, p.disconnectedAt = number, nil, time.Time{}
}

// used records a use of the phone and restarts the idle time. Both a timer and [World.Advance]
// check its end: the timer serves bubbles of testing/synctest, where time passes by itself. The
// caller must hold the world's mu.
func (p *Phone) used() {
	p.usedAt = p.world.Now()
	p.startIdleTimer(idleLimit)
}

// startIdleTimer waits for the end of the idle time. The caller must hold the world's mu.
func (p *Phone) startIdleTimer(left time.Duration) {
	if p.idle == nil {
		p.idle = time.AfterFunc(left, func() {
			p.world.mu.Lock()
			defer p.world.mu.Unlock()
			p.checkIdle()
		})
		return
	}
	p.idle.Reset(left)
}

// stopIdleTimer ends the wait for the end of the idle time. The caller must hold the world's mu.
func (p *Phone) stopIdleTimer() {
	if p.idle != nil {
		p.idle.Stop()
	}
}

// checkIdle disconnects a phone that was not used for too long. An onboarding counts as use, API
// traffic does not. The caller must hold the world's mu.
func (p *Phone) checkIdle() {
	last := p.onboardedAt
	if p.usedAt.After(last) {
		last = p.usedAt
	}
	if p.stage != stageConnected || p.cloudOnly || p.world.Now().Sub(last) < idleLimit {
		return
	}
	p.world.relied.on(relyIdle)
	p.lose(webhook.DisconnectedPrimaryInactivity, "SYSTEM")
}

// ChangeNumber gives the customer another phone number, and with it another user id. If the
// business's number coexists, a system message tells of it with the old ids as its sender, and the
// chat goes on. Otherwise the host is never told that both are one person.
//
// Meta:
// https://developers.facebook.com/documentation/business-messaging/whatsapp/business-scoped-user-ids
func (c *Customer) ChangeNumber(number string) graph.MessageID {
	p := c.phone
	p.world.mu.Lock()
	defer p.world.mu.Unlock()
	// The notice comes from the old ids and names the new ones.
	old := c.identity()
	c.cfg.PhoneNumber, c.cfg.UserID = number, p.newUserID(phonenumber.Digits(number))
	now := c.identity()
	p.world.graph.AddUser(graph.Identity{UserID: c.cfg.UserID, WAID: phonenumber.Digits(number),
		Username: c.cfg.Username})
	m := p.newMessage(c.chat, AuthorCustomer,
		Content{Type: "system", Text: c.cfg.Name + " changed to another phone number"}, "", p.world.Now())
	if p.stage != stageConnected {
		return m.id
	}
	m.liveAt = p.world.Now()
	p.world.relied.on(relyMoved)
	previous := old.UserID
	system := object(
		str("body", m.content.Text), str("type", "user_changed_number"), str("wa_id", now.WAID),
		str("user_id", now.UserID),
		str("previous_user_id", previous))
	p.tell("messages", sub("messages", list(object(
		str("from", old.WAID), str("from_user_id", old.UserID), str("id", m.id), m.timestamp(), str("type", "system"),
		sub("system", system)))))
	return m.id
}
