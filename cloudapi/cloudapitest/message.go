package cloudapitest

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/phonenumber"
)

// A SentMessage is a message that the server accepted.
type SentMessage struct {
	// ID is the id that the answer named.
	ID graph.MessageID

	// From is the business's number.
	From graph.PhoneNumberID

	// Input is the address as the request had it, and To the person, as far as the server can tell:
	// a user id that [Server.AddUser] did not announce has no phone number, and the other way
	// round. To is zero for a group.
	Input string
	To    graph.Identity

	// GroupID is set for a message to a group.
	GroupID graph.GroupID

	// Type is the message's type, such as "text". ReplyTo and CallbackData are what the request
	// gave.
	Type         string
	ReplyTo      graph.MessageID
	CallbackData string

	// Body is the request as JSON, whatever form it came in.
	Body json.RawMessage

	// Fails is the code with which Meta would report the message as failed by webhook, after having
	// accepted it. Zero if it would arrive.
	Fails graph.Code

	// At is the server's time.
	At time.Time
}

// Text returns what a person would read: the text, the caption, the emoji, or the name of the
// template. For an interactive message it is the text of its body.
func (m SentMessage) Text() string {
	var v struct {
		Body    json.RawMessage `json:"body"`
		Caption string          `json:"caption"`
		Emoji   string          `json:"emoji"`
		Name    string          `json:"name"`
	}
	_ = json.Unmarshal(m.Content(), &v)
	var text string
	if json.Unmarshal(v.Body, &text) != nil {
		var body struct {
			Text string `json:"text"`
		}
		_ = json.Unmarshal(v.Body, &body)
		text = body.Text
	}
	return cmp.Or(text, v.Caption, v.Emoji, v.Name)
}

// Content returns the object named after the message's type, such as {"body":"Hello"}, or nil.
func (m SentMessage) Content() json.RawMessage {
	var members map[string]json.RawMessage
	if json.Unmarshal(m.Body, &members) != nil {
		return nil
	}
	return members[m.Type]
}

// Template returns the name and language of a template message, or nothing.
func (m SentMessage) Template() (name, language string) {
	if m.Type != "template" {
		return "", ""
	}
	var v struct {
		Name     string `json:"name"`
		Language struct {
			Code string `json:"code"`
		} `json:"language"`
	}
	_ = json.Unmarshal(m.Content(), &v)
	return v.Name, v.Language.Code
}

// Service reports whether Cloud API takes the message only in the customer service window, and,
// with conversation routing, only from the owner of the conversation. Templates, direct sends of
// other categories and messages to groups need neither.
func (m SentMessage) Service() bool {
	if m.Type == "template" || m.GroupID != "" {
		return false
	}
	var v struct {
		Category cloudapi.DirectCategory `json:"category"`
	}
	_ = json.Unmarshal(m.Body, &v)
	return v.Category == "" || v.Category == cloudapi.DirectService
}

// Reaction returns the message that a reaction is for and its emoji, which is empty if the reaction
// is taken back.
func (m SentMessage) Reaction() (to graph.MessageID, emoji string) {
	if m.Type != "reaction" {
		return "", ""
	}
	var v struct {
		Message graph.MessageID `json:"message_id"`
		Emoji   string          `json:"emoji"`
	}
	_ = json.Unmarshal(m.Content(), &v)
	return v.Message, v.Emoji
}

// Sent returns the accepted messages in order, also those whose answer the caller never saw.
func (s *Server) Sent() []SentMessage {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.sent)
}

// A ReadReceipt says that a message was marked as read, and with it all earlier ones.
type ReadReceipt struct {
	// PhoneNumberID is the business's number, MessageID the message that it received.
	PhoneNumberID graph.PhoneNumberID
	MessageID     graph.MessageID

	// Typing shows the person that an answer is being typed, for up to 25 seconds.
	Typing bool

	// At is the server's time.
	At time.Time
}

// Reads returns the accepted read receipts in order.
func (s *Server) Reads() []ReadReceipt {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.reads)
}

// A messageRequest is the envelope of POST /{phone-number-id}/messages.
type messageRequest struct {
	Product       string `json:"messaging_product"`
	RecipientType string `json:"recipient_type"`
	To            string `json:"to"`
	Recipient     string `json:"recipient"`
	Type          string `json:"type"`
	Context       struct {
		MessageID graph.MessageID `json:"message_id"`
	} `json:"context"`
	CallbackData string `json:"biz_opaque_callback_data"`

	Category cloudapi.DirectCategory `json:"category"`
	TTL      int64                   `json:"ttl_seconds"`
	Direct   struct {
		Template string `json:"template_name"`
	} `json:"direct_send_config"`

	Status    string          `json:"status"`
	MessageID graph.MessageID `json:"message_id"`
	Typing    struct {
		Type string `json:"type"`
	} `json:"typing_indicator"`
}

