package cloudapi

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// A Message is a message for [MessagesService.Send]. To and Content are required.
type Message struct {
	// To is the recipient.
	To Recipient

	// ReplyTo quotes a message of the same conversation. Meta shows no quote, and reports no error,
	// if that message is deleted or older than 30 days. A reaction has none.
	ReplyTo graph.MessageID

	// CallbackData comes back in every status webhook of the message and is invisible to the
	// recipient; at most 512 characters. A unique value per message is the only way to find out
	// what became of a send whose outcome is unknown. It does not keep Meta from accepting the same
	// message twice.
	CallbackData string

	// IdentityKeyHash sends the message only while the recipient's identity key is the one that a
	// webhook reported; else Meta refuses with code 137000. If empty, nothing is checked.
	IdentityKeyHash string

	// MessagingAccount names the messaging account that pays, for businesses with several partners.
	// If empty, Meta decides.
	MessagingAccount graph.WABAID

	// Direct sends Content outside of the customer service window without a template, which Meta
	// makes of it. Nil for all other messages. The feature is a beta of Meta's.
	Direct *DirectSend

	// Content is the content of the message.
	Content Content

	// Priority orders messages when the [Limiter] holds them back. The zero value is
	// [PriorityReply]; set [PriorityCampaign] for what may wait.
	Priority Priority

	// ByPerson says that a person at the business wrote the message, such as a colleague in the
	// host's own inbox, and not a program. It is not sent to Meta; coexistence.Tracker keeps it, so
	// that bots stay silent while a person is in the conversation.
	ByPerson bool

	// SkipValidation sends without looking at Meta's limits first, for the day one is raised. What
	// could not be sent at all, like a message without recipient, is still refused.
	SkipValidation bool
}

// A Content is the content of a message: *[Text], *[Image], *[Video], *[Audio], *[Document],
// *[Sticker], *[Location], *[Contacts], *[Reaction], *[Interactive], *[Template], *[Pin] or
// *[RawContent].
//
//sumtype:decl
type Content interface {
	json.Marshaler // the member that is named like the type

	// MessageType is the type on the wire, such as "text" or "interactive".
	MessageType() string

	// Summary is a short form for people, such as in a list of conversations: text, caption, emoji,
	// the name of a place, of people, of the template. It may be empty.
	Summary() string

	// check reports what breaks a rule; sensitive lists what must not show up in an error.
	check(*problems)
	sensitive() []string
}

// Check returns every rule that the message breaks, as [ErrValidation], or nil. Send does it by
// itself.
func (m Message) Check() error {
	p := &problems{unchecked: m.SkipValidation}
	m.check(p)
	return p.err()
}

// check checks the envelope, what envelope and content forbid each other, and the content.
func (m Message) check(p *problems) {
	if problem := m.To.problem(); problem != "" {
		p.put(false, m.To.IsZero(), "the message %s", []any{problem})
	}
	p.atMost("CallbackData", m.CallbackData, 512)
	if m.Content == nil {
		p.missing("the message has no Content")
		return
	}
	switch m.Content.(type) {
	case *Reaction:
		if m.ReplyTo != "" {
			p.limit("a reaction has no ReplyTo; its MessageID says what it is about")
		}
	case *Interactive:
		if m.To.IsGroup() {
			p.limit("a group takes no interactive message")
		}
	case *Pin:
		if !m.To.IsGroup() {
			p.limit("only a group has pins")
		}
	default:
	}
	if m.Direct != nil {
		m.Direct.check(p, m.Content)
	}
	m.Content.check(p)
}

// encode writes the body of the request. The content goes under a member named by its own type,
// which no struct tag can say, so it is appended to the encoded envelope. Exactly one of to and
// recipient is written: with both, Meta would send to the former and say nothing.
func (m Message) encode() ([]byte, error) {
	type context struct {
		MessageID graph.MessageID `json:"message_id"`
	}
	head := struct {
		Product          string         `json:"messaging_product"`
		RecipientType    string         `json:"recipient_type"`
		To               string         `json:"to,omitzero"`
		Recipient        string         `json:"recipient,omitzero"`
		Context          *context       `json:"context,omitzero"`
		CallbackData     string         `json:"biz_opaque_callback_data,omitzero"`
		IdentityKeyHash  string         `json:"recipient_identity_key_hash,omitzero"`
		MessagingAccount graph.WABAID   `json:"messaging_account_id,omitzero"`
		Category         DirectCategory `json:"category,omitzero"`
		TTL              int64          `json:"ttl_seconds,omitzero"`
		Direct           directConfig   `json:"direct_send_config,omitzero"`
		Type             string         `json:"type"`
	}{
		Product: "whatsapp", RecipientType: "individual", CallbackData: m.CallbackData,
		IdentityKeyHash: m.IdentityKeyHash, MessagingAccount: m.MessagingAccount, Type: m.Content.MessageType(),
	}
	switch m.To.kind {
	case recipientUser:
		head.Recipient = m.To.value
	case recipientGroup:
		head.RecipientType, head.To = "group", m.To.value
	default:
		head.To = m.To.value
	}
	if d := m.Direct; d != nil {
		head.Category, head.TTL, head.Direct.TemplateName = d.Category, int64(d.TTL/time.Second), d.TemplateName
	}
	if m.ReplyTo != "" {
		head.Context = &context{m.ReplyTo}
	}
	b, err := json.Marshal(head)
	if err != nil {
		return nil, err
	}
	content, err := json.Marshal(m.Content)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	out.Write(b[:len(b)-1])
	fmt.Fprintf(&out, ",%q:%s}", head.Type, content)
	return out.Bytes(), nil
}

// sensitive lists what no error about the message may repeat.
func (m Message) sensitive() []string {
	list := []string{m.To.value, m.CallbackData, m.IdentityKeyHash}
	if m.To.kind == recipientPhone {
		list = append(list, m.To.value[1:])
	}
	return append(list, m.Content.sensitive()...)
}
