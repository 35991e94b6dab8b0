package webhook

import (
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// A PaymentConfigurationUpdate arrives when a way to be paid, in India, is connected or changes its
// state.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/payment_configuration_update
type PaymentConfigurationUpdate struct {
	EventInfo `json:"-"`

	Name       string `json:"configuration_name"`
	Provider   string `json:"provider_name"` // "billdesk", "payu", "razorpay", "zaakpay"
	MerchantID string `json:"provider_mid"`

	Status    PaymentConfigurationStatus `json:"status"`
	CreatedAt graph.Timestamp            `json:"created_timestamp"`
	UpdatedAt graph.Timestamp            `json:"updated_timestamp"`
}

// A PaymentConfigurationStatus is the state of a way to be paid. Meta adds values: expect unknown
// ones.
type PaymentConfigurationStatus string

const (
	PaymentConfigurationActive          PaymentConfigurationStatus = "Active"
	PaymentConfigurationNeedsConnecting PaymentConfigurationStatus = "Needs Connecting"
	PaymentConfigurationNeedsTesting    PaymentConfigurationStatus = "Needs Testing"
)
