package cloudapitest

import (
	"slices"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// An AppSubscription is a webhook setting of the app dashboard: fields, and the URL that receives
// them.
type AppSubscription struct {
	// Object is "whatsapp_business_account" if empty.
	Object string

	// CallbackURL is where deliveries go.
	CallbackURL string

	// Fields are the webhook fields, such as "messages".
	Fields []string

	// Inactive subscriptions deliver nothing.
	Inactive bool
}

// wabaObject is the object that all WhatsApp webhooks are about.
const wabaObject = "whatsapp_business_account"

// Subscribe sets the app's webhook settings, as the app dashboard does, without the handshake. It
// replaces earlier settings of the same object.
func (s *Server) Subscribe(sub AppSubscription) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.subscribe(sub)
}

// subscribe is Subscribe. The caller must hold s.mu.
func (s *Server) subscribe(sub AppSubscription) {
	if sub.Object == "" {
		sub.Object = wabaObject
	}
	sub.Fields = slices.Clone(sub.Fields)
	same := func(old AppSubscription) bool { return old.Object == sub.Object }
	s.appSubscriptions = slices.DeleteFunc(s.appSubscriptions, same)
	s.appSubscriptions = append(s.appSubscriptions, sub)
}

// wabaSubscription is the app's active subscription, or nil.
func (s *Server) wabaSubscription() *AppSubscription {
	for i, sub := range s.appSubscriptions {
		if sub.Object == wabaObject && !sub.Inactive {
			return &s.appSubscriptions[i]
		}
	}
	return nil
}

// callbackURL is the app's own, if set.
func (s *Server) callbackURL() string {
	if sub := s.wabaSubscription(); sub != nil {
		return sub.CallbackURL
	}
	return ""
}

// A CallbackLevel says which setting decided where a delivery goes.
type CallbackLevel string

const (
	LevelApp   CallbackLevel = "app"   // the app's own webhook settings
	LevelWABA  CallbackLevel = "waba"  // an override of the account
	LevelPhone CallbackLevel = "phone" // an override of the number, before all others
)

// overridable are the fields that follow an override. Everything else goes to the app's own URL,
// account_update first of all. The newer copy of Meta's page (autumn 2026) has standby, the older
// one has not.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/override
var overridable = []string{
	"messages", "message_echoes", "calls", "consumer_profile", "messaging_handovers", "standby",
	"group_lifecycle_update", "group_participants_update", "group_settings_update", "group_status_update",
	"smb_message_echoes", "smb_app_state_sync", "history", "account_settings_update",
}

// A Callback is the URL to which Meta delivers a field.
type Callback struct {
	// URL is empty if the app does not subscribe to the field: then Meta delivers nothing at all.
	URL string

	// Level is the level at which the URL was set. It is empty if URL is.
	Level CallbackLevel
}

// Callback returns where Meta would deliver a field: to the override of the number, else of the
// account, else to the app's own URL. Whether the app is subscribed to the account, which is needed
// as well, [Server.Subscribed] says.
func (s *Server) Callback(field string, account graph.WABAID, number graph.PhoneNumberID) Callback {
	s.mu.Lock()
	defer s.mu.Unlock()
	sub := s.wabaSubscription()
	if sub == nil || sub.CallbackURL == "" || !slices.Contains(sub.Fields, field) {
		return Callback{}
	}
	if slices.Contains(overridable, field) {
		if p := s.phone(number); p != nil && p.override != "" {
			return Callback{p.override, LevelPhone}
		}
		if w := s.waba(account); w != nil && w.override != "" {
			return Callback{w.override, LevelWABA}
		}
	}
	return Callback{sub.CallbackURL, LevelApp}
}

// A subscribedField is a webhook field, with the version that the call asked in.
type subscribedField struct {
	Name    string `json:"name"`
	Version string `json:"version"`
}

// getAppSubscriptions answers with the webhook settings. Verify tokens are never shown.
func (s *Server) getAppSubscriptions(c *call) reply {
	type subscription struct {
		Object   string            `json:"object"`
		Callback string            `json:"callback_url"`
		Active   bool              `json:"active"`
		Fields   []subscribedField `json:"fields"`
	}
	data := []subscription{}
	for _, sub := range s.appSubscriptions {
		one := subscription{
			Object: sub.Object, Callback: sub.CallbackURL, Active: !sub.Inactive, Fields: []subscribedField{},
		}
		for _, name := range sub.Fields {
			one.Fields = append(one.Fields, subscribedField{name, c.version})
		}
		data = append(data, one)
	}
	return ok(struct {
		Data []subscription `json:"data"`
	}{data})
}

// postAppSubscriptions sets the webhook settings of an object, after the handshake with the URL. It
// replaces what was there.
func (s *Server) postAppSubscriptions(c *call) reply {
	var req struct {
		Object   string   `json:"object"`
		Callback string   `json:"callback_url"`
		Token    string   `json:"verify_token"`
		Fields   []string `json:"fields"`
	}
	if err := decode(c.params, &req); err != nil {
		return refuse(err)
	}
	switch {
	case req.Object == "":
		return refuse(missing("object"))
	case req.Callback == "":
		return refuse(missing("callback_url"))
	case req.Token == "":
		return refuse(missing("verify_token"))
	case len(req.Fields) == 0:
		return refuse(missing("fields"))
	}
	if err := s.verifyCallback(req.Callback, req.Token); err != nil {
		return refuse(err)
	}
	s.subscribe(AppSubscription{Object: req.Object, CallbackURL: req.Callback, Fields: req.Fields})
	return success
}
