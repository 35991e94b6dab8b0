package webhook

import (
	"strings"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/wire"
)

// A callBody is a [Call].
type callBody struct {
	body
	Call
	stamped
	FromWAID         string       `json:"from"`
	FromUserID       graph.UserID `json:"from_user_id"`
	FromParentUserID graph.UserID `json:"from_parent_user_id"`
	ToWAID           string       `json:"to"`
	ToUserID         graph.UserID `json:"to_user_id"`
	ToParentUserID   graph.UserID `json:"to_parent_user_id"`
	Failures         []errorBody  `json:"errors"`
}

func (b *callBody) event(v *value, info EventInfo) Event {
	c := &b.Call
	c.At, c.DisplayPhoneNumber = b.Timestamp.Time, info.DisplayPhoneNumber
	c.Status = CallResult(strings.ToUpper(string(c.Status))) // two pages spell it in two ways
	c.From = identity(b.FromWAID, b.FromUserID, b.FromParentUserID, "from", &c.EventInfo)
	c.To = identity(b.ToWAID, b.ToUserID, b.ToParentUserID, "to", &c.EventInfo)
	c.Errors = errorsOf(b.Failures, "errors", &c.EventInfo)
	c.ProfileName = v.joinName(c.customer(), &c.EventInfo)
	return c
}

// A callStatusBody is a [CallStatus].
type callStatusBody struct {
	body
	CallStatus
	stamped
	WAID         string       `json:"recipient_id"`
	UserID       graph.UserID `json:"recipient_user_id"`
	ParentUserID graph.UserID `json:"recipient_parent_user_id"`
	Failures     []errorBody  `json:"errors"`
}

func (b *callStatusBody) event(v *value, _ EventInfo) Event {
	s := &b.CallStatus
	s.At = b.Timestamp.Time
	s.Status = CallState(strings.ToUpper(string(s.Status)))
	s.Recipient = identity(b.WAID, b.UserID, b.ParentUserID, "recipient_id", &s.EventInfo)
	s.Errors = errorsOf(b.Failures, "errors", &s.EventInfo)
	s.ProfileName = v.joinName(&s.Recipient, &s.EventInfo)
	return s
}

// readCalls reads calls, statuses of calls, and errors, which are those of a call if there is only
// one.
func readCalls(d *decoder, data []byte, info EventInfo) remainder {
	v, from := &d.value, len(d.events)
	items(d, v.takeList("calls"), info, callDecoder, (*callBody).event)
	items(d, v.raw[listStatuses], info, callStatusDecoder, (*callStatusBody).event)
	if call := onlyCall(d.events[from:]); call == nil || !call.fail(v.raw[listErrors]) {
		v.emit(d, listErrors, &info)
	}
	v.raw[listStatuses], v.raw[listErrors] = nil, nil
	return v.remainder(d.events[from:])
}

func onlyCall(events []Event) *Call {
	if len(events) != 1 {
		return nil
	}
	call, _ := events[0].(*Call)
	return call
}

// fail gives the call the errors that stand beside it. It returns false if they are not what errors
// look like.
func (c *Call) fail(list []byte) bool {
	var s wire.Scanner
	s.Reset(list)
	it := s.BeginItem()
	bodies := errorDecoder.List(&s)
	_, unknown, err := s.EndItem(it)
	if list == nil || err != nil {
		return false
	}
	for _, m := range unknown {
		c.Unknown = append(c.Unknown, UnknownMember{"value.errors" + m.Path, m.Value})
	}
	c.Errors = append(c.Errors, errorsOf(bodies, "value.errors", &c.EventInfo)...)
	return true
}

var (
	callDecoder       = wire.For[callBody]()
	callStatusDecoder = wire.For[callStatusBody]()
)
