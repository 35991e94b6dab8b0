package webhook

// UnsupportedContent stands for a message that Cloud API cannot show: a poll, a pin, a group
// invitation. The event's errors say why. A message that merely stays on the business's phone
// arrives as [UnavailableMessage] instead.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/messages/unsupported
type UnsupportedContent struct {
	// Type is what the customer sent, such as "poll_creation", "edit" or "unknown". It may be
	// empty.
	Type string `json:"type"`

	// RawType was seen once, beside "unknown".
	RawType string `json:"raw_type"`
}
