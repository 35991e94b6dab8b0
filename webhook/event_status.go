package webhook

import (
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// A MessageStatus arrives when something happens to a message that was sent through Cloud API:
// sent, delivered, read, played, failed.
//
// Statuses arrive out of order, late and twice, "delivered" may never arrive, and a status can be
// faster than the answer to the call that sent the message. Never lower a stored status:
// [DeliveryStatus.Supersedes] says which of two to keep.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/messages/status
type MessageStatus struct {
	EventInfo

	// ID is the message, as the call that sent it returned it. For payments it is an id of another
	// kind.
	ID graph.MessageID

	// Status is what happened.
	Status DeliveryStatus

	// Recipient is the recipient of the message. Empty for a group as a whole.
	Recipient graph.Identity

	// RecipientType is "group" for a message to a group; then GroupID is the group and Participant
	// the member whom this status is about.
	RecipientType string
	GroupID       graph.GroupID
	Participant   graph.Identity

	// ProfileName is the name that the recipient shows, where Meta sends it.
	ProfileName string

	// ProfileCountry is as in [IncomingMessage].
	ProfileCountry string

	// ContactWAID is the number under which WhatsApp knows the recipient, if that is not the one
	// the message was sent to.
	ContactWAID string

	// IdentityHash is the recipient's identity hash, if the message was sent with that check.
	IdentityHash string

	// CallbackData is the biz_opaque_callback_data of the call that sent the message.
	CallbackData string

	// TemplateID is set for direct sends, which create a template.
	TemplateID graph.TemplateID

	// Type is "payment" for a payment status; then Payment is set.
	Type    string
	Payment *Payment

	// Conversation and Pricing say what is billed. Use Pricing; Conversation is absent from v24.0
	// on in most cases.
	Conversation *BillingConversation
	Pricing      *Pricing

	// Errors says why a message failed.
	Errors []Error
}

// Customer returns who the message went to: in a group the participant, if known.
func (st *MessageStatus) Customer() graph.Identity {
	if !st.Participant.IsZero() {
		return st.Participant
	}
	return st.Recipient
}

// A DeliveryStatus is the state of a message's delivery. Meta adds values: expect unknown ones.
type DeliveryStatus string

const (
	StatusSent      DeliveryStatus = "sent"      // accepted by WhatsApp's servers
	StatusDelivered DeliveryStatus = "delivered" // reached the customer's phone; skipped if the chat is open
	StatusRead      DeliveryStatus = "read"      // opened
	StatusPlayed    DeliveryStatus = "played"    // a voice message was played
	StatusFailed    DeliveryStatus = "failed"    // could not be sent or delivered
	StatusDeleted   DeliveryStatus = "deleted"   // legacy: the customer deleted it
	StatusWarning   DeliveryStatus = "warning"   // legacy: contained an item that does not exist
	StatusPending   DeliveryStatus = "pending"   // a payment waits
	StatusCaptured  DeliveryStatus = "captured"  // a payment was made
)

// Supersedes reports whether a stored status prev is to be replaced by s, which arrived later.
// Deliveries are not ordered, so a status never moves back: sent, delivered, read, played. A
// failure replaces "sent" and also "delivered", because a message can reach one device and not
// another; nothing but evidence of being read replaces a failure. A legacy "warning" ranks between
// sent and delivered, "deleted" above all. Of a payment, "captured" replaces "pending".
//
// Every status replaces none, and itself: to store a repeat changes nothing, but compare first if
// you announce changes. A status that this package does not know gives way to any that it knows.
func (s DeliveryStatus) Supersedes(prev DeliveryStatus) bool {
	if prev == "" || s == prev {
		return s != ""
	}
	return statusRank[s] > statusRank[prev]
}

// statusRank orders statuses. Those of payments are never compared with others: payments have ids
// of their own.
var statusRank = map[DeliveryStatus]int{
	StatusPending: 1, StatusCaptured: 2,
	StatusSent: 10, StatusWarning: 11, StatusDelivered: 12, StatusFailed: 13, StatusRead: 14, StatusPlayed: 15,
	StatusDeleted: 16,
}

// A BillingConversation is the billing unit that Meta used until July 2025 and still names now and
// then.
type BillingConversation struct {
	ID        string                    `json:"id"`
	Origin    BillingConversationOrigin `json:"origin"`
	ExpiresAt graph.Timestamp           `json:"expiration_timestamp"` // only on "sent"
}

// BillingConversationOrigin is the cause of a [BillingConversation].
type BillingConversationOrigin struct {
	Type string `json:"type"` // an open list: "service", "marketing", "utility", "authentication", …
}

// A Payment is the state of a payment in India. Amounts are Value / Offset.
type Payment struct {
	ReferenceID string              `json:"reference_id"`
	Amount      Amount              `json:"amount"`
	Currency    string              `json:"currency"`
	Transaction *PaymentTransaction `json:"transaction"`
	Receipt     string              `json:"receipt"`
	Notes       map[string]string   `json:"notes"`
	Refunds     []PaymentRefund     `json:"refunds"`

	UDF1 string `json:"udf1"`
	UDF2 string `json:"udf2"`
	UDF3 string `json:"udf3"`
	UDF4 string `json:"udf4"`

	AdditionalInfo1 string `json:"additional_info1"`
	AdditionalInfo2 string `json:"additional_info2"`
	AdditionalInfo3 string `json:"additional_info3"`
	AdditionalInfo4 string `json:"additional_info4"`
	AdditionalInfo5 string `json:"additional_info5"`
	AdditionalInfo6 string `json:"additional_info6"`
	AdditionalInfo7 string `json:"additional_info7"`

	Extra1 string `json:"extra1"`
	Extra2 string `json:"extra2"`
}

// An Amount is Value / Offset units of a currency, so 20000 / 100 is 200.00.
type Amount struct {
	Value  int64 `json:"value"`
	Offset int64 `json:"offset"`
}

// A PaymentTransaction is one attempt to pay.
type PaymentTransaction struct {
	ID        string          `json:"id"`
	GatewayID string          `json:"pg_transaction_id"`
	Type      string          `json:"type"`   // "billdesk", "razorpay", "payu", "zaakpay"
	Status    string          `json:"status"` // "pending", "success", "failed"
	CreatedAt graph.Timestamp `json:"created_timestamp"`
	UpdatedAt graph.Timestamp `json:"updated_timestamp"`
	Method    *PaymentMethod  `json:"method"`
	Error     *PaymentError   `json:"error"`
}

// A PaymentMethod is the payment method of a customer.
type PaymentMethod struct {
	Type string `json:"type"` // "upi", "card", "wallet", "netbanking"
}

// A PaymentError says why a payment failed.
type PaymentError struct {
	Code   string `json:"code"`
	Reason string `json:"reason"`
}

// A PaymentRefund is money given back.
type PaymentRefund struct {
	ID        string          `json:"id"`
	Amount    Amount          `json:"amount"`
	Speed     string          `json:"speed_processed"` // "instant", "normal"
	Status    string          `json:"status"`
	CreatedAt graph.Timestamp `json:"created_timestamp"`
	UpdatedAt graph.Timestamp `json:"updated_timestamp"`
}

// A UserAction arrives when a customer clicks a link in a marketing message, up to 7 days after it
// was sent, and, since 2026-09-23, when the page behind the link opens in WhatsApp's browser.
//
// A view can arrive before its click, after it, or without one. Join the two by the tracking token,
// else by the click id; a view that has neither belongs to no click.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/marketing-messages/track-click-events
type UserAction struct {
	EventInfo

	Type  UserActionType
	Click *LinkClick // for both known types; nil if Meta sends none
}

// A UserActionType is the kind of action of a customer. Meta adds values: expect unknown ones.
type UserActionType string

// The documented actions.
const (
	ActionLinkClick       UserActionType = "marketing_messages_link_click"
	ActionLandingPageView UserActionType = "landing_page_view" // never has Component or ProductID
)

// A LinkClick is a click on a link in a marketing message, or the link that a view is of. Any
// member may be empty.
type LinkClick struct {
	Component     string `json:"click_component"` // "cta" or "body"
	ProductID     string `json:"product_id"`
	ClickID       string `json:"click_id"`
	TrackingToken string `json:"tracking_token"`
}

// A PhoneNumberError arrives when something is wrong with the number or the account as a whole, not
// with one message: a rate limit, or a message that could not be stored for you.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/messages/errors
type PhoneNumberError struct {
	EventInfo

	Err Error
}