// postMessage takes a message or a read receipt: one edge of Meta's has both, distinguished by
// status. It checks the request, the recipient, the content and the limits, in this order, and
// stores what it accepts in the order in which it came. Accepted is not delivered: what Meta would
// report later by webhook stands in [SentMessage].Fails. Marketing messages come here as well, and
// are checked alike.
func (s *Server) postMessage(c *call) reply {
	var req messageRequest
	if err := decode(c.params, &req); err != nil {
		return refuse(err)
	}
	if req.Product != "whatsapp" {
		return refuse(required("messaging_product"))
	}
	if c.phone.Suspended || c.phone.Unregistered {
		// What a number in the middle of a move to another phone answers is not documented; this
		// code is assumed.
		return refuse(&graphError{Code: graph.CodePhoneNotRegistered})
	}
	if req.Status != "" {
		return s.markRead(c, req)
	}
	if req.Type == "" {
		req.Type = "text" // as in old samples
	}
	members := c.members()
	if content, ok := members[req.Type]; ok {
		members[req.Type] = coerce(content, rawMessageType) // JSON within a string becomes JSON
	}
	m := SentMessage{
		From: c.phone.ID, Type: req.Type, ReplyTo: req.Context.MessageID, CallbackData: req.CallbackData,
		Body: raw(members), At: s.now(),
	}
	if err := s.checkMessage(c, &req, members, &m); err != nil {
		return refuse(err)
	}
	if err := s.checkLimits(c.phone, m.To); err != nil {
		return refuse(err)
	}
	m.ID = s.newMessageID(m.To.WAID)
	s.sent = append(s.sent, m)
	rep := ok(s.accepted(m))
	for _, hook := range s.onMessage {
		rep.after = append(rep.after, func() { hook(m) })
	}
	return rep
}

// An acceptedContact is the recipient, as the answer to a send names it.
type acceptedContact struct {
	Input  string       `json:"input"`
	WAID   string       `json:"wa_id,omitzero"`
	UserID graph.UserID `json:"user_id,omitzero"`
}

// An acceptedMessage is the message, as the answer to a send names it. Only templates have a
// status.
type acceptedMessage struct {
	ID     graph.MessageID `json:"id"`
	Status string          `json:"message_status,omitzero"`
	Group  graph.GroupID   `json:"group_id,omitzero"`
}

// An acceptedMessages is the answer to a send. It has no contacts for a group.
type acceptedMessages struct {
	Product  string            `json:"messaging_product"`
	Contacts []acceptedContact `json:"contacts,omitzero"`
	Messages []acceptedMessage `json:"messages"`
}

// accepted is the answer to a message. A send to a user id is answered without wa_id, as Meta
// documents it.
func (s *Server) accepted(m SentMessage) acceptedMessages {
	body := acceptedMessages{Product: "whatsapp", Messages: []acceptedMessage{{ID: m.ID, Group: m.GroupID}}}
	if m.Type == "template" {
		body.Messages[0].Status = "accepted"
	}
	if m.GroupID == "" {
		contact := acceptedContact{Input: m.Input, WAID: m.To.WAID, UserID: m.To.UserID}
		if graph.IsUserID(m.Input) {
			contact.WAID = ""
		}
		body.Contacts = []acceptedContact{contact}
	}
	return body
}

// markRead takes a read receipt, with or without the sign that an answer is being typed. Which
// messages a number has received is known only from [Server.RecordInbound], so that unknown ones
// pass unless [Config].Strict is set.
func (s *Server) markRead(c *call, req messageRequest) reply {
	switch {
	case req.Status != "read":
		return refuse(invalid("status must be read"))
	case req.MessageID == "":
		return refuse(missing("message_id"))
	case req.Typing.Type != "" && req.Typing.Type != "text":
		return refuse(invalid("typing_indicator['type'] must be text"))
	case s.strict && !c.phone.received[req.MessageID]:
		return refuse(invalid("message_id names no message that this number received"))
	}
	r := ReadReceipt{PhoneNumberID: c.phone.ID, MessageID: req.MessageID, Typing: req.Typing.Type != "", At: s.now()}
	s.reads = append(s.reads, r)
	rep := success
	for _, hook := range s.onRead {
		rep.after = append(rep.after, func() { hook(r) })
	}
	return rep
}

// digits returns a phone number as a wa_id.
func digits(number string) string { return phonenumber.Digits(strings.TrimPrefix(number, "+")) }
