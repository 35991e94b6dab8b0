package webhook

import (
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// A HistoryChunk arrives, many times, after a history sync was asked for: past messages of up to
// 180 days, hundreds or thousands in each chunk.
//
// None of it is new. Do not answer it, notify nobody, open no service window. Chunks come in any
// order and may come twice; (Phase, Order) sorts them. The last one may hold no messages. A phase
// without messages sends no chunk.
//
// Walk a chunk with [HistoryChunk.Messages], which decodes as it goes and keeps memory small;
// [HistoryChunk.Threads] returns everything at once.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/history
type HistoryChunk struct {
	EventInfo

	// Phase is the age of the messages. It is no progress: see [HistoryPhase].
	Phase HistoryPhase

	// Order counts the chunks of a phase, from 1 in Meta's sample.
	Order int

	// Progress is how much of the whole history was sent, 0 to 100. It does not grow from delivery
	// to delivery, because deliveries are not ordered. At 100 somewhere, the app has sent
	// everything.
	Progress int

	ordered  bool // every thread names its customer before its messages
	empty    bool // there are no threads
	messages int  // how many there are; 0 if that is not known
	texts    int  // how many of them are written as most texts are
}

// A HistoryPhase is an age bucket, counted back from the day of onboarding.
type HistoryPhase int

const (
	HistoryPhaseRecent HistoryPhase = 0 // the last day
	HistoryPhaseMiddle HistoryPhase = 1 // day 1 to 90
	HistoryPhaseOldest HistoryPhase = 2 // day 90 to 180
)

// A HistoryThread is one conversation within a chunk. The same conversation goes on in other
// chunks.
type HistoryThread struct {
	// ID is the customer's phone number as the app knows it. Empty if the customer hides it.
	ID string

	// Customer is the customer of the conversation.
	Customer graph.Identity

	// Messages is filled by [HistoryChunk.Threads] only.
	Messages []HistoryMessage

	// Unknown lists the members of the thread that have no place here.
	Unknown []UnknownMember
}

// A HistoryMessage is a past message.
type HistoryMessage struct {
	// ID names the message. The same id is used live, in echoes and here.
	ID graph.MessageID

	// From is the writer, as Meta names it; it may be empty but is never nil. Outbound is the
	// reliable way to tell the two sides apart. Messages share it: copy it before changing
	// anything.
	From *graph.Identity

	// To is the recipient of a message from the business; nil on messages that the customer wrote.
	// Messages share it too.
	To *graph.Identity

	// Outbound is true if the business wrote.
	Outbound bool

	// At is when the recipient's device received it.
	At time.Time

	// Type is the type as Meta wrote it.
	Type MessageType

	// Content is the content. Media older than 14 days is a [*MediaPlaceholder] forever; newer
	// media follows as [HistoryMedia]. Never nil.
	Content Content

	// Context is set if the message answers another.
	Context *MessageContext

	// Errors come beside [*UnsupportedContent].
	Errors []Error

	// Status is the state of its delivery. No later status comes for it.
	Status HistoryStatus

	// Raw is the message's JSON. It aliases the delivery's body.
	Raw []byte

	// Unknown lists the members of Raw that have no place here.
	Unknown []UnknownMember

	// Err is set if the message does not fit its type; then only Raw and perhaps ID can be relied
	// on.
	Err error
}

// A HistoryStatus is the delivery status of a past message, in Meta's capital letters. It is an
// open list.
type HistoryStatus string

// The documented statuses.
const (
	HistorySent      HistoryStatus = "SENT"
	HistoryDelivered HistoryStatus = "DELIVERED"
	HistoryRead      HistoryStatus = "READ"
	HistoryPlayed    HistoryStatus = "PLAYED"
	HistoryPending   HistoryStatus = "PENDING"
	HistoryError     HistoryStatus = "ERROR"
)

// A HistoryMedia arrives after (or before) the chunk that holds its placeholder, once per media
// message of the last 14 days, and tells the content. Join it on ID and take only the content: Meta
// has been seen giving it another sender and time than the placeholder. Download at once, the media
// id expires.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/history
type HistoryMedia struct {
	EventInfo

	// ID is the placeholder's id.
	ID graph.MessageID

	// Outbound is true if the business sent the media.
	Outbound bool

	// From and To are as Meta says. On media that the customer sent, To is empty.
	From graph.Identity
	To   graph.Identity

	// ProfileName is the name that the customer shows, where Meta sends it.
	ProfileName string

	Type    MessageType
	Content Content
	Context *MessageContext
	Errors  []Error
}

// Customer returns the customer's side, which may be empty: then only the placeholder knows the
// conversation.
func (m *HistoryMedia) Customer() graph.Identity {
	if m.Outbound {
		return m.To
	}
	return m.From
}

// A HistoryFailure arrives instead of chunks if the history cannot be synced, most often because
// the business chose not to share it while onboarding.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/history
type HistoryFailure struct {
	EventInfo

	// Err is the reason.
	Err Error
}

// Declined reports whether the business chose not to share its history. It can be asked again only
// after the business has disconnected and gone through signup once more.
func (f *HistoryFailure) Declined() bool { return f.Err.Code == 2593109 }
