package cloudapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// emptyContents makes an empty content by the message type that it has on the wire, to decode into.
var emptyContents = map[string]func() Content{
	"text":        func() Content { return new(Text) },
	"image":       func() Content { return new(Image) },
	"video":       func() Content { return new(Video) },
	"audio":       func() Content { return new(Audio) },
	"document":    func() Content { return new(Document) },
	"sticker":     func() Content { return new(Sticker) },
	"location":    func() Content { return new(Location) },
	"contacts":    func() Content { return new(Contacts) },
	"reaction":    func() Content { return new(Reaction) },
	"interactive": func() Content { return new(Interactive) },
	"template":    func() Content { return new(Template) },
	"pin":         func() Content { return new(Pin) },
}

// MarshalJSON writes the message as Meta gets it, so that an outbox can keep it and a worker send
// it later. It is the body of the request, and holds personal data.
func (m Message) MarshalJSON() ([]byte, error) {
	if isNil(m.Content) {
		return nil, errors.New("cloudapi: a message without Content does not encode")
	}
	return m.encode()
}

// UnmarshalJSON reads what MarshalJSON writes. Content of a type that is unknown here becomes
// [*RawContent]. Priority, ByPerson and SkipValidation are not kept, because Meta does not get
// them: set them again before sending, or a campaign overtakes replies.
func (m *Message) UnmarshalJSON(b []byte) error {
	var v struct {
		RecipientType    string         `json:"recipient_type"`
		To               flexString     `json:"to"`
		Recipient        graph.UserID   `json:"recipient"`
		CallbackData     string         `json:"biz_opaque_callback_data"`
		IdentityKeyHash  string         `json:"recipient_identity_key_hash"`
		MessagingAccount graph.WABAID   `json:"messaging_account_id"`
		Category         DirectCategory `json:"category"`
		TTL              int64          `json:"ttl_seconds"`
		Direct           directConfig   `json:"direct_send_config"`
		Type             string         `json:"type"`
		Context          struct {
			MessageID graph.MessageID `json:"message_id"`
		} `json:"context"`
	}
	var members map[string]json.RawMessage
	if err := errors.Join(json.Unmarshal(b, &v), json.Unmarshal(b, &members)); err != nil {
		return err
	}
	if v.Type == "" {
		v.Type = "text" // as in Meta's old samples
	}
	*m = Message{
		ReplyTo: v.Context.MessageID, CallbackData: v.CallbackData, IdentityKeyHash: v.IdentityKeyHash,
		MessagingAccount: v.MessagingAccount,
	}
	if v.Category != "" || v.TTL != 0 || v.Direct != (directConfig{}) {
		m.Direct = &DirectSend{v.Category, time.Duration(v.TTL) * time.Second, v.Direct.TemplateName}
	}
	switch {
	case v.RecipientType == "group":
		m.To = ToGroup(graph.GroupID(v.To))
	case v.To != "":
		m.To = ToPhone(string(v.To))
	case v.Recipient != "":
		m.To = ToUser(v.Recipient)
	}
	var err error
	m.Content, err = decodeContent(v.Type, members[v.Type])
	return err
}

// decodeContent reads the content of a message as it goes over the wire: the value of the member
// that is named like the type. A type that is unknown here becomes [*RawContent]; members that are
// unknown are left out.
func decodeContent(messageType string, raw json.RawMessage) (Content, error) {
	if len(raw) == 0 {
		return nil, fmt.Errorf("cloudapi: a message of type %.20q has no member of that name", messageType)
	}
	empty, ok := emptyContents[messageType]
	if !ok {
		return &RawContent{messageType, bytes.Clone(raw)}, nil
	}
	c := empty()
	if err := json.Unmarshal(raw, c); err != nil {
		if e, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
			return nil, fmt.Errorf("cloudapi: %s of a message of type %q has the wrong JSON type",
				strings.TrimPrefix(e.Field, "."), messageType)
		}
		return nil, fmt.Errorf("cloudapi: a message of type %q does not decode: %w", messageType, err)
	}
	return c, nil
}
