package coexistencetest

import (
	"slices"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

// ChangeDevice moves the app to another phone, or installs it anew. The host gets
// ACCOUNT_OFFBOARDED, which is temporary: sends fail, and what happens in the app in the meantime
// never reaches the host. [Phone.Reconnect] ends it. It does nothing if the number does not
// coexist.
//
// Meta:
// https://developers.facebook.com/documentation/business-messaging/whatsapp/embedded-signup/reconnect-offboarded-coexistence-clients
func (p *Phone) ChangeDevice() {
	p.world.mu.Lock()
	defer p.world.mu.Unlock()
	if p.stage != stageConnected || p.cloudOnly {
		return
	}
	p.stage, p.offboardedAt = stageSuspended, p.world.Now()
	p.world.relied.on(relyOffboarded)
	p.world.graph.Suspend(p.id, true)
	p.tellAccount("ACCOUNT_OFFBOARDED", p.offboardedAt)
}

// Reconnect brings the number back on the new phone. Its webhook, ACCOUNT_RECONNECTED, says that it
// happened a second before the offboarding did, as in Meta's own samples. Nothing can be synced
// again. It does nothing if the number is not suspended.
//
// Meta:
// https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/account_update
func (p *Phone) Reconnect() {
	p.world.mu.Lock()
	defer p.world.mu.Unlock()
	if p.stage != stageSuspended {
		return
	}
	p.stage = stageConnected
	p.used()
	p.world.relied.on(relyReconnected)
	p.world.graph.Suspend(p.id, false)
	p.tellAccount("ACCOUNT_RECONNECTED", p.offboardedAt.Add(-time.Second))
}

// Disconnect taps "Disconnect account" in the app's settings. It is final: the host gets
// PARTNER_REMOVED, the number answers 100/33 from then on, and so does the account, unless another
// number in it still coexists. Fifteen minutes later the number can go through the popup again.
//
// Meta:
// https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/account_update
func (p *Phone) Disconnect() { p.EndCoexistence(webhook.DisconnectedAccount, "USER") }

// EndCoexistence ends coexistence for another reason, such as [webhook.DisconnectedChangeNumber].
// InitiatedBy is "USER" or "SYSTEM". With an empty reason the webhook has no disconnection_info, as
// before April 2026. It does nothing if the number neither coexists nor is suspended.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/account_update
func (p *Phone) EndCoexistence(reason webhook.DisconnectionReason, initiatedBy string) {
	p.world.mu.Lock()
	defer p.world.mu.Unlock()
	p.lose(reason, initiatedBy)
}

// lose ends coexistence for good. Each account gets PARTNER_REMOVED. If no number in an account
// coexists any more, the partner loses the account: the update is an entry of the partner's
// portfolio with waba_info, and the subscription ends with it. If another number stays, the update
// is an entry of the account and names the number, so a host must not give up the account. The
// caller must hold the world's mu.
func (p *Phone) lose(reason webhook.DisconnectionReason, initiatedBy string) {
	if p.stage == stageAlone || p.cloudOnly {
		return
	}
	p.stopIdleTimer()
	p.world.relied.on(relyRemoved)
	p.stage, p.disconnectedAt = stageAlone, p.world.Now()
	info := member{}
	if reason != "" {
		info = sub("disconnection_info", object(str("reason", reason), str("initiated_by", initiatedBy)))
	}
	for _, id := range p.wabas {
		entry := string(p.world.partner)
		about := sub("waba_info", object(str("waba_id", id), str("owner_business_id", p.owner)))
		if p.world.livesIn(id) {
			// Others stay: the update names the number, and the account is its entry.
			entry, about = string(id), str("phone_number", p.digits())
			p.world.relied.on(relyRemovedNamed)
		} else {
			p.world.graph.DetachWABA(id)
			p.world.relied.on(relyAccount)
		}
		p.world.dispatcher.send(change{
			field: "account_update", entry: entry, at: p.disconnectedAt.Unix(), waba: id, partner: true,
			value: object(str("event", "PARTNER_REMOVED"), about, info),
		})
	}
	p.world.graph.DetachPhone(p.id)
}

// livesIn reports whether a number in an account still coexists. The caller must hold the world's
// mu.
func (w *World) livesIn(id graph.WABAID) bool {
	return slices.ContainsFunc(w.phones, func(p *Phone) bool {
		return p.stage != stageAlone &&
			slices.Contains(p.wabas, id)
	})
}

// RemoveApp removes the host's app in the settings of the business portfolio: its tokens stop
// working, and the host gets PARTNER_APP_UNINSTALLED. The number itself goes on to coexist, and no
// app answers for it.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/account_update
func (p *Phone) RemoveApp() {
	p.world.mu.Lock()
	defer p.world.mu.Unlock()
	p.world.graph.RevokeTokens(p.owner)
	for _, id := range p.wabas {
		p.world.tellPartner(id, p.owner, "PARTNER_APP_UNINSTALLED", p.world.Now(),
			str("partner_app_id", p.world.AppID()))
	}
}

// tellAccount sends an account_update that has nothing but an event: it names no number, so a host
// with several in the account cannot tell which is meant. The caller must hold the world's mu.
func (p *Phone) tellAccount(event string, at time.Time) {
	id := p.hookWABA()
	p.world.dispatcher.send(change{
		field: "account_update", entry: string(id), at: at.Unix(), waba: id, value: object(str("event", event)),
	})
}
