package webhook

import (
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// An AutomaticEvent arrives when Meta takes a conversation for a lead or a purchase. Pass it on to
// the Conversions API, with ClickID unchanged. There are none in the EU, the United Kingdom and
// Japan.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/embedded-signup/automatic-events-api
type AutomaticEvent struct {
	EventInfo `json:"-"`

	// ID is the message that the event was found in.
	ID graph.MessageID `json:"id"`

	Name AutomaticEventName `json:"event_name"`

	// ClickID is ctwa_clid. Empty if the customer did not come from an advertisement.
	ClickID string `json:"ctwa_clid"`

	// Custom comes with a purchase.
	Custom *AutomaticEventData `json:"custom_data"`
}

// An AutomaticEventName is the kind of event that Meta saw in a conversation. Meta adds values:
// expect unknown ones.
type AutomaticEventName string

// The documented names.
const (
	AutomaticLead     AutomaticEventName = "LeadSubmitted"
	AutomaticPurchase AutomaticEventName = "Purchase"
)

// AutomaticEventData is the value of a purchase.
type AutomaticEventData struct {
	Currency string `json:"currency"`

	// Value is digit for digit as Meta wrote it, so that no money is rounded on the way.
	Value string `json:"value"`
}

// A TrackingEvent arrives when something happens that is tracked for marketing. Meta has published
// nothing but the sample of its dashboard.
type TrackingEvent struct {
	EventInfo `json:"-"`

	Name     string       `json:"event_name"` // "sent"
	Tracking TrackingData `json:"tracking_data"`
}

// TrackingData describes what is tracked.
type TrackingData struct {
	ClickID string `json:"click_id"`
	Token   string `json:"tracking_token"`
}
