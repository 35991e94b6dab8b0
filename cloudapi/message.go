package cloudapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// A Message is what [MessagesService.Send] sends. To and Content are required.
type Message struct {
	// To is whom the message is for.
	To Recipient

	// ReplyTo quotes a message of the same conversation. Meta shows no quote, and reports no error, if that message is
	// deleted or older than 30 days. A reaction has none.
	ReplyTo graph.MessageID

	// CallbackData comes back in every status webhook of the message and is invisible to the recipient; at most 512
	// characters. A unique value per message is the only way to find out what became of a send whose outcome is unknown.
	// It does not keep Meta from accepting the same message twice.
	CallbackData string

	// IdentityKeyHash sends the message only while the recipient's identity key is the one that a webhook reported; else
	// Meta refuses with code 137000. If empty, nothing is checked.
	IdentityKeyHash string

	// MessagingAccount names the messaging account that pays, for businesses with several partners. If empty, Meta
	// decides.
	MessagingAccount graph.WABAID

	// Content is what the message says.
	Content Content

	// Priority says who goes first when the [Limiter] holds messages back. The zero value is [PriorityReply]; set
	// [PriorityCampaign] for what nobody waits for.
	Priority Priority

	// Unchecked sends without looking at Meta's limits first, for the day one is raised. What could not be sent at all,
	// like a message without recipient, is still refused.
	Unchecked bool
}

// A Content is what a message says: *[Text], *[Template], *[Reaction] or *[RawContent].
//
//sumtype:decl
type Content interface {
	json.Marshaler

	// kind is the message's type on the wire, and the name of the member that holds the content.
	kind() string

	// check reports what breaks a rule; sensitive lists what must not show up in an error.
	check(*problems)
	sensitive() []string
}

// problems collects everything that is wrong with a request.
type problems struct {
	prefix    string // names the endpoint, where the arguments do not
	unchecked bool
	list      []error
}

// add reports what makes a request impossible.
func (p *problems) add(format string, args ...any) {
	p.list = append(p.list, fmt.Errorf("cloudapi: "+p.prefix+format, args...))
}

// limit reports what breaks a limit of Meta's, which may have moved since.
func (p *problems) limit(format string, args ...any) {
	if !p.unchecked {
		p.add(format, args...)
	}
}

// atMost reports text that is too long. Lengths count characters as Go does.
func (p *problems) atMost(what, text string, limit int) {
	if n := utf8.RuneCountInString(text); n > limit {
		p.limit("%s has %d characters; Meta accepts %d", what, n, limit)
	}
	if !utf8.ValidString(text) {
		p.add("%s is not valid UTF-8", what)
	}
}

func (p *problems) err() error {
	if len(p.list) == 0 {
		return nil
	}
	return errors.Join(append([]error{ErrInvalid}, p.list...)...)
}

func (m Message) check(from graph.PhoneNumberID) error {
	p := &problems{unchecked: m.Unchecked}
	if from == "" {
		p.add("the sending phone number id is empty")
	}
	if problem := m.To.problem(); problem != "" {
		p.add("the message %s", problem)
	}
	p.atMost("CallbackData", m.CallbackData, 512)
	switch c := m.Content.(type) {
	case nil:
		p.add("the message has no Content")
	default:
		if _, ok := c.(*Reaction); ok && m.ReplyTo != "" {
			p.limit("a reaction has no ReplyTo; its MessageID says what it is about")
		}
		c.check(p)
	}
	return p.err()
}

// encode writes the body of the request. The content goes under a member named by its own type.
func (m Message) encode() ([]byte, error) {
	type context struct {
		MessageID graph.MessageID `json:"message_id"`
	}
	head := struct {
		Product          string       `json:"messaging_product"`
		RecipientType    string       `json:"recipient_type"`
		To               string       `json:"to,omitzero"`
		Recipient        string       `json:"recipient,omitzero"`
		Context          *context     `json:"context,omitzero"`
		CallbackData     string       `json:"biz_opaque_callback_data,omitzero"`
		IdentityKeyHash  string       `json:"recipient_identity_key_hash,omitzero"`
		MessagingAccount graph.WABAID `json:"messaging_account_id,omitzero"`
		Type             string       `json:"type"`
	}{
		Product: "whatsapp", RecipientType: "individual", CallbackData: m.CallbackData,
		IdentityKeyHash: m.IdentityKeyHash, MessagingAccount: m.MessagingAccount, Type: m.Content.kind(),
	}
	switch m.To.kind {
	case recipientUser:
		head.Recipient = m.To.value
	case recipientGroup:
		head.RecipientType, head.To = "group", m.To.value
	default:
		head.To = m.To.value
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
