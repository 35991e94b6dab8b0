package webhook

import (
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// A Call arrives when something happens to a call: it begins, ends, is created, or its recording or
// transcript is ready.
//
// Deliveries are not ordered: [CallTerminate] can come before [CallConnect], and a [CallConnect]
// that Meta repeats minutes later is worthless, so compare At with the clock before you answer one.
// Numbers with SIP get no calls here. A voicemail arrives as an [IncomingMessage].
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/calling/reference
type Call struct {
	EventInfo `json:"-"`

	// ID names the call.
	ID graph.CallID `json:"id"`

	// Event is what happened.
	Event CallEvent `json:"event"`

	// Direction is the direction of the call. Empty when a recording or a transcript is ready.
	Direction CallDirection `json:"direction"`

	// From and To are the two sides as Meta wrote them. Its own samples mix them up: see
	// [Call.Customer].
	From graph.Identity
	To   graph.Identity

	// ProfileName is the name that the customer shows, where Meta sends it.
	ProfileName string

	// Session comes with [CallConnect]: an offer if the customer calls, an answer if you do.
	Session *graph.CallSession `json:"session"`

	// Connection is the legacy form of Session.
	Connection *CallConnection `json:"connection"`

	// Status is the result of a call, with [CallTerminate], in capital letters.
	Status CallResult `json:"status"`

	// StartedAt, EndedAt and Seconds come with [CallTerminate] if the call was picked up.
	StartedAt graph.Timestamp `json:"start_time"`
	EndedAt   graph.Timestamp `json:"end_time"`
	Seconds   int             `json:"duration"`

	// CallbackData is the biz_opaque_callback_data of the request that began the call.
	CallbackData string `json:"biz_opaque_callback_data"`

	// DeeplinkPayload and ButtonPayload say which link or button the customer called from.
	DeeplinkPayload string `json:"deeplink_payload"`
	ButtonPayload   string `json:"cta_payload"`

	// Recording and Transcript come with their events.
	Recording  *CallRecording  `json:"call_recording"`
	Transcript *CallTranscript `json:"call_transcript"`

	// Errors say why a call failed.
	Errors []Error
}

// Customer returns the side that is not the business, whichever of the two Meta wrote it on.
func (c *Call) Customer() graph.Identity { return *c.customer() }

// customer decides by the business's number, because Meta prints calls of both directions with the
// same sides. Where the number settles nothing, the direction does.
func (c *Call) customer() *graph.Identity {
	switch {
	case isOwn(c.From.WAID, c.DisplayPhoneNumber):
		return &c.To
	case isOwn(c.To.WAID, c.DisplayPhoneNumber):
		return &c.From
	case c.Direction == CallByBusiness:
		return &c.To
	}
	return &c.From
}

// A CallEvent is an event of a call. Meta adds values: expect unknown ones.
type CallEvent string

// The documented events of a call.
const (
	CallConnect                CallEvent = "connect"
	CallTerminate              CallEvent = "terminate"
	CallCreated                CallEvent = "call_created"
	CallRecordingAvailable     CallEvent = "call_recording_available"
	CallTranscriptionAvailable CallEvent = "call_transcription_available"
)

// A CallDirection is the direction of a call.
type CallDirection string

// The two directions of a call.
const (
	CallByBusiness CallDirection = "BUSINESS_INITIATED"
	CallByUser     CallDirection = "USER_INITIATED"
)

// A CallResult is the result of a call. Meta writes it in small or capital letters; here it is in
// capitals. Meta adds values: expect unknown ones.
type CallResult string

// The documented results, in capitals.
const (
	CallCompleted CallResult = "COMPLETED"
	CallFailed    CallResult = "FAILED"
)

// A CallConnection is the legacy form of a [graph.CallSession].
type CallConnection struct {
	WebRTC *CallWebRTC `json:"webrtc"`
}

// A CallWebRTC holds a legacy session: JSON in a string.
type CallWebRTC struct {
	SDP string `json:"sdp"`
}

// A CallRecording is a recorded call.
type CallRecording struct {
	Type  string `json:"type"` // "audio"
	Audio *Audio `json:"audio"`
}

// A CallTranscript is the transcript of a call, as a file.
type CallTranscript struct {
	Type     string    `json:"type"` // Meta leaves it out
	Document *Document `json:"document"`
}

// A CallStatus arrives while a call that you began rings, and when the customer accepts or rejects
// it. It is no [MessageStatus], though Meta sends both in lists of the same name.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/calling/business-initiated-calls
type CallStatus struct {
	EventInfo `json:"-"`

	// ID names the call.
	ID graph.CallID `json:"id"`

	// Status is what happened, in capital letters.
	Status CallState `json:"status"`

	// Type is "call".
	Type string `json:"type"`

	// Recipient is the person you call.
	Recipient graph.Identity

	// ProfileName is the name that the customer shows, where Meta sends it.
	ProfileName string

	// CallbackData is the biz_opaque_callback_data of the request that began the call.
	CallbackData string `json:"biz_opaque_callback_data"`

	// Errors list what went wrong. Meta has not been seen sending them here.
	Errors []Error
}

// Customer returns whom you call.
func (s *CallStatus) Customer() graph.Identity { return s.Recipient }

// A CallState is the state of a call. Meta adds values: expect unknown ones.
type CallState string

// The documented states of a call that the business makes.
const (
	CallRinging  CallState = "RINGING"
	CallAccepted CallState = "ACCEPTED"
	CallRejected CallState = "REJECTED"
)
