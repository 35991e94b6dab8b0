package coexistence

import (
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

// Checklist lists what to check when a sync brings nothing. It is empty if no sync waits in vain.
func (s Number) Checklist(now time.Time) []string {
	contacts, history := s.ContactsStatus(now), s.HistoryStatus(now)
	waiting := func(st SyncStatus) bool { return st == SyncStalled || st == SyncUnknown }
	if !waiting(contacts) && !waiting(history) {
		return nil
	}
	list := []string{
		"the app is subscribed to every WhatsApp Business Account that holds the number (GET " +
			"/{waba-id}/subscribed_apps)",
		"the app subscribes to the fields history, smb_app_state_sync and smb_message_echoes, besides messages and " +
			"account_update",
		"no callback override of the number or the account sends the webhooks elsewhere (webhook_configuration)",
		"the endpoint answers 200 quickly, and Meta shows no failed deliveries",
	}
	if waiting(history) {
		list = append(list, "the business agreed to share its chats when it confirmed the connection on its phone")
	}
	list = append(list, "the phone is on, online, and the WhatsApp Business app is open")
	for _, sync := range []Sync{s.Contacts.Sync, s.History.Sync} {
		if sync.RequestID != "" {
			list = append(list, "Meta's support asks for the request id "+sync.RequestID)
		}
	}
	return list
}

// Remedy says in plain words what happened to the number and what helps, fit to show to the
// business. It is empty while the number works.
func (s Number) Remedy() string {
	switch s.Stage {
	case StageOffboarded:
		if s.Placement == PlacementAPI {
			return "The number is no longer in the WhatsApp Business app. Open the app on the phone with this " +
				"number; if it does not " +
				"connect by itself, connect again."
		}
		return "The connection pauses while WhatsApp moves to another phone or is reinstalled. Open the WhatsApp " +
			"Business app and " +
			"confirm the connected products; it comes back within minutes."
	case StageRemoved:
		if s.Disconnection == nil {
			return "The number was disconnected. Connect again to go on."
		}
		if s.Disconnection.Reason == webhook.DisconnectedAccount && s.Disconnection.InitiatedBy == "USER" {
			return "The number was disconnected in the WhatsApp Business app, or its account was deleted there. " +
				"Connect again to go on."
		}
		if r := remedies[s.Disconnection.Reason]; r != "" {
			return r
		}
		switch s.Disconnection.Event {
		case webhook.AccountDeleted:
			return "The WhatsApp Business account was deleted. Connect again with another account."
		case webhook.AccountPartnerAppRemoved:
			return "The permissions were taken away in Meta's business settings. Connect again to grant them."
		}
		return "The number was disconnected in the WhatsApp Business app or in Meta's business settings. Connect " +
			"again to go on."
	}
	return ""
}

var remedies = map[webhook.DisconnectionReason]string{
	webhook.DisconnectedPrimaryInactivity: "The phone was not used for about two weeks. Open the WhatsApp Business " +
		"app at least once a " +
		"week, and connect again.",
	webhook.DisconnectedCompanionInactivity: "The connection was not used for about a month. Connect again.",
	webhook.DisconnectedBusinessDowngrade: "The number moved to the ordinary WhatsApp app. Move it back to the " +
		"WhatsApp Business app, " +
		"and connect again.",
	webhook.DisconnectedChangeNumber: "The number was changed on the phone. Connect the new number.",
	webhook.DisconnectedReRegistered: "WhatsApp was registered on another phone. If the connection does not come " +
		"back by itself within " +
		"minutes, connect again.",
	webhook.DisconnectedAccount: "Meta ended the account, or it was deleted on the phone. Look at the account's " +
		"policy status in Meta's " +
		"business settings before connecting again.",
}
