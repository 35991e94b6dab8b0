package webhook

import (
	"encoding/json"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// An Event is one thing that a delivery tells. The set of implementations is closed; each is a
// pointer to a struct that embeds [EventInfo]:
//
//	switch ev := ev.(type) {
//	case *webhook.IncomingMessage: // a customer wrote
//	case *webhook.BusinessAppEcho: // someone at the business wrote, on the phone
//	}
//
//sumtype:decl
type Event interface {
	// Info returns where the event came from.
	Info() EventInfo

	base() *EventInfo
	field() Field
}

// EventInfo is the origin of an event: field, account, number, time. Every event embeds it, so that
// ev.PhoneNumberID works on each of them.
type EventInfo struct {
	// Field is the webhook field that the event came through, as Meta labelled it; where the label
	// is missing, the field that the event's shape belongs to.
	Field Field

	// WABAID is the WhatsApp Business Account that the event is about. For account updates it is
	// taken from the update where that names it, because there the entry's id can be a partner's
	// business portfolio; it is empty where only such a portfolio is named.
	WABAID graph.WABAID

	// PhoneNumberID is the business's phone number id, and the key to route by. It is empty for
	// events about an account.
	PhoneNumberID graph.PhoneNumberID

	// DisplayPhoneNumber is the business's phone number as Meta wrote it: mostly digits, sometimes
	// formatted, in Brazil sometimes without the ninth digit. Show it; do not route by it.
	DisplayPhoneNumber string

	// EntryID is the id of the delivery's entry, as Meta wrote it.
	EntryID string

	// At is when it happened: the item's own time, else the entry's. Zero if Meta gave neither.
	At time.Time

	// EntryAt is the time of the delivery's entry, which is when Meta had it to tell. It is the
	// same in each repeat. Zero if Meta gave none.
	EntryAt time.Time

	// ReceivedAt is [Delivery].ReceivedAt, in whole microseconds, and Place which of the delivery's
	// events this one is, from 0. Together they tell two events of one second apart, since Meta's
	// times are whole seconds. An inbox keeps both across retries and restarts. [Decode] knows no
	// delivery and leaves ReceivedAt zero: decode with [Delivery.Events] where order matters.
	ReceivedAt time.Time
	Place      int

	// DedupKey names the event for deduplication: the same event has the same key in every delivery
	// and repeat. Remember keys for 8 days at least, because Meta repeats deliveries for 7. A key
	// is a word and a hash; it holds no id, number or text that could be read out of it.
	//
	// It is empty if nothing in the event identifies it, as in a [PhoneNumberError]: handle such an
	// event each time it comes.
	DedupKey string

	// Raw is the JSON that the event was decoded from; to look at an event, print it as a string.
	// It aliases the delivery's body: clone what you keep.
	Raw []byte

	// Unknown lists the members of Raw that have no place in the event's type, and, on the first
	// event of a change, those of the JSON around it. Meta adds members every few weeks; a growing
	// list says that it is time to update this package.
	Unknown []UnknownMember
}

// Info returns i.
func (i EventInfo) Info() EventInfo { return i }

func (i *EventInfo) base() *EventInfo { return i }

// An UnknownMember is a JSON member that no type has a place for.
type UnknownMember struct {
	// Path leads to the member from the event's raw JSON, such as "text.format" or
	// "errors[0].hint". Where the member stands around the event and not in it, the path begins
	// with "value.", "change.", "entry." or "body.".
	Path string

	// Value is the member's JSON. It aliases the delivery's body.
	Value json.RawMessage
}

// The closed set of events, each with the field it arrives through. [Mux.Fields] reads it, on nil
// pointers.
func (*IncomingMessage) field() Field    { return FieldMessages }
func (*UnavailableMessage) field() Field { return FieldMessages }
func (*MessageStatus) field() Field      { return FieldMessages }
func (*UserAction) field() Field         { return FieldMessages }
func (*PhoneNumberError) field() Field   { return FieldMessages }
func (*HistoryChunk) field() Field       { return FieldHistory }
func (*HistoryMedia) field() Field       { return FieldHistory }
func (*HistoryFailure) field() Field     { return FieldHistory }
func (*AppStateSync) field() Field       { return FieldAppStateSync }
func (*BusinessAppEcho) field() Field    { return FieldSMBMessageEchoes }
func (*AccountUpdate) field() Field      { return FieldAccountUpdate }

func (*OtherAppEcho) field() Field      { return FieldMessageEchoes }
func (*Call) field() Field              { return FieldCalls }
func (*CallStatus) field() Field        { return FieldCalls }
func (*StandbyMessage) field() Field    { return FieldStandby }
func (*StandbyEcho) field() Field       { return FieldStandby }
func (*StandbyStatus) field() Field     { return FieldStandby }
func (*MessagingHandover) field() Field { return FieldMessagingHandovers }
func (*UserPreference) field() Field    { return FieldUserPreferences }
func (*AutomaticEvent) field() Field    { return FieldAutomaticEvents }
func (*TrackingEvent) field() Field     { return FieldTrackingEvents }

func (*GroupLifecycleUpdate) field() Field    { return FieldGroupLifecycleUpdate }
func (*GroupParticipantsUpdate) field() Field { return FieldGroupParticipantsUpdate }
func (*GroupSettingsUpdate) field() Field     { return FieldGroupSettingsUpdate }
func (*GroupStatusUpdate) field() Field       { return FieldGroupStatusUpdate }

func (*AccountAlert) field() Field               { return FieldAccountAlerts }
func (*AccountReviewUpdate) field() Field        { return FieldAccountReviewUpdate }
func (*AccountSettingsUpdate) field() Field      { return FieldAccountSettingsUpdate }
func (*BusinessCapabilityUpdate) field() Field   { return FieldBusinessCapabilityUpdate }
func (*BusinessUsernameUpdate) field() Field     { return FieldBusinessUsernameUpdates }
func (*PartnerSolution) field() Field            { return FieldPartnerSolutions }
func (*PaymentConfigurationUpdate) field() Field { return FieldPaymentConfigurationUpdate }
func (*PhoneNumberNameUpdate) field() Field      { return FieldPhoneNumberNameUpdate }
func (*PhoneNumberQualityUpdate) field() Field   { return FieldPhoneNumberQualityUpdate }
func (*SecurityUpdate) field() Field             { return FieldSecurity }

func (*FlowUpdate) field() Field                       { return FieldFlows }
func (*MessageTemplateStatusUpdate) field() Field      { return FieldMessageTemplateStatusUpdate }
func (*MessageTemplateQualityUpdate) field() Field     { return FieldMessageTemplateQualityUpdate }
func (*MessageTemplateComponentsUpdate) field() Field  { return FieldMessageTemplateComponentsUpdate }
func (*TemplateCategoryUpdate) field() Field           { return FieldTemplateCategoryUpdate }
func (*TemplateCorrectCategoryDetection) field() Field { return FieldTemplateCorrectCategoryDetection }

// These need no field of their own: user_id_update cannot be subscribed to any more.
func (*UserIDUpdate) field() Field     { return "" }
func (*UnknownEvent) field() Field     { return "" }
func (*UndecodableEvent) field() Field { return "" }

// An UnknownEvent arrives when Meta sends something that this package has no type for yet: a new
// webhook field, a known field with a list not seen before, or a body from another Meta product.
// Nothing is lost: Raw holds the JSON of the change.
type UnknownEvent struct {
	EventInfo
}

// An UndecodableEvent stands for an item whose JSON does not fit its type, or a signed body that is
// not JSON at all. Its neighbours in the same delivery are not harmed. Raw holds the bytes; keep
// them, and decode them again after an update of this package.
type UndecodableEvent struct {
	EventInfo

	// Err names what did not fit and where. It never quotes values.
	Err error
}
