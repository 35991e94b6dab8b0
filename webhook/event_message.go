package webhook

import (
	"cmp"
	"strings"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// An IncomingMessage arrives when a customer does something in a chat: writes, sends media, reacts,
// presses a button, places an order; on coexistence numbers even when the customer edits ([*Edit])
// or deletes ([*Revoke]) a message.
//
// What a customer says opens or extends the customer service window of 24 hours; a [*SystemMessage]
// does not. What the business itself writes on its phone never arrives as an IncomingMessage but as
// a [BusinessAppEcho], so that answering every IncomingMessage cannot answer the owner.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/messages
type IncomingMessage struct {
	EventInfo

	// ID names the message. An edit or a deletion has an id of its own; the original's is in the
	// content.
	ID graph.MessageID

	// From is the customer who wrote. The phone number may be absent; see [graph.Identity.Key].
	From graph.Identity

	// ProfileName is the name that the customer shows. It may be empty, and it is not what the
	// business has in its address book.
	ProfileName string

	// ProfileCountry is a country code such as "US". Meta's draft of November 2025 had it; later
	// texts do not.
	ProfileCountry string

	// IdentityHash changes when the customer's identity (phone, reinstall) changes, if the number
	// asks for that check.
	IdentityHash string

	// ContactWAID is the number under which WhatsApp knows the customer, if that is not From.WAID:
	// Brazilian, Mexican and Argentine numbers have two spellings. Both reach the customer.
	ContactWAID string

	// LogicalID is an undocumented id of the sender, seen with authentication buttons and payments.
	LogicalID string

	// GroupID is set if the message was written in a group.
	GroupID graph.GroupID

	// Type is the type as Meta wrote it. Content tells the same by its Go type, and more reliably:
	// Meta omits Type at times.
	Type MessageType

	// Content is the content. It is never nil; what has no type yet is an [*UnknownContent].
	Content Content

	// Context is set if the message answers, forwards or asks about something.
	Context *MessageContext

	// Referral is set if the customer came from an advertisement or a post.
	Referral *Referral

	// Identity is a legacy form of IdentityHash.
	Identity *IdentityChange

	// Summary is a machine-made summary of the conversation so far, where conversation routing is
	// on. For display only.
	Summary *ConversationSummary

	// Errors say why a message could not be delivered in full, mostly beside [*UnsupportedContent].
	Errors []Error
}

// Customer returns who wrote. Of a [*SystemMessage] without a sender it returns the customer whom
// it is about, under the new ids.
func (m *IncomingMessage) Customer() graph.Identity {
	if s, ok := m.Content.(*SystemMessage); ok && m.From.IsZero() {
		return graph.Identity{WAID: cmp.Or(s.WAID, s.NewWAID), UserID: s.UserID, ParentUserID: s.ParentUserID}
	}
	return m.From
}

// IsVoicemail reports whether the message is what a customer said when the call was not taken: an
// [*Audio] under the id of the call.
func (m *IncomingMessage) IsVoicemail() bool {
	_, audio := m.Content.(*Audio)
	return audio && strings.HasPrefix(string(m.ID), "wacid.")
}

// An UnavailableMessage arrives when a customer wrote, but the content stays on the business's
// phone (code 131060): often the first message of a chat that began with an advertisement, or one
// from a companion device that cannot share it.
//
// Show a placeholder and say that the text is on the phone; do not drop it, it is a real customer.
// The complete message may follow within seconds as an [IncomingMessage] with the same ID: then
// content beats placeholder. The two have different keys, so deduplication by key keeps both.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/messages/unsupported
type UnavailableMessage struct {
	EventInfo

	// ID is also the ID of the complete message, should it follow.
	ID graph.MessageID

	// From is the writer.
	From graph.Identity

	// ProfileName is the name that the customer shows. It may be empty.
	ProfileName string

	// ProfileCountry, ContactWAID and IdentityHash are as in [IncomingMessage].
	ProfileCountry string
	ContactWAID    string
	IdentityHash   string

	// GroupID is set if the message was written in a group.
	GroupID graph.GroupID

	// Unsupported is Meta's text about the missing content. It may be empty.
	Unsupported UnsupportedContent

	// Context and Referral are rarely present.
	Context  *MessageContext
	Referral *Referral

	// Errors holds code 131060.
	Errors []Error
}

// Customer returns who wrote.
func (m *UnavailableMessage) Customer() graph.Identity { return m.From }

// MessageDedupKey returns the key that the complete message has, should it follow or have come
// before: see [EventInfo.DedupKey]. It is empty if the message has no ID.
func (m *UnavailableMessage) MessageDedupKey() string {
	return keyWithID("message", string(m.PhoneNumberID), string(m.ID))
}

// A MessageContext is the message or product that a message refers to.
type MessageContext struct {
	// ID is the message that is answered. Empty for a forwarded message.
	ID graph.MessageID `json:"id"`

	// From is the writer of that message, and may be a phone number of either side.
	From string `json:"from"`

	// FromUserID is the writer's BSUID.
	FromUserID graph.UserID `json:"from_user_id"`

	// Forwarded is set for a forwarded message, FrequentlyForwarded for one that was passed on more
	// than five times.
	Forwarded           bool `json:"forwarded"`
	FrequentlyForwarded bool `json:"frequently_forwarded"`

	// Product is set if the customer asks about a product.
	Product *ReferredProduct `json:"referred_product"`
}

// A ReferredProduct is a product that a customer asks about.
type ReferredProduct struct {
	CatalogID  string `json:"catalog_id"`
	RetailerID string `json:"product_retailer_id"`
}

// A Referral says which advertisement or post brought the customer.
type Referral struct {
	SourceURL  string `json:"source_url"`
	SourceID   string `json:"source_id"`
	SourceType string `json:"source_type"` // "ad" or "post"
	Headline   string `json:"headline"`
	Body       string `json:"body"`
	MediaType  string `json:"media_type"` // "image" or "video"
	ImageURL   string `json:"image_url"`
	VideoURL   string `json:"video_url"`
	Thumbnail  string `json:"thumbnail_url"`

	// ClickID is ctwa_clid. The Conversions API wants it unchanged. Absent for advertisements
	// placed on WhatsApp Status.
	ClickID string `json:"ctwa_clid"`

	// Ref is the parameter that the business put into its link.
	Ref string `json:"ref"`

	// Welcome is the greeting that the advertisement showed.
	Welcome *WelcomeMessage `json:"welcome_message"`
}

// A WelcomeMessage is the greeting that an advertisement showed.
type WelcomeMessage struct {
	Text string `json:"text"`
}

// A ConversationSummary is a machine's prose about a conversation (conversation_context).
type ConversationSummary struct {
	Type string // "summary"
	Text string
}

// An IdentityChange is the legacy form in which a changed identity is reported.
type IdentityChange struct {
	Acknowledged bool            `json:"acknowledged"`
	CreatedAt    graph.Timestamp `json:"created_timestamp"`
	Hash         string          `json:"hash"`
}
